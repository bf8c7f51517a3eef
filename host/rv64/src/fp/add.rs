//! Addition and subtraction.

use super::flags::{Flags, Rounding};
use super::format::{Format, negate, with_sign};
use super::round::{round_pack, shift_right_jam};
use super::unpack::{Finite, Unpacked, invalid, propagate, unpack};

/// `a + b`.
#[must_use]
pub fn add<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    match (unpack::<F>(a), unpack::<F>(b)) {
        (Unpacked::Finite(left), Unpacked::Finite(right)) => {
            add_finite::<F>(left, right, rm, flags)
        }
        (left @ Unpacked::Nan { .. }, right) | (left, right @ Unpacked::Nan { .. }) => {
            propagate::<F>(&[left, right], flags)
        }
        (Unpacked::Infinity { sign: left }, Unpacked::Infinity { sign: right }) => {
            if left == right {
                a
            } else {
                invalid::<F>(flags)
            }
        }
        (Unpacked::Zero { sign: left }, Unpacked::Zero { sign: right }) => {
            with_sign::<F>(zero_sign(left, right, rm), 0)
        }
        (Unpacked::Infinity { .. }, _) | (_, Unpacked::Zero { .. }) => a,
        (_, Unpacked::Infinity { .. }) | (Unpacked::Zero { .. }, _) => b,
    }
}

/// `a − b`.
#[inline]
#[must_use]
pub fn sub<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    add::<F>(a, negate::<F>(b), rm, flags)
}

/// The sign of the sum of two zeros.
#[inline]
pub(super) fn zero_sign(left: bool, right: bool, rm: Rounding) -> bool {
    if left == right {
        left
    } else {
        rm.zero_sum_sign()
    }
}

/// The sum of two finite operands.
///
/// Operands have eleven or more zero bits below their significand. A subtraction that cancels
/// more than one leading bit aligns by at most one, and so is exact; any other keeps the jammed
/// bit well below the rounding position.
#[inline]
fn add_finite<F: Format>(a: Finite, b: Finite, rm: Rounding, flags: &mut Flags) -> F::Bits {
    let a_is_larger = (a.exponent, a.significand) >= (b.exponent, b.significand);
    let (large, small) = if a_is_larger { (a, b) } else { (b, a) };
    let aligned = shift_right_jam(small.significand, large.exponent.abs_diff(small.exponent));
    let exact = if large.sign == small.sign {
        let (sum, carry) = large.significand.overflowing_add(aligned);
        let carry = u32::from(carry);
        Finite {
            sign: large.sign,
            exponent: large.exponent + carry.cast_signed(),
            significand: shift_right_jam(sum, carry) | (u64::from(carry) << 63),
        }
    } else {
        let difference = large.significand - aligned;
        if difference == 0 {
            return with_sign::<F>(rm.zero_sum_sign(), 0);
        }
        let shift = difference.leading_zeros();
        Finite {
            sign: large.sign,
            exponent: large.exponent - shift.cast_signed(),
            significand: difference << shift,
        }
    };
    round_pack::<F>(exact, rm, flags)
}
