//! Square root.

use super::flags::{Flags, Rounding};
use super::format::{Format, low_u64, with_sign};
use super::round::round_pack;
use super::unpack::{Finite, Unpacked, invalid, propagate, unpack};

/// `√a`.
#[must_use]
pub fn sqrt<F: Format>(a: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    match unpack::<F>(a) {
        Unpacked::Finite(Finite { sign: true, .. }) | Unpacked::Infinity { sign: true } => {
            invalid::<F>(flags)
        }
        Unpacked::Finite(operand) => round_pack::<F>(root::<F>(operand), rm, flags),
        Unpacked::Infinity { sign: false } => with_sign::<F>(false, F::INFINITY),
        // √−0 is −0 (IEEE 754-2008 §5.4.1).
        Unpacked::Zero { .. } => a,
        operand @ Unpacked::Nan { .. } => propagate::<F>(&[operand], flags),
    }
}

/// The root of a positive operand, jammed.
///
/// An odd exponent lends its lowest bit to the significand, whose root then is in [1, 2).
#[inline]
fn root<F: Format>(a: Finite) -> Finite {
    let odd = a.exponent & 1 == 1;
    let significand = if F::WIDTH <= 32 {
        // The low half of a narrow significand is zero, so a 64-bit radicand holds it all.
        let radicand = (a.significand >> 1) << u32::from(odd);
        let root = radicand.isqrt();
        (root << 32) | u64::from(root * root != radicand)
    } else {
        let radicand = (u128::from(a.significand) << 63) << u32::from(odd);
        let root = radicand.isqrt();
        low_u64(root) | u64::from(root * root != radicand)
    };
    Finite {
        sign: false,
        exponent: a.exponent >> 1,
        significand,
    }
}
