//! Conversions from integers, and between the formats.

use super::flags::{Flags, Rounding};
use super::format::{F32, F64, Format, with_sign};
use super::round::round_pack;
use super::unpack::{Finite, Unpacked, propagate, unpack};

/// FCVT.*.W
#[must_use]
pub fn from_i32<F: Format>(value: i32, rm: Rounding, flags: &mut Flags) -> F::Bits {
    from_i64::<F>(i64::from(value), rm, flags)
}

/// FCVT.*.WU
#[must_use]
pub fn from_u32<F: Format>(value: u32, rm: Rounding, flags: &mut Flags) -> F::Bits {
    from_magnitude::<F>(false, u64::from(value), rm, flags)
}

/// FCVT.*.L
#[must_use]
pub fn from_i64<F: Format>(value: i64, rm: Rounding, flags: &mut Flags) -> F::Bits {
    from_magnitude::<F>(value < 0, value.unsigned_abs(), rm, flags)
}

/// FCVT.*.LU
#[must_use]
pub fn from_u64<F: Format>(value: u64, rm: Rounding, flags: &mut Flags) -> F::Bits {
    from_magnitude::<F>(false, value, rm, flags)
}

/// FCVT.D.S, which is exact.
#[must_use]
pub fn f32_to_f64(bits: u32, flags: &mut Flags) -> u64 {
    // No binary32 number needs rounding in binary64: any mode will do.
    convert::<F32, F64>(bits, Rounding::Rne, flags)
}

/// FCVT.S.D
#[must_use]
pub fn f64_to_f32(bits: u64, rm: Rounding, flags: &mut Flags) -> u32 {
    convert::<F64, F32>(bits, rm, flags)
}

#[inline]
fn convert<From: Format, To: Format>(
    bits: From::Bits,
    rm: Rounding,
    flags: &mut Flags,
) -> To::Bits {
    match unpack::<From>(bits) {
        Unpacked::Finite(value) => round_pack::<To>(value, rm, flags),
        Unpacked::Zero { sign } => with_sign::<To>(sign, 0),
        Unpacked::Infinity { sign } => with_sign::<To>(sign, To::INFINITY),
        operand @ Unpacked::Nan { .. } => propagate::<To>(&[operand], flags),
    }
}

#[inline]
fn from_magnitude<F: Format>(
    sign: bool,
    magnitude: u64,
    rm: Rounding,
    flags: &mut Flags,
) -> F::Bits {
    if magnitude == 0 {
        return with_sign::<F>(false, 0);
    }
    let shift = magnitude.leading_zeros();
    let exact = Finite {
        sign,
        exponent: 63 - shift.cast_signed(),
        significand: magnitude << shift,
    };
    round_pack::<F>(exact, rm, flags)
}
