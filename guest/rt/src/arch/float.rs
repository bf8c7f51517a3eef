//! Floating-point instructions that `core` has no name for.

use core::arch::asm;

macro_rules! unary {
    ($(#[doc = $doc:literal] $name:ident $float:ty, $instruction:literal;)+) => {
        $(
            #[doc = $doc]
            #[must_use]
            #[inline(always)]
            pub fn $name(x: $float) -> $float {
                let result: $float;
                // SAFETY: computes in registers.
                unsafe {
                    asm!($instruction, out(freg) result, in(freg) x,
                        options(pure, nomem, nostack, preserves_flags));
                }
                result
            }
        )+
    };
}

macro_rules! fused {
    ($(#[doc = $doc:literal] $name:ident $float:ty, $instruction:literal;)+) => {
        $(
            #[doc = $doc]
            #[must_use]
            #[inline(always)]
            pub fn $name(x: $float, y: $float, z: $float) -> $float {
                let result: $float;
                // SAFETY: computes in registers.
                unsafe {
                    asm!($instruction, out(freg) result, in(freg) x, in(freg) y, in(freg) z,
                        options(pure, nomem, nostack, preserves_flags));
                }
                result
            }
        )+
    };
}

unary! {
    /// `√x`, single.
    sqrt_f32 f32, "fsqrt.s {}, {}";
    /// `√x`, double.
    sqrt_f64 f64, "fsqrt.d {}, {}";
}

fused! {
    /// `x × y + z`, single.
    fma_f32 f32, "fmadd.s {}, {}, {}, {}";
    /// `x × y + z`, double.
    fma_f64 f64, "fmadd.d {}, {}, {}, {}";
}
