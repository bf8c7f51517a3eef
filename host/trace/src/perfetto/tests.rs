use super::*;
use crate::Trace;
use crate::payload::{self, Direction};
use maquette_model::{HypercallArgs, Iova, PhysAddr, PortId, Width};
use maquette_tests::perfetto::{Event as Seen, Type as Form, read};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Destination for Memory {
    fn piece(&mut self, bytes: &[u8]) -> bool {
        self.0.borrow_mut().extend_from_slice(bytes);
        true
    }
    fn end(&mut self) {}
}

struct OneFunction;

impl Symbols for OneFunction {
    fn function(&self, _: &str, pc: u64) -> Option<&str> {
        (pc >= 0x8000_0000).then_some("driver_probe")
    }
}

const NOTIFY: RegisterInfo = RegisterInfo {
    name: "QueueNotify",
    role: Role::Doorbell,
};

/// A request from the doorbell to the claim, and one event of each other kind.
fn record(trace: &mut Trace) {
    let (hart, disk, plic) = (
        trace.path("m.hart0"),
        trace.path("m.virtio0"),
        trace.path("m.plic"),
    );
    let t = SimTime::from_ps;
    let addr = PhysAddr(0x1000_1050);
    let store = payload::mmio(Direction::Write, addr, Width::B4, 0);
    trace.note(t(5_999), disk, || Note::Access {
        by: hart,
        pc: 0x8000_0010,
        register: Some(NOTIFY),
        offset: Some(0x50),
        write: Some(store),
    });
    let head = payload::dma(Direction::Read, Iova(0x8100_0000), 3);
    trace.record_parts(t(5_999), disk, Kind::Dma, &[&head, b"abc"]);
    trace.record(t(5_999), disk, Kind::Mmio, &store);
    trace.note(t(6_000), hart, || Note::Sleeps);
    trace.note(t(9_000), disk, || Note::Line {
        source: 1,
        level: true,
    });
    let label = || Note::Label {
        name: "supervisor external",
        hart: Some(0),
    };
    trace.note(t(9_000), plic, label);
    trace.record(
        t(9_000),
        plic,
        Kind::Interrupt,
        &payload::interrupt(1, true),
    );
    trace.note(t(9_500), hart, || Note::Runs);
    let load = payload::mmio(Direction::Read, PhysAddr(0xc20_1004), Width::B4, 1);
    trace.note(t(10_000), plic, || Note::Access {
        by: hart,
        pc: 0x10,
        register: None,
        offset: Some(0x20_1004),
        write: None,
    });
    trace.note(t(10_000), plic, label);
    trace.record(
        t(10_000),
        plic,
        Kind::Interrupt,
        &payload::interrupt(1, false),
    );
    trace.record(t(10_000), plic, Kind::Mmio, &load);
    trace.note(t(10_000), hart, || Note::Claim { source: 1 });
    let call = HypercallArgs {
        extension: 0x5449_4d45,
        function: 0,
        args: [7; 6],
    };
    trace.record(t(11_000), hart, Kind::Sbi, &payload::sbi(&call));
    trace.record(t(12_000), disk, Kind::Console, b"hi\n");
    let head = payload::link(Direction::Outside, PortId(3), 2);
    trace.record_parts(t(12_000), disk, Kind::Link, &[&head, b"frame"]);
    trace.note(t(12_000), disk, || Note::Mistake {
        what: "disk: nonsense",
        value: 9,
    });
    trace.record(t(13_000), hart, Kind::Digest, &[0; 32]);
}

fn written() -> Vec<Seen> {
    let memory = Memory::default();
    let mut trace = Trace::new();
    let sink = Perfetto::new(memory.clone(), Box::new(OneFunction));
    trace.set_sink(Some(Box::new(sink)));
    record(&mut trace);
    trace.set_sink(None).expect("the sink").end();
    let bytes = memory.0.borrow();
    assert!(bytes.starts_with(&beginning()));
    read(&bytes).expect("the file is good")
}

