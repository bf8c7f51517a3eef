//! The walker against a plain model, against the crate `virtio-queue`, and rule by rule.

mod chains;
mod rings;

use super::*;
use maquette_model::testing::TestHost;
use maquette_virtio_protocol::queue::{Desc, DescFlags};

/// Memory from address 0, so that both walkers see the same addresses.
const RAM_BYTES: usize = 0x1_0000;
const AREAS: Areas = Areas {
    desc: Iova(0x1000),
    avail: Iova(0x2000),
    used: Iova(0x3000),
};
/// Where indirect tables lie.
const TABLES: u64 = 0x4000;

fn queue(size: u16, features: Features) -> Queue {
    let mut q = Queue::new(16);
    q.set_areas(AREAS);
    q.set_features(features);
    assert!(q.set_size(size) && q.set_ready(true));
    q
}

fn memory() -> TestHost {
    TestHost::with_ram(0, RAM_BYTES)
}

fn put(h: &mut TestHost, table: u64, index: u16, desc: Desc) {
    assert!(h.poke(table + 16 * u64::from(index), desc.as_bytes()));
}

/// Makes `heads` the whole available ring, beginning at index 0.
fn offer(h: &mut TestHost, size: u16, heads: &[u16]) {
    for (i, head) in (0..).zip(heads) {
        let at = AREAS.avail.0 + layout::avail_entry(size, i);
        assert!(h.poke(at, &head.to_le_bytes()));
    }
    let idx = u16::try_from(heads.len()).unwrap();
    assert!(h.poke(AREAS.avail.0 + layout::RING_IDX, &idx.to_le_bytes()));
}

fn pop(q: &mut Queue, h: &mut TestHost) -> Result<Option<Chain>, QueueError> {
    let mut chain = Chain::default();
    let popped = q.pop(&mut Cx::new(h), &mut chain)?;
    Ok(popped.then_some(chain))
}

/// Pops the chain that the descriptors in `table` form from entry 0 on, in a queue of 4.
fn chain_of(table: &[Desc], features: Features) -> Result<Option<Chain>, QueueError> {
    let mut h = memory();
    for (i, desc) in (0..).zip(table) {
        put(&mut h, AREAS.desc.0, i, *desc);
    }
    offer(&mut h, 4, &[0]);
    pop(&mut queue(4, features), &mut h)
}

const NONE: DescFlags = DescFlags::empty();
const NEXT: DescFlags = DescFlags::NEXT;
const WRITE: DescFlags = DescFlags::WRITE;
const INDIRECT: DescFlags = DescFlags::INDIRECT;

#[test]
fn chain_keeps_order_and_sides() {
    let table = [
        Desc::new(0x5000, 16, NEXT, 2),
        Desc::new(0, 0, NONE, 0),
        Desc::new(0x6000, 8, NEXT, 3),
        Desc::new(0x7000, 4, WRITE, 0),
    ];
    let c = chain_of(&table, Features::empty()).unwrap().unwrap();
    let segment = |addr, len| Segment {
        addr: Iova(addr),
        len,
    };
    assert_eq!(c.readable(), [segment(0x5000, 16), segment(0x6000, 8)]);
    assert_eq!(c.writable(), [segment(0x7000, 4)]);
    assert_eq!((c.head(), c.readable_len(), c.writable_len()), (0, 24, 4));
}

#[test]
fn chain_reads_and_writes_across_buffers() {
    let table = [
        Desc::new(0x5000, 3, NEXT, 1),
        Desc::new(0x6000, 4, NEXT, 2),
        Desc::new(0x7000, 2, WRITE | NEXT, 3),
        Desc::new(0x8000, 2, WRITE, 0),
    ];
    let c = chain_of(&table, Features::empty()).unwrap().unwrap();
    let mut h = memory();
    assert!(h.poke(0x5000, b"abc") && h.poke(0x6000, b"defg"));
    let cx = &mut Cx::new(&mut h);
    let mut buf = [0; 4];
    c.read(cx, 2, &mut buf).unwrap();
    assert_eq!(&buf, b"cdef");
    let short = |missing| Err(QueueError::Short { missing });
    assert_eq!(c.read(cx, 4, &mut buf), short(1));
    assert_eq!(c.read(cx, u64::MAX, &mut buf), short(u64::MAX - 7));
    assert_eq!(c.write(cx, 1, b"xyz"), Ok(()));
    assert_eq!(c.write(cx, 2, b"xyz"), short(1));
    assert_eq!(c.writable_at(3), Some(Iova(0x8001)));
    assert_eq!(c.writable_at(4), None);
    assert_eq!(h.peek(0x7000, 2).unwrap(), b"\0x");
    assert_eq!(h.peek(0x8000, 2).unwrap(), b"yz");
}

