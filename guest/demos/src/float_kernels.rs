//! One floating-point operation each, in double and then in single precision: chains of results that
//! stay near one and are hardly ever exact. Each kernel retires 140 to 530 million instructions and
//! returns a checksum that depends on all of them.

use core::hint::black_box;

use maquette_guest_rt::arch::float::{fma_f32, fma_f64, sqrt_f32, sqrt_f64};

const ROUNDS: u32 = 7_000_000;

/// Four chains of `step`, which is given a number and the two constants.
macro_rules! chains {
    ($float:ty, $constants:expr, $step:expr) => {{
        let [p, q]: [$float; 2] = black_box($constants);
        let mut chains: [$float; 4] = black_box([0.7, 1.1, 1.3, 1.9]);
        for _ in 0..black_box(ROUNDS) {
            for x in &mut chains {
                *x = $step(*x, p, q);
            }
        }
        chains
            .iter()
            .fold(0, |sum: u64, x| sum.rotate_left(9) ^ u64::from(x.to_bits()))
    }};
}

/// Sums and differences.
#[must_use]
pub fn add() -> u64 {
    chains!(f64, [0.3, 0.299_999], |x, p, q| (x + p) - q)
        ^ chains!(f32, [0.3, 0.299_999], |x, p, q| (x + p) - q)
}

/// Products.
#[must_use]
pub fn mul() -> u64 {
    chains!(f64, [1.3, 0.769_230_7], |x, p, q| (x * p) * q)
        ^ chains!(f32, [1.3, 0.769_230_7], |x, p, q| (x * p) * q)
}

/// Quotients.
#[must_use]
pub fn div() -> u64 {
    chains!(f64, [1.3, 1.299_999_9], |x, p, q| p / (q / x))
        ^ chains!(f32, [1.3, 1.299_999], |x, p, q| p / (q / x))
}

/// Fused multiply-adds.
#[must_use]
pub fn fma() -> u64 {
    chains!(f64, [0.7, 0.3], |x, p, q| fma_f64(fma_f64(x, p, q), p, q))
        ^ chains!(f32, [0.7, 0.3], |x, p, q| fma_f32(fma_f32(x, p, q), p, q))
}

/// Square roots of sums.
#[must_use]
pub fn sqrt() -> u64 {
    chains!(f64, [0.3, 0.9], |x, p, q| sqrt_f64(sqrt_f64(x + p) + q))
        ^ chains!(f32, [0.3, 0.9], |x, p, q| sqrt_f32(sqrt_f32(x + p) + q))
}

/// To integers and back, and between the formats.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "conversions are what this is about"
)]
pub fn convert() -> u64 {
    chains!(f64, [1000.3, 0.001], |x: f64, p, q| f64::from(
        (((x * p) as i64) as f64 * q) as f32
    )) ^ chains!(
        f32,
        [1000.3, 0.001],
        |x: f32, p, q| f64::from(((x * p) as i64) as f32 * q) as f32
    )
}
