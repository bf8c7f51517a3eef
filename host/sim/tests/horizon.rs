//! The engine's main promise: nothing arrives in a component's past, and running ahead is not
//! observable. Random networks of components that act in bulk are compared with the same networks
//! taken one event at a time.

use maquette_model::{
    LoadError, Message, PortId, Reader, RestoreError, SaveError, Sections, SimTime, Snapshot,
    Writer,
};
use maquette_sim::{
    Component, ComponentId, Input, Link, NoRim, Outcome, Port, Rim, RimAction, STOP_NOTICE, Serial,
    SimCx, SimEvent, WakeId,
};
use maquette_trace::{Kind, PathId, TraceHash};
use proptest::prelude::*;

/// Ports of a node; a network uses only some.
const PORTS: u16 = 5;

/// A machine in small: acts on its own local time, sends now and then, answers messages at once.
struct Node {
    name: String,
    /// Whether it acts as far as the horizon or once per wake.
    bulk: bool,
    /// Everything it ever did, as a number that decides what it does next.
    state: u64,
    /// The time of its next act.
    next: SimTime,
    /// Acts that are left.
    acts: u32,
    /// How many acts are left when it stops the run.
    stop_at: u32,
    /// The time of its last act or message.
    last: SimTime,
    wake: Option<WakeId>,
    path: Option<PathId>,
    /// Anything that came too late.
    late: Vec<String>,
}

impl Node {
    fn new(index: usize, plan: &Plan, bulk: bool) -> Self {
        let seed = plan.seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let stop = plan.stops.get(index).copied().flatten();
        Self {
            name: format!("node{index}"),
            bulk,
            state: seed,
            next: SimTime::ZERO,
            acts: 40,
            stop_at: stop.unwrap_or(u32::MAX),
            last: SimTime::ZERO,
            wake: None,
            path: None,
            late: Vec::new(),
        }
    }

    /// Folds `what` into the state (splitmix64) and returns the new state.
    fn mix(&mut self, what: u64) -> u64 {
        let mut z = (self.state ^ what).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.state = z ^ (z >> 31);
        self.state
    }

    fn record(&mut self, cx: &mut SimCx<'_>, at: SimTime) {
        let state = self.state.to_le_bytes();
        if let Some(path) = self.path {
            cx.trace().record(at, path, Kind::Console, &state);
        }
    }

    fn act(&mut self, cx: &mut SimCx<'_>) {
        let at = self.next;
        let r = self.mix(at.as_ps());
        self.acts -= 1;
        self.last = at;
        self.record(cx, at);
        if r.is_multiple_of(3) {
            // The payload is how many more times it may be answered.
            cx.send(PortId((r >> 8) as u16 % PORTS), Message::Word(4), at);
        }
        if self.acts == self.stop_at {
            cx.stop(at);
        }
        self.next = at.saturating_add(SimTime::from_us(1 + (r >> 32) % 20));
    }

    fn on_wake(&mut self, cx: &mut SimCx<'_>) {
        self.wake = None;
        if self.bulk {
            while self.acts > 0 && self.next < cx.horizon() {
                self.act(cx);
            }
        } else if self.acts > 0 {
            self.act(cx);
        }
        if self.acts > 0 {
            self.wake = Some(cx.wake_at(self.next, 0));
        }
    }

    fn on_message(&mut self, cx: &mut SimCx<'_>, port: PortId, answers: u64) {
        let now = cx.now();
        if self.last > now {
            self.late
                .push(format!("message at {now:?} after {:?}", self.last));
        }
        self.last = now;
        let r = self.mix(now.as_ps() ^ (u64::from(port.0) << 48) ^ answers);
        self.record(cx, now);
        if answers > 0 {
            // At the earliest possible time, over the same link or another.
            let port = if r.is_multiple_of(2) {
                port
            } else {
                PortId((r >> 8) as u16 % PORTS)
            };
            cx.send(port, Message::Word(answers - 1), now);
        }
        if r.is_multiple_of(5) && self.acts > 0 {
            // A message may also change what the node plans.
            self.next = self.next.max(now).saturating_add(SimTime::from_us(r % 7));
            if let Some(wake) = self.wake.take() {
                cx.cancel(wake);
            }
            self.wake = Some(cx.wake_at(self.next, 0));
        }
    }
}

