//! The host's floating-point unit, where its result and flags are provably those of the integer path.
//!
//! # What is proved, and how
//!
//! The unit rounds to nearest, ties to even, and its results are those of IEEE 754: the language says
//! so. Left to prove is which exceptions the operation raised, without asking the unit, whose status
//! the language does not know. Each function admits operands and results only in ranges where neither
//! overflow, nor underflow, nor a NaN can occur, and so where NX is the only flag there can be; `None`
//! leaves everything else to the integer path, which remains the definition.
//!
//! Whether NX is raised is computed: the error of a rounded sum is itself a number of the format
//! (Knuth's TwoSum), and so is the residual of a product, a quotient or a root that is not near the
//! smallest numbers; a fused multiply-add gives it. In binary32 the exact result, or its residual, fits
//! into a binary64. Once NX has accrued (`sticky`) there is nothing left to find out.
//!
//! # Sources
//!
//! Muller et al., Handbook of Floating-Point Arithmetic: §4.3 (TwoSum), §4.4 and §4.8 (exact residuals).

pub(crate) mod convert;
pub(crate) mod double;
pub(crate) mod single;

/// Whether the host's arithmetic is that of IEEE 754: x87 registers round twice.
pub(crate) const RELIABLE: bool = !cfg!(all(target_arch = "x86", not(target_feature = "sse2")));

/// A result, and whether it is inexact. Where NX has accrued before it may say so though it is not.
pub(crate) type Rounded<B> = Option<(B, bool)>;

/// Rounding error of a sum, where nothing overflows: `TwoSum`.
macro_rules! sum_error {
    ($x:expr, $y:expr, $sum:expr) => {{
        let (x, y, sum) = ($x, $y, $sum);
        let of_y = sum - x;
        (x - (sum - of_y)) + (y - of_y)
    }};
}
use sum_error;
