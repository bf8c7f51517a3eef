//! Clocks tick at every edge of their rate, in an order that no stopping and starting changes.

use maquette_model::{
    Frequency, LoadError, Message, PortId, Reader, RestoreError, SaveError, Sections, SimTime,
    Snapshot, Writer,
};
use maquette_sim::{Component, ComponentId, Link, NoRim, Port, Serial, SimCx, SimEvent};
use proptest::prelude::*;

const GHZ: Frequency = Frequency::from_hz(1_000_000_000);

const fn ps(t: u64) -> SimTime {
    SimTime::from_ps(t)
}

/// What happened to a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    Tick(u64, u32, u64),
    Wake(u64, u32),
    Message(u64),
}

/// What a component does at a moment.
#[derive(Clone, Copy, Debug)]
enum Act {
    Clock(u32, Frequency, SimTime),
    Stop(u32),
    Start(u32, SimTime),
    Send,
    /// Writes down how far it may act.
    Look,
}

/// Does at the start, at its wakes and at its ticks what a list says, and writes down what happened.
struct Scripted {
    name: &'static str,
    at_start: Vec<Act>,
    /// For each wake its time and what is done then; the index is the tag.
    at_wakes: Vec<(SimTime, Act)>,
    /// What is done at a tick (tag, cycle).
    at_ticks: Vec<((u32, u64), Act)>,
    seen: Vec<Seen>,
    started: Vec<Option<SimTime>>,
    horizons: Vec<SimTime>,
}

impl Scripted {
    fn new(at_start: &[Act], at_wakes: &[(SimTime, Act)], at_ticks: &[((u32, u64), Act)]) -> Self {
        Self {
            name: "scripted",
            at_start: at_start.to_vec(),
            at_wakes: at_wakes.to_vec(),
            at_ticks: at_ticks.to_vec(),
            seen: Vec::new(),
            started: Vec::new(),
            horizons: Vec::new(),
        }
    }

    fn act(&mut self, cx: &mut SimCx<'_>, act: Act) {
        match act {
            Act::Clock(tag, rate, phase) => cx.clock(tag, rate, phase),
            Act::Stop(tag) => {
                cx.stop_clock(tag);
            }
            Act::Start(tag, at) => self.started.push(cx.start_clock(tag, at)),
            Act::Send => cx.send(PortId(0), Message::Byte(0), cx.now()),
            Act::Look => self.horizons.push(cx.horizon()),
        }
    }
}

impl Component for Scripted {
    fn path(&self) -> &str {
        self.name
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "port")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        for act in self.at_start.clone() {
            self.act(cx, act);
        }
        for (tag, (time, _)) in (0..).zip(self.at_wakes.clone()) {
            cx.wake_at(time, tag);
        }
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        let now = cx.now().as_ps();
        match ev {
            SimEvent::Wake { tag } => {
                self.seen.push(Seen::Wake(now, tag));
                let (_, act) = self.at_wakes[tag as usize];
                self.act(cx, act);
            }
            SimEvent::Message { .. } => self.seen.push(Seen::Message(now)),
        }
    }
    fn tick(&mut self, cx: &mut SimCx<'_>, tag: u32, cycle: u64) {
        self.seen.push(Seen::Tick(cx.now().as_ps(), tag, cycle));
        for (at, act) in self.at_ticks.clone() {
            if at == (tag, cycle) {
                self.act(cx, act);
            }
        }
    }
    fn save(&self, _: &mut Sections) -> Result<(), SaveError> {
        Ok(())
    }
    fn restore(&mut self, _: &mut Sections) -> Result<(), RestoreError> {
        Ok(())
    }
}

fn alone(part: Scripted) -> (Serial, ComponentId) {
    let mut serial = Serial::default();
    let id = serial.add(Box::new(part)).unwrap();
    (serial, id)
}

fn run(part: Scripted, limit: SimTime) -> Scripted {
    let (mut serial, id) = alone(part);
    serial.run(limit, &mut NoRim);
    take(&mut serial, id)
}

fn take(serial: &mut Serial, id: ComponentId) -> Scripted {
    let part = serial.get_mut::<Scripted>(id).unwrap();
    core::mem::replace(part, Scripted::new(&[], &[], &[]))
}

/// Times and cycles of the ticks of clock `tag`.
fn ticks(seen: &[Seen], tag: u32) -> Vec<(u64, u64)> {
    let of_tag = seen.iter().filter_map(|seen| match *seen {
        Seen::Tick(at, t, cycle) if t == tag => Some((at, cycle)),
        _ => None,
    });
    of_tag.collect()
}

#[test]
fn clock_of_three_gigahertz_ticks_at_its_phase_and_every_period_without_drift() {
    let rate = Frequency::from_hz(3_000_000_000);
    let part = Scripted::new(&[Act::Clock(0, rate, ps(1000))], &[], &[]);
    let seen = run(part, ps(1_001_001)).seen;
    let ticks = ticks(&seen, 0);
    assert_eq!(ticks[..4], [(1000, 0), (1334, 1), (1667, 2), (2000, 3)]);
    assert_eq!(ticks.last(), Some(&(1_001_000, 3000)));
}