impl Component for Node {
    fn path(&self) -> &str {
        &self.name
    }
    fn ports(&self) -> Vec<Port> {
        (0..PORTS).map(|p| Port::new(p, "p")).collect()
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        assert_eq!(cx.horizon(), SimTime::ZERO, "no bulk work before the start");
        self.path = Some(cx.trace_path());
        self.next = SimTime::from_us(self.state % 10);
        self.wake = Some(cx.wake_at(self.next, 0));
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => self.on_wake(cx),
            SimEvent::Message {
                port,
                msg: Message::Word(answers),
            } => {
                self.on_message(cx, port, answers);
            }
            SimEvent::Message { .. } => self.late.push("a message that nobody sent".to_owned()),
        }
    }
    fn save(&self, to: &mut Sections) -> core::result::Result<(), SaveError> {
        to.put(&self.name, self)
    }
    fn restore(&mut self, from: &mut Sections) -> core::result::Result<(), RestoreError> {
        let name = self.name.clone();
        from.take(&name, self)
    }
    fn idle_report(&self) -> Option<String> {
        (self.acts > 0).then(|| format!("{} acts left", self.acts))
    }
}

impl Snapshot for Node {
    fn kind(&self) -> &'static str {
        "node"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.state);
        w.u32(self.acts);
        w.time(self.next);
        w.time(self.last);
        w.bool(self.wake.is_some());
        if let Some(wake) = self.wake {
            wake.save(w);
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> core::result::Result<(), LoadError> {
        self.state = r.u64()?;
        self.acts = r.u32()?;
        self.next = r.time()?;
        self.last = r.time()?;
        self.wake = match r.bool("wake")? {
            true => Some(WakeId::load(r)?),
            false => None,
        };
        Ok(())
    }
}

/// A random network and what happens in it.
#[derive(Clone, Debug)]
struct Plan {
    nodes: usize,
    /// Two nodes and a latency in microseconds, so that the notice of a stop matters; the port is the first that both ends have free.
    links: Vec<(usize, usize, u64)>,
    seed: u64,
    /// For each node the number of acts left when it stops the run, if it does.
    stops: Vec<Option<u32>>,
}

fn plan() -> impl Strategy<Value = Plan> {
    (1usize..6).prop_flat_map(|nodes| {
        let link = (0..nodes, 0..nodes, 1u64..60);
        let links = prop::collection::vec(link, 0..8);
        let stop = prop::option::weighted(0.3, 1u32..40);
        let stops = prop::collection::vec(stop, nodes);
        (links, any::<u64>(), stops).prop_map(move |(links, seed, stops)| Plan {
            nodes,
            links,
            seed,
            stops,
        })
    })
}

/// What a run leaves behind.
#[derive(PartialEq, Eq, Debug)]
struct Result {
    outcome: Outcome,
    /// When the run ended, unless it ran dry: the last event of one that acts in bulk is earlier.
    end: Option<SimTime>,
    hash: TraceHash,
    messages: u64,
    states: Vec<u64>,
}

struct Network {
    serial: Serial,
    ids: Vec<maquette_sim::ComponentId>,
}

impl Network {
    fn new(plan: &Plan, bulk: bool) -> Self {
        let mut serial = Serial::default();
        let ids: Vec<_> = (0..plan.nodes)
            .map(|i| serial.add(Box::new(Node::new(i, plan, bulk))).unwrap())
            .collect();
        let mut used = vec![0u16; plan.nodes];
        for &(a, b, latency) in &plan.links {
            if a == b || used[a] == PORTS || used[b] == PORTS {
                continue;
            }
            let end = |n: usize| (ids[n], PortId(used[n]));
            let latency = SimTime::from_ps(latency);
            serial
                .link(Link {
                    a: end(a),
                    b: end(b),
                    latency,
                })
                .unwrap();
            used[a] += 1;
            used[b] += 1;
        }
        Self { serial, ids }
    }

    fn result(mut self, outcome: Outcome) -> Result {
        let nodes = |f: &dyn Fn(&Node)| {
            for id in &self.ids {
                f(self.serial.get::<Node>(*id).unwrap());
            }
        };
        nodes(&|n| assert!(n.late.is_empty(), "{}: {:?}", n.name, n.late));
        let states = core::cell::RefCell::new(Vec::new());
        nodes(&|n| states.borrow_mut().push(n.state));
        Result {
            outcome,
            end: (outcome != Outcome::Idle).then_some(self.serial.now()),
            hash: self.serial.finish(),
            messages: self.serial.statistics().messages,
            states: states.into_inner(),
        }
    }

