//! FCLASS.

use super::format::Format;

/// −∞.
pub const CLASS_NEGATIVE_INFINITY: u16 = 1 << 0;
/// A negative normal number.
pub const CLASS_NEGATIVE_NORMAL: u16 = 1 << 1;
/// A negative subnormal number.
pub const CLASS_NEGATIVE_SUBNORMAL: u16 = 1 << 2;
/// −0.
pub const CLASS_NEGATIVE_ZERO: u16 = 1 << 3;
/// +0.
pub const CLASS_POSITIVE_ZERO: u16 = 1 << 4;
/// A positive subnormal number.
pub const CLASS_POSITIVE_SUBNORMAL: u16 = 1 << 5;
/// A positive normal number.
pub const CLASS_POSITIVE_NORMAL: u16 = 1 << 6;
/// +∞.
pub const CLASS_POSITIVE_INFINITY: u16 = 1 << 7;
/// A signalling NaN.
pub const CLASS_SIGNALLING_NAN: u16 = 1 << 8;
/// A quiet NaN.
pub const CLASS_QUIET_NAN: u16 = 1 << 9;

/// The class of a number, exactly one bit of the ten (F 2.2, table "Format of result of FCLASS").
#[must_use]
pub fn classify<F: Format>(bits: F::Bits) -> u16 {
    let raw = F::widen(bits);
    let fraction = raw & F::FRACTION_MASK;
    let field = (raw >> F::FRACTION_BITS) & F::EXPONENT_FIELD_MAX;
    let (negative, positive) = if field == F::EXPONENT_FIELD_MAX {
        if fraction & F::QUIET_BIT != 0 {
            return CLASS_QUIET_NAN;
        }
        if fraction != 0 {
            return CLASS_SIGNALLING_NAN;
        }
        (CLASS_NEGATIVE_INFINITY, CLASS_POSITIVE_INFINITY)
    } else if field != 0 {
        (CLASS_NEGATIVE_NORMAL, CLASS_POSITIVE_NORMAL)
    } else if fraction != 0 {
        (CLASS_NEGATIVE_SUBNORMAL, CLASS_POSITIVE_SUBNORMAL)
    } else {
        (CLASS_NEGATIVE_ZERO, CLASS_POSITIVE_ZERO)
    };
    if raw & F::SIGN_BIT == 0 {
        positive
    } else {
        negative
    }
}
