//! Conversions in every rounding mode.

use proptest::prelude::*;
use rustc_apfloat::ieee::Quad;
use rustc_apfloat::{Float, FloatConvert, Status, StatusAnd};

use super::{Outcome, Reference, config, model, operands, soft_flags, soft_round};
use crate::fp::{self, F32, F64, Flags, Rounding};

/// The integer conversions of one width and signedness.
struct Integer {
    width: usize,
    signed: bool,
}

const INTEGERS: [Integer; 4] = [
    Integer {
        width: 32,
        signed: true,
    },
    Integer {
        width: 32,
        signed: false,
    },
    Integer {
        width: 64,
        signed: true,
    },
    Integer {
        width: 64,
        signed: false,
    },
];

impl Integer {
    fn limits(&self) -> (i128, i128) {
        if self.signed {
            (-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)
        } else {
            (0, (1 << self.width) - 1)
        }
    }

    fn ours<F: Reference>(&self, bits: F::Bits, rm: Rounding) -> Outcome<i128> {
        let mut flags = Flags::NONE;
        let bits = match (self.width, self.signed) {
            (32, true) => fp::to_i32::<F>(bits, rm, &mut flags).into(),
            (32, false) => fp::to_u32::<F>(bits, rm, &mut flags).into(),
            (_, true) => fp::to_i64::<F>(bits, rm, &mut flags).into(),
            (_, false) => fp::to_u64::<F>(bits, rm, &mut flags).into(),
        };
        Outcome { bits, flags }
    }

    /// Rounds to an integral soft float, then looks at the range.
    fn expected<F: Reference>(&self, bits: F::Bits, rm: Rounding) -> Outcome<i128> {
        let invalid = |bits| Outcome {
            bits,
            flags: Flags::NV,
        };
        let (low, high) = self.limits();
        let value = F::soft(bits);
        if value.is_nan() {
            return invalid(high);
        }
        let wide: Quad = value.convert(&mut false).value;
        let StatusAnd {
            value: rounded,
            status,
        } = wide.round_to_integral(soft_round(rm));
        if rounded < Quad::from_i128(low).value {
            return invalid(low);
        }
        if rounded > Quad::from_i128(high).value {
            return invalid(high);
        }
        let flags = soft_flags(status & Status::INEXACT);
        Outcome {
            bits: rounded.to_i128(128).value,
            flags,
        }
    }
}

fn to_integers_agree<F: Reference>(bits: F::Bits) -> Result<(), TestCaseError> {
    for rm in Rounding::ALL {
        for integer in &INTEGERS {
            let ours = integer.ours::<F>(bits, rm);
            let expected = integer.expected::<F>(bits, rm);
            let (width, signed) = (integer.width, integer.signed);
            prop_assert_eq!(ours, expected, "{:x?} {:?} {} {}", bits, rm, width, signed);
        }
    }
    Ok(())
}

fn from_integers_agree<F: Reference>(integer: u64) -> Result<(), TestCaseError> {
    let word = fp::format::low_u32(integer);
    let signed_word = word.cast_signed();
    let signed = integer.cast_signed();
    for rm in Rounding::ALL {
        let mut flags = [Flags::NONE; 4];
        let [f0, f1, f2, f3] = &mut flags;
        let ours = [
            fp::from_i32::<F>(signed_word, rm, f0),
            fp::from_u32::<F>(word, rm, f1),
            fp::from_i64::<F>(signed, rm, f2),
            fp::from_u64::<F>(integer, rm, f3),
        ];
        let values = [
            i128::from(signed_word),
            i128::from(word),
            i128::from(signed),
            i128::from(integer),
        ];
        for ((bits, flags), value) in ours.into_iter().zip(flags).zip(values) {
            let soft = F::Soft::from_i128_r(value, soft_round(rm));
            let expected = (F::hard(soft.value), soft_flags(soft.status));
            prop_assert_eq!((bits, flags), expected, "{} {:?}", value, rm);
        }
    }
    Ok(())
}

