//! Random descriptor tables, walked three times.

use super::*;
use proptest::prelude::*;
use virtio_queue::{Queue as PeerQueue, QueueT};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

/// Entries in the memory of indirect tables.
const INNER: usize = 24;
/// Where the second of two indirect tables begins, behind the first.
const HALF: u64 = 16 * (INNER as u64 / 2);

type Buffers = Vec<(u64, u32, bool)>;

/// Everything a driver wrote.
#[derive(Clone, Debug)]
struct World {
    size: u16,
    head: u16,
    indirect: bool,
    table: Vec<Desc>,
    inner: Vec<Desc>,
}

fn desc() -> impl Strategy<Value = Desc> {
    let addr = prop_oneof![
        4 => 0x5000..0x6000_u64,
        3 => (0..INNER as u64).prop_map(|i| TABLES + 16 * i),
        1 => Just(AREAS.desc.0),
        1 => Just(RAM_BYTES as u64 - 8),
        1 => (0..64_u64).prop_map(|back| u64::MAX - back),
    ];
    let len = prop_oneof![
        6 => 1..100_u32,
        3 => (1..6_u32).prop_map(|n| 16 * n),
        1 => Just(0),
        1 => Just(u32::MAX),
        1 => Just(1 << 31),
    ];
    let flags = prop_oneof![
        5 => Just(NEXT), 3 => Just(NEXT | WRITE), 3 => Just(WRITE), 2 => Just(NONE),
        2 => Just(INDIRECT), 1 => (0..8_u16).prop_map(DescFlags::from_bits_retain),
        1 => Just(INDIRECT | WRITE),
    ];
    let any = (addr, len, flags, 0..18_u16).prop_map(|(a, l, f, n)| Desc::new(a, l, f, n));
    let table = (0..2_u64, 1..13_u32);
    let table = table.prop_map(|(t, n)| Desc::new(TABLES + t * HALF, 16 * n, INDIRECT, 0));
    let good = prop_oneof![12 => Just(NEXT), 2 => Just(NEXT | WRITE), 3 => Just(WRITE)];
    let good = (0x5000..0x6000_u64, 1..100_u32, good, 0..18_u16);
    let good = good.prop_map(|(a, l, f, n)| Desc::new(a, l, f, n));
    // Chains get long only if most of their parts are right.
    prop_oneof![16 => good, 1 => any, 2 => table]
}

/// Links most entries to the one behind them, so that long chains happen too.
fn link(table: &mut [Desc]) {
    for (i, d) in (1_u16..).zip(table) {
        if d.next.get() % 8 != 0 {
            d.next.set(i);
        }
    }
}

fn world() -> impl Strategy<Value = World> {
    let size = prop_oneof![1 => Just(1_u16), 3 => Just(4), 3 => Just(8), 3 => Just(16)];
    let table = prop::collection::vec(desc(), 16);
    let inner = prop::collection::vec(desc(), INNER);
    let head = prop_oneof![9 => 0..4_u16, 1 => 0..18_u16];
    let parts = (size, head, prop::bool::weighted(0.8), table, inner);
    parts.prop_map(|(size, head, indirect, mut table, mut inner)| {
        link(&mut table);
        inner.chunks_mut(INNER / 2).for_each(link);
        World {
            size,
            head,
            indirect,
            table,
            inner,
        }
    })
}

