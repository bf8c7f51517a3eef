//! Division.

use super::flags::{Flags, Rounding};
use super::format::{Format, low_u64, with_sign};
use super::round::round_pack;
use super::unpack::{Finite, Unpacked, invalid, propagate, unpack};

/// `a ÷ b`.
#[must_use]
pub fn div<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    match (unpack::<F>(a), unpack::<F>(b)) {
        (Unpacked::Finite(left), Unpacked::Finite(right)) => {
            round_pack::<F>(divide::<F>(left, right), rm, flags)
        }
        (left @ Unpacked::Nan { .. }, right) | (left, right @ Unpacked::Nan { .. }) => {
            propagate::<F>(&[left, right], flags)
        }
        (Unpacked::Infinity { .. }, Unpacked::Infinity { .. })
        | (Unpacked::Zero { .. }, Unpacked::Zero { .. }) => invalid::<F>(flags),
        (Unpacked::Finite(Finite { sign: left, .. }), Unpacked::Zero { sign: right }) => {
            *flags |= Flags::DZ;
            with_sign::<F>(left != right, F::INFINITY)
        }
        (
            Unpacked::Infinity { sign: left },
            Unpacked::Zero { sign: right } | Unpacked::Finite(Finite { sign: right, .. }),
        ) => with_sign::<F>(left != right, F::INFINITY),
        (
            Unpacked::Zero { sign: left },
            Unpacked::Infinity { sign: right } | Unpacked::Finite(Finite { sign: right, .. }),
        )
        | (Unpacked::Finite(Finite { sign: left, .. }), Unpacked::Infinity { sign: right }) => {
            with_sign::<F>(left != right, 0)
        }
    }
}

/// The quotient of two finite operands, jammed.
#[inline]
fn divide<F: Format>(a: Finite, b: Finite) -> Finite {
    let quotient = if F::WIDTH <= 32 {
        narrow_quotient(a.significand, b.significand)
    } else {
        wide_quotient(a.significand, b.significand)
    };
    // The quotient of two numbers in [1, 2) is in (1/2, 2), here scaled by 2^63.
    let shift = quotient.leading_zeros();
    Finite {
        sign: a.sign != b.sign,
        exponent: a.exponent - b.exponent - shift.cast_signed(),
        significand: quotient << shift,
    }
}

/// `a / b × 2^63` to 32 bits or so, for significands whose low halves are zero.
#[inline]
fn narrow_quotient(a: u64, b: u64) -> u64 {
    let (dividend, divisor) = (a >> 1, b >> 32);
    let exact = dividend.checked_rem(divisor) == Some(0);
    let quotient = dividend.checked_div(divisor).unwrap_or(0);
    (quotient << 32) | u64::from(!exact)
}

/// `a / b × 2^63` to 63 bits or 64.
#[inline]
fn wide_quotient(a: u64, b: u64) -> u64 {
    let (dividend, divisor) = (u128::from(a) << 63, u128::from(b));
    let exact = dividend.checked_rem(divisor) == Some(0);
    let quotient = dividend.checked_div(divisor).unwrap_or(0);
    low_u64(quotient) | u64::from(!exact)
}