    fn run(mut self, rim: &mut dyn Rim, limits: &[u64]) -> Result {
        let mut outcome = Outcome::Idle;
        for limit in limits {
            outcome = self.serial.run(SimTime::from_us(*limit), rim);
            if outcome != Outcome::Limit {
                break;
            }
        }
        self.result(outcome)
    }
}

/// A rim that says nothing but wants to be asked often.
struct Nosy(SimTime);

impl Rim for Nosy {
    fn before(&mut self, _: SimTime) -> RimAction {
        RimAction::Go
    }
    fn idle(&mut self) -> RimAction {
        RimAction::Go
    }
    fn window(&self) -> SimTime {
        self.0
    }
}

/// Longer than any of the networks lives.
const FOREVER: u64 = u64::MAX;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn bulk_run_equals_one_event_at_a_time(plan in plan(), limit in 1u64..900) {
        for limit in [limit, FOREVER] {
            let bulk = Network::new(&plan, true).run(&mut NoRim, &[limit]);
            let single = Network::new(&plan, false).run(&mut NoRim, &[limit]);
            prop_assert_eq!(bulk, single);
        }
    }

    #[test]
    fn run_is_the_same_for_any_rim_window_and_any_pieces(
        plan in plan(), window in 0u64..50, mut pieces in prop::collection::vec(1u64..900, 0..5),
    ) {
        let whole = Network::new(&plan, true).run(&mut NoRim, &[FOREVER]);
        let nosy = Network::new(&plan, true).run(&mut Nosy(SimTime::from_us(window)), &[FOREVER]);
        prop_assert_eq!(&whole, &nosy);
        pieces.sort_unstable();
        pieces.push(FOREVER);
        let pieced = Network::new(&plan, true).run(&mut NoRim, &pieces);
        prop_assert_eq!(&whole, &pieced);
    }

    #[test]
    fn restored_run_equals_the_one_that_was_not_interrupted(
        plan in plan(), mut cuts in prop::collection::vec(1u64..900, 1..4),
    ) {
        let whole = Network::new(&plan, true).run(&mut NoRim, &[FOREVER]);
        cuts.sort_unstable();
        let mut network = Network::new(&plan, true);
        for cut in cuts {
            if network.serial.run(SimTime::from_us(cut), &mut NoRim) != Outcome::Limit {
                return Ok(());
            }
            let saved = network.serial.save().unwrap();
            let mut restored = Network::new(&plan, true);
            restored.serial.restore(saved.clone()).unwrap();
            prop_assert_eq!(restored.serial.now(), network.serial.now());
            prop_assert_eq!(restored.serial.save().unwrap(), saved);
            network = restored;
        }
        prop_assert_eq!(network.run(&mut NoRim, &[FOREVER]), whole);
    }
}

/// A person who types now and then and gives up some time.
struct Person {
    to: ComponentId,
    /// Questions until each key, then until the end.
    patience: Vec<u8>,
    keys: Vec<Input>,
}

impl Person {
    fn asked(&mut self, at: SimTime) -> RimAction {
        match self.patience.first_mut() {
            None => RimAction::Stop,
            Some(0) => {
                self.patience.remove(0);
                RimAction::Inject(Input {
                    at,
                    to: self.to,
                    port: PortId(0),
                    msg: Message::Word(3),
                })
            }
            Some(left) => {
                *left -= 1;
                RimAction::Go
            }
        }
    }
}

impl Rim for Person {
    fn before(&mut self, t: SimTime) -> RimAction {
        self.asked(t)
    }
    fn idle(&mut self) -> RimAction {
        self.asked(SimTime::ZERO)
    }
    fn window(&self) -> SimTime {
        SimTime::from_us(9)
    }
    fn accepted(&mut self, input: &Input) {
        self.keys.push(input.clone());
    }
}

/// Types what was typed before, all of it as soon as it can.
struct Replay(std::vec::IntoIter<Input>);