#[test]
fn chain_that_breaks_a_rule_is_refused() {
    let all = Features::INDIRECT_DESC;
    let ok = Desc::new(0x5000, 16, NONE, 0);
    let high = u64::MAX - 15;
    let refused = |table: &[Desc], features| chain_of(table, features).unwrap_err();
    let loops = Desc::new(0x5000, 1, NEXT, 0);
    assert_eq!(refused(&[loops], all), QueueError::ChainLength(4));
    let wild = Desc::new(0x5000, 1, NEXT, 4);
    assert_eq!(
        refused(&[wild], all),
        QueueError::DescIndex { index: 4, size: 4 }
    );
    let back = [Desc::new(0x5000, 1, WRITE | NEXT, 1), ok];
    assert_eq!(refused(&back, all), QueueError::Order(1));
    assert_eq!(
        refused(&[Desc::new(0x5000, 0, NONE, 0)], all),
        QueueError::Empty(0)
    );
    assert_eq!(
        refused(&[Desc::new(high, 16, NONE, 0)], all),
        QueueError::Wraps { addr: high }
    );
    let huge = [Desc::new(0, u32::MAX, NEXT, 1), Desc::new(0, 1, NONE, 0)];
    assert_eq!(refused(&huge, all), QueueError::ChainBytes(1 << 32));
    let inner = Desc::new(TABLES, 16, INDIRECT, 0);
    assert_eq!(
        refused(&[inner], Features::empty()),
        QueueError::IndirectFeature
    );
    let both = Desc::new(TABLES, 16, INDIRECT | NEXT, 1);
    assert_eq!(refused(&[both, ok], all), QueueError::IndirectNext);
    for len in [0, 15, 17] {
        let odd = Desc::new(TABLES, len, INDIRECT, 0);
        assert_eq!(refused(&[odd], all), QueueError::IndirectLength(len));
    }
    let wraps = Desc::new(high, 16, INDIRECT, 0);
    assert_eq!(refused(&[wraps], all), QueueError::Wraps { addr: high });
    // The table itself as its own indirect table.
    let own = Desc::new(AREAS.desc.0, 64, INDIRECT, 0);
    assert_eq!(refused(&[own], all), QueueError::IndirectNested);
    let outside = Desc::new(RAM_BYTES as u64, 16, INDIRECT, 0);
    assert!(matches!(refused(&[outside], all), QueueError::Dma(_)));
}

#[test]
fn indirect_chain_may_be_as_long_as_the_queue_and_no_longer() {
    for (direct, inner, fits) in [(0, 4, true), (0, 5, false), (2, 2, true), (2, 3, false)] {
        let mut h = memory();
        let piece = |i, last| {
            let flags = if last { NONE } else { NEXT };
            Desc::new(0x5000, 1, flags, i + 1)
        };
        for i in 0..direct {
            put(&mut h, AREAS.desc.0, i, piece(i, false));
        }
        let table = Desc::new(TABLES, 16 * u32::from(inner), INDIRECT, 0);
        put(&mut h, AREAS.desc.0, direct, table);
        for i in 0..inner {
            put(&mut h, TABLES, i, piece(i, i + 1 == inner));
        }
        offer(&mut h, 4, &[0]);
        let got = pop(&mut queue(4, Features::INDIRECT_DESC), &mut h);
        let long = got == Err(QueueError::ChainLength(4));
        assert_eq!((got.is_ok(), long), (fits, !fits), "{direct} + {inner}");
    }
}

#[test]
fn head_outside_the_table_is_refused() {
    let mut h = memory();
    offer(&mut h, 4, &[4]);
    let e = pop(&mut queue(4, Features::empty()), &mut h).unwrap_err();
    assert_eq!(e, QueueError::DescIndex { index: 4, size: 4 });
}

#[test]
fn available_index_too_far_ahead_is_refused() {
    for ahead in [5_u16, 0x8000, 0xffff] {
        let mut h = memory();
        assert!(h.poke(AREAS.avail.0 + 2, &ahead.to_le_bytes()));
        let e = pop(&mut queue(4, Features::empty()), &mut h).unwrap_err();
        assert_eq!(
            e,
            QueueError::AvailIndex {
                waiting: ahead,
                size: 4
            }
        );
    }
}

