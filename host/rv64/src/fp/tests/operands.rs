//! Operands that lie where rounding goes wrong.

use proptest::prelude::*;

use crate::fp::{Flags, Format, Rounding, mul, negate};

/// Distances from a landmark that operands are drawn at.
const NEAR: i64 = 4;

/// Notable patterns of a format: both signs of zeros, extremes, small integers, infinities, NaNs.
pub(super) fn landmarks<F: Format>() -> Vec<F::Bits> {
    let one = u64::from(F::EXPONENT_MAX.unsigned_abs()) << F::FRACTION_BITS;
    let unit = 1 << F::FRACTION_BITS;
    let magnitudes = [
        0,
        1,
        2,
        3,
        F::FRACTION_MASK >> 1,
        F::QUIET_BIT,
        F::FRACTION_MASK - 1,
        F::FRACTION_MASK,
        unit,
        unit + 1,
        2 * unit - 1,
        2 * unit,
        one / 2,
        one - unit,
        one - 1,
        one,
        one + 1,
        one + F::QUIET_BIT,
        one + unit - 1,
        one + unit,
        one + unit + F::QUIET_BIT,
        one + u64::from(F::FRACTION_BITS) * unit,
        one + u64::from(F::FRACTION_BITS + 1) * unit,
        F::INFINITY - unit,
        F::INFINITY - 2,
        F::INFINITY - 1,
        F::INFINITY,
        F::INFINITY + 1,
        F::CANONICAL_NAN - 1,
        F::CANONICAL_NAN,
        F::INFINITY + F::FRACTION_MASK,
    ];
    magnitudes
        .into_iter()
        .flat_map(|magnitude| [magnitude, magnitude | F::SIGN_BIT])
        .map(F::narrow)
        .collect()
}

/// Fractions: any, few bits, long runs of ones, or close to the ends and the middle.
fn fraction<F: Format>() -> impl Strategy<Value = u64> {
    let bits = F::FRACTION_BITS;
    let near = -NEAR..=NEAR;
    prop_oneof![
        any::<u64>(),
        (0..bits, 0..bits).prop_map(|(i, j)| (1 << i) | (1 << j)),
        (0..bits, 0..bits).prop_map(|(i, j)| (1_u64 << i).wrapping_sub(1 << j)),
        near.clone().prop_map(i64::cast_unsigned),
        near.prop_map(|distance| F::QUIET_BIT.wrapping_add_signed(distance)),
    ]
    .prop_map(|fraction| fraction & F::FRACTION_MASK)
}

/// Exponent fields: any, at the ends of the range, around one.
fn exponent_field<F: Format>() -> impl Strategy<Value = u64> {
    let top = F::EXPONENT_FIELD_MAX;
    let bias = u64::from(F::EXPONENT_MAX.unsigned_abs());
    let span = u64::from(F::FRACTION_BITS) + 12;
    prop_oneof![
        3 => 0..=top,
        2 => 0..=span,
        2 => top - span..=top,
        1 => 0..=2_u64,
        1 => top - 2..=top,
        3 => bias - span..=bias + span,
        1 => bias / 2 - 2..=bias / 2 + 2,
    ]
}

/// One operand.
pub(crate) fn operand<F: Format>() -> impl Strategy<Value = F::Bits> {
    let composed = (any::<bool>(), exponent_field::<F>(), fraction::<F>())
        .prop_map(|(sign, field, fraction)| compose::<F>(sign, field, fraction));
    prop_oneof![
        12 => composed,
        1 => any::<u64>().prop_map(F::narrow),
        1 => proptest::sample::select(landmarks::<F>()),
    ]
}

/// Two operands, often related: nearly equal, nearly opposite, or with a product or a quotient
/// near the ends of the range.
pub(super) fn pair<F: Format>() -> impl Strategy<Value = [F::Bits; 2]> {
    let independent = (operand::<F>(), operand::<F>()).prop_map(|(a, b)| [a, b]);
    let close = (operand::<F>(), any::<bool>(), -NEAR..=NEAR, -2..=2_i64).prop_map(
        |(a, opposite, ulps, binades)| {
            let b = moved::<F>(a, ulps + (binades << F::FRACTION_BITS));
            [a, if opposite { negate::<F>(b) } else { b }]
        },
    );
    let at_the_ends = (
        operand::<F>(),
        any::<bool>(),
        fraction::<F>(),
        0..4_u8,
        -4..=3_i64,
    )
        .prop_map(|(a, sign, fraction, end, distance)| {
            [a, partner::<F>(a, sign, fraction, (end, distance))]
        });
    prop_oneof![2 => independent, 2 => close, 2 => at_the_ends]
}

/// Three operands: independent ones, or an addend that nearly cancels the product, or one that
/// lies some binades off it.
pub(crate) fn triple<F: Format>() -> impl Strategy<Value = [F::Bits; 3]> {
    let reach = i64::from(2 * F::FRACTION_BITS + 8);
    let independent = (pair::<F>(), operand::<F>()).prop_map(|([a, b], c)| [a, b, c]);
    let cancelling = (pair::<F>(), any::<bool>(), -NEAR..=NEAR).prop_map(|([a, b], same, ulps)| {
        let product = mul::<F>(a, b, Rounding::Rne, &mut Flags::default());
        let c = moved::<F>(product, ulps);
        [a, b, if same { c } else { negate::<F>(c) }]
    });
    let apart = (pair::<F>(), any::<bool>(), -reach..=reach, fraction::<F>()).prop_map(
        |([a, b], sign, binades, fraction)| {
            let product = mul::<F>(a, b, Rounding::Rne, &mut Flags::default());
            let field = field::<F>(product).saturating_add_signed(binades);
            let field = field.min(F::EXPONENT_FIELD_MAX - 1);
            [a, b, compose::<F>(sign, field, fraction)]
        },
    );
    prop_oneof![1 => independent, 2 => cancelling, 2 => apart]
}

/// A finite operand whose exponent is such that `a × b` or `a ÷ b` lies near an end of the range.
fn partner<F: Format>(a: F::Bits, sign: bool, fraction: u64, place: (u8, i64)) -> F::Bits {
    let bias = i64::from(F::EXPONENT_MAX);
    let own = i64::try_from(field::<F>(a)).expect("a field is small") - bias;
    let (end, distance) = place;
    let target = match end & 1 {
        0 => i64::from(F::EXPONENT_MIN) - 1,
        _ => i64::from(F::EXPONENT_MAX),
    };
    let exponent = match end & 2 {
        0 => target - own,
        _ => own - target,
    };
    let field = (exponent + distance + bias).clamp(0, 2 * bias);
    compose::<F>(sign, field.cast_unsigned(), fraction)
}

fn compose<F: Format>(sign: bool, field: u64, fraction: u64) -> F::Bits {
    let sign = u64::from(sign) << (F::WIDTH - 1);
    F::narrow(sign | (field << F::FRACTION_BITS) | fraction)
}

fn field<F: Format>(bits: F::Bits) -> u64 {
    (F::widen(bits) >> F::FRACTION_BITS) & F::EXPONENT_FIELD_MAX
}

/// The pattern some steps further on, the sign aside.
fn moved<F: Format>(bits: F::Bits, steps: i64) -> F::Bits {
    let raw = F::widen(bits);
    let magnitude = raw.wrapping_add_signed(steps) & !F::SIGN_BIT;
    F::narrow(raw & F::SIGN_BIT | magnitude)
}
