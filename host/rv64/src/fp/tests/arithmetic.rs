//! Arithmetic against the exact model, in every rounding mode.

use proptest::prelude::*;

use super::{Op, Reference, config, model, operands, ours};
use crate::fp::{F32, F64, Rounding};

fn agrees_with_model<F: Reference>(op: Op, operands: [F::Bits; 3]) -> Result<(), TestCaseError> {
    for rm in Rounding::ALL {
        let ours = ours::<F>(op, operands, rm);
        let expected = model::expected::<F>(op, operands, rm);
        prop_assert_eq!(ours, expected, "{:?} {:x?} {:?}", op, operands, rm);
    }
    Ok(())
}

fn two_operands_agree<F: Reference>([a, b]: [F::Bits; 2]) -> Result<(), TestCaseError> {
    for op in Op::TWO_OPERANDS {
        agrees_with_model::<F>(op, [a, b, a])?;
    }
    Ok(())
}

fn three_operands_agree<F: Reference>(operands: [F::Bits; 3]) -> Result<(), TestCaseError> {
    for op in Op::THREE_OPERANDS {
        agrees_with_model::<F>(op, operands)?;
    }
    Ok(())
}

fn landmarks_agree<F: Reference>() -> Result<(), TestCaseError> {
    let landmarks = operands::landmarks::<F>();
    for &a in &landmarks {
        agrees_with_model::<F>(Op::Sqrt, [a, a, a])?;
        for &b in &landmarks {
            two_operands_agree::<F>([a, b])?;
            for &c in &landmarks {
                agrees_with_model::<F>(Op::Fma, [a, b, c])?;
            }
        }
    }
    Ok(())
}

#[test]
fn f32_landmarks_every_combination_agree_with_model() -> Result<(), TestCaseError> {
    landmarks_agree::<F32>()
}

#[test]
fn f64_landmarks_every_combination_agree_with_model() -> Result<(), TestCaseError> {
    landmarks_agree::<F64>()
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn f32_two_operands_agree_with_model(operands in operands::pair::<F32>()) {
        two_operands_agree::<F32>(operands)?;
    }

    #[test]
    fn f64_two_operands_agree_with_model(operands in operands::pair::<F64>()) {
        two_operands_agree::<F64>(operands)?;
    }

    #[test]
    fn f32_three_operands_agree_with_model(operands in operands::triple::<F32>()) {
        three_operands_agree::<F32>(operands)?;
    }

    #[test]
    fn f64_three_operands_agree_with_model(operands in operands::triple::<F64>()) {
        three_operands_agree::<F64>(operands)?;
    }

    #[test]
    fn f32_sqrt_agrees_with_model(a in operands::operand::<F32>()) {
        agrees_with_model::<F32>(Op::Sqrt, [a, a, a])?;
    }

    #[test]
    fn f64_sqrt_agrees_with_model(a in operands::operand::<F64>()) {
        agrees_with_model::<F64>(Op::Sqrt, [a, a, a])?;
    }

    #[test]
    fn f64_sqrt_of_near_squares_agrees_with_model(root in any::<u32>(), off in -2..=2_i64) {
        let square = f64::from(root) * f64::from(root >> 6);
        let a = square.to_bits().saturating_add_signed(off);
        agrees_with_model::<F64>(Op::Sqrt, [a, a, a])?;
    }
}