fn narrowing_agrees(bits: u64) -> Result<(), TestCaseError> {
    let value = F64::soft(bits);
    let signal = if value.is_signaling() {
        Status::INVALID_OP
    } else {
        Status::OK
    };
    let wide: Quad = value.convert(&mut false).value;
    for rm in Rounding::ALL {
        let mut flags = Flags::NONE;
        let bits = fp::f64_to_f32(bits, rm, &mut flags);
        let expected = model::round::<F32>(signal.and(wide), rm);
        prop_assert_eq!(Outcome { bits, flags }, expected, "{:?} {:?}", value, rm);
    }
    Ok(())
}

fn widening_agrees(bits: u32) -> Result<(), TestCaseError> {
    let value = F32::soft(bits);
    let mut flags = Flags::NONE;
    let ours = fp::f32_to_f64(bits, &mut flags);
    prop_assert_eq!(ours, F64::hard(value.convert(&mut false).value));
    let expected = if value.is_signaling() {
        Flags::NV
    } else {
        Flags::NONE
    };
    prop_assert_eq!(flags, expected);
    Ok(())
}

/// Integers around powers of two and around ties of both formats.
fn integer() -> impl Strategy<Value = u64> {
    let near = -4..=4_i64;
    prop_oneof![
        any::<u64>(),
        (0..64_u32, near.clone()).prop_map(|(i, off)| (1_u64 << i).wrapping_add_signed(off)),
        (any::<u64>(), 0..64_u32, near.clone())
            .prop_map(|(x, shift, off)| (x >> shift).wrapping_add_signed(off)),
        (0..64_u32, 0..64_u32, near)
            .prop_map(|(i, j, off)| ((1_u64 << i) | (1 << j)).wrapping_add_signed(off)),
    ]
}

#[test]
fn landmarks_convert() -> Result<(), TestCaseError> {
    for bits in operands::landmarks::<F32>() {
        to_integers_agree::<F32>(bits)?;
        widening_agrees(bits)?;
        narrowing_agrees(fp::f32_to_f64(bits, &mut Flags::default()))?;
    }
    for bits in operands::landmarks::<F64>() {
        to_integers_agree::<F64>(bits)?;
        narrowing_agrees(bits)?;
    }
    Ok(())
}

/// Every multiple of a quarter around zero and around the limits of the integers.
#[test]
fn quarters_around_limits_convert_to_integers() -> Result<(), TestCaseError> {
    let power = |exponent: i32| 2_f64.powi(exponent);
    for limit in [0.0, power(31), power(32), power(63), power(64)] {
        for quarters in -32..=32 {
            let step = f64::from(quarters) / 4.0;
            for value in [limit + step, step - limit] {
                to_integers_agree::<F64>(value.to_bits())?;
            }
            let steps = i64::from(quarters);
            for value in [limit, -limit] {
                to_integers_agree::<F64>(value.to_bits().wrapping_add_signed(steps))?;
                let single = fp::f64_to_f32(value.to_bits(), Rounding::Rne, &mut Flags::default());
                to_integers_agree::<F32>(single.wrapping_add_signed(quarters))?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn f32_converts_to_integers(bits in operands::operand::<F32>()) {
        to_integers_agree::<F32>(bits)?;
    }

    #[test]
    fn f64_converts_to_integers(bits in operands::operand::<F64>()) {
        to_integers_agree::<F64>(bits)?;
    }

    #[test]
    fn integers_convert_to_f32_and_f64(integer in integer()) {
        from_integers_agree::<F32>(integer)?;
        from_integers_agree::<F64>(integer)?;
    }

    #[test]
    fn f64_narrows_to_f32(bits in operands::operand::<F64>()) {
        narrowing_agrees(bits)?;
    }

    /// Doubles in and around the range of singles, ties of singles included.
    #[test]
    fn f64_near_singles_narrows_to_f32(
        single in operands::operand::<F32>(),
        steps in prop_oneof![-2..=2_i64, (1 << 28) - 2..=(1 << 28) + 2_i64, any::<i32>().prop_map(i64::from)],
    ) {
        let bits = fp::f32_to_f64(single, &mut Flags::default()).wrapping_add_signed(steps);
        narrowing_agrees(bits)?;
    }

    #[test]
    fn f32_widens_to_f64(bits in operands::operand::<F32>()) {
        widening_agrees(bits)?;
    }
}
