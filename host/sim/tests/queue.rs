//! The event queue against the simplest thing that does the same: a sorted list.

use maquette_model::SimTime;
use maquette_sim::{EventId, EventQueue, Key, Priority, Source};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Push {
        time: u64,
        priority: u8,
        source: u32,
    },
    Pop,
    PopDue(u64),
    /// The event with this number, modulo those pushed so far: pending, popped or cancelled.
    Cancel(usize),
    CancelSource(u32),
}

/// Few different values, so that ties are the rule.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u64..6, 0u8..3, 0u32..4)
            .prop_map(|(time, priority, source)| Step::Push { time, priority, source }),
        3 => Just(Step::Pop),
        1 => (0u64..6).prop_map(Step::PopDue),
        3 => any::<usize>().prop_map(Step::Cancel),
        1 => (0u32..4).prop_map(Step::CancelSource),
    ]
}

/// A sorted list of (key, number of the event).
#[derive(Default)]
struct Model(Vec<(Key, usize)>);

impl Model {
    fn pop(&mut self) -> Option<(Key, usize)> {
        self.0.sort();
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    fn pop_due(&mut self, now: SimTime) -> Option<(Key, usize)> {
        let due = self.0.iter().any(|(key, _)| key.time <= now);
        if due { self.pop() } else { None }
    }

    fn cancel(&mut self, number: usize) -> Option<usize> {
        let at = self.0.iter().position(|(_, n)| *n == number)?;
        Some(self.0.remove(at).1)
    }

    fn cancel_source(&mut self, source: Source) -> usize {
        let before = self.0.len();
        self.0.retain(|(key, _)| key.source != source);
        before - self.0.len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn queue_any_history_equals_a_sorted_list(steps in prop::collection::vec(step(), 0..200)) {
        let mut queue = EventQueue::new();
        let mut model = Model::default();
        let mut ids: Vec<EventId> = Vec::new();
        for step in steps {
            match step {
                Step::Push { time, priority, source } => {
                    let number = ids.len();
                    let (time, priority) = (SimTime::from_ps(time), Priority(priority));
                    let source = Source(source);
                    ids.push(queue.push(time, priority, source, number));
                    let seq = number as u64;
                    model.0.push((Key { time, priority, source, seq }, number));
                }
                Step::Pop => prop_assert_eq!(queue.pop(), model.pop()),
                Step::PopDue(now) => {
                    let now = SimTime::from_ps(now);
                    prop_assert_eq!(queue.pop_due(now), model.pop_due(now));
                }
                Step::Cancel(pick) if !ids.is_empty() => {
                    let number = pick % ids.len();
                    prop_assert_eq!(queue.cancel(ids[number]), model.cancel(number));
                }
                Step::Cancel(_) => {}
                Step::CancelSource(source) => {
                    let source = Source(source);
                    prop_assert_eq!(queue.cancel_source(source), model.cancel_source(source));
                }
            }
            prop_assert_eq!(queue.len(), model.0.len());
            let first = model.0.iter().min().copied();
            prop_assert_eq!(queue.peek().map(|(key, v)| (key, *v)), first);
            prop_assert_eq!(queue.next_time(), first.map_or(SimTime::MAX, |(key, _)| key.time));
            let mut all: Vec<(Key, usize)> = queue.iter().map(|(key, v)| (key, *v)).collect();
            all.sort();
            model.0.sort();
            prop_assert_eq!(&all, &model.0);
        }
    }

    /// Sources speak in any interleaving; each keeps its own order.
    #[test]
    fn queue_order_is_independent_of_how_sources_interleave(
        scripts in prop::collection::vec(prop::collection::vec((0u64..4, 0u8..2), 0..12), 1..5),
        picks in prop::collection::vec(any::<usize>(), 60),
    ) {
        let in_turn = drain(&scripts, &[]);
        let mixed = drain(&scripts, &picks);
        prop_assert_eq!(in_turn, mixed);
    }
}

/// Pushes every source's script, the next source chosen by `picks` (the first with anything left
/// when they run out), and returns what comes out: source and position in its script.
fn drain(scripts: &[Vec<(u64, u8)>], picks: &[usize]) -> Vec<(usize, usize)> {
    let mut queue = EventQueue::new();
    let mut done = vec![0; scripts.len()];
    let mut picks = picks.iter();
    loop {
        let open: Vec<usize> = (0..scripts.len())
            .filter(|s| done[*s] < scripts[*s].len())
            .collect();
        if open.is_empty() {
            break;
        }
        let source = open[picks.next().map_or(0, |p| p % open.len())];
        let (time, priority) = scripts[source][done[source]];
        queue.push(
            SimTime::from_ps(time),
            Priority(priority),
            Source(u32::try_from(source).expect("few sources")),
            (source, done[source]),
        );
        done[source] += 1;
    }
    core::iter::from_fn(|| queue.pop().map(|(_, v)| v)).collect()
}

#[test]
fn event_id_of_a_past_event_cancels_nothing() {
    let mut queue = EventQueue::new();
    let first = queue.push(SimTime::ZERO, Priority::WAKE, Source(0), 'a');
    assert_eq!(queue.pop().map(|(_, v)| v), Some('a'));
    let second = queue.push(SimTime::ZERO, Priority::WAKE, Source(0), 'b');
    assert_ne!(first, second, "the slot is used again, the id is not");
    assert_eq!(queue.cancel(first), None);
    assert_eq!(queue.cancel(EventId::from_raw(u64::MAX)), None);
    assert_eq!(queue.cancel(EventId::from_raw(second.raw())), Some('b'));
    assert!(queue.is_empty());
}

#[test]
fn push_key_given_numbers_keeps_later_pushes_behind() {
    let mut queue = EventQueue::new();
    let key = Key {
        time: SimTime::ZERO,
        priority: Priority::ARRIVAL,
        source: Source(3),
        seq: 41,
    };
    queue.push_key(key, "sent elsewhere");
    queue.push(key.time, key.priority, key.source, "pushed here");
    assert_eq!(queue.pop(), Some((key, "sent elsewhere")));
    assert_eq!(
        queue.pop().map(|(k, v)| (k.seq, v)),
        Some((42, "pushed here"))
    );
}
