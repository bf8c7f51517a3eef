//! Checks that hold for every register-level device.
//!
//! Each panics with a message that names the access which broke the rule; a device's tests instantiate
//! all of them with [`conformance!`](crate::conformance).

use super::TestHost;
use crate::{
    Access, Cx, Device, Event, Message, PortId, Reader, Region, ResetKind, SimTime, Width, Writer,
};
use std::collections::{BTreeMap, BTreeSet};

/// Where the memory of the checks' hosts begins, and how long it is.
pub const RAM: (u64, usize) = (0x8000_0000, 1 << 18);

/// Splitmix64: enough randomness for tests, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n` (0 for 0).
    pub fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// A value of the kind that registers react to: small, a single bit, an address, or anything.
    pub fn value(&mut self) -> u64 {
        match self.below(6) {
            0 => self.below(4),
            1 => self.below(256),
            2 => 1_u64.wrapping_shl(u32::try_from(self.below(64)).unwrap_or(0)),
            3 => RAM.0 + self.below(RAM.1 as u64) / 16 * 16,
            4 => u64::MAX,
            _ => self.next(),
        }
    }
}

/// The checks on a device, one test each, in a module of the device's name, so that a failure names both:
/// `conformance!(clint, Clint::new(3, HZ), Clint::SIZE, drives lines)` with the device, a fresh one, and how
/// many bytes its registers span. `drives lines` is left out for a device whose line no random access can
/// move; for all others it demands that the line was seen to rise and fall.
#[macro_export]
macro_rules! conformance {
    ($device:ident, $make:expr, $size:expr, drives lines) => {
        $crate::conformance!($device, $make, $size, @ 100);
    };
    ($device:ident, $make:expr, $size:expr) => {
        $crate::conformance!($device, $make, $size, @ 0);
    };
    ($device:ident, $make:expr, $size:expr, @ $changes:expr) => {
        mod $device {
            use super::*;
            use $crate::testing::conformance as rules;

            #[test]
            fn rv_54_every_size_and_offset_is_answered() {
                rules::every_access_is_answered(&mut ($make)(), $size);
            }
            #[test]
            fn rv_54_reset_is_idempotent_in_mid_request() {
                rules::reset_is_idempotent($make, $size);
            }
            #[test]
            fn rv_54_damaged_state_is_refused_or_harmless() {
                rules::load_refuses_damage($make, $size);
            }
            #[test]
            fn rv_54_snapshot_in_mid_transaction_goes_on_alike() {
                for seed in 0..8 {
                    rules::loaded_device_behaves_the_same($make, $size, seed);
                }
            }
            #[test]
            fn rv_54_equal_steps_leave_equal_traces() {
                rules::replay_is_equal($make, $size);
            }
            #[test]
            fn rv_54_line_is_driven_only_when_it_changes() {
                rules::line_changes_when_driven($make, $size, $changes);
            }
        }
    };
}

/// The saved state of a device.
#[must_use]
pub fn saved(device: &dyn Device) -> Vec<u8> {
    let mut w = Writer::default();
    device.save(&mut w);
    w.into_bytes()
}

/// Where the registers of a device are: a region may be so large that chance would never meet one.
#[derive(Clone, Debug)]
pub struct Registers {
    size: u64,
    /// The offsets of each name.
    named: BTreeMap<&'static str, Vec<u64>>,
}

impl Registers {
    /// Looks at all of the first `size` bytes.
    #[must_use]
    pub fn of(device: &dyn Device, size: u64) -> Self {
        let step = if size <= 0x4000 { 1 } else { 4 };
        let mut named: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        for off in (0..size).step_by(step) {
            if let Some(info) = device.register(Region(0), off) {
                named.entry(info.name).or_default().push(off);
            }
        }
        Self { size, named }
    }

    /// Mostly a register, and mostly as an access of `width` may meet it.
    fn random(&self, random: &mut Random, width: Width) -> u64 {
        let mut below = |n: usize| usize::try_from(random.below(n as u64)).unwrap_or(0);
        // A name first: a hundred priorities are no more than one claim.
        let of_name = self.named.values().nth(below(self.named.len()));
        let register = of_name.and_then(|all| all.get(below(all.len())).copied());
        let near = match (random.below(4), register) {
            (1.., Some(register)) => register,
            _ => random.below(self.size),
        };
        match random.below(8) {
            0 => near,
            _ => near & !(width.bytes() - 1),
        }
    }
}

