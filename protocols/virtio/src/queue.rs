//! The split virtqueue (virtio 1.3 §2.7).
//!
//! Three areas of guest memory, each written by one side only: the descriptor table and the
//! available ring by the driver, the used ring by the device. Sizes here are in bytes for a queue of
//! `size` entries.
//!
//! ```text
//! available:  flags u16 | idx u16 | ring [u16; size]      | used_event u16
//! used:       flags u16 | idx u16 | ring [{u32 id, u32 len}; size] | avail_event u16
//! ```

use core::mem::offset_of;

use bitflags::bitflags;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Largest size of a queue; sizes are powers of two (virtio 1.3 §2.7).
pub const MAX_SIZE: u16 = 32_768;

/// Required alignment of the descriptor table (virtio 1.3 §2.7).
pub const DESC_ALIGN: u64 = 16;
/// Required alignment of the available ring (virtio 1.3 §2.7).
pub const AVAIL_ALIGN: u64 = 2;
/// Required alignment of the used ring (virtio 1.3 §2.7).
pub const USED_ALIGN: u64 = 4;

/// Offset of `flags` in both rings (virtio 1.3 §2.7.6, §2.7.8).
pub const RING_FLAGS: u64 = 0;
/// Offset of `idx` in both rings.
pub const RING_IDX: u64 = 2;
/// Offset of the first ring entry in both rings.
pub const RING_ENTRIES: u64 = 4;

/// `VIRTQ_AVAIL_F_NO_INTERRUPT` in the available ring's flags (virtio 1.3 §2.7.6).
pub const AVAIL_NO_INTERRUPT: u16 = 1;
/// `VIRTQ_USED_F_NO_NOTIFY` in the used ring's flags (virtio 1.3 §2.7.8).
pub const USED_NO_NOTIFY: u16 = 1;

bitflags! {
    /// `flags` of a descriptor (virtio 1.3 §2.7.5).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct DescFlags: u16 {
        /// `VIRTQ_DESC_F_NEXT`: the chain goes on at `next`.
        const NEXT = 1;
        /// `VIRTQ_DESC_F_WRITE`: the device writes the buffer (otherwise it reads it).
        const WRITE = 2;
        /// `VIRTQ_DESC_F_INDIRECT`: the buffer is a table of descriptors (virtio 1.3 §2.7.5.3).
        const INDIRECT = 4;
        // A guest may write any value.
        const _ = !0;
    }
}

/// `struct virtq_desc` (virtio 1.3 §2.7.5).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(C)]
pub struct Desc {
    /// Guest-physical address of the buffer.
    pub addr: U64,
    /// Its length in bytes.
    pub len: U32,
    /// See [`DescFlags`].
    pub flags: U16,
    /// Index of the next descriptor, with [`DescFlags::NEXT`].
    pub next: U16,
}

impl Desc {
    /// A descriptor from host-order values.
    #[must_use]
    pub const fn new(addr: u64, len: u32, flags: DescFlags, next: u16) -> Self {
        Self {
            addr: U64::new(addr),
            len: U32::new(len),
            flags: U16::new(flags.bits()),
            next: U16::new(next),
        }
    }

    /// The flags, unknown bits included.
    #[must_use]
    pub const fn flags(&self) -> DescFlags {
        DescFlags::from_bits_retain(self.flags.get())
    }
}

/// `struct virtq_used_elem` (virtio 1.3 §2.7.8).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(C)]
pub struct UsedElem {
    /// Index of the head of the chain that was used.
    pub id: U32,
    /// Number of bytes that the device wrote into it.
    pub len: U32,
}

impl UsedElem {
    /// A used element from host-order values.
    #[must_use]
    pub const fn new(id: u32, len: u32) -> Self {
        Self {
            id: U32::new(id),
            len: U32::new(len),
        }
    }
}

/// Size of a [`Desc`].
pub const DESC_SIZE: u64 = 16;
/// Size of an available ring entry.
pub const AVAIL_ENTRY_SIZE: u64 = 2;
/// Size of a [`UsedElem`].
pub const USED_ENTRY_SIZE: u64 = 8;

const _: () = {
    assert!(size_of::<Desc>() as u64 == DESC_SIZE);
    assert!(offset_of!(Desc, len) == 8);
    assert!(offset_of!(Desc, flags) == 12);
    assert!(offset_of!(Desc, next) == 14);
    assert!(size_of::<UsedElem>() as u64 == USED_ENTRY_SIZE);
    assert!(offset_of!(UsedElem, len) == 4);
};

