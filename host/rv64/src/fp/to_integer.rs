//! Conversions to integers (F 2.2, table "Domains of float-to-integer conversions").

use super::flags::{Flags, Rounding};
use super::format::{Format, low_u32};
use super::round::shift_right_jam;
use super::unpack::{Finite, Unpacked, unpack};

/// FCVT.W.*
#[must_use]
pub fn to_i32<F: Format>(bits: F::Bits, rm: Rounding, flags: &mut Flags) -> i32 {
    let range = Range {
        below_zero: 1 << 31,
        above_zero: (1 << 31) - 1,
    };
    low_u32(to_integer::<F>(bits, range, rm, flags)).cast_signed()
}

/// FCVT.WU.*; the caller sign-extends the result, as for every 32-bit result.
#[must_use]
pub fn to_u32<F: Format>(bits: F::Bits, rm: Rounding, flags: &mut Flags) -> u32 {
    let range = Range {
        below_zero: 0,
        above_zero: (1 << 32) - 1,
    };
    low_u32(to_integer::<F>(bits, range, rm, flags))
}

/// FCVT.L.*
#[must_use]
pub fn to_i64<F: Format>(bits: F::Bits, rm: Rounding, flags: &mut Flags) -> i64 {
    let range = Range {
        below_zero: 1 << 63,
        above_zero: (1 << 63) - 1,
    };
    to_integer::<F>(bits, range, rm, flags).cast_signed()
}

/// FCVT.LU.*
#[must_use]
pub fn to_u64<F: Format>(bits: F::Bits, rm: Rounding, flags: &mut Flags) -> u64 {
    let range = Range {
        below_zero: 0,
        above_zero: u64::MAX,
    };
    to_integer::<F>(bits, range, rm, flags)
}

/// The largest magnitudes that an integer type holds on both sides of zero.
#[derive(Clone, Copy)]
struct Range {
    below_zero: u64,
    above_zero: u64,
}

/// The rounded or saturated integer, as two's complement in 64 bits.
#[inline]
fn to_integer<F: Format>(bits: F::Bits, range: Range, rm: Rounding, flags: &mut Flags) -> u64 {
    match unpack::<F>(bits) {
        Unpacked::Zero { .. } => 0,
        Unpacked::Finite(value) => {
            let limit = if value.sign {
                range.below_zero
            } else {
                range.above_zero
            };
            match round_to_integer(value, rm) {
                Some((magnitude, inexact)) if magnitude <= limit => {
                    *flags |= Flags::nx_if(inexact);
                    complement(value.sign, magnitude)
                }
                _ => saturate(value.sign, range, flags),
            }
        }
        Unpacked::Infinity { sign } => saturate(sign, range, flags),
        Unpacked::Nan { .. } => saturate(false, range, flags),
    }
}

#[cold]
fn saturate(sign: bool, range: Range, flags: &mut Flags) -> u64 {
    *flags |= Flags::NV;
    if sign {
        complement(true, range.below_zero)
    } else {
        range.above_zero
    }
}

#[inline]
fn complement(sign: bool, magnitude: u64) -> u64 {
    if sign {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

/// The rounded magnitude and whether it is inexact, or `None` where it exceeds 64 bits.
#[inline]
fn round_to_integer(value: Finite, rm: Rounding) -> Option<(u64, bool)> {
    const HALF: u64 = 1 << 63;
    // `rest` is the fraction of one, scaled by 2^64.
    let (kept, rest) = match value.exponent {
        64.. => return None,
        63 => (value.significand, 0),
        0..63 => {
            let whole_bits = value.exponent.cast_unsigned() + 1;
            (
                value.significand >> (64 - whole_bits),
                value.significand << whole_bits,
            )
        }
        below => (0, shift_right_jam(value.significand, below.abs_diff(-1))),
    };
    let up = rm.rounds_up(value.sign, kept & 1 == 1, rest, HALF);
    Some((kept.checked_add(u64::from(up))?, rest != 0))
}
