//! A range of guest-physical addresses that never wraps.

use core::fmt;
use maquette_model::PhysAddr;

/// `len` bytes from `start`; the end is at most the end of the address space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddrRange {
    start: PhysAddr,
    len: u64,
}

impl AddrRange {
    /// `len` bytes from `start`, or `None` if that goes past the end of the address space.
    #[must_use]
    pub const fn new(start: PhysAddr, len: u64) -> Option<Self> {
        match start.checked_add(len) {
            Some(_) => Some(Self { start, len }),
            None => None,
        }
    }

    /// The first address.
    #[must_use]
    pub const fn start(self) -> PhysAddr {
        self.start
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.len
    }

    /// Whether the range holds no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The first address after the range.
    #[must_use]
    pub const fn end(self) -> PhysAddr {
        // Cannot wrap: `new` checked it.
        self.start.wrapping_add(self.len)
    }

    /// The distance of `pa` from the start, if it lies inside.
    #[must_use]
    pub const fn offset(self, pa: PhysAddr) -> Option<u64> {
        match pa.0.checked_sub(self.start.0) {
            Some(off) if off < self.len => Some(off),
            _ => None,
        }
    }

    /// Whether all of `other` lies inside.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.start.0 >= self.start.0 && other.end().0 <= self.end().0
    }

    /// Whether a byte belongs to both.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        !self.is_empty()
            && !other.is_empty()
            && self.start.0 < other.end().0
            && other.start.0 < self.end().0
    }
}

impl fmt::Display for AddrRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end())
    }
}

impl fmt::Debug for AddrRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
