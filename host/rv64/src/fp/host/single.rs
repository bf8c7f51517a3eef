//! binary32. Products of two significands of 24 bits, and the whole range of exponents, fit into
//! binary64.

use super::{Rounded, sum_error};

const SIGN: u32 = 1 << 31;
/// Magnitudes below this (2^126) cannot overflow in a sum, nor inside TwoSum.
const SUMMAND_END: u32 = 0xfd << 23;

/// Finite, and above the smallest normal number: no rounding can have come from below the normal range.
#[inline(always)]
fn in_the_middle(bits: u32) -> bool {
    (2..=0xfe).contains(&(bits >> 23 & 0xff))
}

#[inline(always)]
fn is_summand(bits: u32) -> bool {
    bits & !SIGN < SUMMAND_END
}

/// `a + b`. A sum below the normal range is exact, so there is no underflow.
#[inline(always)]
pub(crate) fn add(a: u32, b: u32, sticky: bool) -> Rounded<u32> {
    if !is_summand(a) | !is_summand(b) {
        return None;
    }
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    let sum = x + y;
    let inexact = sticky || sum_error!(x, y, sum) != 0.0;
    Some((sum.to_bits(), inexact))
}

/// `a × b`.
#[inline(always)]
pub(crate) fn mul(a: u32, b: u32) -> Rounded<u32> {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    let product = x * y;
    if in_the_middle(product.to_bits()) {
        let inexact = f64::from(x) * f64::from(y) != f64::from(product);
        return Some((product.to_bits(), inexact));
    }
    // Zero times a finite number: an infinite one would have given a NaN.
    let exact_zero = product == 0.0 && (x == 0.0 || y == 0.0);
    exact_zero.then_some((product.to_bits(), false))
}

/// `a ÷ b`. A quotient in the middle comes of finite operands that are not zero.
#[inline(always)]
pub(crate) fn div(a: u32, b: u32) -> Rounded<u32> {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    let quotient = x / y;
    let inexact = f64::from(quotient) * f64::from(y) != f64::from(x);
    in_the_middle(quotient.to_bits()).then_some((quotient.to_bits(), inexact))
}

/// `√a`.
#[inline(always)]
pub(crate) fn sqrt(a: u32) -> Rounded<u32> {
    if a & SIGN != 0 || !in_the_middle(a) {
        return None;
    }
    let x = f32::from_bits(a);
    let root = x.sqrt();
    let inexact = f64::from(root) * f64::from(root) != f64::from(x);
    Some((root.to_bits(), inexact))
}

/// `a × b + c`.
#[inline(always)]
pub(crate) fn fma(a: u32, b: u32, c: u32, sticky: bool) -> Rounded<u32> {
    let (x, y, z) = (f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
    let result = x.mul_add(y, z);
    // A result in the middle comes of finite operands.
    if !in_the_middle(result.to_bits()) {
        return None;
    }
    if sticky {
        return Some((result.to_bits(), true));
    }
    let (product, addend) = (f64::from(x) * f64::from(y), f64::from(z));
    let sum = product + addend;
    // What does not fit 53 bits does not fit 24.
    let inexact = sum_error!(product, addend, sum) != 0.0 || sum != f64::from(result);
    Some((result.to_bits(), inexact))
}
