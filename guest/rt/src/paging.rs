//! Page tables (privileged §10.3 to §10.6): Sv39 with three levels, Sv48 with four,
//! Sv57 with five.
//!
//! A table is an array of atomics, because the hart's own page walker reads it and may write its
//! accessed and dirty bits.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::arch::csr::{SATP_SV39, SATP_SV48, SATP_SV57};

/// Bytes of a page.
pub const PAGE: usize = 4096;

/// Bits of a page-table entry (privileged §10.4.1).
pub mod pte {
    /// Valid.
    pub const V: u64 = 1;
    /// Readable.
    pub const R: u64 = 1 << 1;
    /// Writable.
    pub const W: u64 = 1 << 2;
    /// Executable.
    pub const X: u64 = 1 << 3;
    /// For U-mode.
    pub const U: u64 = 1 << 4;
    /// In every address space.
    pub const G: u64 = 1 << 5;
    /// Accessed.
    pub const A: u64 = 1 << 6;
    /// Dirty.
    pub const D: u64 = 1 << 7;
    /// Readable, with the accessed bit set.
    pub const RO: u64 = V | R | A;
    /// Readable and writable, with accessed and dirty bits set.
    pub const RW: u64 = V | R | W | A | D;
    /// Readable and executable, with the accessed bit set.
    pub const RX: u64 = V | R | X | A;
    /// All three, with accessed and dirty bits set.
    pub const RWX: u64 = RW | X;
}

/// One page of RAM that is shared with other harts, devices or the page walker.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Page(pub [AtomicU64; 512]);

impl Page {
    /// A page of zeros.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "used to initialise arrays of pages"
    )]
    pub const ZERO: Self = Self([const { AtomicU64::new(0) }; 512]);

    /// Its address.
    #[must_use]
    pub fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}

/// Number of levels of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// 39-bit addresses, three levels.
    Sv39,
    /// 48-bit addresses, four levels.
    Sv48,
    /// 57-bit addresses, five levels.
    Sv57,
}

impl Scheme {
    const fn levels(self) -> usize {
        match self {
            Self::Sv39 => 3,
            Self::Sv48 => 4,
            Self::Sv57 => 5,
        }
    }

    const fn satp_mode(self) -> usize {
        match self {
            Self::Sv39 => SATP_SV39,
            Self::Sv48 => SATP_SV48,
            Self::Sv57 => SATP_SV57,
        }
    }
}

/// An address space, whose tables come from a fixed pool; the first page of the pool is the root.
#[derive(Debug)]
pub struct Space {
    pool: &'static [Page],
    used: AtomicUsize,
    scheme: Scheme,
}

impl Space {
    /// An empty address space.
    #[must_use]
    pub const fn new(pool: &'static [Page], scheme: Scheme) -> Self {
        Self {
            pool,
            used: AtomicUsize::new(1),
            scheme,
        }
    }

    /// Value of `satp` that puts this space in force.
    #[must_use]
    pub fn satp(&self) -> usize {
        let root = self.pool.first().map_or(0, Page::address);
        self.scheme.satp_mode() | (root / PAGE)
    }

    /// Maps the page at `va` to the page at `pa` with entry bits `flags`, at `level` (0: 4 KiB, 1:
    /// 2 MiB, 2: 1 GiB). Panics where tables run out: how many there are is written beside the call.
    pub fn map(&self, va: usize, pa: usize, level: usize, flags: u64) {
        let ppn = (pa / PAGE) as u64;
        self.entry(va, level)
            .store((ppn << 10) | flags, Ordering::Release);
    }

    /// Maps `[start, end)` to itself, by 2 MiB where both ends allow it.
    pub fn map_identity(&self, start: usize, end: usize, flags: u64) {
        const MEGA: usize = PAGE * 512;
        let mut at = start;
        while at < end {
            if at.is_multiple_of(MEGA) && end - at >= MEGA {
                self.map(at, at, 1, flags);
                at += MEGA;
            } else {
                self.map(at, at, 0, flags);
                at += PAGE;
            }
        }
    }

    /// The entry for `va` at `level`, with the tables above it made as needed.
    pub fn entry(&self, va: usize, level: usize) -> &'static AtomicU64 {
        let mut table = self.pool.first().expect("a pool has a root");
        let mut at = self.scheme.levels() - 1;
        loop {
            let entry = table
                .0
                .get((va >> (12 + 9 * at)) & 511)
                .expect("nine bits index 512 entries");
            if at == level {
                return entry;
            }
            table = self.next_table(entry);
            at -= 1;
        }
    }

    fn next_table(&self, entry: &AtomicU64) -> &'static Page {
        let value = entry.load(Ordering::Acquire);
        if value & pte::V == 0 {
            let fresh = self
                .pool
                .get(self.used.fetch_add(1, Ordering::Relaxed))
                .expect("the pool of page tables is large enough");
            let ppn = (fresh.address() / PAGE) as u64;
            entry.store((ppn << 10) | pte::V, Ordering::Release);
            return fresh;
        }
        let address = (value >> 10) as usize * PAGE;
        let base = self.pool.first().map_or(0, Page::address);
        self.pool
            .get(address.wrapping_sub(base) / PAGE)
            .expect("a large page is not in the way")
    }
}
