//! What the trace hash sees and what it must not see.

use maquette_model::{
    HypercallArgs, Iova, PhysAddr, PortId, Reader, SimTime, Snapshot, Width, Writer,
};
use maquette_trace::payload::{self, Direction};
use maquette_trace::{Entry, Kind, Level, PathId, Sink, Trace, TraceHash};
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, PartialEq, Eq, Debug)]
struct Record {
    time: u64,
    path: &'static str,
    kind: Kind,
    payload: Vec<u8>,
}

fn record(trace: &mut Trace, record: &Record) {
    let path = trace.path(record.path);
    let time = SimTime::from_ps(record.time);
    trace.record(time, path, record.kind, &record.payload);
}

fn hash(records: &[Record]) -> TraceHash {
    let mut trace = Trace::new();
    for r in records {
        record(&mut trace, r);
    }
    trace.finish()
}

/// One event of every kind, with the payload that its recorder writes.
fn one_of_each() -> Vec<Record> {
    let call = HypercallArgs {
        extension: 0x10,
        function: 3,
        args: [1, 2, 3, 4, 5, 6],
    };
    let dma = payload::dma(Direction::Write, Iova(0x8000_0000), 4);
    let link = payload::link(Direction::Write, PortId(2), 0);
    let mmio = payload::mmio(Direction::Read, PhysAddr(0x1000_0005), Width::B1, 0x60);
    let payloads: [(Kind, Vec<u8>); Kind::COUNT] = [
        (Kind::Mmio, mmio.to_vec()),
        (Kind::Interrupt, payload::interrupt(10, true).to_vec()),
        (Kind::Sbi, payload::sbi(&call).to_vec()),
        (Kind::Dma, [&dma[..], b"data"].concat()),
        (Kind::Console, b"hello".to_vec()),
        (Kind::Link, [&link[..], b"x"].concat()),
        (Kind::Digest, vec![7; 32]),
    ];
    let paths = ["machine0.uart0", "machine0.plic", "machine0.disk0"];
    let record = |(i, (kind, payload)): (usize, (Kind, Vec<u8>))| Record {
        time: 1000 * (i as u64 + 1),
        path: paths[i % paths.len()],
        kind,
        payload,
    };
    payloads.into_iter().enumerate().map(record).collect()
}

/// Every way in which one event can be another one: another time, place, kind, any other byte, a
/// byte more, a byte less.
fn alterations(of: &Record) -> Vec<Record> {
    let mut all = Vec::new();
    let mut altered = |change: &dyn Fn(&mut Record)| {
        let mut r = of.clone();
        change(&mut r);
        assert_ne!(&r, of);
        all.push(r);
    };
    altered(&|r| r.time += 1);
    altered(&|r| r.time -= 1);
    altered(&|r| r.path = "machine1.uart0");
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != of.kind) {
        altered(&move |r| r.kind = kind);
    }
    altered(&|r| r.payload.push(0));
    altered(&|r| r.payload.truncate(r.payload.len() - 1));
    altered(&|r| r.payload = r.payload[1..].to_vec());
    for byte in 0..of.payload.len() {
        for bit in 0..8 {
            altered(&move |r| r.payload[byte] ^= 1 << bit);
        }
    }
    all
}

#[test]
fn rv_09_each_event_kind_altered_changes_the_hash() {
    let events = one_of_each();
    let kinds: Vec<Kind> = events.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, Kind::ALL);
    let original = hash(&events);
    for (i, event) in events.iter().enumerate() {
        for altered in alterations(event) {
            let mut other = events.clone();
            other[i] = altered;
            assert_ne!(hash(&other), original, "{:?} became {:?}", event, other[i]);
        }
        let mut fewer = events.clone();
        fewer.remove(i);
        assert_ne!(hash(&fewer), original, "{event:?} is missing");
        let mut more = events.clone();
        more.insert(i, event.clone());
        assert_ne!(hash(&more), original, "{event:?} happened twice");
    }
}

