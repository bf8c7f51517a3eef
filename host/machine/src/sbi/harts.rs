//! Numbers and sets of harts.

use super::SbiError;
use core::fmt;

/// A hart's number, 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HartId(pub u8);

impl HartId {
    /// The hart that a guest means, if the machine has it.
    pub(super) fn checked(raw: u64, harts: u8) -> Result<Self, SbiError> {
        match u8::try_from(raw) {
            Ok(id) if id < harts => Ok(Self(id)),
            _ => Err(SbiError::InvalidParam),
        }
    }
}

impl fmt::Display for HartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hart{}", self.0)
    }
}

/// A set of harts that exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HartSet(u64);

impl HartSet {
    /// Harts 0 to `harts - 1`.
    #[must_use]
    pub const fn all(harts: u8) -> Self {
        match harts {
            0 => Self(0),
            1..=63 => Self((1 << harts) - 1),
            64.. => Self(u64::MAX),
        }
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds this one.
    #[must_use]
    pub const fn contains(self, hart: HartId) -> bool {
        hart.0 < 64 && self.0 >> hart.0 & 1 == 1
    }

    /// Its members in rising order.
    pub fn iter(self) -> impl Iterator<Item = HartId> {
        (0..64).map(HartId).filter(move |&h| self.contains(h))
    }
}

/// A set of harts as a caller writes it (SBI 2.0 §3.1): bit `n` of `bits` is hart `base + n`, and a base
/// of -1 means every hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HartMask {
    /// Which harts, counted from the base.
    pub bits: u64,
    /// The hart of bit 0.
    pub base: u64,
}

impl HartMask {
    /// Every hart.
    pub const ALL: Self = Self {
        bits: 0,
        base: u64::MAX,
    };

    /// The set, if the machine has all its members.
    ///
    /// # Errors
    /// `INVALID_PARAM` when a member does not exist.
    pub fn resolve(self, harts: u8) -> Result<HartSet, SbiError> {
        let all = HartSet::all(harts);
        if self.base == u64::MAX {
            return Ok(all);
        }
        if self.bits == 0 {
            return Ok(HartSet::default());
        }
        // A base of 64 or more names no hart that exists; below that, no bit may be shifted out.
        let set = u32::try_from(self.base)
            .ok()
            .filter(|&base| base <= self.bits.leading_zeros())
            .map(|base| HartSet(self.bits << base));
        match set {
            Some(set) if set.0 & !all.0 == 0 => Ok(set),
            _ => Err(SbiError::InvalidParam),
        }
    }
}
