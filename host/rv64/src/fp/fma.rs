//! Fused multiply-add: one rounding for the product and the sum.

use super::add::zero_sign;
use super::flags::{Flags, Rounding};
use super::format::{Format, low_u64, negate, with_sign};
use super::round::round_pack;
use super::unpack::{Finite, Unpacked, invalid, propagate, unpack};

/// `a × b + c` (FMADD).
#[must_use]
pub fn fma<F: Format>(
    a: F::Bits,
    b: F::Bits,
    c: F::Bits,
    rm: Rounding,
    flags: &mut Flags,
) -> F::Bits {
    let addend = unpack::<F>(c);
    match (unpack::<F>(a), unpack::<F>(b)) {
        (Unpacked::Finite(left), Unpacked::Finite(right)) => {
            add_product::<F>(Exact::product(left, right), c, rm, flags)
        }
        (left @ Unpacked::Nan { .. }, right) | (left, right @ Unpacked::Nan { .. }) => {
            propagate::<F>(&[left, right, addend], flags)
        }
        // Invalid even when the addend is a quiet NaN.
        (Unpacked::Infinity { .. }, Unpacked::Zero { .. })
        | (Unpacked::Zero { .. }, Unpacked::Infinity { .. }) => invalid::<F>(flags),
        (
            Unpacked::Infinity { sign: left },
            Unpacked::Infinity { sign: right } | Unpacked::Finite(Finite { sign: right, .. }),
        )
        | (Unpacked::Finite(Finite { sign: left, .. }), Unpacked::Infinity { sign: right }) => {
            add_infinity::<F>(left != right, addend, flags)
        }
        (
            Unpacked::Zero { sign: left },
            Unpacked::Zero { sign: right } | Unpacked::Finite(Finite { sign: right, .. }),
        )
        | (Unpacked::Finite(Finite { sign: left, .. }), Unpacked::Zero { sign: right }) => {
            match addend {
                Unpacked::Nan { .. } => propagate::<F>(&[addend], flags),
                Unpacked::Zero { sign } => with_sign::<F>(zero_sign(left != right, sign, rm), 0),
                Unpacked::Finite(_) | Unpacked::Infinity { .. } => c,
            }
        }
    }
}

/// `a × b − c` (FMSUB).
#[inline]
#[must_use]
pub fn fmsub<F: Format>(
    a: F::Bits,
    b: F::Bits,
    c: F::Bits,
    rm: Rounding,
    flags: &mut Flags,
) -> F::Bits {
    fma::<F>(a, b, negate::<F>(c), rm, flags)
}

/// `−(a × b) + c` (FNMSUB).
#[inline]
#[must_use]
pub fn fnmsub<F: Format>(
    a: F::Bits,
    b: F::Bits,
    c: F::Bits,
    rm: Rounding,
    flags: &mut Flags,
) -> F::Bits {
    fma::<F>(negate::<F>(a), b, c, rm, flags)
}

/// `−(a × b) − c` (FNMADD).
#[inline]
#[must_use]
pub fn fnmadd<F: Format>(
    a: F::Bits,
    b: F::Bits,
    c: F::Bits,
    rm: Rounding,
    flags: &mut Flags,
) -> F::Bits {
    fma::<F>(negate::<F>(a), b, negate::<F>(c), rm, flags)
}

/// An infinite product and the addend.
fn add_infinity<F: Format>(sign: bool, addend: Unpacked, flags: &mut Flags) -> F::Bits {
    match addend {
        Unpacked::Nan { .. } => propagate::<F>(&[addend], flags),
        Unpacked::Infinity { sign: other } if other != sign => invalid::<F>(flags),
        _ => with_sign::<F>(sign, F::INFINITY),
    }
}

/// A finite product, not zero, and the addend.
#[inline]
fn add_product<F: Format>(product: Exact, c: F::Bits, rm: Rounding, flags: &mut Flags) -> F::Bits {
    match unpack::<F>(c) {
        Unpacked::Finite(addend) => match product.plus(addend.into()) {
            Some(sum) => round_pack::<F>(sum.jam(), rm, flags),
            None => with_sign::<F>(rm.zero_sum_sign(), 0),
        },
        Unpacked::Zero { .. } => round_pack::<F>(product.jam(), rm, flags),
        Unpacked::Infinity { .. } => c,
        addend @ Unpacked::Nan { .. } => propagate::<F>(&[addend], flags),
    }
}

/// Like [`Finite`], with room for a whole product: `±significand × 2^(exponent − 127)`, top bit set.
///
/// A product of two 53-bit significands leaves 22 zero bits, so that the argument of
/// `add::add_finite` holds here too.
#[derive(Clone, Copy)]
struct Exact {
    sign: bool,
    exponent: i32,
    significand: u128,
}

impl From<Finite> for Exact {
    #[inline]
    fn from(value: Finite) -> Self {
        Self {
            sign: value.sign,
            exponent: value.exponent,
            significand: u128::from(value.significand) << 64,
        }
    }
}

impl Exact {
    #[inline]
    fn product(a: Finite, b: Finite) -> Self {
        let product = u128::from(a.significand) * u128::from(b.significand);
        let shift = product.leading_zeros();
        Self {
            sign: a.sign != b.sign,
            exponent: a.exponent + b.exponent + 1 - shift.cast_signed(),
            significand: product << shift,
        }
    }

    /// The sum, or `None` where the operands cancel entirely.
    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        let self_is_larger = (self.exponent > other.exponent)
            | ((self.exponent == other.exponent) & (self.significand >= other.significand));
        let (large, small) = if self_is_larger {
            (self, other)
        } else {
            (other, self)
        };
        let distance = large.exponent.abs_diff(small.exponent);
        let aligned = shift_right_jam_wide(small.significand >> 1, distance);
        let addend = if large.sign == small.sign {
            aligned
        } else {
            aligned.wrapping_neg()
        };
        let sum = (large.significand >> 1).wrapping_add(addend);
        let shift = sum.leading_zeros();
        (sum != 0).then(|| Self {
            sign: large.sign,
            exponent: large.exponent + 1 - shift.cast_signed(),
            significand: sum << shift,
        })
    }

    #[inline]
    fn jam(self) -> Finite {
        let rest = low_u64(self.significand);
        Finite {
            sign: self.sign,
            exponent: self.exponent,
            significand: low_u64(self.significand >> 64) | u64::from(rest != 0),
        }
    }
}

/// Shifts right; bits that fall out set the lowest bit of the result.
#[inline]
fn shift_right_jam_wide(value: u128, count: u32) -> u128 {
    match value.checked_shr(count) {
        Some(kept) => kept | u128::from(kept << count != value),
        None => u128::from(value != 0),
    }
}
