//! What the world outside may do to a run, and that input never arrives in anyone's past.

use maquette_model::{Message, PortId, SimTime};
use maquette_sim::{
    Component, ComponentId, Input, NoRim, Outcome, Port, Rim, RimAction, Serial, SimCx, SimEvent,
};
use maquette_trace::{Kind, Level, TraceHash};
use proptest::prelude::*;
use std::collections::VecDeque;

/// Acts each nanosecond, in bulk, for ever or for a while; keeps what it hears and when.
struct Ticker {
    local: SimTime,
    end: SimTime,
    heard: Vec<(SimTime, u8)>,
}

impl Component for Ticker {
    fn path(&self) -> &str {
        "ticker0"
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "in")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(SimTime::ZERO, 0);
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => {
                let horizon = cx.horizon();
                assert!(horizon > cx.now(), "a wake can always get on");
                while self.local < horizon.min(self.end) {
                    self.local = self.local.saturating_add(SimTime::from_ns(1));
                }
                if self.local < self.end {
                    cx.wake_at(self.local, 0);
                }
            }
            SimEvent::Message { msg, .. } => {
                // A nanosecond is one act: the one under way at the horizon may end after it.
                let slack = cx.now().saturating_add(SimTime::from_ns(1));
                assert!(
                    self.local < slack,
                    "acted until {:?}, now {:?}",
                    self.local,
                    cx.now()
                );
                let Message::Byte(byte) = msg else {
                    unreachable!("only bytes are sent")
                };
                self.heard.push((cx.now(), byte));
                if byte == b'!' {
                    cx.stop(cx.now());
                }
            }
        }
    }
    fn idle_report(&self) -> Option<String> {
        Some("waits for input".to_owned())
    }
}

fn ticker(end: SimTime) -> (Serial, ComponentId) {
    let mut serial = Serial::default();
    let ticker = Ticker {
        local: SimTime::ZERO,
        end,
        heard: Vec::new(),
    };
    let id = serial.add(Box::new(ticker)).unwrap();
    (serial, id)
}

/// Feeds in inputs when they come due, or when nothing else happens.
struct Typist {
    to: ComponentId,
    window: SimTime,
    script: VecDeque<(SimTime, u8)>,
    asked: u32,
}

impl Typist {
    fn new(to: ComponentId, window: SimTime, script: &[(SimTime, u8)]) -> Self {
        Self {
            to,
            window,
            script: script.iter().copied().collect(),
            asked: 0,
        }
    }

    fn next(&mut self) -> RimAction {
        match self.script.pop_front() {
            None => RimAction::Go,
            Some((at, byte)) => RimAction::Inject(Input {
                at,
                to: self.to,
                port: PortId(0),
                msg: Message::Byte(byte),
            }),
        }
    }
}

impl Rim for Typist {
    fn before(&mut self, t: SimTime) -> RimAction {
        self.asked += 1;
        match self.script.front() {
            // In time for delivery at the very moment that the script says.
            Some((at, _)) if *at <= t.saturating_add(self.window) => self.next(),
            _ => RimAction::Go,
        }
    }
    fn idle(&mut self) -> RimAction {
        self.next()
    }
    fn window(&self) -> SimTime {
        self.window
    }
}

const US: SimTime = SimTime::from_us(1);

fn us(n: u64) -> SimTime {
    SimTime::from_us(n)
}

#[test]
fn input_arrives_at_its_time_while_the_receiver_runs_in_bulk() {
    let (mut serial, id) = ticker(SimTime::MAX);
    let mut rim = Typist::new(id, US, &[(us(5), b'a'), (us(9), b'!')]);
    assert_eq!(serial.run(us(500), &mut rim), Outcome::Stopped);
    assert_eq!(serial.now(), us(9));
    let heard = &serial.get::<Ticker>(id).unwrap().heard;
    assert_eq!(heard, &[(us(5), b'a'), (us(9), b'!')]);
    assert_eq!(serial.trace().level(), Level::Replayable);
    assert_eq!(serial.trace().counts()[Kind::Link], 2);
    assert_eq!(serial.statistics().inputs, 2);
}

#[test]
fn input_for_the_past_arrives_at_the_first_time_that_nobody_has_passed() {
    let (mut serial, id) = ticker(SimTime::MAX);
    let mut rim = Typist::new(id, us(3), &[(us(1), b'a')]);
    // Nothing was promised before the first question, so 1 us is still to be had ...
    serial.run(us(50), &mut rim);
    assert_eq!(serial.get::<Ticker>(id).unwrap().heard, [(us(1), b'a')]);
    // ... but 1 us is the past now, and the first piece ended at 50 us.
    let mut rim = Typist::new(id, us(3), &[(us(1), b'b')]);
    serial.run(us(90), &mut rim);
    assert_eq!(serial.get::<Ticker>(id).unwrap().heard[1], (us(50), b'b'));
}