/// The specification's rules on plain arrays, with no thought for anything else.
fn model(w: &World) -> Option<Buffers> {
    let memory = |at: u64| {
        let slot = |base: u64, all: &[Desc]| {
            let i = at.checked_sub(base)? / 16;
            let found = all.get(usize::try_from(i).ok()?).copied();
            found.filter(|_| (at - base).is_multiple_of(16))
        };
        slot(AREAS.desc.0, &w.table).or_else(|| slot(TABLES, &w.inner))
    };
    let (mut base, mut entries) = (AREAS.desc.0, u32::from(w.size));
    let (mut index, mut nested) = (w.head, false);
    let mut all = Buffers::new();
    loop {
        if u32::from(index) >= entries || all.len() == usize::from(w.size) {
            return None;
        }
        let d = memory(base + 16 * u64::from(index))?;
        let (addr, len, flags) = (d.addr.get(), d.len.get(), d.flags());
        addr.checked_add(len.into())?;
        if flags.contains(INDIRECT) {
            let bad = nested || !w.indirect || flags.contains(NEXT) || len % 16 != 0 || len == 0;
            if bad {
                return None;
            }
            (base, entries, index, nested) = (addr, len / 16, 0, true);
            continue;
        }
        let write = flags.contains(WRITE);
        if len == 0 || (!write && all.iter().any(|b| b.2)) {
            return None;
        }
        all.push((addr, len, write));
        if all.iter().map(|b| u64::from(b.1)).sum::<u64>() > u64::from(u32::MAX) {
            return None;
        }
        if !flags.contains(NEXT) {
            return Some(all);
        }
        index = d.next.get();
    }
}

fn ours(w: &World) -> Result<Buffers, QueueError> {
    let mut h = memory();
    for (i, d) in (0..).zip(&w.table) {
        put(&mut h, AREAS.desc.0, i, *d);
    }
    for (i, d) in (0..).zip(&w.inner) {
        put(&mut h, TABLES, i, *d);
    }
    offer(&mut h, w.size, &[w.head]);
    let mut features = Features::empty();
    features.set(Features::INDIRECT_DESC, w.indirect);
    let chain = pop(&mut queue(w.size, features), &mut h)?.unwrap();
    let side = |s: &Segment, write| (s.addr.0, s.len, write);
    let readable = chain.readable().iter().map(|s| side(s, false));
    Ok(readable
        .chain(chain.writable().iter().map(|s| side(s, true)))
        .collect())
}

/// What the crate `virtio-queue` makes of it, and whether it saw the end of the chain.
fn peer(w: &World) -> (Buffers, bool) {
    let m = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), RAM_BYTES)]).unwrap();
    let place = |at: u64, bytes: &[u8]| m.write_slice(bytes, GuestAddress(at)).unwrap();
    for (i, d) in (0_u64..).zip(&w.table) {
        place(AREAS.desc.0 + 16 * i, d.as_bytes());
    }
    for (i, d) in (0_u64..).zip(&w.inner) {
        place(TABLES + 16 * i, d.as_bytes());
    }
    place(AREAS.avail.0 + 4, &w.head.to_le_bytes());
    place(AREAS.avail.0 + 2, &[1, 0]);
    let mut q = PeerQueue::new(16).unwrap();
    q.set_size(w.size);
    q.set_desc_table_address(Some(0x1000), Some(0));
    q.set_avail_ring_address(Some(0x2000), Some(0));
    q.set_used_ring_address(Some(0x3000), Some(0));
    q.set_ready(true);
    let mut ended = false;
    let chain = q.pop_descriptor_chain(&m).unwrap();
    let all = chain.map(|d| {
        ended = !d.has_next();
        (d.addr().0, d.len(), d.is_write_only())
    });
    let all = all.collect();
    (all, ended)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn walk_agrees_with_the_plain_model(w in world()) {
        prop_assert_eq!(ours(&w).ok(), model(&w), "{:?}", ours(&w));
    }

    #[test]
    fn walk_agrees_with_virtio_queue(w in world()) {
        // The crate takes no indirect table of 65,536 entries or more; the specification does.
        let mut w = w;
        for d in &mut w.table {
            if d.flags().contains(INDIRECT) {
                d.len.set(d.len.get() % (1 << 20));
            }
        }
        let (theirs, ended) = peer(&w);
        match ours(&w) {
            Ok(buffers) => prop_assert_eq!((buffers, true), (theirs, ended)),
            // Rules that the crate leaves to the device, or does not hold.
            Err(
                QueueError::Order(_)
                | QueueError::Empty(_)
                | QueueError::Wraps { .. }
                | QueueError::IndirectFeature
                | QueueError::IndirectNext
                | QueueError::ChainLength(_)
            ) => {}
            Err(e) => prop_assert!(!ended, "{} but {:?}", e, theirs),
        }
    }
}