impl Rim for Replay {
    fn before(&mut self, _: SimTime) -> RimAction {
        self.0.next().map_or(RimAction::Go, RimAction::Inject)
    }
    fn idle(&mut self) -> RimAction {
        self.0.next().map_or(RimAction::Go, RimAction::Inject)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn replayed_input_gives_the_same_run(
        plan in plan(), patience in prop::collection::vec(0u8..30, 0..12),
    ) {
        let mut live = Network::new(&plan, true);
        let mut person = Person { to: live.ids[0], patience, keys: Vec::new() };
        let outcome = live.serial.run(SimTime::MAX, &mut person);
        prop_assert_ne!(outcome, Outcome::Aborted);
        let end = match outcome {
            Outcome::Interrupted => live.serial.now(),
            _ => SimTime::MAX,
        };
        let live = live.result(Outcome::Idle);
        let mut again = Network::new(&plan, true);
        let outcome = again.serial.run(end, &mut Replay(person.keys.into_iter()));
        prop_assert_ne!(outcome, Outcome::Interrupted);
        prop_assert_eq!(again.result(Outcome::Idle), live);
    }
}

#[test]
fn bulk_run_takes_far_fewer_events() {
    let plan = Plan {
        nodes: 1,
        links: Vec::new(),
        seed: 7,
        stops: Vec::new(),
    };
    let events = |bulk| {
        let mut network = Network::new(&plan, bulk);
        assert_eq!(network.serial.run(SimTime::MAX, &mut NoRim), Outcome::Idle);
        network.serial.statistics().events
    };
    assert_eq!((events(true), events(false)), (1, 40));
}

/// Reports the horizon it sees at its first wake, before and after sending.
struct Probe {
    seen: Vec<SimTime>,
}

impl Component for Probe {
    fn path(&self) -> &str {
        "probe"
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "p")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(SimTime::from_ns(10), 0);
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        if let SimEvent::Wake { tag: 0 } = ev {
            self.seen.push(cx.horizon());
            cx.send(PortId(0), Message::Byte(0), SimTime::from_ns(20));
            self.seen.push(cx.horizon());
            let wake = cx.wake_at(SimTime::from_ns(11), 1);
            self.seen.push(cx.horizon());
            assert!(cx.cancel(wake));
            assert!(!cx.cancel(wake), "only once");
            self.seen.push(cx.horizon());
            let never = cx.wake_at(SimTime::MAX, 1);
            assert!(!cx.cancel(never));
        }
    }
}

/// Wakes once and does nothing.
struct Quiet(&'static str, SimTime);

impl Component for Quiet {
    fn path(&self) -> &str {
        self.0
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "p")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(self.1, 0);
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
}

#[test]
fn horizon_follows_links_sends_wakes_and_the_limit() {
    let ns = SimTime::from_ns;
    let horizons = |limit: SimTime, linked: bool, other: SimTime| {
        let mut serial = Serial::default();
        let probe = serial.add(Box::new(Probe { seen: Vec::new() })).unwrap();
        let quiet = serial.add(Box::new(Quiet("quiet", other))).unwrap();
        if linked {
            let (a, b) = ((probe, PortId(0)), (quiet, PortId(0)));
            serial
                .link(Link {
                    a,
                    b,
                    latency: ns(5),
                })
                .unwrap();
        }
        serial.run(limit, &mut NoRim);
        serial.get::<Probe>(probe).unwrap().seen.clone()
    };
    // Foreign event at 100 ns, 5 ns away; own message at 20 ns can be answered at 30 ns.
    let seen = horizons(SimTime::MAX, true, ns(100));
    assert_eq!(seen, [ns(105), ns(30), ns(11), ns(30)]);
    // Without a link only a request to stop can come, with its notice.
    let far = ns(100).saturating_add(STOP_NOTICE);
    assert_eq!(
        horizons(SimTime::MAX, false, ns(100)),
        [far, far, ns(11), far]
    );
    // The limit bounds everything.
    assert_eq!(
        horizons(ns(12), true, ns(100)),
        [ns(12), ns(12), ns(11), ns(12)]
    );
    // With nothing else to happen there is no bound.
    let free = horizons(SimTime::MAX, true, ns(1));
    assert_eq!(free, [SimTime::MAX, ns(30), ns(11), ns(30)]);
}