#[test]
fn clock_period_may_be_a_fraction_of_hertz() {
    // A period of 1.5 s.
    let rate = Frequency::from_hz(1).scaled(2, 3);
    let part = Scripted::new(&[Act::Clock(0, rate, SimTime::ZERO)], &[], &[]);
    let seen = run(part, ps(4_000_000_000_000)).seen;
    let expected = [(0, 0), (1_500_000_000_000, 1), (3_000_000_000_000, 2)];
    assert_eq!(ticks(&seen, 0), expected);
}

#[test]
fn clock_at_equal_times_messages_come_first_then_ticks_by_tag_then_wakes() {
    // Started in any order, one of them stopped and started on the way.
    let part = Scripted::new(
        &[
            Act::Clock(7, GHZ, SimTime::ZERO),
            Act::Clock(2, GHZ, SimTime::ZERO),
        ],
        &[
            (ps(500), Act::Stop(2)),
            (ps(700), Act::Start(2, ps(700))),
            (ps(2000), Act::Look),
        ],
        &[],
    );
    let mut peer = Scripted::new(&[], &[(ps(1000), Act::Send)], &[]);
    peer.name = "peer";
    let (mut serial, id) = alone(part);
    let peer = serial.add(Box::new(peer)).unwrap();
    let (a, b) = ((id, PortId(0)), (peer, PortId(0)));
    let latency = ps(1000);
    serial.link(Link { a, b, latency }).unwrap();
    serial.run(ps(2001), &mut NoRim);
    let seen = take(&mut serial, id).seen;
    let expected = [
        Seen::Message(2000),
        Seen::Tick(2000, 2, 2),
        Seen::Tick(2000, 7, 2),
        Seen::Wake(2000, 2),
    ];
    assert_eq!(seen[seen.len() - 4..], expected);
}

#[test]
fn clock_stopped_by_its_handler_goes_on_at_an_edge() {
    let part = Scripted::new(
        &[Act::Clock(0, GHZ, SimTime::ZERO)],
        &[(ps(4_300), Act::Start(0, SimTime::ZERO))],
        &[((0, 1), Act::Stop(0))],
    );
    let part = run(part, ps(6_001));
    let expected = [(0, 0), (1_000, 1), (5_000, 5), (6_000, 6)];
    assert_eq!(ticks(&part.seen, 0), expected);
    assert_eq!(part.started, [Some(ps(5_000))]);
}

#[test]
fn clock_skips_to_an_edge_and_never_ticks_twice_at_one() {
    let part = Scripted::new(
        &[Act::Clock(0, GHZ, SimTime::ZERO)],
        &[],
        &[
            // At an edge that has just ticked.
            ((0, 1), Act::Start(0, SimTime::ZERO)),
            // Ahead, in between two edges.
            ((0, 2), Act::Start(0, ps(7_001))),
        ],
    );
    let part = run(part, ps(9_000));
    let expected = [(0, 0), (1_000, 1), (2_000, 2), (8_000, 8)];
    assert_eq!(ticks(&part.seen, 0), expected);
    assert_eq!(part.started, [Some(ps(2_000)), Some(ps(8_000))]);
}

#[test]
fn clock_with_a_new_rate_ticks_from_its_next_edge() {
    let slow = Frequency::from_hz(500_000_000);
    let part = Scripted::new(
        &[Act::Clock(0, GHZ, SimTime::ZERO)],
        &[],
        &[((0, 2), Act::Clock(0, slow, ps(2_000)))],
    );
    let seen = run(part, ps(6_001)).seen;
    // Edge 0 of the new clock is at 2000, where the old one has ticked.
    let expected = [(0, 0), (1_000, 1), (2_000, 2), (4_000, 1), (6_000, 2)];
    assert_eq!(ticks(&seen, 0), expected);
}

#[test]
fn clock_that_nobody_has_set_going_cannot_be_started() {
    let part = Scripted::new(&[Act::Start(3, ps(1)), Act::Stop(3)], &[], &[]);
    let part = run(part, ps(100));
    assert_eq!((part.started, part.seen), (vec![None], Vec::new()));
}

#[test]
fn clock_faster_than_time_counts_leaves_out_cycles_and_gets_on() {
    let rate = Frequency::from_hz(u64::MAX);
    let part = Scripted::new(&[Act::Clock(0, rate, SimTime::ZERO)], &[], &[]);
    let seen = run(part, ps(4)).seen;
    let times: Vec<u64> = ticks(&seen, 0).iter().map(|tick| tick.0).collect();
    assert_eq!(times, [0, 1, 2, 3]);
}

