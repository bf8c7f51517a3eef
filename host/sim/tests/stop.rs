//! How a component ends a run, and what still happens then.

use maquette_model::{Message, PortId, SimTime};
use maquette_sim::{
    Component, ComponentId, Input, Link, NoRim, Outcome, Port, Rim, RimAction, STOP_NOTICE, Serial,
    SimCx, SimEvent,
};

/// Does at its first wake what it was made for; keeps when it was called.
struct Part {
    name: &'static str,
    first: SimTime,
    stop: Option<SimTime>,
    send: Option<SimTime>,
    wakes: Vec<SimTime>,
    heard: Vec<SimTime>,
}

impl Part {
    fn new(name: &'static str, first: SimTime) -> Self {
        Self {
            name,
            first,
            stop: None,
            send: None,
            wakes: Vec::new(),
            heard: Vec::new(),
        }
    }
}

impl Component for Part {
    fn path(&self) -> &str {
        self.name
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "p")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(self.first, 0);
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => self.wakes.push(cx.now()),
            SimEvent::Message { .. } => self.heard.push(cx.now()),
        }
        if let Some(at) = self.send.take() {
            cx.send(PortId(0), Message::Byte(b'.'), at);
        }
        if let Some(at) = self.stop.take() {
            cx.stop(at);
        }
    }
}

fn us(n: u64) -> SimTime {
    SimTime::from_us(n)
}

fn add(serial: &mut Serial, part: Part) -> ComponentId {
    serial.add(Box::new(part)).unwrap()
}

#[test]
fn stop_lets_messages_under_way_arrive_and_reports_its_own_time() {
    let mut serial = Serial::default();
    let mut machine = Part::new("machine0", us(5));
    // Ahead of its own time, as a component that acts in bulk is.
    (machine.send, machine.stop) = (Some(us(7)), Some(us(8)));
    let machine = add(&mut serial, machine);
    let term = add(&mut serial, Part::new("term0", us(1)));
    let (a, b) = ((machine, PortId(0)), (term, PortId(0)));
    serial
        .link(Link {
            a,
            b,
            latency: us(50),
        })
        .unwrap();
    assert_eq!(serial.run(SimTime::MAX, &mut NoRim), Outcome::Stopped);
    assert_eq!(serial.get::<Part>(term).unwrap().heard, [us(57)]);
    assert_eq!(serial.now(), us(8));
    // The request is used up.
    assert_eq!(serial.run(SimTime::MAX, &mut NoRim), Outcome::Idle);
}

#[test]
fn stop_ends_everyone_one_notice_later() {
    let mut serial = Serial::default();
    let mut machine = Part::new("machine0", us(5));
    machine.stop = Some(us(5));
    add(&mut serial, machine);
    let end = us(5).saturating_add(STOP_NOTICE);
    let just_before = SimTime::from_ps(end.as_ps() - 1);
    let before = add(&mut serial, Part::new("before", just_before));
    let at = add(&mut serial, Part::new("at", end));
    assert_eq!(serial.run(SimTime::MAX, &mut NoRim), Outcome::Stopped);
    assert_eq!(serial.get::<Part>(before).unwrap().wakes, [just_before]);
    assert_eq!(serial.get::<Part>(at).unwrap().wakes, []);
}

#[test]
fn stop_earliest_request_counts_whatever_the_order_of_asking() {
    for requests in [[us(30), us(20)], [us(20), us(30)]] {
        let mut serial = Serial::default();
        for (name, request) in ["a", "b"].into_iter().zip(requests) {
            let mut part = Part::new(name, us(10));
            part.stop = Some(request);
            add(&mut serial, part);
        }
        assert_eq!(serial.run(SimTime::MAX, &mut NoRim), Outcome::Stopped);
        assert_eq!(serial.now(), us(20));
    }
}

#[test]
fn stop_whose_notice_goes_past_the_limit_waits_for_the_next_piece() {
    let mut serial = Serial::default();
    let mut part = Part::new("a", us(10));
    part.stop = Some(us(40));
    add(&mut serial, part);
    assert_eq!(serial.run(us(20), &mut NoRim), Outcome::Limit);
    assert_eq!(serial.now(), us(20));
    // Asked for, but others may still act in this time.
    assert_eq!(serial.run(us(60), &mut NoRim), Outcome::Limit);
    assert_eq!(serial.now(), us(60));
    assert_eq!(serial.run(us(140), &mut NoRim), Outcome::Stopped);
    assert_eq!(serial.now(), us(40));
}

#[test]
fn send_and_wake_in_the_past_happen_now() {
    let mut serial = Serial::default();
    let mut sender = Part::new("sender", us(10));
    sender.send = Some(us(3));
    let sender = add(&mut serial, sender);
    let hearer = add(&mut serial, Part::new("hearer", us(1)));
    let (a, b) = ((sender, PortId(0)), (hearer, PortId(0)));
    serial
        .link(Link {
            a,
            b,
            latency: us(2),
        })
        .unwrap();
    serial.run(SimTime::MAX, &mut NoRim);
    assert_eq!(serial.get::<Part>(hearer).unwrap().heard, [us(12)]);
}

/// Types one byte when nothing else happens.
struct Late(Option<Input>);

impl Rim for Late {
    fn before(&mut self, _: SimTime) -> RimAction {
        RimAction::Go
    }
    fn idle(&mut self) -> RimAction {
        self.0.take().map_or(RimAction::Go, RimAction::Inject)
    }
}

#[test]
fn input_after_a_stopped_run_arrives_in_the_next() {
    let mut serial = Serial::default();
    let mut part = Part::new("a", us(10));
    part.stop = Some(us(10));
    let id = add(&mut serial, part);
    assert_eq!(serial.run(SimTime::MAX, &mut NoRim), Outcome::Stopped);
    let input = Input {
        at: us(700),
        to: id,
        port: PortId(0),
        msg: Message::Byte(b'a'),
    };
    let outcome = serial.run(SimTime::MAX, &mut Late(Some(input)));
    assert_eq!(outcome, Outcome::Idle);
    assert_eq!(serial.get::<Part>(id).unwrap().heard, [us(700)]);
}