#[test]
fn hash_swapped_events_of_one_path_differ() {
    let mut events = one_of_each();
    let original = hash(&events);
    // 0 and 3 share a path; give them one time, so that only their order differs.
    events[3].time = events[0].time;
    let before = hash(&events);
    events.swap(0, 3);
    assert_ne!(hash(&events), before);
    assert_ne!(before, original);
}

#[test]
fn hash_bytes_moved_between_neighbours_differ() {
    let event = |payload: &[u8]| Record {
        time: 5,
        path: "a",
        kind: Kind::Console,
        payload: payload.to_vec(),
    };
    let split_at_2 = hash(&[event(b"ab"), event(b"c")]);
    let split_at_1 = hash(&[event(b"a"), event(b"bc")]);
    assert_ne!(split_at_2, split_at_1);
}

/// A guest decides what a console prints: no text may look like the end of one event and the
/// start of the next.
#[test]
fn hash_payload_that_imitates_another_event_differs() {
    let event = |payload: &[u8]| Record {
        time: 5,
        path: "a",
        kind: Kind::Console,
        payload: payload.to_vec(),
    };
    let two = hash(&[event(b"x"), event(b"y")]);
    for claimed in [0u64, 1] {
        let head = [
            &5u64.to_le_bytes()[..],
            &[Kind::Console.number()],
            &claimed.to_le_bytes(),
        ];
        let forged = [b"x", &head.concat()[..], b"y"].concat();
        assert_ne!(hash(&[event(&forged)]), two);
    }
}

#[test]
fn hash_ignores_paths_without_events_and_asking_twice() {
    let mut trace = Trace::new();
    let empty = trace.finish();
    trace.path("machine0.uart0");
    assert_eq!(trace.finish(), empty);
    let events = one_of_each();
    for (i, event) in events.iter().enumerate() {
        record(&mut trace, event);
        assert_eq!(trace.finish(), hash(&events[..=i]));
    }
}

#[test]
fn trace_hash_shows_as_64_hex_digits() {
    let shown = hash(&one_of_each()).to_string();
    assert_eq!(shown.len(), 64);
    assert!(shown.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(
        format!("TraceHash({shown})"),
        format!("{:?}", hash(&one_of_each()))
    );
}

#[test]
fn record_of_a_foreign_path_id_still_counts() {
    let mut other = Trace::new();
    let ids: Vec<PathId> = ["a", "b", "c"].iter().map(|n| other.path(n)).collect();
    let mut trace = Trace::new();
    let empty = trace.finish();
    trace.record(SimTime::ZERO, ids[2], Kind::Sbi, b"");
    assert_eq!(trace.counts()[Kind::Sbi], 1);
    assert_ne!(trace.finish(), empty);
}

#[test]
fn counts_show_every_kind() {
    let mut trace = Trace::new();
    for event in one_of_each().iter().chain(&one_of_each()[..2]) {
        record(&mut trace, event);
    }
    assert_eq!(
        trace.counts().to_string(),
        "mmio 2, interrupt 2, sbi 1, dma 1, console 1, link 1, digest 1"
    );
    assert_eq!(trace.counts().total(), 9);
}

#[test]
fn level_only_ever_weakens() {
    let mut trace = Trace::new();
    assert_eq!(trace.level(), Level::Deterministic);
    trace.weaken(Level::Replayable);
    trace.weaken(Level::Deterministic);
    assert_eq!(trace.level().to_string(), "replayable");
    trace.weaken(Level::Free);
    assert_eq!(trace.level(), Level::Free);
}

/// Keeps what it is told, as text.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Sink for Notes {
    fn path(&mut self, id: PathId, name: &str) {
        self.0.borrow_mut().push(format!("{id:?} is {name}"));
    }
    fn event(&mut self, e: Entry<'_>) {
        let payload = e.payload.concat();
        let line = format!("{:?} {:?} {} {payload:?}", e.time, e.path, e.kind);
        self.0.borrow_mut().push(line);
    }
}

