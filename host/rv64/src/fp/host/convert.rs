//! Conversions between the formats, and from and to integers.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "conversions that round are what this is about; ranges are checked before"
)]

use super::Rounded;

/// Integers up to this are exact in the formats.
const EXACT_DOUBLE: u64 = 1 << 53;
const EXACT_SINGLE: u64 = 1 << 24;
/// One and a half times 2^52: added and subtracted, it rounds magnitudes below 2^51 to integers.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
const ROUNDED_END: f64 = 2_251_799_813_685_248.0;

/// FCVT.S.D where the result is finite and above the smallest normal number.
#[inline(always)]
pub(crate) fn double_to_single(bits: u64) -> Rounded<u32> {
    let wide = f64::from_bits(bits);
    let narrow = wide as f32;
    let middle = (2..=0xfe).contains(&(narrow.to_bits() >> 23 & 0xff));
    middle.then(|| (narrow.to_bits(), f64::from(narrow) != wide))
}

/// FCVT.D.S of a number.
#[inline(always)]
pub(crate) fn single_to_double(bits: u32) -> Rounded<u64> {
    let narrow = f32::from_bits(bits);
    (!narrow.is_nan()).then(|| (f64::from(narrow).to_bits(), false))
}

/// FCVT.D.W and FCVT.D.WU, which are exact.
#[inline(always)]
pub(crate) fn double_from_word(value: i64) -> Rounded<u64> {
    Some(((value as f64).to_bits(), false))
}

/// FCVT.D.L
#[inline(always)]
pub(crate) fn double_from_signed(value: i64, sticky: bool) -> Rounded<u64> {
    let exact = value.unsigned_abs() <= EXACT_DOUBLE;
    (exact || sticky).then(|| ((value as f64).to_bits(), !exact))
}

/// FCVT.S.W, FCVT.S.WU, FCVT.S.L
#[inline(always)]
pub(crate) fn single_from_signed(value: i64, sticky: bool) -> Rounded<u32> {
    let exact = value.unsigned_abs() <= EXACT_SINGLE;
    (exact || sticky).then(|| ((value as f32).to_bits(), !exact))
}

/// FCVT.D.LU of what FCVT.D.L takes.
#[inline(always)]
pub(crate) fn double_from_unsigned(value: u64, sticky: bool) -> Rounded<u64> {
    double_from_signed(i64::try_from(value).ok()?, sticky)
}

/// FCVT.S.LU of what FCVT.S.L takes.
#[inline(always)]
pub(crate) fn single_from_unsigned(value: u64, sticky: bool) -> Rounded<u32> {
    single_from_signed(i64::try_from(value).ok()?, sticky)
}

/// FCVT.*.D of magnitudes below 2^51, rounded to nearest, or towards zero; whether it is inexact is
/// always known here.
#[inline(always)]
pub(crate) fn double_to_long(bits: u64, to_nearest: bool) -> Rounded<i64> {
    let value = f64::from_bits(bits);
    // Also refuses NaNs.
    if value.abs() < ROUNDED_END {
        let integer = if to_nearest {
            ((value + ROUNDER) - ROUNDER) as i64
        } else {
            value as i64
        };
        Some((integer, integer as f64 != value))
    } else {
        None
    }
}

/// FCVT.*.S likewise.
#[inline(always)]
pub(crate) fn single_to_long(bits: u32, to_nearest: bool) -> Rounded<i64> {
    double_to_long(f64::from(f32::from_bits(bits)).to_bits(), to_nearest)
}
