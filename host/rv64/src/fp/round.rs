//! Rounding to a format, the only place where a result loses bits for good.

use super::flags::{Flags, Rounding};
use super::format::{Format, with_sign};
use super::unpack::Finite;

/// Shifts right; bits that fall out set the lowest bit of the result.
#[inline]
pub(super) fn shift_right_jam(value: u64, count: u32) -> u64 {
    match value.checked_shr(count) {
        Some(kept) => kept | u64::from(kept << count != value),
        None => u64::from(value != 0),
    }
}

/// Rounds an exact or jammed number to the format and packs it.
///
/// The significand must be normalised (top bit set), as [`Finite`] promises.
#[inline]
pub(super) fn round_pack<F: Format>(exact: Finite, rm: Rounding, flags: &mut Flags) -> F::Bits {
    debug_assert!(exact.significand >> 63 == 1, "normalised significand");
    if exact.exponent < F::EXPONENT_MIN {
        return round_subnormal::<F>(exact, rm, flags);
    }
    if exact.exponent > F::EXPONENT_MAX {
        return overflow::<F>(exact.sign, rm, flags);
    }
    let (rounded, inexact) = round_significand::<F>(exact.sign, exact.significand, rm);
    // The implied one adds one to the exponent field, and so does a carry out of the fraction.
    let field = u64::from((exact.exponent - F::EXPONENT_MIN).cast_unsigned());
    let magnitude = (field << F::FRACTION_BITS) + rounded;
    if magnitude >= F::INFINITY {
        return overflow::<F>(exact.sign, rm, flags);
    }
    *flags |= Flags::nx_if(inexact);
    with_sign::<F>(exact.sign, magnitude)
}

/// Keeps the bits of a significand that the format has; also tells whether others were lost.
#[inline]
fn round_significand<F: Format>(sign: bool, significand: u64, rm: Rounding) -> (u64, bool) {
    let below = 63 - F::FRACTION_BITS;
    let kept = significand >> below;
    let rest = significand & ((1 << below) - 1);
    let up = rm.rounds_up(sign, kept & 1 == 1, rest, 1 << (below - 1));
    (kept + u64::from(up), rest != 0)
}

/// Rounds a number below the normal range.
#[cold]
fn round_subnormal<F: Format>(exact: Finite, rm: Rounding, flags: &mut Flags) -> F::Bits {
    let distance = exact.exponent.abs_diff(F::EXPONENT_MIN);
    let shifted = shift_right_jam(exact.significand, distance);
    // A carry into the exponent field makes the smallest normal number, as it should.
    let (magnitude, inexact) = round_significand::<F>(exact.sign, shifted, rm);
    if inexact {
        *flags |= Flags::NX;
        if is_tiny_after_rounding::<F>(exact, rm) {
            *flags |= Flags::UF;
        }
    }
    with_sign::<F>(exact.sign, magnitude)
}

/// Whether the number, rounded as though the exponent had no lower bound, is still below the
/// normal range (IEEE 754-2008 §7.5 a; F 2.2 §"Subnormal Arithmetic").
fn is_tiny_after_rounding<F: Format>(exact: Finite, rm: Rounding) -> bool {
    if exact.exponent < F::EXPONENT_MIN - 1 {
        return true;
    }
    let (rounded, _) = round_significand::<F>(exact.sign, exact.significand, rm);
    let carried = rounded >> (F::FRACTION_BITS + 1) != 0;
    !carried
}

/// The result of a number beyond the largest finite one (IEEE 754-2008 §7.4).
#[cold]
fn overflow<F: Format>(sign: bool, rm: Rounding, flags: &mut Flags) -> F::Bits {
    *flags |= Flags::OF | Flags::NX;
    let to_infinity = match rm {
        Rounding::Rne | Rounding::Rmm => true,
        Rounding::Rtz => false,
        Rounding::Rdn => sign,
        Rounding::Rup => !sign,
    };
    with_sign::<F>(sign, F::INFINITY - u64::from(!to_infinity))
}
