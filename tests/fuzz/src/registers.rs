//! Register-level devices: sequences of accesses, messages and waits.

use maquette_devices::{Clint, Finisher, Plic, Uart16550};
use maquette_model::testing::TestHost;
use maquette_model::testing::conformance::saved;
use maquette_model::{
    Access, Cx, Device, Event, Frequency, Message, PortId, Reader, Region, ResetKind, SimTime,
    Width,
};

use crate::bytes::Bytes;

/// The first byte chooses a device, the rest is what happens to it.
///
/// Every access is answered within its width; what is saved loads into a fresh device that saves the
/// same; a reset makes it a fresh one.
pub fn registers(data: &[u8]) {
    let mut input = Bytes::new(data);
    match input.u8() % 4 {
        0 => exercise(
            || Uart16550::new(Frequency::from_hz(3_686_400)),
            Uart16550::SIZE,
            input,
        ),
        1 => exercise(
            || Clint::new(3, Frequency::from_hz(10_000_000)),
            Clint::SIZE,
            input,
        ),
        2 => exercise(|| Plic::new(3), Plic::SIZE, input),
        _ => exercise(|| Finisher, Finisher::SIZE, input),
    }
}

fn exercise<D: Device>(make: impl Fn() -> D, size: u64, mut input: Bytes<'_>) {
    let mut host = TestHost::new();
    let mut device = make();
    while !input.is_empty() {
        step(&mut host, &mut device, size, &mut input);
        host.log.clear();
    }
    let state = saved(&device);
    let mut copy = make();
    let loaded = copy.load(&mut Reader::new(&state));
    assert!(loaded.is_ok(), "what was saved does not load: {loaded:?}");
    assert!(saved(&copy) == state, "what was loaded is another state");
    host.before_reset();
    device.reset(&mut Cx::new(&mut host), ResetKind::Cold);
    let mut fresh = make();
    fresh.reset(&mut Cx::new(&mut TestHost::new()), ResetKind::Cold);
    assert!(saved(&device) == saved(&fresh), "a reset leaves traces");
}

fn step(host: &mut TestHost, device: &mut dyn Device, size: u64, input: &mut Bytes<'_>) {
    let kind = input.u8();
    let width = Width::ALL[usize::from(kind >> 4 & 3)];
    match kind & 15 {
        0 => message(host, device, input),
        1 => {
            let t = host
                .now
                .saturating_add(SimTime::from_ns(input.number() >> 24));
            host.run_until(device, t);
        }
        2 => {
            host.before_reset();
            device.reset(&mut Cx::new(host), ResetKind::Warm);
        }
        3..8 => {
            let off = offset(input, size, width);
            if let Access::Done(v) = device.read(&mut Cx::new(host), Region(0), off, width) {
                assert_eq!(v & !width.mask(), 0, "{off:#x} reads more than {width:?}");
            }
        }
        _ => {
            let (off, v) = (offset(input, size, width), input.number() & width.mask());
            let _ = device.write(&mut Cx::new(host), Region(0), off, width, v);
        }
    }
}

fn message(host: &mut TestHost, device: &mut dyn Device, input: &mut Bytes<'_>) {
    let kind = input.u8();
    let msg = match kind & 3 {
        0 => Message::Word(input.u64()),
        1 => Message::Bytes(input.take(usize::from(kind >> 2)).to_vec()),
        _ => Message::Byte(input.u8()),
    };
    let port = PortId(u16::from(kind == 0xff));
    device.event(&mut Cx::new(host), Event::Message { port, msg });
}

/// Mostly aligned and inside.
fn offset(input: &mut Bytes<'_>, size: u64, width: Width) -> u64 {
    let raw = u64::from(input.u32());
    let off = raw >> 2;
    match raw & 3 {
        0 => off,
        1 => (off % size) & !(width.bytes() - 1),
        // The registers at the beginning.
        _ => (off % size.min(64)) & !(width.bytes() - 1),
    }
}
