use super::*;
use maquette_hsa_protocol::DEPENDENCIES;
use maquette_model::{Reader, SimTime, Snapshot, Writer};
use maquette_sim::{Link, NoRim, Serial};
use zerocopy::little_endian::{U16, U32, U64};

const WAY: SimTime = SimTime::from_ns(10);

/// Sends packets at given times; keeps the signals and when they were given.
struct Program {
    plan: Vec<(SimTime, Packet)>,
    heard: Vec<(u64, i64, u64)>,
}

impl Component for Program {
    fn path(&self) -> &'static str {
        "program"
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "queue")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        for (n, (at, _)) in self.plan.iter().enumerate() {
            cx.wake_at(*at, u32::try_from(n).unwrap());
        }
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { tag } => {
                let (at, packet) = self.plan[usize::try_from(tag).unwrap()];
                cx.send(PortId(0), Message::Bytes(packet.to_vec()), at);
            }
            SimEvent::Message { msg, .. } => {
                let Message::Bytes(bytes) = msg else { panic!() };
                let signal = Signal::read_from_bytes(&bytes).expect("a signal");
                let given = cx.now().saturating_sub(WAY).as_ps() / 1000;
                self.heard
                    .push((signal.handle.get(), signal.value.get(), given));
            }
        }
    }
}

fn kernel(signal: u64) -> Packet {
    let packet = KernelDispatch {
        header: U16::new(PacketType::KERNEL_DISPATCH.header()),
        workgroup: [256, 1, 1].map(U16::new),
        grid: [1024, 1, 1].map(U32::new),
        completion_signal: U64::new(signal),
        ..KernelDispatch::default()
    };
    packet.as_bytes().try_into().unwrap()
}

fn barrier(kind: PacketType, signal: u64, wanted: &[u64]) -> Packet {
    let mut dependencies = [U64::new(0); DEPENDENCIES];
    for (place, handle) in dependencies.iter_mut().zip(wanted) {
        *place = U64::new(*handle);
    }
    let packet = Barrier {
        header: U16::new(kind.header()),
        dependencies,
        completion_signal: U64::new(signal),
        ..Barrier::default()
    };
    packet.as_bytes().try_into().unwrap()
}

fn settings() -> HsaSettings {
    HsaSettings::new("queue0".to_owned())
}

/// Signals that come back: handle, value, and the nanosecond at which they were given.
fn run(settings: HsaSettings, plan: Vec<(SimTime, Packet)>) -> Vec<(u64, i64, u64)> {
    let mut serial = Serial::default();
    let queue = serial.add(Box::new(HsaQueue::new(settings))).unwrap();
    let heard = Vec::new();
    let program = serial.add(Box::new(Program { plan, heard })).unwrap();
    let (a, b) = ((program, PortId(0)), (queue, HsaQueue::PROGRAM));
    serial.link(Link { a, b, latency: WAY }).unwrap();
    serial.run(SimTime::from_ms(1000), &mut NoRim);
    std::mem::take(&mut serial.get_mut::<Program>(program).unwrap().heard)
}

fn at_once(packets: Vec<Packet>) -> Vec<(SimTime, Packet)> {
    packets.into_iter().map(|p| (SimTime::ZERO, p)).collect()
}

#[test]
fn sst_h01_ten_kernels_take_104200_cycles_each() {
    let heard = run(settings(), at_once((1..=10).map(kernel).collect()));
    let expected: Vec<(u64, i64, u64)> = (1..=10).map(|n| (n, DONE, 10 + n * 104_200)).collect();
    assert_eq!(heard, expected);
}

#[test]
fn sst_h02_kernel_with_other_numbers_takes_52500_cycles() {
    let other = HsaSettings {
        cycles_per_work_item: 50,
        launch: 500,
        ..settings()
    };
    assert_eq!(
        run(other, at_once(vec![kernel(1)])),
        [(1, DONE, 10 + 52_500)]
    );
}

#[test]
fn sst_h03_packet_too_many_is_refused_by_its_signal() {
    let heard = run(settings(), at_once((1..=257).map(kernel).collect()));
    assert_eq!(heard[0], (257, REFUSED, 10));
    assert_eq!(heard.len(), 257);
    assert!(heard[1..].iter().all(|(_, value, _)| *value == DONE));
}

#[test]
fn sst_h04_packets_that_are_none_are_not_executed() {
    for kind in [PacketType::INVALID, PacketType::VENDOR, PacketType(9)] {
        let heard = run(settings(), at_once(vec![barrier(kind, 5, &[]), kernel(6)]));
        assert_eq!(heard, [(5, REFUSED, 10), (6, DONE, 104_210)]);
    }
    let mut endless = kernel(1);
    endless[12..24].fill(0xFF);
    assert_eq!(run(settings(), at_once(vec![endless])), [(1, REFUSED, 10)]);
}

#[test]
fn sst_h05_barriers_wait_for_their_signals() {
    let (and, or) = (PacketType::BARRIER_AND, PacketType::BARRIER_OR);
    let packets = vec![
        kernel(1),
        barrier(and, 2, &[1]),
        barrier(or, 3, &[99, 2]),
        barrier(and, 4, &[]),
        kernel(5),
        // Nobody gives 77: what is behind waits for ever.
        barrier(and, 6, &[1, 77]),
        kernel(7),
    ];
    let heard = run(settings(), at_once(packets));
    let first = 10 + 104_200;
    let expected = [
        (1, DONE, first),
        (2, DONE, first),
        (3, DONE, first),
        (4, DONE, first),
        (5, DONE, first + 104_200),
    ];
    assert_eq!(heard, expected);
    let heard = run(
        settings(),
        at_once(vec![barrier(or, 1, &[8, 9]), kernel(2)]),
    );
    assert_eq!(heard, []);
}

#[test]
fn saved_queue_is_taken_back_whole() {
    let mut one = HsaQueue::new(settings());
    one.packets.push_back(kernel(3));
    one.given.insert(2);
    one.counters.kernels = 1;
    let bytes = |queue: &HsaQueue| {
        let mut w = Writer::default();
        Snapshot::save(queue, &mut w);
        w.into_bytes()
    };
    let saved = bytes(&one);
    let mut two = HsaQueue::new(settings());
    let mut r = Reader::new(&saved);
    Snapshot::load(&mut two, &mut r).unwrap();
    r.finish().unwrap();
    assert_eq!(bytes(&two), saved);
    for cut in 0..saved.len() {
        let mut other = HsaQueue::new(settings());
        let mut r = Reader::new(&saved[..cut]);
        let all = Snapshot::load(&mut other, &mut r).and_then(|()| r.finish());
        assert!(all.is_err(), "{cut} of {} bytes", saved.len());
    }
}
