//! Taking a bit pattern apart.

use super::flags::Flags;
use super::format::{Format, canonical_nan, low_u32};

/// A finite number other than zero: `±significand × 2^(exponent − 63)`.
///
/// The top bit of the significand is set, for subnormal operands too, so the exponent is that of
/// the leading bit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finite {
    pub(super) sign: bool,
    pub(super) exponent: i32,
    pub(super) significand: u64,
}

/// An operand, sorted by what the special cases of an operation ask.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unpacked {
    Zero { sign: bool },
    Finite(Finite),
    Infinity { sign: bool },
    Nan { signalling: bool },
}

impl Unpacked {
    /// The flag that this operand raises by itself in an arithmetic operation.
    #[inline]
    pub(super) fn signal(self) -> Flags {
        match self {
            Self::Nan { signalling: true } => Flags::NV,
            _ => Flags::NONE,
        }
    }
}

/// Takes a number apart.
#[inline]
pub(super) fn unpack<F: Format>(bits: F::Bits) -> Unpacked {
    let raw = F::widen(bits);
    let sign = raw & F::SIGN_BIT != 0;
    let fraction = raw & F::FRACTION_MASK;
    let field = (raw >> F::FRACTION_BITS) & F::EXPONENT_FIELD_MAX;
    if field == F::EXPONENT_FIELD_MAX {
        return match fraction {
            0 => Unpacked::Infinity { sign },
            _ => Unpacked::Nan {
                signalling: fraction & F::QUIET_BIT == 0,
            },
        };
    }
    if field == 0 {
        return unpack_small::<F>(sign, fraction);
    }
    Unpacked::Finite(Finite {
        sign,
        exponent: low_u32(field).cast_signed() - F::EXPONENT_MAX,
        significand: (1 << 63) | (fraction << (63 - F::FRACTION_BITS)),
    })
}

/// The zeros and the subnormal numbers.
#[inline]
fn unpack_small<F: Format>(sign: bool, fraction: u64) -> Unpacked {
    if fraction == 0 {
        return Unpacked::Zero { sign };
    }
    let shift = fraction.leading_zeros();
    // The top fraction bit stands for 2^(EXPONENT_MIN − 1).
    let below_top = shift - (64 - F::FRACTION_BITS);
    Unpacked::Finite(Finite {
        sign,
        exponent: F::EXPONENT_MIN - 1 - below_top.cast_signed(),
        significand: fraction << shift,
    })
}

/// The result of an operation with a NaN operand.
#[inline]
pub(super) fn propagate<F: Format>(operands: &[Unpacked], flags: &mut Flags) -> F::Bits {
    for operand in operands {
        *flags |= operand.signal();
    }
    canonical_nan::<F>()
}

/// The result of an invalid operation.
#[inline]
pub(super) fn invalid<F: Format>(flags: &mut Flags) -> F::Bits {
    *flags |= Flags::NV;
    canonical_nan::<F>()
}
