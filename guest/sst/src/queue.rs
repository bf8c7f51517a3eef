//! The driver's half of a split virtqueue (virtio 1.3 §2.7).

use core::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use maquette_virtio_protocol::queue::{self, Desc};
use zerocopy::transmute;

/// Entries of each queue.
pub(crate) const SIZE: u16 = 128;

/// Descriptors and rings.
#[derive(Debug)]
#[repr(C, align(16))]
pub(crate) struct Rings {
    pub(crate) desc: [[AtomicU64; 2]; SIZE as usize],
    pub(crate) used: [AtomicU16; queue::used_bytes(SIZE) as usize / 2],
    pub(crate) avail: [AtomicU16; queue::avail_bytes(SIZE) as usize / 2],
}

impl Rings {
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "used to initialise a static"
    )]
    pub(crate) const ZERO: Self = Self {
        desc: [const { [const { AtomicU64::new(0) }; 2] }; SIZE as usize],
        used: [const { AtomicU16::new(0) }; queue::used_bytes(SIZE) as usize / 2],
        avail: [const { AtomicU16::new(0) }; queue::avail_bytes(SIZE) as usize / 2],
    };

    /// Empties both rings, before the device knows of them.
    pub(crate) fn clear(&self) {
        for ring in [&self.avail[..], &self.used[..]] {
            ring.iter().for_each(|w| w.store(0, Ordering::Relaxed));
        }
    }

    pub(crate) fn describe(&self, index: usize, desc: Desc) {
        let words: [u64; 2] = transmute!(desc);
        if let Some(places) = self.desc.get(index) {
            for (word, place) in words.iter().zip(places) {
                place.store(*word, Ordering::Relaxed);
            }
        }
    }

    /// Makes the chain at `head` the entry number `made` of the available ring.
    pub(crate) fn offer(&self, made: u16, head: u16) {
        self.set_avail(queue::avail_entry(SIZE, made), head);
    }

    /// Shows the device the entries before `made`.
    pub(crate) fn show(&self, made: u16) {
        self.set_avail(queue::RING_IDX, made);
    }

    /// Asks for interrupts, or to be spared of them (virtio 1.3 §2.7.7).
    pub(crate) fn set_interrupts(&self, on: bool) {
        let flags = if on { 0 } else { queue::AVAIL_NO_INTERRUPT };
        self.set_avail(queue::RING_FLAGS, flags);
    }

    /// The entry number `taken` of the used ring, head and length, if the device has made it.
    pub(crate) fn used(&self, taken: u16) -> Option<(u32, u32)> {
        if self.used_half(queue::RING_IDX) == taken {
            return None;
        }
        let at = queue::used_entry(SIZE, taken);
        Some((self.used_word(at), self.used_word(at + 4)))
    }

    fn set_avail(&self, offset: u64, value: u16) {
        if let Some(place) = self.avail.get(offset as usize / 2) {
            place.store(value, Ordering::Release);
        }
    }

    fn used_half(&self, offset: u64) -> u16 {
        let place = self.used.get(offset as usize / 2);
        place.map_or(0, |place| place.load(Ordering::Acquire))
    }

    fn used_word(&self, offset: u64) -> u32 {
        u32::from(self.used_half(offset)) | u32::from(self.used_half(offset + 2)) << 16
    }
}
