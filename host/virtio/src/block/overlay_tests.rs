//! An overlay beside a plain copy of the disk.

use super::backend::{BlockBackend, BlockError};
use super::{MemoryDisk, Overlay};
use maquette_model::{Reader, Snapshot, Writer};
use proptest::prelude::*;

/// Three clusters and a bit, so that the last one is partial.
const SIZE: usize = 3 * 4096 + 1536;

fn content() -> Vec<u8> {
    (0..SIZE).map(|i| (i % 251).to_le_bytes()[0]).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Read(usize, usize),
    Write(usize, usize, u8),
    Zero(usize, usize),
    Reload,
}

fn op() -> impl Strategy<Value = Op> {
    let at = prop_oneof![0..SIZE, (0..4_usize).prop_map(|c| c * 4096), Just(SIZE - 1)];
    let len = prop_oneof![0..600_usize, Just(4096), 4000..9000_usize];
    let span = (at, len).prop_map(|(at, len)| (at, len.min(SIZE - at)));
    prop_oneof![
        3 => span.clone().prop_map(|(a, l)| Op::Read(a, l)),
        4 => (span.clone(), any::<u8>()).prop_map(|((a, l), v)| Op::Write(a, l, v)),
        1 => span.prop_map(|(a, l)| Op::Zero(a, l)),
        1 => Just(Op::Reload),
    ]
}

fn reloaded(disk: &Overlay<MemoryDisk>) -> Overlay<MemoryDisk> {
    let mut w = Writer::default();
    disk.save(&mut w);
    let bytes = w.into_bytes();
    let mut fresh = Overlay::new(MemoryDisk::read_only(content()));
    let mut r = Reader::new(&bytes);
    assert_eq!(fresh.load(&mut r).and_then(|()| r.finish()), Ok(()));
    fresh
}

proptest! {
    #[test]
    fn overlay_agrees_with_a_plain_copy(ops in prop::collection::vec(op(), 1..40)) {
        let mut disk = Overlay::new(MemoryDisk::read_only(content()));
        let mut model = content();
        for op in &ops {
            match *op {
                Op::Read(at, len) => {
                    let mut buf = vec![0xee; len];
                    disk.read_at(at as u64, &mut buf).unwrap();
                    prop_assert_eq!(&buf[..], &model[at..at + len]);
                }
                Op::Write(at, len, v) => {
                    let bytes: Vec<u8> = (0..len).map(|i| v.wrapping_add(i.to_le_bytes()[0])).collect();
                    disk.write_at(at as u64, &bytes).unwrap();
                    model[at..at + len].copy_from_slice(&bytes);
                }
                Op::Zero(at, len) => {
                    disk.write_zeroes(at as u64, len as u64).unwrap();
                    model[at..at + len].fill(0);
                }
                Op::Reload => disk = reloaded(&disk),
            }
        }
        let mut all = vec![0; SIZE];
        disk.read_at(0, &mut all).unwrap();
        prop_assert_eq!(all, model);
        prop_assert_eq!(disk.base().bytes(), content());
    }
}

#[test]
fn overlay_refuses_ranges_past_its_base() {
    let mut disk = Overlay::new(MemoryDisk::read_only(content()));
    let (offset, size) = (SIZE as u64 - 1, SIZE as u64);
    let outside = Err(BlockError::OutOfRange {
        offset,
        len: 2,
        size,
    });
    assert_eq!(disk.read_at(offset, &mut [0; 2]), outside);
    assert_eq!(disk.write_at(offset, &[0; 2]), outside);
    assert_eq!(disk.write_zeroes(offset, 2), outside);
    assert!(disk.write_at(u64::MAX, &[0; 2]).is_err());
    assert_eq!(disk.written_bytes(), 0);
}

#[test]
fn overlay_keeps_only_clusters_that_were_written() {
    let mut disk = Overlay::new(MemoryDisk::read_only(vec![0; 1 << 20]));
    disk.write_at(4095, &[1, 2]).unwrap();
    disk.write_at(1 << 19, &[1]).unwrap();
    assert_eq!(disk.written_bytes(), 3 * 4096);
}

#[test]
fn saved_overlay_with_a_cluster_past_the_end_or_twice_is_refused() {
    let mut w = Writer::default();
    MemoryDisk::new(content()).save(&mut w);
    let base = w.into_bytes();
    for clusters in [&[4][..], &[1, 1], &[u64::MAX]] {
        let mut w = Writer::default();
        w.u64(clusters.len() as u64);
        for &index in clusters {
            w.u64(index);
            w.bytes(&[0; 4096]);
        }
        let bytes = [base.clone(), w.into_bytes()].concat();
        let mut disk = Overlay::new(MemoryDisk::new(content()));
        assert!(disk.load(&mut Reader::new(&bytes)).is_err(), "{clusters:?}");
    }
}
