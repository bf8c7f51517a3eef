//! binary64.

use super::{Rounded, sum_error};

const SIGN: u64 = 1 << 63;
/// Magnitudes below this (2^1022) cannot overflow in a sum, nor inside TwoSum.
const SUMMAND_END: u64 = 0x7fd << 52;
/// Exponent fields of results that are finite and so far above the smallest normal number that the
/// residual, 53 binades below the result at most, is a normal number or zero. (Field 1 is the smallest
/// normal number's.)
const MIDDLE: core::ops::RangeInclusive<u64> = 128..=0x7fd;

/// The number lies in [`MIDDLE`].
#[inline(always)]
fn in_the_middle(bits: u64) -> bool {
    MIDDLE.contains(&(bits >> 52 & 0x7ff))
}

#[inline(always)]
fn is_summand(bits: u64) -> bool {
    bits & !SIGN < SUMMAND_END
}

/// `a + b`. A sum below the normal range is exact, so there is no underflow.
#[inline(always)]
pub(crate) fn add(a: u64, b: u64, sticky: bool) -> Rounded<u64> {
    if !is_summand(a) | !is_summand(b) {
        return None;
    }
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    let sum = x + y;
    let inexact = sticky || sum_error!(x, y, sum) != 0.0;
    Some((sum.to_bits(), inexact))
}

/// `a × b`.
#[inline(always)]
pub(crate) fn mul(a: u64, b: u64, sticky: bool) -> Rounded<u64> {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    let product = x * y;
    if in_the_middle(product.to_bits()) {
        let inexact = sticky || x.mul_add(y, -product) != 0.0;
        return Some((product.to_bits(), inexact));
    }
    // Zero times a finite number: an infinite one would have given a NaN.
    let exact_zero = product == 0.0 && (x == 0.0 || y == 0.0);
    exact_zero.then_some((product.to_bits(), false))
}

/// `a ÷ b`. A quotient in the middle comes of finite operands that are not zero.
#[inline(always)]
pub(crate) fn div(a: u64, b: u64, sticky: bool) -> Rounded<u64> {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    let quotient = x / y;
    if !in_the_middle(quotient.to_bits()) {
        return None;
    }
    if sticky {
        return Some((quotient.to_bits(), true));
    }
    // The residual lies 53 binades below the dividend at most.
    let known = in_the_middle(a) && in_the_middle(b);
    known.then(|| (quotient.to_bits(), quotient.mul_add(-y, x) != 0.0))
}

/// `√a`.
#[inline(always)]
pub(crate) fn sqrt(a: u64, sticky: bool) -> Rounded<u64> {
    if a & SIGN != 0 || !in_the_middle(a) {
        return None;
    }
    let x = f64::from_bits(a);
    let root = x.sqrt();
    let inexact = sticky || root.mul_add(-root, x) != 0.0;
    Some((root.to_bits(), inexact))
}

/// `a × b + c`.
#[inline(always)]
pub(crate) fn fma(a: u64, b: u64, c: u64, sticky: bool) -> Rounded<u64> {
    let (x, y, z) = (f64::from_bits(a), f64::from_bits(b), f64::from_bits(c));
    if sticky {
        // A result in the middle comes of finite operands.
        let sum = x.mul_add(y, z);
        return in_the_middle(sum.to_bits()).then_some((sum.to_bits(), true));
    }
    // Only where the product is exact its sum's error is that of the whole.
    let product = x * y;
    let exact = in_the_middle(product.to_bits()) && x.mul_add(y, -product) == 0.0;
    if exact {
        add(product.to_bits(), c, false)
    } else {
        None
    }
}