#[test]
fn clock_at_the_end_of_time_ticks_no_more() {
    let phase = ps(u64::MAX - 1);
    let part = Scripted::new(
        &[Act::Clock(0, GHZ, phase), Act::Clock(1, GHZ, SimTime::MAX)],
        &[],
        &[],
    );
    let seen = run(part, SimTime::MAX).seen;
    assert_eq!(seen, [Seen::Tick(u64::MAX - 1, 0, 0)]);
}

#[test]
fn clock_bounds_the_horizon_by_its_next_tick() {
    let part = Scripted::new(
        &[Act::Clock(0, GHZ, SimTime::ZERO)],
        &[],
        &[((0, 1), Act::Look)],
    );
    assert_eq!(run(part, ps(5_000)).horizons, [ps(2_000)]);
}

/// One clock that ticks all the time, one that stops and is started after the snapshot.
fn two_clocks() -> Scripted {
    Scripted::new(
        &[
            Act::Clock(0, Frequency::from_hz(3_000_000_000), ps(100)),
            Act::Clock(1, GHZ, SimTime::ZERO),
        ],
        &[(ps(9_000), Act::Start(1, SimTime::ZERO))],
        &[((1, 3), Act::Stop(1))],
    )
}

#[test]
fn clock_saved_in_the_middle_ticks_on_as_if_nothing_had_been() {
    let whole = run(two_clocks(), ps(20_000)).seen;
    for cut in [0, 500, 3_000, 3_001, 9_000, 12_345] {
        let (mut serial, id) = alone(two_clocks());
        serial.run(ps(cut), &mut NoRim);
        let before = take(&mut serial, id).seen;
        let state = serial.save().unwrap();
        let (mut other, id) = alone(two_clocks());
        other.restore(state).unwrap();
        other.run(ps(20_000), &mut NoRim);
        let after = take(&mut other, id).seen;
        assert_eq!([before, after].concat(), whole, "cut at {cut}");
    }
}

/// The engine's section as version 2 wrote it: one component with nothing to come.
struct WithoutClocks;

impl Snapshot for WithoutClocks {
    fn kind(&self) -> &'static str {
        "engine"
    }
    fn version(&self) -> u16 {
        2
    }
    fn save(&self, w: &mut Writer) {
        w.time(ps(5_500));
        w.bool(false);
        w.time(SimTime::ZERO);
        w.time(ps(5_500));
        w.u32(1);
        w.time(SimTime::ZERO);
        w.u64(0);
        w.time(SimTime::ZERO);
        w.u32(1);
        w.time(SimTime::ZERO);
        w.raw(&[0; 4 * 8]);
        w.u64(1);
        w.str("scripted");
        w.u64(1);
        // An empty queue that has never held anything.
        w.u64(0);
        w.u64(0);
    }
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

#[test]
fn clock_is_at_rest_after_a_snapshot_of_a_version_without_clocks() {
    let (mut serial, id) = alone(two_clocks());
    let mut state = Sections::default();
    for (path, section) in serial.save().unwrap().iter() {
        if path != "(engine)" {
            state.insert(path, section.clone()).unwrap();
        }
    }
    state.put("(engine)", &WithoutClocks).unwrap();
    serial.restore(state).unwrap();
    assert_eq!(serial.now(), ps(5_500));
    serial.run(ps(20_000), &mut NoRim);
    assert_eq!(take(&mut serial, id).seen, []);
}

proptest! {
    /// Stops and starts at any times: an edge ticks if the clock goes there or is started just there.
    #[test]
    fn clock_any_stops_and_starts_ticks_where_it_goes(
        ghz in 1u64..5,
        phase in 0u64..3_000,
        acts in prop::collection::vec((0u64..40, prop::bool::ANY), 0..12),
    ) {
        let rate = Frequency::from_hz(ghz * 1_000_000_000);
        // Half of the times are on an edge.
        let mut acts: Vec<(SimTime, bool)> = acts.into_iter().map(|(half, start)| {
            let edge = rate.time_of(half / 2).as_ps() + phase;
            (ps(edge + (half % 2) * 77), start)
        }).collect();
        acts.sort_by_key(|act| act.0);
        let script: Vec<(SimTime, Act)> = acts.iter().map(|&(at, start)| {
            (at, if start { Act::Start(0, at) } else { Act::Stop(0) })
        }).collect();
        let part = Scripted::new(&[Act::Clock(0, rate, ps(phase))], &script, &[]);
        let seen = run(part, ps(30_000)).seen;
        let edges = (0..).map(|cycle| (rate.time_of(cycle).as_ps() + phase, cycle));
        let expected: Vec<(u64, u64)> = edges.take_while(|edge| edge.0 < 30_000).filter(|edge| {
            let before = acts.iter().rfind(|act| act.0.as_ps() < edge.0);
            let at = acts.iter().any(|act| act.0.as_ps() == edge.0 && act.1);
            before.is_none_or(|act| act.1) || at
        }).collect();
        prop_assert_eq!(ticks(&seen, 0), expected);
    }
}
