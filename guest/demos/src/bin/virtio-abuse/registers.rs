//! Attacks by registers and rings.

use maquette_guest_rt::arch::{Access, probe};
use maquette_virtio_protocol::blk::RequestType;
use maquette_virtio_protocol::{Features, mmio};

use crate::rogue::{Place, Raw, Rogue, SIZE, Setup, write_header};

const NEXT: u16 = 1;
const WRITE: u16 = 2;
/// A read of one sector without a fault.
pub const HONEST: [Raw; 3] = [
    (Place::Header, 16, NEXT, 1),
    (Place::Data, 512, NEXT | WRITE, 2),
    (Place::Status, 1, WRITE, 0),
];

/// Values that are wrong almost everywhere.
const GARBAGE: [u32; 8] = [
    u32::MAX,
    0x8000_0000,
    0x7fff_ffff,
    0xdead_beef,
    0xffff,
    0x8000,
    3,
    1,
];

/// Addresses where there is no RAM. None of them is a device, since there are machines where a device's
/// DMA reaches other devices: it would be this program's own UART that it writes to.
pub const WRONG_ADDRESSES: [u64; 8] = [
    0,
    8,
    0x7fff_f000,
    0x4000_0000_0000,
    0x8000_0000_0000_0000,
    u64::MAX - 0xfff,
    u64::MAX - 15,
    u64::MAX,
];

/// Every register with every piece of garbage, in several states of the device.
pub fn garbage(rogue: &Rogue) {
    for value in GARBAGE {
        for register in (0..0x200).step_by(4) {
            rogue.set(register, value);
            let _ = rogue.get(register);
        }
        rogue.reset();
        rogue.start(Setup::honest());
        for register in (0..0x100).step_by(4) {
            rogue.set(register, value);
        }
        rogue.kick(0);
        rogue.reset();
    }
    // A linear congruential generator chooses register and value.
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        let register = (state >> 40) & 0x1fc;
        // Not where writes of random addresses would point the device at this program.
        let points = (mmio::QUEUE_DESC_LOW..=mmio::QUEUE_DEVICE_HIGH).contains(&register);
        let value = if points { 0 } else { (state >> 8) as u32 };
        rogue.set(register, value);
    }
}

/// Bytes, halfwords and doublewords at every offset. Whether they fault is the device's choice.
pub fn widths(rogue: &Rogue) {
    rogue.reset();
    for width in [1, 2, 4, 8] {
        for offset in 0..0x110 {
            let _ = probe(Access::Load(width), rogue.base() + offset, 0);
            let _ = probe(Access::Store(width), rogue.base() + offset, 0x55);
        }
    }
}

/// Sizes that are no power of two, too large, or nothing; queues that do not exist.
pub fn queue_sizes(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    for size in [
        0,
        1,
        3,
        63,
        65,
        0x7fff,
        0x8000,
        0x8001,
        0xffff,
        0x1_0000,
        u32::MAX,
    ] {
        // A ring that is longer than what lies behind it: the heads offered are still in place.
        rogue.start(Setup {
            size,
            ..Setup::honest()
        });
        rogue.submit(&HONEST);
        rogue.set(mmio::QUEUE_SIZE, 0);
        rogue.kick(0);
    }
    for queue in [1, 2, 7, 1023, 1024, 0xffff, u32::MAX] {
        rogue.start(Setup::honest());
        rogue.set(mmio::QUEUE_SEL, queue);
        let _ = rogue.get(mmio::QUEUE_SIZE_MAX);
        rogue.set(mmio::QUEUE_SIZE, 8);
        rogue.set(mmio::QUEUE_READY, 1);
        rogue.kick(queue);
    }
}

/// Each ring in turn where it cannot be, or not aligned.
pub fn ring_places(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    let honest = Setup::honest();
    for address in WRONG_ADDRESSES {
        for setup in [
            Setup {
                desc: address,
                ..honest
            },
            Setup {
                avail: address,
                ..honest
            },
            Setup {
                used: address,
                ..honest
            },
        ] {
            rogue.start(setup);
            rogue.submit(&HONEST);
        }
    }
    for (desc, avail, used) in [(1, 0, 0), (8, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 2)] {
        rogue.start(Setup {
            desc: honest.desc + desc,
            avail: honest.avail + avail,
            used: honest.used + used,
            ..honest
        });
        rogue.submit(&HONEST);
    }
    // All three in one place.
    rogue.start(Setup {
        avail: honest.desc,
        used: honest.desc,
        ..honest
    });
    rogue.submit(&HONEST);
    // Moved while in use.
    rogue.start(honest);
    rogue.set(mmio::QUEUE_DESC_LOW, 0);
    rogue.set(mmio::QUEUE_DEVICE_HIGH, u32::MAX);
    rogue.submit(&HONEST);
}

/// Heads that are no descriptors, indices that jump further than the ring is long.
pub fn ring_indices(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    for head in [SIZE, SIZE + 1, 0x7fff, 0x8000, u16::MAX] {
        rogue.start(Setup::honest());
        rogue.offer(head, 1);
    }
    for idx in [SIZE, SIZE + 1, 0x7fff, 0x8000, u16::MAX] {
        rogue.start(Setup::honest());
        rogue.submit(&HONEST);
        rogue.offer(0, idx);
        rogue.offer(0, 0);
    }
    // With event indices on, and rings that say nothing sensible about them.
    rogue.start(Setup {
        features: Features::VERSION_1 | Features::EVENT_IDX,
        ..Setup::honest()
    });
    rogue.submit(&HONEST);
    rogue.offer(0, u16::MAX);
}

/// Kicks before the device is up, between reset and set-up, and with requests under way.
pub fn kicks_during_reset(rogue: &Rogue) {
    write_header(RequestType::IN, 0);
    rogue.reset();
    rogue.kick(0);
    for status in [1, 3, 11, 15, 64, 128, 255] {
        rogue.reset();
        rogue.set(mmio::STATUS, status);
        rogue.kick(0);
        rogue.set(mmio::QUEUE_READY, 1);
        rogue.kick(0);
    }
    for _ in 0..50 {
        rogue.start(Setup::honest());
        rogue.submit(&HONEST);
        rogue.set(mmio::QUEUE_NOTIFY, 0);
        rogue.set(mmio::STATUS, 0);
        rogue.set(mmio::QUEUE_NOTIFY, 0);
        rogue.set(mmio::QUEUE_READY, 0);
        rogue.set(mmio::QUEUE_NOTIFY, 0);
    }
    // The queue taken away and given back under a request.
    rogue.start(Setup::honest());
    rogue.submit(&HONEST);
    for ready in [0, 1, 0, 1] {
        rogue.set(mmio::QUEUE_READY, ready);
        rogue.kick(0);
    }
}
