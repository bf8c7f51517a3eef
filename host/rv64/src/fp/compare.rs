//! Comparisons, minimum and maximum.

use super::flags::Flags;
use super::format::{Format, canonical_nan};

/// `a == b`, quiet: only a signalling NaN is invalid (FEQ).
#[inline]
#[must_use]
pub fn eq<F: Format>(a: F::Bits, b: F::Bits, flags: &mut Flags) -> bool {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        *flags |= signal::<F>(a) | signal::<F>(b);
        return false;
    }
    numeric_key::<F>(a) == numeric_key::<F>(b)
}

/// `a < b`, signalling: any NaN is invalid (FLT).
#[inline]
#[must_use]
pub fn lt<F: Format>(a: F::Bits, b: F::Bits, flags: &mut Flags) -> bool {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        *flags |= Flags::NV;
        return false;
    }
    numeric_key::<F>(a) < numeric_key::<F>(b)
}

/// `a <= b`, signalling: any NaN is invalid (FLE).
#[inline]
#[must_use]
pub fn le<F: Format>(a: F::Bits, b: F::Bits, flags: &mut Flags) -> bool {
    if is_nan::<F>(a) || is_nan::<F>(b) {
        *flags |= Flags::NV;
        return false;
    }
    numeric_key::<F>(a) <= numeric_key::<F>(b)
}

/// The smaller operand, `minimumNumber` of IEEE 754-2019 (FMIN).
///
/// A NaN yields to a number; only a signalling one is invalid.
#[inline]
#[must_use]
pub fn min<F: Format>(a: F::Bits, b: F::Bits, flags: &mut Flags) -> F::Bits {
    select::<F>(a, b, total_key::<F>(a) <= total_key::<F>(b), flags)
}

/// The larger operand, `maximumNumber` of IEEE 754-2019 (FMAX).
///
/// A NaN yields to a number; only a signalling one is invalid.
#[inline]
#[must_use]
pub fn max<F: Format>(a: F::Bits, b: F::Bits, flags: &mut Flags) -> F::Bits {
    select::<F>(a, b, total_key::<F>(a) >= total_key::<F>(b), flags)
}

/// The operand that `min` or `max` returns, where `first` is the verdict on numbers.
#[inline]
fn select<F: Format>(a: F::Bits, b: F::Bits, first: bool, flags: &mut Flags) -> F::Bits {
    match (is_nan::<F>(a), is_nan::<F>(b)) {
        (false, false) if first => return a,
        (false, false) => return b,
        _ => *flags |= signal::<F>(a) | signal::<F>(b),
    }
    if !is_nan::<F>(a) {
        a
    } else if !is_nan::<F>(b) {
        b
    } else {
        canonical_nan::<F>()
    }
}

/// Whether the number is a NaN.
#[inline]
fn is_nan<F: Format>(bits: F::Bits) -> bool {
    F::widen(bits) & !F::SIGN_BIT > F::INFINITY
}

/// NV for a signalling NaN.
#[inline]
fn signal<F: Format>(bits: F::Bits) -> Flags {
    if is_nan::<F>(bits) && F::widen(bits) & F::QUIET_BIT == 0 {
        Flags::NV
    } else {
        Flags::NONE
    }
}

/// Orders numbers as their values; the zeros are equal.
#[inline]
fn numeric_key<F: Format>(bits: F::Bits) -> i64 {
    let raw = F::widen(bits);
    // Without its sign bit the pattern is at most 63 bits wide: the cast keeps the value.
    let magnitude = (raw & !F::SIGN_BIT).cast_signed();
    if raw & F::SIGN_BIT == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Orders numbers as their values, −0 below +0.
#[inline]
fn total_key<F: Format>(bits: F::Bits) -> i64 {
    let raw = F::widen(bits);
    let magnitude = (raw & !F::SIGN_BIT).cast_signed();
    if raw & F::SIGN_BIT == 0 {
        magnitude
    } else {
        !magnitude
    }
}
