//! Multiplication.

use super::flags::{Flags, Rounding};
use super::format::{Format, low_u64, with_sign};
use super::round::round_pack;
use super::unpack::{Finite, Unpacked, invalid, propagate, unpack};

/// `a × b`.
#[must_use]
pub fn mul<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    match (unpack::<F>(a), unpack::<F>(b)) {
        (Unpacked::Finite(left), Unpacked::Finite(right)) => {
            round_pack::<F>(multiply(left, right), rm, flags)
        }
        (left @ Unpacked::Nan { .. }, right) | (left, right @ Unpacked::Nan { .. }) => {
            propagate::<F>(&[left, right], flags)
        }
        (Unpacked::Infinity { .. }, Unpacked::Zero { .. })
        | (Unpacked::Zero { .. }, Unpacked::Infinity { .. }) => invalid::<F>(flags),
        (
            Unpacked::Infinity { sign: left },
            Unpacked::Infinity { sign: right } | Unpacked::Finite(Finite { sign: right, .. }),
        )
        | (Unpacked::Finite(Finite { sign: left, .. }), Unpacked::Infinity { sign: right }) => {
            with_sign::<F>(left != right, F::INFINITY)
        }
        (
            Unpacked::Zero { sign: left },
            Unpacked::Zero { sign: right } | Unpacked::Finite(Finite { sign: right, .. }),
        )
        | (Unpacked::Finite(Finite { sign: left, .. }), Unpacked::Zero { sign: right }) => {
            with_sign::<F>(left != right, 0)
        }
    }
}

/// The product, jammed to 64 bits.
#[inline]
fn multiply(a: Finite, b: Finite) -> Finite {
    let product = u128::from(a.significand) * u128::from(b.significand);
    // The product of two numbers in [1, 2) is in [1, 4): one more bit, or none.
    let shift = product.leading_zeros();
    let normalised = product << shift;
    let rest = low_u64(normalised);
    Finite {
        sign: a.sign != b.sign,
        exponent: a.exponent + b.exponent + 1 - shift.cast_signed(),
        significand: low_u64(normalised >> 64) | u64::from(rest != 0),
    }
}