#[test]
fn longest_chain_of_the_largest_queue_is_walked_and_one_more_is_refused() {
    let size = layout::MAX_SIZE;
    let mut h = TestHost::with_ram(0, 1 << 20);
    let mut q = Queue::new(size);
    let areas = Areas {
        desc: Iova(0),
        avail: Iova(0x9_0000),
        used: Iova(0xb_0000),
    };
    q.set_areas(areas);
    assert!(q.set_ready(true));
    for i in 0..size {
        let flags = if i + 1 < size { NEXT } else { NONE };
        put(&mut h, 0, i, Desc::new(0x100, 1, flags, i + 1));
    }
    assert!(h.poke(areas.avail.0 + 2, &[2, 0]));
    let c = pop(&mut q, &mut h).unwrap().unwrap();
    assert_eq!(c.readable().len(), usize::from(size));
    put(&mut h, 0, size - 1, Desc::new(0x100, 1, NEXT, 0));
    assert_eq!(pop(&mut q, &mut h), Err(QueueError::ChainLength(size)));
}

#[test]
fn queue_refuses_sizes_and_areas_that_cannot_be() {
    let mut q = Queue::new(100);
    assert_eq!((q.max(), q.size()), (64, 64), "the next legal size below");
    for size in [0, 3, 65, 128, u16::MAX] {
        assert!(!q.set_size(size), "{size}");
    }
    let bad = [
        (0x1008, 0x2000, 0x3000),
        (0x1000, 0x2001, 0x3000),
        (0x1000, 0x2000, 0x3002),
        (u64::MAX - 15, 0x2000, 0x3000),
        (0x1000, u64::MAX - 1, 0x3000),
        (0x1000, 0x2000, u64::MAX - 3),
    ];
    for (desc, avail, used) in bad {
        let (desc, avail, used) = (Iova(desc), Iova(avail), Iova(used));
        q.set_areas(Areas { desc, avail, used });
        assert!(!q.set_ready(true), "{desc} {avail} {used}");
    }
    q.set_areas(AREAS);
    assert!(q.set_ready(true));
    assert!(!q.set_size(8), "not while it is ready");
    q.set_areas(Areas::default());
    assert_eq!(q.areas(), AREAS);
}

#[test]
fn queue_taken_back_gives_and_takes_nothing() {
    let mut h = memory();
    put(&mut h, AREAS.desc.0, 0, Desc::new(0x5000, 1, NONE, 0));
    offer(&mut h, 4, &[0]);
    let mut q = queue(4, Features::empty());
    assert!(q.set_ready(false));
    assert_eq!(pop(&mut q, &mut h), Ok(None));
    let cx = &mut Cx::new(&mut h);
    assert_eq!(q.push(cx, 0, 1), Ok(()));
    assert_eq!(q.take_interrupt(cx), Ok(false));
    assert_eq!(h.peek(AREAS.used.0, 64).unwrap(), [0; 64]);
}

#[test]
fn rings_outside_memory_are_errors() {
    let mut q = Queue::new(4);
    let gone = Iova(RAM_BYTES as u64);
    q.set_areas(Areas {
        desc: gone,
        avail: gone,
        used: gone,
    });
    assert!(q.set_ready(true));
    let mut h = memory();
    assert!(matches!(pop(&mut q, &mut h), Err(QueueError::Dma(_))));
    assert!(matches!(
        q.push(&mut Cx::new(&mut h), 0, 0),
        Err(QueueError::Dma(_))
    ));
}

#[test]
fn interrupt_flag_of_the_driver_is_honoured() {
    let mut h = memory();
    let mut q = queue(4, Features::empty());
    let cx = &mut Cx::new(&mut h);
    assert_eq!(q.take_interrupt(cx), Ok(false), "nothing was returned");
    q.push(cx, 0, 0).unwrap();
    assert_eq!(q.take_interrupt(cx), Ok(true));
    assert_eq!(q.take_interrupt(cx), Ok(false), "once");
    assert!(h.poke(AREAS.avail.0, &layout::AVAIL_NO_INTERRUPT.to_le_bytes()));
    let cx = &mut Cx::new(&mut h);
    q.push(cx, 0, 0).unwrap();
    assert_eq!(q.take_interrupt(cx), Ok(false));
}
