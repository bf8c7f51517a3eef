//! IEEE 754 arithmetic in integer registers, as the RISC-V F and D extensions define it.
//!
//! # Purpose
//!
//! Every operation here computes the exact result, rounds it once, and reports the accrued
//! exceptions. But for `host`, which must prove that it makes no difference, nothing depends on the
//! host's floating-point unit, its control register or its compiler's view of floating point, so a
//! guest sees the same bits on every host.
//!
//! # Conventions
//!
//! - Operands and results are raw bit patterns: [`Format::Bits`], `u32` for [`F32`] and `u64`
//!   for [`F64`]. NaN-boxing of `f32` in 64-bit registers is the caller's business;
//!   [`box_f32`] and [`unbox_f32`] do it.
//! - An operation adds its exceptions to the given [`Flags`] and never clears any, as `fflags`
//!   does. The bit order is that of `fflags`.
//! - A caller resolves the dynamic rounding mode and turns the reserved ones into an illegal
//!   instruction: [`Rounding::from_bits`] knows only the five modes.
//!
//! # What RISC-V fixes where IEEE 754 leaves a choice
//!
//! - A NaN result is the canonical NaN; payloads do not propagate (F 2.2, §"NaN Generation and
//!   Propagation").
//! - Tininess is detected after rounding (§"Subnormal Arithmetic").
//! - `fma(∞, 0, qNaN)` is invalid (§"Single-Precision Floating-Point Computational Instructions").
//! - [`min`] and [`max`] are `minimumNumber` and `maximumNumber`, and order −0 below +0.
//! - A conversion to an integer saturates, a NaN to the largest value, with NV and without NX.
//!
//! # How it works
//!
//! A finite operand is unpacked to a sign, an exponent and a 64-bit significand whose top bit is
//! set. An operation produces such a significand with at least two bits below the rounding
//! position, and *jams* what it cannot keep: a non-zero remainder sets the lowest bit. That bit
//! is all that rounding needs to know, and only `round` rounds to a format.
//!
//! # Not here
//!
//! Registers, `fcsr`, instruction decoding, sign injection and moves (plain bit operations).

mod add;
mod classify;
mod compare;
mod convert;
mod div;
mod flags;
mod fma;
mod format;
pub(crate) mod host;
mod mul;
mod round;
mod sqrt;
mod to_integer;
mod unpack;

#[cfg(test)]
pub(crate) mod tests;

pub use add::{add, sub};
pub use classify::{
    CLASS_NEGATIVE_INFINITY, CLASS_NEGATIVE_NORMAL, CLASS_NEGATIVE_SUBNORMAL, CLASS_NEGATIVE_ZERO,
    CLASS_POSITIVE_INFINITY, CLASS_POSITIVE_NORMAL, CLASS_POSITIVE_SUBNORMAL, CLASS_POSITIVE_ZERO,
    CLASS_QUIET_NAN, CLASS_SIGNALLING_NAN, classify,
};
pub use compare::{eq, le, lt, max, min};
pub use convert::{f32_to_f64, f64_to_f32, from_i32, from_i64, from_u32, from_u64};
pub use div::div;
pub use flags::{Flags, Rounding};
pub use fma::{fma, fmsub, fnmadd, fnmsub};
pub use format::{F32, F64, Format, box_f32, negate, unbox_f32};
pub use mul::mul;
pub use sqrt::sqrt;
pub use to_integer::{to_i32, to_i64, to_u32, to_u64};
