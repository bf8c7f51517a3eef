//! Drivers that mean harm: every run must end, without a panic, in a device that a reset repairs.

use super::*;
use crate::testing::RAM_BYTES;
use crate::{Block, Console, MemoryDisk, Net, Overlay};
use maquette_model::testing::conformance::{Random, Registers, random_step, saved};
use maquette_model::{ResetKind, SimTime};
use maquette_virtio_protocol::blk::RequestHeader;
use maquette_virtio_protocol::queue::{Desc, DescFlags};
use zerocopy::IntoBytes;

fn block(latency: SimTime) -> Box<dyn VirtioDevice> {
    let disk = Overlay::new(MemoryDisk::new(vec![0x5a; 1 << 16]));
    Box::new(Block::new(Box::new(disk), "hostile", latency))
}

fn devices() -> [Box<dyn VirtioDevice>; 5] {
    [
        block(SimTime::ZERO),
        block(SimTime::from_us(3)),
        Box::new(Console::new()),
        Box::new(Rng::new(3)),
        Box::new(Net::new([2, 0, 0, 0, 0, 1], true)),
    ]
}

fn small(random: &mut Random, n: u64) -> u16 {
    u16::try_from(random.below(n)).unwrap()
}

/// A descriptor that is nearly right, most of the time.
fn descriptor(random: &mut Random) -> Desc {
    let addr = match random.below(12) {
        0 => random.next(),
        1 => RAM + RAM_BYTES as u64 - random.below(64),
        2 => areas(small(random, 2))[usize::from(small(random, 3))] + random.below(32),
        _ => DATA + 16 * random.below(64),
    };
    let len = match random.below(12) {
        0 => u32::MAX,
        1 => 0,
        2 => 1 << random.below(32),
        3 => 513,
        4 => 1,
        5 => 512,
        _ => 16 * (1 + u32::from(small(random, 4))),
    };
    let flags = match random.below(8) {
        0 => DescFlags::INDIRECT,
        1 => DescFlags::from_bits_retain(small(random, 8)),
        2..=4 => DescFlags::NEXT,
        5 => DescFlags::NEXT | DescFlags::WRITE,
        _ => DescFlags::WRITE,
    };
    Desc::new(addr, len, flags, small(random, 20))
}

/// Scribbles over rings, requests and tables, then notifies.
fn attack(d: &mut Driver<Box<dyn VirtioDevice>>, random: &mut Random) {
    if random.below(2) == 0 {
        // In between a request that means no harm, so that the device gets far.
        let request = [
            (DATA, 16, false),
            (DATA + 0x1000, 512, true),
            (DATA + 0x2000, 1, true),
        ];
        let skip = usize::from(small(random, 3));
        d.add(0, &request[skip..]);
    }
    for _ in 0..random.below(8) {
        let q = small(random, 2);
        let desc = descriptor(random);
        if random.below(3) == 0 {
            let at = DATA + 16 * random.below(64);
            assert!(d.host.poke(at, desc.as_bytes()));
        } else {
            d.descriptor(q, small(random, 16), desc);
        }
    }
    let header = RequestHeader::new(
        maquette_virtio_protocol::blk::RequestType(u32::from(small(random, 15))),
        random.below(140),
    );
    let at = DATA + 16 * random.below(64);
    assert!(d.host.poke(at, header.as_bytes()));
    let q = small(random, 2);
    if random.below(20) == 0 {
        let [_, avail, used] = areas(q);
        let at = if random.below(2) == 0 { avail } else { used };
        let word = u32::try_from(random.next() >> 32).unwrap();
        assert!(d.host.poke(at, &word.to_le_bytes()));
    }
    if q < u16::try_from(d.mmio.transport.queues.len()).unwrap() {
        for _ in 0..random.below(4) {
            d.offer(q, small(random, 17));
        }
    }
    d.kick(q);
    if random.below(3) == 0 {
        d.run_for(SimTime::from_us(random.below(6)));
    }
    d.host.log.clear();
}

