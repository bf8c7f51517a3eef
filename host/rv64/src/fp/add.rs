//! Addition and subtraction.

use super::flags::{Flags, Rounding};
use super::format::{Format, negate, with_sign};
use super::round::{round_pack, shift_right_jam};
use super::unpack::{Finite, Unpacked, invalid, propagate, unpack};

/// `a + b`.
#[must_use]
pub fn add<F: Format>(a: F::Bits, b: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    // Ordering the patterns orders the magnitudes, NaNs above all.
    let (large, small) = if magnitude::<F>(a) >= magnitude::<F>(b) {
        (a, b)
    } else {
        (b, a)
    };
    match (unpack::<F>(large), unpack::<F>(small)) {
        (Unpacked::Finite(left), Unpacked::Finite(right)) => {
            add_finite::<F>(left, right, rm, flags)
        }
        (left @ Unpacked::Nan { .. }, right) | (left, right @ Unpacked::Nan { .. }) => {
            propagate::<F>(&[left, right], flags)
        }
        (Unpacked::Infinity { sign: left }, Unpacked::Infinity { sign: right })
            if left != right =>
        {
            invalid::<F>(flags)
        }
        (Unpacked::Zero { sign: left }, Unpacked::Zero { sign: right }) => {
            with_sign::<F>(zero_sign(left, right, rm), 0)
        }
        _ => large,
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

#[inline]
fn magnitude<F: Format>(bits: F::Bits) -> u64 {
    F::widen(bits) & !F::SIGN_BIT
}

/// The sum of two finite operands, the larger magnitude first.
///
/// Operands have eleven or more zero bits below their significand, of which one makes room for
/// the carry. A subtraction that cancels more than one leading bit aligns by at most one, and so
/// is exact; any other keeps the jammed bit well below the rounding position. Signs are as good as
/// random to a branch predictor, so addition and subtraction share one path.
#[inline]
fn add_finite<F: Format>(large: Finite, small: Finite, rm: Rounding, flags: &mut Flags) -> F::Bits {
    let distance = large.exponent.abs_diff(small.exponent);
    let aligned = shift_right_jam(small.significand >> 1, distance);
    let addend = if large.sign == small.sign {
        aligned
    } else {
        aligned.wrapping_neg()
    };
    let sum = (large.significand >> 1).wrapping_add(addend);
    if sum == 0 {
        return with_sign::<F>(rm.zero_sum_sign(), 0);
    }
    let shift = sum.leading_zeros();
    let exact = Finite {
        sign: large.sign,
        exponent: large.exponent + 1 - shift.cast_signed(),
        significand: sum << shift,
    };
    round_pack::<F>(exact, rm, flags)
}