/// One random thing that may happen to a device.
pub fn random_step(
    host: &mut TestHost,
    device: &mut dyn Device,
    random: &mut Random,
    registers: &Registers,
) {
    let width = match random.below(4) {
        0 => Width::B1,
        1 => Width::B2,
        2 => Width::B4,
        _ => Width::B8,
    };
    let off = registers.random(random, width);
    match random.below(16) {
        0 => {
            let msg = match random.below(3) {
                0 => Message::Word(random.next()),
                1 => Message::Bytes(vec![7; usize::try_from(random.below(40)).unwrap_or(0)]),
                _ => Message::Byte(b'x'),
            };
            let port = PortId(u16::from(random.below(4) == 0));
            device.event(&mut Cx::new(host), Event::Message { port, msg });
        }
        1 => {
            let step = random.below(1 << 34);
            let t = host.now.saturating_add(SimTime::from_ps(step));
            host.run_until(device, t);
        }
        2..=6 => {
            let answer = device.read(&mut Cx::new(host), Region(0), off, width);
            if let Access::Done(v) = answer {
                assert_eq!(
                    v & !width.mask(),
                    0,
                    "read of {off:#x} is wider than {width:?}"
                );
                host.log.push(super::Seen::GuestError("(answer)", v));
            }
        }
        _ => {
            let v = random.value() & width.mask();
            let _ = device.write(&mut Cx::new(host), Region(0), off, width, v);
        }
    }
}

/// Every offset is answered in every width, at once, with a value that fits.
///
/// # Panics
/// When one is not.
pub fn every_access_is_answered(device: &mut dyn Device, size: u64) {
    let host = &mut TestHost::with_ram(RAM.0, RAM.1);
    // Large regions are mostly repetition; a prime step visits every alignment.
    let step = if size <= 0x4000 { 1 } else { 13 };
    let edge = [size, size + 1, u64::MAX - 7, u64::MAX];
    let named: Vec<u64> = Registers::of(device, size)
        .named
        .into_values()
        .flatten()
        .collect();
    assert!(!named.is_empty(), "no register has a name");
    let mut off = 0;
    let mut probe = |off: u64| {
        for width in Width::ALL {
            let read = device.read(&mut Cx::new(host), Region(0), off, width);
            assert!(
                !matches!(read, Access::Pending(_)),
                "read {off:#x} {width:?}"
            );
            if let Access::Done(v) = read {
                assert_eq!(v & !width.mask(), 0, "read {off:#x} {width:?} gave {v:#x}");
            }
            for v in [0, 1, u64::MAX] {
                let v = v & width.mask();
                let write = device.write(&mut Cx::new(host), Region(0), off, width, v);
                assert!(
                    !matches!(write, Access::Pending(_)),
                    "write {off:#x} {width:?}"
                );
            }
        }
        host.log.clear();
    };
    while off < size {
        probe(off);
        off += step;
    }
    let around = |at: u64| at.saturating_sub(8)..at.saturating_add(9);
    named.into_iter().flat_map(around).for_each(&mut probe);
    edge.into_iter().for_each(probe);
}

/// A cold reset at any moment leaves a fresh device, and a second one changes nothing.
///
/// # Panics
/// When something is left.
pub fn reset_is_idempotent<D: Device>(make: impl Fn() -> D, size: u64) {
    let fresh = saved(&make());
    let mut device = make();
    let registers = &Registers::of(&device, size);
    let host = &mut TestHost::with_ram(RAM.0, RAM.1);
    let random = &mut Random(99);
    for round in 0..20 {
        for _ in 0..random.below(300) {
            random_step(host, &mut device, random, registers);
        }
        for _ in 0..2 {
            host.before_reset();
            device.reset(&mut Cx::new(host), ResetKind::Cold);
            assert!(
                saved(&device) == fresh,
                "round {round}: reset left something"
            );
            assert_eq!(host.next_timer(), None, "round {round}: reset set a timer");
        }
    }
}

