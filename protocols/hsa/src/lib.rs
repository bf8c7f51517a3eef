//! Packets and signals of HSA user-mode queues.
//!
//! # Purpose
//!
//! A program hands kernels to an accelerator as packets of 64 bytes, and learns of their end by signals. Packets
//! are those of the *HSA Platform System Architecture Specification* 1.2 (cited as `HSA §…`).
//!
//! # Invariants
//!
//! - Everything is little-endian; sizes are checked at compile time.
//! - Unknown numbers survive: the peer is not trusted to send known ones.
//! - No function panics, allocates or touches memory it was not handed.
//!
//! # What is not here
//!
//! Queues in memory, doorbells as registers, agent dispatch packets' arguments, and what a kernel does.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]
#![no_std]

use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a packet.
pub const PACKET_SIZE: usize = 64;
/// Signals that a barrier packet can name.
pub const DEPENDENCIES: usize = 5;

/// What a packet is (HSA §2.9.1): bits 0 to 7 of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketType(pub u8);

impl PacketType {
    /// Means what the vendor says.
    pub const VENDOR: Self = Self(0);
    /// The slot holds no packet.
    pub const INVALID: Self = Self(1);
    /// A kernel.
    pub const KERNEL_DISPATCH: Self = Self(2);
    /// Waits for all of its signals.
    pub const BARRIER_AND: Self = Self(3);
    /// A call of the host.
    pub const AGENT_DISPATCH: Self = Self(4);
    /// Waits for one of its signals.
    pub const BARRIER_OR: Self = Self(5);

    /// The type of the packet whose header this is.
    #[must_use]
    pub const fn of(header: u16) -> Self {
        let [low, _] = header.to_le_bytes();
        Self(low)
    }

    /// A header of this type without fences.
    #[must_use]
    pub const fn header(self) -> u16 {
        u16::from_le_bytes([self.0, 0])
    }
}

/// A kernel dispatch packet (HSA §2.9.6).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct KernelDispatch {
    /// [`PacketType`] and fences.
    pub header: U16,
    /// Number of dimensions.
    pub setup: U16,
    /// Work-items of a work-group in x, y and z.
    pub workgroup: [U16; 3],
    /// 0.
    pub reserved: U16,
    /// Work-items in x, y and z.
    pub grid: [U32; 3],
    /// Bytes of private memory for each work-item.
    pub private_bytes: U32,
    /// Bytes of group memory for each work-group.
    pub group_bytes: U32,
    /// Address of the kernel.
    pub kernel_object: U64,
    /// Address of its arguments.
    pub kernarg: U64,
    /// 0.
    pub reserved_end: U64,
    /// The signal to give at the end; 0: none.
    pub completion_signal: U64,
}

/// A barrier packet (HSA §2.9.8, §2.9.9).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Barrier {
    /// [`PacketType`] and fences.
    pub header: U16,
    /// 0.
    pub reserved: [U16; 3],
    /// The signals that it waits for; 0: none.
    pub dependencies: [U64; DEPENDENCIES],
    /// 0.
    pub reserved_end: U64,
    /// The signal to give at the end; 0: none.
    pub completion_signal: U64,
}

/// A signal changes: from the accelerator to the program.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Signal {
    /// Which.
    pub handle: U64,
    /// Its value now: [`DONE`] or [`REFUSED`].
    pub value: I64,
}

/// The packet was carried out.
pub const DONE: i64 = 0;
/// The packet found no room in the queue, or is none.
pub const REFUSED: i64 = -1;

const _: () = {
    assert!(size_of::<KernelDispatch>() == PACKET_SIZE);
    assert!(size_of::<Barrier>() == PACKET_SIZE);
    assert!(core::mem::offset_of!(KernelDispatch, grid) == 12);
    assert!(core::mem::offset_of!(KernelDispatch, kernel_object) == 32);
    assert!(core::mem::offset_of!(KernelDispatch, completion_signal) == 56);
    assert!(core::mem::offset_of!(Barrier, dependencies) == 8);
    assert!(size_of::<Signal>() == 16);
};

impl KernelDispatch {
    /// Work-items in all dimensions; `None` if that is more than 2^64.
    #[must_use]
    pub fn work_items(&self) -> Option<u64> {
        product(self.grid.map(|n| n.get().into()))
    }

    /// Work-groups in all dimensions; the last of each may be partial. `None` if a work-group has no
    /// work-items.
    #[must_use]
    pub fn work_groups(&self) -> Option<u64> {
        let mut groups = [0; 3];
        for ((count, grid), size) in groups.iter_mut().zip(self.grid).zip(self.workgroup) {
            let (grid, size) = (u64::from(grid.get()), u64::from(size.get()));
            *count = grid.checked_add(size.checked_sub(1)?)?.checked_div(size)?;
        }
        product(groups)
    }
}

fn product(numbers: [u64; 3]) -> Option<u64> {
    numbers.into_iter().try_fold(1u64, u64::checked_mul)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_with_partial_groups() {
        let packet = |grid: [u32; 3], workgroup: [u16; 3]| KernelDispatch {
            grid: grid.map(U32::new),
            workgroup: workgroup.map(U16::new),
            ..KernelDispatch::default()
        };
        let usual = packet([1024, 1, 1], [256, 1, 1]);
        assert_eq!(
            (usual.work_items(), usual.work_groups()),
            (Some(1024), Some(4))
        );
        let odd = packet([1025, 3, 2], [256, 2, 1]);
        assert_eq!(
            (odd.work_items(), odd.work_groups()),
            (Some(6150), Some(5 * 2 * 2))
        );
        assert_eq!(packet([1, 1, 1], [0, 1, 1]).work_groups(), None);
        let huge = packet([u32::MAX; 3], [1; 3]);
        assert_eq!((huge.work_items(), huge.work_groups()), (None, None));
    }

    #[test]
    fn type_is_the_low_byte_of_the_header() {
        assert_eq!(PacketType::of(0xFF02), PacketType::KERNEL_DISPATCH);
        assert_eq!(PacketType::BARRIER_AND.header(), 3);
    }
}
