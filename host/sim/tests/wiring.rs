//! Every mistake in wiring is found when it is made, and the message names both ends.

use maquette_model::{PortId, SimTime};
use maquette_sim::{Component, End, Link, NoRim, Port, Serial, SimCx, SimEvent, WiringError};

struct Part(&'static str, Vec<Port>);

impl Component for Part {
    fn path(&self) -> &str {
        self.0
    }
    fn ports(&self) -> Vec<Port> {
        self.1.clone()
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
}

/// Two components: `machine0` with ports console and net, `term0` with port line.
fn pair() -> (Serial, End, End, End) {
    let mut serial = Serial::default();
    let ports = vec![Port::new(0, "console"), Port::new(1, "net")];
    let machine = serial.add(Box::new(Part("machine0", ports))).unwrap();
    let term = (serial.add(Box::new(Part("term0", vec![Port::new(0, "line")])))).unwrap();
    let end = |c, p| (c, PortId(p));
    (serial, end(machine, 0), end(machine, 1), end(term, 0))
}

const NS: SimTime = SimTime::from_ns(1);

fn refusal(serial: &mut Serial, a: End, b: End, latency: SimTime) -> String {
    let error = serial.link(Link { a, b, latency });
    error.expect_err("the link is wrong").to_string()
}

#[test]
fn link_unknown_port_names_both_ends_and_what_there_is() {
    let (mut serial, console, _, line) = pair();
    let wrong = (console.0, PortId(7));
    assert_eq!(
        refusal(&mut serial, line, wrong, NS),
        "the link between machine0:7 and term0:line: machine0:7 does not exist; its ports are: \
         console, net"
    );
}

#[test]
fn link_port_in_use_names_both_ends_and_the_present_link() {
    let (mut serial, a, net, b) = pair();
    serial.link(Link { a, b, latency: NS }).unwrap();
    assert_eq!(
        refusal(&mut serial, net, b, NS),
        "the link between term0:line and machine0:net: term0:line is linked to machine0:console \
         already"
    );
}

#[test]
fn link_zero_latency_is_refused() {
    let (mut serial, console, _, line) = pair();
    assert_eq!(
        refusal(&mut serial, console, line, SimTime::ZERO),
        "the link between machine0:console and term0:line has latency 0; it needs at least 1 ps"
    );
}

#[test]
fn link_port_to_itself_is_refused() {
    let (mut serial, console, _, _) = pair();
    assert_eq!(
        refusal(&mut serial, console, console, NS),
        "the link between machine0:console and machine0:console joins a port to itself"
    );
}

#[test]
fn link_component_of_another_scheduler_is_refused() {
    let (_, _, _, line) = pair();
    let mut other = Serial::default();
    let only = other
        .add(Box::new(Part("only", vec![Port::new(0, "p")])))
        .unwrap();
    assert_eq!(
        refusal(&mut other, (only, PortId(0)), line, NS),
        "the link between component 1:0 and only:p names a component that was never added"
    );
}

#[test]
fn link_and_add_after_the_start_are_refused() {
    let (mut serial, a, _, b) = pair();
    serial.run(NS, &mut NoRim);
    let what = "the link between machine0:console and term0:line".to_owned();
    assert_eq!(
        serial.link(Link { a, b, latency: NS }),
        Err(WiringError::Started { what })
    );
    let what = "late".to_owned();
    assert_eq!(
        serial.add(Box::new(Part("late", Vec::new()))),
        Err(WiringError::Started { what })
    );
}

#[test]
fn add_bad_paths_and_ports_are_refused() {
    let (mut serial, ..) = pair();
    let mut add = |part: Part| serial.add(Box::new(part)).unwrap_err();
    assert_eq!(add(Part("", Vec::new())), WiringError::EmptyPath);
    let path = "term0".to_owned();
    assert_eq!(
        add(Part("term0", Vec::new())),
        WiringError::SamePath { path }
    );
    let twice = vec![Port::new(4, "a"), Port::new(4, "b")];
    let path = "x".to_owned();
    assert_eq!(
        add(Part("x", twice)),
        WiringError::SamePort { path, port: 4 }
    );
}

/// A part that makes no sense without a link at port 1.
struct Needy(Part);

impl Component for Needy {
    fn path(&self) -> &str {
        self.0.path()
    }
    fn ports(&self) -> Vec<Port> {
        self.0.ports()
    }
    fn required_ports(&self) -> Vec<PortId> {
        vec![PortId(1)]
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
}

#[test]
fn check_required_port_without_link_names_it_and_what_is_free() {
    let mut serial = Serial::default();
    let cpu = vec![Port::new(0, "irq"), Port::new(1, "memory")];
    let cpu = (serial.add(Box::new(Needy(Part("cpu0", cpu))))).unwrap();
    let error = serial.check_wiring().unwrap_err().to_string();
    assert_eq!(
        error,
        "cpu0:memory must be linked and is not; add a link from it, to a port of a component that is \
         still to be added"
    );
    let ram = vec![Port::new(0, "bus"), Port::new(1, "probe")];
    let ram = (serial.add(Box::new(Part("ram0", ram)))).unwrap();
    let error = serial.check_wiring().unwrap_err().to_string();
    assert_eq!(
        error,
        "cpu0:memory must be linked and is not; add a link from it, for example to one of the free \
         ports ram0:bus, ram0:probe"
    );
    let (a, b) = ((cpu, PortId(1)), (ram, PortId(0)));
    serial.link(Link { a, b, latency: NS }).unwrap();
    assert_eq!(serial.check_wiring(), Ok(()));
}
