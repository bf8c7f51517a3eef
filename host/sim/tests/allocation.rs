//! In steady state neither the queue, nor the scheduler, nor the trace allocates.

use maquette_model::{Frequency, Message, PortId, SimTime};
use maquette_sim::{
    Component, EventQueue, Link, NoRim, Outcome, Port, Priority, Serial, SimCx, SimEvent, Source,
};
use maquette_tests::allocation::{self, Counting};
use maquette_trace::{Kind, PathId, Trace};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while `f` runs.
fn allocations(f: impl FnOnce()) -> u64 {
    let before = allocation::allocations();
    f();
    allocation::allocations() - before
}

#[test]
fn counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

/// Pushes, pops and cancels with up to 64 events waiting.
fn churn(queue: &mut EventQueue<u64>, rounds: u64) {
    for i in 0..rounds {
        let time = SimTime::from_ps(i + (i * 7919) % 97);
        let source = Source((i % 5) as u32);
        let id = queue.push(time, Priority::WAKE, source, i);
        if i.is_multiple_of(3) {
            queue.cancel(id);
        }
        if queue.len() == 64 {
            for _ in 0..48 {
                queue.pop();
            }
        }
    }
}

#[test]
fn queue_steady_state_allocates_nothing() {
    let mut queue = EventQueue::new();
    churn(&mut queue, 1_000);
    assert_eq!(allocations(|| churn(&mut queue, 100_000)), 0);
    let drain = allocations(|| while queue.pop().is_some() {});
    assert_eq!(drain, 0);
}

#[test]
fn queue_drain_of_a_full_queue_allocates_nothing() {
    let mut queue = EventQueue::new();
    for i in 0..1_000 {
        queue.push(SimTime::from_ps(i), Priority::WAKE, Source(0), i);
    }
    let drain = allocations(|| while queue.pop().is_some() {});
    assert_eq!(drain, 0);
}

/// Sends a byte back and forth, keeps a wake that it moves, and records.
struct Player {
    name: &'static str,
    serves: bool,
    path: Option<PathId>,
}

impl Component for Player {
    fn path(&self) -> &str {
        self.name
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "net")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        self.path = Some(cx.trace_path());
        if self.serves {
            cx.send(PortId(0), Message::Byte(0), SimTime::ZERO);
        }
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        let (now, horizon) = (cx.now(), cx.horizon());
        if let Some(path) = self.path {
            cx.trace()
                .record(now, path, Kind::Console, &horizon.as_ps().to_le_bytes());
        }
        let SimEvent::Message { port, msg } = ev else {
            return;
        };
        let stale = cx.wake_at(now.saturating_add(SimTime::from_ns(9)), 1);
        cx.cancel(stale);
        cx.wake_at(now.saturating_add(SimTime::from_ns(2)), 0);
        cx.send(port, msg, now);
    }
}

#[test]
fn serial_steady_state_allocates_nothing_per_event() {
    let mut serial = Serial::default();
    let player = |name, serves| {
        Box::new(Player {
            name,
            serves,
            path: None,
        })
    };
    let a = serial.add(player("a", true)).unwrap();
    let b = serial.add(player("b", false)).unwrap();
    let (a, b) = ((a, PortId(0)), (b, PortId(0)));
    serial
        .link(Link {
            a,
            b,
            latency: SimTime::from_ns(5),
        })
        .unwrap();
    assert_eq!(serial.run(SimTime::from_us(10), &mut NoRim), Outcome::Limit);
    let before = serial.statistics().events;
    let allocated = allocations(|| {
        serial.run(SimTime::from_ms(1), &mut NoRim);
    });
    let events = serial.statistics().events - before;
    assert!(events > 300_000, "{events} events");
    assert_eq!(allocated, 0);
}

/// Two clocks, one of which it stops and starts again.
struct Clocked;

impl Component for Clocked {
    fn path(&self) -> &str {
        "clocked"
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.clock(0, Frequency::from_hz(3_000_000_000), SimTime::ZERO);
        cx.clock(1, Frequency::from_hz(7_000_000_000), SimTime::ZERO);
    }
    fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
    fn tick(&mut self, cx: &mut SimCx<'_>, tag: u32, cycle: u64) {
        if tag == 0 && cycle.is_multiple_of(5) {
            cx.start_clock(1, cx.now());
        } else if tag == 1 && cycle.is_multiple_of(3) {
            cx.stop_clock(1);
        }
    }
}

#[test]
fn clocks_allocate_nothing_per_tick() {
    let mut serial = Serial::default();
    serial.add(Box::new(Clocked)).unwrap();
    serial.run(SimTime::from_ns(100), &mut NoRim);
    let before = serial.statistics().events;
    let allocated = allocations(|| {
        serial.run(SimTime::from_us(100), &mut NoRim);
    });
    let ticks = serial.statistics().events - before;
    assert!(ticks > 400_000, "{ticks} ticks");
    assert_eq!(allocated, 0);
}

#[test]
fn trace_records_of_any_size_allocate_nothing() {
    let mut trace = Trace::new();
    let path = trace.path("machine0.disk0");
    let content = vec![0x5a; 100_000];
    let record = |trace: &mut Trace, n: usize| {
        for i in 0..n {
            let len = (i * 37) % content.len();
            let parts: [&[u8]; 2] = [&[1, 2, 3], &content[..len]];
            trace.record_parts(SimTime::from_ps(i as u64), path, Kind::Dma, &parts);
        }
    };
    record(&mut trace, 10);
    assert_eq!(allocations(|| record(&mut trace, 3_000)), 0);
}
