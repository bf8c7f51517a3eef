//! Comparisons, minimum, maximum and classes.

use core::cmp::Ordering;

use proptest::prelude::*;
use rustc_apfloat::Float;

use super::{Reference, config, operands};
use crate::fp::{self, F32, F64, Flags};

/// NV where `invalid`.
fn nv(invalid: bool) -> Flags {
    if invalid { Flags::NV } else { Flags::NONE }
}

fn compares<F: Reference>([a, b]: [F::Bits; 2]) -> Result<(), TestCaseError> {
    let (x, y) = (F::soft(a), F::soft(b));
    let order = x.partial_cmp(&y);
    let any_nan = nv(x.is_nan() || y.is_nan());
    let any_signalling = nv(x.is_signaling() || y.is_signaling());

    let mut flags = Flags::NONE;
    let equal = fp::eq::<F>(a, b, &mut flags);
    prop_assert_eq!(
        (equal, flags),
        (order == Some(Ordering::Equal), any_signalling)
    );

    let mut flags = Flags::NONE;
    let less = fp::lt::<F>(a, b, &mut flags);
    prop_assert_eq!((less, flags), (order == Some(Ordering::Less), any_nan));

    let mut flags = Flags::NONE;
    let at_most = fp::le::<F>(a, b, &mut flags);
    let expected = matches!(order, Some(Ordering::Less | Ordering::Equal));
    prop_assert_eq!((at_most, flags), (expected, any_nan));

    let (low, high) = ordered::<F>(a, b);
    let mut flags = Flags::NONE;
    let min = fp::min::<F>(a, b, &mut flags);
    prop_assert_eq!((min, flags), (low, any_signalling));
    let mut flags = Flags::NONE;
    let max = fp::max::<F>(a, b, &mut flags);
    prop_assert_eq!((max, flags), (high, any_signalling));
    Ok(())
}

/// What `min` and `max` should return.
fn ordered<F: Reference>(a: F::Bits, b: F::Bits) -> (F::Bits, F::Bits) {
    let (x, y) = (F::soft(a), F::soft(b));
    match (x.is_nan(), y.is_nan()) {
        (true, true) => (F::narrow(F::CANONICAL_NAN), F::narrow(F::CANONICAL_NAN)),
        (true, false) => (b, b),
        (false, true) => (a, a),
        (false, false) if x < y => (a, b),
        (false, false) if y < x => (b, a),
        // Equal: the same pattern, or zeros, of which the negative one is the lower.
        (false, false) if x.is_negative() => (a, b),
        (false, false) => (b, a),
    }
}

fn class_is_right<F: Reference>(bits: F::Bits) -> Result<(), TestCaseError> {
    let x = F::soft(bits);
    let position = if x.is_nan() {
        if x.is_signaling() { 8 } else { 9 }
    } else {
        let size = if x.is_infinite() {
            0
        } else if x.is_normal() {
            1
        } else if x.is_denormal() {
            2
        } else {
            3
        };
        if x.is_negative() { size } else { 7 - size }
    };
    prop_assert_eq!(fp::classify::<F>(bits), 1 << position, "{:x?}", bits);
    Ok(())
}

fn landmarks_compare<F: Reference>() -> Result<(), TestCaseError> {
    for a in operands::landmarks::<F>() {
        class_is_right::<F>(a)?;
        for b in operands::landmarks::<F>() {
            compares::<F>([a, b])?;
        }
    }
    Ok(())
}

#[test]
fn landmarks_every_pair_compares_and_classifies() -> Result<(), TestCaseError> {
    landmarks_compare::<F32>()?;
    landmarks_compare::<F64>()
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn f32_pairs_compare(operands in operands::pair::<F32>()) {
        compares::<F32>(operands)?;
        class_is_right::<F32>(operands[0])?;
    }

    #[test]
    fn f64_pairs_compare(operands in operands::pair::<F64>()) {
        compares::<F64>(operands)?;
        class_is_right::<F64>(operands[0])?;
    }
}