#[test]
fn sink_hears_paths_before_events_and_leaves_the_hash_alone() {
    let events = one_of_each();
    let mut trace = Trace::new();
    let uart = trace.path("machine0.uart0");
    let notes = Notes::default();
    assert!(trace.set_sink(Some(Box::new(notes.clone()))).is_none());
    for event in &events {
        record(&mut trace, event);
    }
    assert_eq!(trace.finish(), hash(&events));
    assert!(trace.set_sink(None).is_some());
    record(&mut trace, &events[0]);

    let heard = notes.0.borrow();
    let position = |line: String| heard.iter().position(|l| *l == line);
    let named = position(format!("{uart:?} is machine0.uart0")).expect("was told");
    let payload = &events[0].payload;
    let event = position(format!("1000 ps {uart:?} mmio {payload:?}")).expect("was heard");
    assert!(named < event);
    let events_heard = heard.iter().filter(|l| l.contains(" ps ")).count();
    assert_eq!(events_heard, events.len());
}

fn any_record() -> impl Strategy<Value = Record> {
    let path = prop::sample::select(vec!["a", "b", "c.d"]);
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let payload = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (8_000usize..9_000, any::<u8>()).prop_map(|(n, b)| vec![b; n]),
    ];
    (0u64..50, path, kind, payload).prop_map(|(time, path, kind, payload)| Record {
        time,
        path,
        kind,
        payload,
    })
}

proptest! {
    /// Pieces or one slice, interleaved any way, interned in any order: one hash.
    #[test]
    fn equal_events_per_path_give_equal_hashes(
        events in prop::collection::vec(any_record(), 0..60),
        cut in any::<usize>(),
    ) {
        let mut by_path = events.clone();
        by_path.sort_by_key(|e| std::cmp::Reverse(e.path)); // stable: order within a path stays
        let mut trace = Trace::new();
        for e in &by_path {
            let path = trace.path(e.path);
            let (head, tail) = e.payload.split_at(cut % (e.payload.len() + 1));
            let time = SimTime::from_ps(e.time);
            trace.record_parts(time, path, e.kind, &[head, &[], tail]);
        }
        prop_assert_eq!(trace.finish(), hash(&events));
    }

    /// Different events, different hash: the stream cannot be read in two ways.
    #[test]
    fn different_events_give_different_hashes(
        a in prop::collection::vec(any_record(), 0..6),
        b in prop::collection::vec(any_record(), 0..6),
    ) {
        let per_path = |events: &[Record]| {
            let mut sorted = events.to_vec();
            sorted.sort_by_key(|e| e.path);
            sorted
        };
        prop_assert_eq!(hash(&a) == hash(&b), per_path(&a) == per_path(&b));
    }
}

proptest! {
    /// A trace that is saved anywhere and loaded into another goes on to the hash of the one that was
    /// never interrupted.
    #[test]
    fn hash_of_a_trace_saved_anywhere_is_the_same(
        events in prop::collection::vec((0u64..5, 0usize..3, 0usize..6000, any::<u8>()), 1..40),
        at in 0usize..40,
    ) {
        let paths = ["a", "b", "c"];
        let mut plain = Trace::new();
        let mut first = Trace::new();
        let mut second = Trace::new();
        // Another order of interning gives other ids.
        for path in ["z", "c"] {
            second.path(path);
        }
        for (i, (time, path, len, byte)) in events.iter().enumerate() {
            let one = |trace: &mut Trace| {
                let path = trace.path(paths[*path]);
                trace.record(SimTime::from_ps(*time), path, Kind::Console, &vec![*byte; *len]);
            };
            one(&mut plain);
            if i < at {
                one(&mut first);
            }
            if i + 1 == at || (i == 0 && at == 0) {
                let mut w = Writer::default();
                first.save(&mut w);
                let bytes = w.into_bytes();
                let mut r = Reader::new(&bytes);
                prop_assert_eq!(second.load(&mut r), Ok(()));
                prop_assert_eq!(r.finish(), Ok(()));
            }
            if i >= at {
                one(&mut second);
            }
        }
        if at < events.len() {
            prop_assert_eq!(second.finish(), plain.finish());
            prop_assert_eq!(second.counts(), plain.counts());
        }
    }
}