fn shown(e: &Seen) -> String {
    let ty = match e.ty {
        Form::Begin => "[",
        Form::End => "]",
        Form::Instant => "!",
        Form::Counter(v) => return format!("{} {}={v}", e.time, e.track),
    };
    format!("{} {} {ty}{} {}", e.time, e.track, e.category, e.name)
}

#[test]
fn rv_47_events_are_named_and_stand_on_their_tracks() {
    let events: Vec<String> = written().iter().map(shown).collect();
    assert_eq!(
        events,
        [
            "5 m/virtio0 !mmio write QueueNotify",
            "5 m/virtio0 !dma DMA read",
            "5 m/virtio0/DMA bytes=3",
            "6 m/hart0 [hart wfi",
            "9 m/virtio0/interrupt line [interrupt high",
            "9 m/plic/hart0 supervisor external [interrupt high",
            "9 m/hart0 ] ",
            "10 m/plic/hart0 supervisor external ] ",
            "10 m/plic !mmio read +0x201004 (no register)",
            "10 m/hart0 !interrupt claim m.virtio0",
            "11 m/hart0 !sbi SBI 0x54494d45 0",
            "12 m/virtio0 !console console",
            "12 m/virtio0 !link input",
            "12 m/virtio0 !guest error disk: nonsense",
        ]
    );
}

#[test]
fn rv_47_flow_leads_from_the_doorbell_to_the_claim() {
    let events = written();
    let steps: Vec<&str> = (events.iter())
        .filter(|e| e.flows == [1] || e.ends == [1])
        .map(|e| e.name.as_str())
        .collect();
    let flow = ["write QueueNotify", "DMA read", "high", "claim m.virtio0"];
    assert_eq!(steps, flow);
    assert_eq!(events.iter().filter(|e| !e.ends.is_empty()).count(), 1);
}

#[test]
fn rv_47_arguments_say_who_where_and_what() {
    let events = written();
    let arg = |i: usize, key: &str| events[i].args.get(key).map(String::as_str);
    assert_eq!(arg(0, "function"), Some("driver_probe"));
    assert_eq!(arg(0, "hart"), Some("m.hart0"));
    assert_eq!(arg(0, "address"), Some("268439632"));
    assert_eq!(arg(1, "bytes"), Some("3"));
    let claim = events
        .iter()
        .find(|e| e.name.starts_with("read +"))
        .expect("it");
    assert_eq!(claim.args.get("pc").map(String::as_str), Some("16"));
    assert_eq!(claim.args.get("function"), None);
    let text = events.iter().find(|e| e.name == "console").expect("it");
    assert_eq!(text.args["text"], "hi\\n");
}

#[test]
fn rv_59_sink_changes_neither_hash_nor_counts() {
    let mut plain = Trace::new();
    record(&mut plain);
    let mut watched = Trace::new();
    let sink = Perfetto::new(Memory::default(), Box::new(NoSymbols));
    watched.set_sink(Some(Box::new(sink)));
    record(&mut watched);
    assert_eq!(plain.finish(), watched.finish());
    assert_eq!(plain.counts(), watched.counts());
}

#[test]
fn edge_in_the_past_is_drawn_at_the_one_before() {
    let memory = Memory::default();
    let mut trace = Trace::new();
    let disk = trace.path("m.virtio0");
    trace.set_sink(Some(Box::new(Perfetto::new(
        memory.clone(),
        Box::new(NoSymbols),
    ))));
    for (ns, level) in [(50, true), (40, false), (60, true), (70, true)] {
        trace.note(SimTime::from_ns(ns), disk, || Note::Line {
            source: 1,
            level,
        });
    }
    trace.set_sink(None).expect("the sink").end();
    let events = read(&memory.0.borrow()).expect("the file is good");
    let times: Vec<u64> = events.iter().map(|e| e.time).collect();
    assert_eq!(times, [50, 50, 60]);
}
