//! The binary interchange formats, and NaN-boxing.

use core::fmt::Debug;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::F32 {}
    impl Sealed for super::F64 {}
}

/// A binary interchange format of IEEE 754: [`F32`] or [`F64`].
///
/// Only the two required constants and the two conversions differ between formats; what can be
/// derived is derived here, as constants, so that every operation folds them.
pub trait Format: sealed::Sealed + Copy + Debug + 'static {
    /// The bit pattern of a number.
    type Bits: Copy + Eq + Debug;

    /// Bits of a number: sign, exponent and fraction.
    const WIDTH: u32;
    /// Bits of the fraction, that is, without the implied leading one.
    const FRACTION_BITS: u32;

    /// Mask of the fraction field.
    const FRACTION_MASK: u64 = (1 << Self::FRACTION_BITS) - 1;
    /// Largest value of the exponent field, which marks infinities and NaNs.
    const EXPONENT_FIELD_MAX: u64 = (1 << (Self::WIDTH - 1 - Self::FRACTION_BITS)) - 1;
    /// The sign bit.
    const SIGN_BIT: u64 = 1 << (Self::WIDTH - 1);
    /// +∞.
    const INFINITY: u64 = Self::EXPONENT_FIELD_MAX << Self::FRACTION_BITS;
    /// The fraction bit that tells a quiet NaN from a signalling one.
    const QUIET_BIT: u64 = 1 << (Self::FRACTION_BITS - 1);
    /// The only NaN that an operation returns.
    const CANONICAL_NAN: u64 = Self::INFINITY | Self::QUIET_BIT;
    /// Exponent of the largest finite number; also the exponent bias.
    const EXPONENT_MAX: i32 = (1 << (Self::WIDTH - 2 - Self::FRACTION_BITS)) - 1;
    /// Exponent of the smallest normal number.
    const EXPONENT_MIN: i32 = 1 - Self::EXPONENT_MAX;

    /// The pattern in the low [`Format::WIDTH`] bits of the result, zero above.
    fn widen(bits: Self::Bits) -> u64;
    /// The low [`Format::WIDTH`] bits of `raw`.
    fn narrow(raw: u64) -> Self::Bits;
}

/// binary32, the format of the F extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct F32;

/// binary64, the format of the D extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct F64;

impl Format for F32 {
    type Bits = u32;
    const WIDTH: u32 = 32;
    const FRACTION_BITS: u32 = 23;

    #[inline]
    fn widen(bits: u32) -> u64 {
        u64::from(bits)
    }

    #[inline]
    fn narrow(raw: u64) -> u32 {
        low_u32(raw)
    }
}

impl Format for F64 {
    type Bits = u64;
    const WIDTH: u32 = 64;
    const FRACTION_BITS: u32 = 52;

    #[inline]
    fn widen(bits: u64) -> u64 {
        bits
    }

    #[inline]
    fn narrow(raw: u64) -> u64 {
        raw
    }
}

/// The number with its sign bit inverted; NaNs too.
#[inline]
#[must_use]
pub fn negate<F: Format>(bits: F::Bits) -> F::Bits {
    F::narrow(F::widen(bits) ^ F::SIGN_BIT)
}

/// The canonical NaN of a format.
#[inline]
pub(super) fn canonical_nan<F: Format>() -> F::Bits {
    F::narrow(F::CANONICAL_NAN)
}

/// Packs the sign with a magnitude that is a complete exponent and fraction.
#[inline]
pub(super) fn with_sign<F: Format>(sign: bool, magnitude: u64) -> F::Bits {
    F::narrow((u64::from(sign) << (F::WIDTH - 1)) | magnitude)
}

/// Reads a single-precision operand from a 64-bit register.
///
/// A value that is not NaN-boxed is read as the canonical NaN (D 2.2, §"NaN Boxing of Narrower
/// Values").
#[inline]
#[must_use]
pub fn unbox_f32(register: u64) -> u32 {
    if register >> 32 == 0xffff_ffff {
        low_u32(register)
    } else {
        canonical_nan::<F32>()
    }
}

/// Makes the 64-bit register value that holds a single-precision number.
#[inline]
#[must_use]
pub fn box_f32(bits: u32) -> u64 {
    0xffff_ffff_0000_0000 | u64::from(bits)
}

/// The low half of a word; said with bytes so that no cast hides a loss.
#[inline]
pub(super) fn low_u32(word: u64) -> u32 {
    let [b0, b1, b2, b3, ..] = word.to_le_bytes();
    u32::from_le_bytes([b0, b1, b2, b3])
}

/// The low half of a double word.
#[inline]
pub(super) fn low_u64(word: u128) -> u64 {
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = word.to_le_bytes();
    u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
}