#[test]
fn hostile_drivers_never_hang_or_break_more_than_their_device() {
    let (mut broken, mut served) = (0, 0);
    for seed in 0..300 {
        for device in devices() {
            let random = &mut Random(seed);
            let mut d = Driver::cold(device);
            let registers = Registers::of(&d.mmio, VirtioMmio::<Rng>::SIZE);
            let event_idx = if seed % 2 == 0 {
                Features::EVENT_IDX
            } else {
                Features::empty()
            };
            let features = d.mmio.transport.offered() - event_idx;
            d.start(features);
            for _ in 0..40 {
                attack(&mut d, random);
                served += d.read(mmio::INTERRUPT_STATUS) & 1;
                d.write(mmio::INTERRUPT_ACK, 3);
                if d.broken() {
                    broken += 1;
                    d.start(features);
                }
                if random.below(50) == 0 {
                    random_step(&mut d.host, &mut d.mmio, random, &registers);
                }
            }
            d.host.before_reset();
            d.mmio.reset(&mut Cx::new(&mut d.host), ResetKind::Warm);
            assert_eq!(d.status().bits(), 0);
            assert_eq!(d.host.next_timer(), None);
        }
    }
    assert!(
        broken > 1000 && served > 1000,
        "the attack is too tame: {broken}, {served}"
    );
}

#[test]
fn state_saved_under_attack_goes_on_equally() {
    for seed in 0..40 {
        for (one, two) in devices().into_iter().zip(devices()) {
            let mut random = Random(seed);
            let mut d = Driver::ready(one);
            for _ in 0..random.below(30) {
                attack(&mut d, &mut random);
            }
            let bytes = saved(&d.mmio);
            let mut e = Driver::cold(two);
            let mut r = Reader::new(&bytes);
            assert_eq!(e.mmio.load(&mut r).and_then(|()| r.finish()), Ok(()));
            e.copy_driver(&d);
            let mut again = random.clone();
            for _ in 0..30 {
                attack(&mut d, &mut random);
                attack(&mut e, &mut again);
                assert_eq!(
                    d.host.peek(RAM, RAM_BYTES),
                    e.host.peek(RAM, RAM_BYTES),
                    "seed {seed}"
                );
            }
            assert_eq!(saved(&d.mmio), saved(&e.mmio), "seed {seed}");
        }
    }
}

#[test]
fn disk_that_feeds_its_own_queue_is_stopped() {
    // Sector n holds the available ring with index n + 2 and always head 0, whose request reads the
    // next sector into the ring: without a limit this would never end.
    let mut bytes = vec![0; 65_536 * 512];
    for (n, sector) in (0_u32..).zip(bytes.chunks_mut(512)) {
        sector[2..4].copy_from_slice(&n.to_le_bytes()[..2]);
        sector[2] = sector[2].wrapping_add(2);
        if sector[2] < 2 {
            sector[3] = sector[3].wrapping_add(1);
        }
        // The header of the next request lies behind the ring.
        let header = RequestHeader::new(
            maquette_virtio_protocol::blk::RequestType::IN,
            u64::from(n) + 1,
        );
        sector[64..80].copy_from_slice(header.as_bytes());
    }
    let disk = Box::new(MemoryDisk::new(bytes));
    let mut d = Driver::ready(Block::new(disk, "loop", SimTime::ZERO));
    let avail = areas(0)[1];
    let header = RequestHeader::new(maquette_virtio_protocol::blk::RequestType::IN, 0);
    assert!(d.host.poke(avail + 64, header.as_bytes()));
    let buffers = [(avail + 64, 16, false), (avail, 512, true), (DATA, 1, true)];
    d.exchange(0, &buffers);
    assert!(d.broken());
    assert!(d.host.guest_errors().contains(&"virtqueue: endless chains"));
}

#[test]
fn kicks_during_reset_do_nothing() {
    let mut d = Driver::ready(block(SimTime::from_us(10)));
    d.write(mmio::STATUS, 0);
    for q in 0..4 {
        d.kick(q);
    }
    d.write(mmio::STATUS, 1);
    d.kick(0);
    assert_eq!(d.host.guest_errors().len(), 5);
    assert_eq!(d.host.next_timer(), None);
}
