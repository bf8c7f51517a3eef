//! Rounding modes and accrued exceptions, in the encoding of `fcsr`.

use core::ops::{BitOr, BitOrAssign};

/// How an inexact result is rounded (F 2.2, table "Rounding mode encoding").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To nearest, ties to even.
    Rne,
    /// Towards zero.
    Rtz,
    /// Down, towards −∞.
    Rdn,
    /// Up, towards +∞.
    Rup,
    /// To nearest, ties to the larger magnitude.
    Rmm,
}

impl Rounding {
    /// All modes, in the order of their encoding.
    pub const ALL: [Self; 5] = [Self::Rne, Self::Rtz, Self::Rdn, Self::Rup, Self::Rmm];

    /// Decodes an `frm` or a resolved `rm` field.
    ///
    /// The reserved values 5 and 6, and 7 (dynamic, which only the caller can resolve), give `None`.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Rne),
            1 => Some(Self::Rtz),
            2 => Some(Self::Rdn),
            3 => Some(Self::Rup),
            4 => Some(Self::Rmm),
            _ => None,
        }
    }

    /// Whether a magnitude moves up to the next one that can be represented.
    ///
    /// `odd` tells of the lowest bit that is kept, `rest` is what lies below it, jammed, and `half`
    /// is the value of `rest` at a tie.
    #[inline]
    pub(super) fn rounds_up(self, sign: bool, odd: bool, rest: u64, half: u64) -> bool {
        match self {
            // Not lazy: half of all results round up, which no predictor foresees.
            Self::Rne => (rest > half) | ((rest == half) & odd),
            Self::Rtz => false,
            Self::Rdn => sign && rest != 0,
            Self::Rup => !sign && rest != 0,
            Self::Rmm => rest >= half,
        }
    }

    /// The sign of an exact zero sum of operands that differ in sign (IEEE 754-2008 §6.3).
    #[inline]
    pub(super) fn zero_sum_sign(self) -> bool {
        self == Self::Rdn
    }
}

/// Accrued exceptions, in the bit order of `fflags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u8);

impl Flags {
    /// No exception.
    pub const NONE: Self = Self(0);
    /// NX: the result was rounded.
    pub const NX: Self = Self(1);
    /// UF: the result is tiny and was rounded.
    pub const UF: Self = Self(2);
    /// OF: the rounded result exceeds the largest finite number.
    pub const OF: Self = Self(4);
    /// DZ: an exact infinity from finite operands.
    pub const DZ: Self = Self(8);
    /// NV: there is no meaningful result.
    pub const NV: Self = Self(16);

    const MASK: u8 = 0x1f;

    /// The flags in the low five bits of `bits`, the others being ignored.
    #[must_use]
    pub const fn from_bits_truncate(bits: u8) -> Self {
        Self(bits & Self::MASK)
    }

    /// NX where the result was rounded, without a branch.
    #[inline]
    pub(super) fn nx_if(inexact: bool) -> Self {
        Self(u8::from(inexact))
    }

    /// The value of `fflags`.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether no flag is raised.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every flag of `other` is raised here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Flags {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