#[test]
fn idle_rim_with_input_goes_on_and_without_is_the_end() {
    let (mut serial, id) = ticker(us(2));
    let mut rim = Typist::new(id, US, &[(us(70), b'a')]);
    assert_eq!(serial.run(SimTime::MAX, &mut rim), Outcome::Idle);
    assert_eq!(serial.get::<Ticker>(id).unwrap().heard, [(us(70), b'a')]);
    let waits = ("ticker0".to_owned(), "waits for input".to_owned());
    assert_eq!(serial.idle_reports(), [waits]);
}

#[test]
fn input_to_nowhere_is_counted_and_dropped() {
    let (mut serial, id) = ticker(us(2));
    let (mut other, stranger) = ticker(us(2));
    other.add(Box::new(Silent)).unwrap();
    let nowhere = other.add(Box::new(Other)).unwrap();
    assert_eq!(stranger, id, "ids are numbers in order of adding");
    let mut rim = Typist::new(nowhere, US, &[(us(1), b'a'), (SimTime::MAX, b'b')]);
    assert_eq!(serial.run(us(10), &mut rim), Outcome::Idle);
    assert_eq!(serial.statistics().unconnected, 2);
    assert_eq!(serial.trace().level(), Level::Deterministic);
}

struct Silent;
impl Component for Silent {
    fn path(&self) -> &str {
        "silent0"
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
}

struct Other;
impl Component for Other {
    fn path(&self) -> &str {
        "other0"
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
}

/// Interrupts at the first question at or after a time.
struct Impatient(SimTime);

impl Rim for Impatient {
    fn before(&mut self, t: SimTime) -> RimAction {
        if t >= self.0 {
            RimAction::Stop
        } else {
            RimAction::Go
        }
    }
    fn idle(&mut self) -> RimAction {
        RimAction::Stop
    }
}

#[test]
fn rim_is_asked_often_enough_to_interrupt_a_component_that_never_sleeps() {
    let (mut serial, id) = ticker(SimTime::MAX);
    let outcome = serial.run(SimTime::MAX, &mut Impatient(SimTime::from_ms(2)));
    assert_eq!(outcome, Outcome::Interrupted);
    // The default window is a millisecond.
    assert_eq!(serial.get::<Ticker>(id).unwrap().local, SimTime::from_ms(2));
}

#[test]
fn rim_stop_while_idle_is_an_interrupt() {
    let (mut serial, _) = ticker(us(2));
    let outcome = serial.run(SimTime::MAX, &mut Impatient(SimTime::MAX));
    assert_eq!(outcome, Outcome::Interrupted);
}

#[test]
fn no_rim_lets_a_component_run_to_the_limit_in_one_event() {
    let (mut serial, id) = ticker(SimTime::MAX);
    assert_eq!(serial.run(us(300), &mut NoRim), Outcome::Limit);
    assert_eq!(serial.get::<Ticker>(id).unwrap().local, us(300));
    assert_eq!((serial.statistics().events, serial.now()), (1, us(300)));
}

/// Wakes at two times and does nothing.
struct Quiet;

impl Component for Quiet {
    fn path(&self) -> &str {
        "quiet0"
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(us(1), 0);
        cx.wake_at(us(3), 0);
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
}

/// A rim that interrupts at 1 us, having let everyone run ten times as far.
struct Generous;

impl Rim for Generous {
    fn before(&mut self, t: SimTime) -> RimAction {
        Impatient(us(1)).before(t)
    }
    fn idle(&mut self) -> RimAction {
        RimAction::Go
    }
    fn window(&self) -> SimTime {
        us(10)
    }
}

#[test]
fn input_of_a_second_rim_respects_what_the_first_allowed() {
    let (mut serial, id) = ticker(SimTime::MAX);
    serial.add(Box::new(Quiet)).unwrap();
    assert_eq!(serial.run(us(50), &mut Generous), Outcome::Interrupted);
    assert_eq!(serial.get::<Ticker>(id).unwrap().local, us(10));
    let mut rim = Typist::new(id, US, &[(us(3), b'a')]);
    serial.run(us(50), &mut rim);
    assert_eq!(serial.get::<Ticker>(id).unwrap().heard, [(us(10), b'a')]);
}

fn replay(window: SimTime, script: &[(SimTime, u8)]) -> (Vec<(SimTime, u8)>, TraceHash) {
    let (mut serial, id) = ticker(SimTime::MAX);
    let mut rim = Typist::new(id, window, script);
    serial.run(us(100), &mut rim);
    let heard = serial.get::<Ticker>(id).unwrap().heard.clone();
    (heard, serial.finish())
}

proptest! {
    /// What a run heard, fed in again, gives the same run: also with another window.
    #[test]
    fn logged_input_replays_to_the_same_hash(
        mut times in prop::collection::vec(0u64..90_000, 0..20),
        windows in (1u64..20_000, 1u64..20_000),
    ) {
        times.sort_unstable();
        let script: Vec<(SimTime, u8)> =
            times.iter().map(|t| (SimTime::from_ns(*t), (*t % 31) as u8)).collect();
        let (heard, hash) = replay(SimTime::from_ns(windows.0), &script);
        prop_assert_eq!(heard.len(), script.len());
        let (again, same) = replay(SimTime::from_ns(windows.1), &heard);
        prop_assert_eq!(heard, again);
        prop_assert_eq!(hash, same);
    }
}