/// Saved state that was cut is refused; a device that took damaged state stays sound.
///
/// # Panics
/// When it is not.
pub fn load_refuses_damage<D: Device>(make: impl Fn() -> D, size: u64) {
    let mut device = make();
    let registers = &Registers::of(&device, size);
    let host = &mut TestHost::with_ram(RAM.0, RAM.1);
    let random = &mut Random(5);
    for _ in 0..200 {
        random_step(host, &mut device, random, registers);
    }
    let good = saved(&device);
    let load = |bytes: &[u8]| {
        let mut r = Reader::new(bytes);
        let mut d = make();
        let loaded = d.load(&mut r).and_then(|()| r.finish());
        (loaded.is_ok(), d)
    };
    for cut in 0..good.len().min(600) {
        assert!(
            !load(good.get(..cut).unwrap_or_default()).0,
            "{cut} of {} bytes were taken",
            good.len()
        );
    }
    let long = [good.as_slice(), &[0]].concat();
    assert!(!load(&long).0, "a byte too many was taken");
    // Damaged state may be refused or taken, but a device that took it must stay sound.
    for _ in 0..200 {
        let mut bad = good.clone();
        let at = usize::try_from(random.below(bad.len() as u64)).unwrap_or(0);
        if let Some(b) = bad.get_mut(at) {
            *b ^= 1 << random.below(8);
        }
        let (_, mut d) = load(&bad);
        let mut host = TestHost::with_ram(RAM.0, RAM.1);
        for _ in 0..50 {
            random_step(&mut host, &mut d, random, registers);
        }
    }
}

/// A device that was saved and loaded at any moment goes on like the one that was not.
///
/// # Panics
/// When it does not.
pub fn loaded_device_behaves_the_same<D: Device>(make: impl Fn() -> D, size: u64, seed: u64) {
    let mut one = make();
    let registers = &Registers::of(&one, size);
    let mut one_host = TestHost::with_ram(RAM.0, RAM.1);
    let mut random = Random(seed);
    for _ in 0..random.below(2000) {
        random_step(&mut one_host, &mut one, &mut random, registers);
    }
    let bytes = saved(&one);
    let mut two = make();
    let mut r = Reader::new(&bytes);
    let loaded = two.load(&mut r).and_then(|()| r.finish());
    assert_eq!(loaded, Ok(()), "seed {seed}");
    assert!(saved(&two) == bytes, "seed {seed}: saving again differs");
    let mut two_host = one_host.clone();
    let mut two_random = random.clone();
    for step in 0..2000 {
        random_step(&mut one_host, &mut one, &mut random, registers);
        random_step(&mut two_host, &mut two, &mut two_random, registers);
        assert_eq!(
            one_host.take_log(),
            two_host.take_log(),
            "seed {seed}, step {step}"
        );
        let (next, other) = (one_host.next_timer(), two_host.next_timer());
        assert_eq!(next, other, "seed {seed}, step {step}");
    }
    assert!(saved(&one) == saved(&two), "seed {seed}: end states differ");
}

/// Two fresh devices that meet the same do the same, DMA included.
///
/// # Panics
/// When they do not.
pub fn replay_is_equal<D: Device>(make: impl Fn() -> D, size: u64) {
    let registers = &Registers::of(&make(), size);
    let trace = |seed| {
        let mut device = make();
        let mut host = TestHost::with_ram(RAM.0, RAM.1);
        host.log_dma = true;
        let random = &mut Random(seed);
        for _ in 0..2000 {
            random_step(&mut host, &mut device, random, registers);
        }
        (host.take_log(), saved(&device))
    };
    for seed in 0..8 {
        assert!(trace(seed) == trace(seed), "seed {seed}");
    }
}

/// A line is driven only when its level changes; it is low at first and after a reset.
///
/// # Panics
/// When it is driven to the level that it has, or fewer than `least` changes were seen.
pub fn line_changes_when_driven<D: Device>(make: impl Fn() -> D, size: u64, least: usize) {
    let registers = &Registers::of(&make(), size);
    let mut changes = 0;
    for seed in 0..8 {
        let mut device = make();
        let host = &mut TestHost::with_ram(RAM.0, RAM.1);
        let random = &mut Random(seed);
        let mut high = BTreeSet::new();
        for step in 0..3000 {
            if random.below(500) == 0 {
                host.before_reset();
                high.clear();
                device.reset(&mut Cx::new(host), ResetKind::Warm);
            }
            random_step(host, &mut device, random, registers);
            for seen in host.take_log() {
                if let super::Seen::Line(line, level) = seen {
                    let changed = if level {
                        high.insert(line)
                    } else {
                        high.remove(&line)
                    };
                    assert!(
                        changed,
                        "seed {seed}, step {step}: line {line} is {level} already"
                    );
                    changes += 1;
                }
            }
        }
    }
    assert!(changes >= least, "lines changed {changes} times");
}