/// Size of the descriptor table (virtio 1.3 §2.7).
#[must_use]
pub const fn desc_table_bytes(size: u16) -> u64 {
    DESC_SIZE * size as u64
}

/// Size of the available ring including `used_event` (virtio 1.3 §2.7).
#[must_use]
pub const fn avail_bytes(size: u16) -> u64 {
    avail_used_event(size) + 2
}

/// Size of the used ring including `avail_event` (virtio 1.3 §2.7).
#[must_use]
pub const fn used_bytes(size: u16) -> u64 {
    used_avail_event(size) + 2
}

/// Offset of the available ring's entry for the free-running index `idx`. A size of 0, which is
/// not legal, is taken as 1.
#[must_use]
pub const fn avail_entry(size: u16, idx: u16) -> u64 {
    RING_ENTRIES + AVAIL_ENTRY_SIZE * slot(size, idx)
}

/// Offset of the used ring's entry for the free-running index `idx`. A size of 0, which is not
/// legal, is taken as 1.
#[must_use]
pub const fn used_entry(size: u16, idx: u16) -> u64 {
    RING_ENTRIES + USED_ENTRY_SIZE * slot(size, idx)
}

/// Offset of `used_event` in the available ring (virtio 1.3 §2.7.7).
#[must_use]
pub const fn avail_used_event(size: u16) -> u64 {
    RING_ENTRIES + AVAIL_ENTRY_SIZE * size as u64
}

/// Offset of `avail_event` in the used ring (virtio 1.3 §2.7.10).
#[must_use]
pub const fn used_avail_event(size: u16) -> u64 {
    RING_ENTRIES + USED_ENTRY_SIZE * size as u64
}

/// Whether `size` is a legal queue size: a power of two up to [`MAX_SIZE`] (virtio 1.3 §2.7).
#[must_use]
pub const fn is_legal_size(size: u16) -> bool {
    size.is_power_of_two() && size <= MAX_SIZE
}

/// Whether moving an index from `old` to `new` passes the `event` that the peer asked for, in
/// arithmetic modulo 2¹⁶ (virtio 1.3 §2.7.7.1, §2.7.10.1).
#[must_use]
pub const fn needs_event(event: u16, new: u16, old: u16) -> bool {
    new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
}

const fn slot(size: u16, idx: u16) -> u64 {
    if size == 0 { 0 } else { (idx % size) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::IntoBytes;

    #[test]
    fn sizes_match_the_table_of_the_specification() {
        // virtio 1.3 §2.7: 16∗N, 6 + 2∗N, 6 + 8∗N.
        for size in [1_u16, 2, 8, 256, MAX_SIZE] {
            let n = u64::from(size);
            assert_eq!(desc_table_bytes(size), 16 * n);
            assert_eq!(avail_bytes(size), 6 + 2 * n);
            assert_eq!(used_bytes(size), 6 + 8 * n);
        }
    }

    #[test]
    fn entry_wraps_at_the_queue_size() {
        assert_eq!(avail_entry(8, 0), 4);
        assert_eq!(avail_entry(8, 9), 6);
        assert_eq!(used_entry(8, 65_535), 4 + 8 * 7);
        assert_eq!(used_entry(0, 3), 4);
    }

    #[test]
    fn needs_event_agrees_with_walking_the_index() {
        for old in [0_u16, 1, 100, 65_530, 65_535] {
            for moved in [0_u16, 1, 2, 10] {
                let new = old.wrapping_add(moved);
                for delta in 0..20_u16 {
                    let event = old.wrapping_sub(5).wrapping_add(delta);
                    // The peer wants to hear when entry `event` itself has been passed.
                    let passed = (0..moved).any(|step| old.wrapping_add(step) == event);
                    assert_eq!(needs_event(event, new, old), passed, "{event} {new} {old}");
                }
            }
        }
    }

    #[test]
    fn desc_bytes_are_little_endian_in_field_order() {
        let d = Desc::new(0x0102_0304_0506_0708, 0x1112_1314, DescFlags::WRITE, 0x2122);
        let want = [
            8, 7, 6, 5, 4, 3, 2, 1, 0x14, 0x13, 0x12, 0x11, 2, 0, 0x22, 0x21,
        ];
        assert_eq!(d.as_bytes(), want);
    }

    #[test]
    fn legal_sizes_are_powers_of_two() {
        assert!(is_legal_size(1) && is_legal_size(MAX_SIZE));
        assert!(!is_legal_size(0) && !is_legal_size(3) && !is_legal_size(MAX_SIZE + 1));
    }
}
