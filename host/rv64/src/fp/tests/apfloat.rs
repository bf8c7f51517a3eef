//! Arithmetic against `rustc_apfloat` in the format itself, in every rounding mode.
//!
//! It judges tininess by the result in the format: a result that only the lack of exponents
//! rounds up to the smallest normal number is not tiny there, but it is in RISC-V. And it raises
//! OF only where the result is infinite. So UF of the one magnitude, and OF of the largest finite
//! one, are left to the exact model.

use proptest::prelude::*;
use rustc_apfloat::{Float, StatusAnd};

use super::{Op, Outcome, Reference, config, operands, ours, soft_flags, soft_round};
use crate::fp::{F32, F64, Flags, Rounding};

fn native<F: Reference>(op: Op, operands: [F::Bits; 3], rm: Rounding) -> Outcome<F::Bits> {
    let [a, b, c] = operands.map(F::soft);
    let round = soft_round(rm);
    let StatusAnd { status, value } = match op {
        Op::Add => a.add_r(b, round),
        Op::Sub => a.sub_r(b, round),
        Op::Mul => a.mul_r(b, round),
        Op::Div => a.div_r(b, round),
        Op::Fma => a.mul_add_r(b, c, round),
        Op::Fmsub => a.mul_add_r(b, -c, round),
        Op::Fnmsub => (-a).mul_add_r(b, c, round),
        Op::Fnmadd => (-a).mul_add_r(b, -c, round),
        Op::Sqrt => unreachable!("no such operation on soft floats"),
    };
    Outcome {
        bits: F::hard(value),
        flags: soft_flags(status),
    }
}

fn agrees<F: Reference>(op: Op, operands: [F::Bits; 3]) -> Result<(), TestCaseError> {
    for rm in Rounding::ALL {
        let mut ours = ours::<F>(op, operands, rm);
        let mut theirs = native::<F>(op, operands, rm);
        let result = F::soft(ours.bits).abs();
        let disputed = if result.is_smallest_normalized() {
            Flags::UF
        } else if result.is_largest() {
            Flags::OF
        } else {
            Flags::NONE
        };
        ours.flags = ours.flags.without(disputed);
        theirs.flags = theirs.flags.without(disputed);
        prop_assert_eq!(ours, theirs, "{:?} {:x?} {:?}", op, operands, rm);
    }
    Ok(())
}

fn two_operands_agree<F: Reference>([a, b]: [F::Bits; 2]) -> Result<(), TestCaseError> {
    for op in Op::TWO_OPERANDS {
        agrees::<F>(op, [a, b, a])?;
    }
    Ok(())
}

fn three_operands_agree<F: Reference>(operands: [F::Bits; 3]) -> Result<(), TestCaseError> {
    for op in Op::THREE_OPERANDS {
        agrees::<F>(op, operands)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn f32_two_operands_agree_with_apfloat(operands in operands::pair::<F32>()) {
        two_operands_agree::<F32>(operands)?;
    }

    #[test]
    fn f64_two_operands_agree_with_apfloat(operands in operands::pair::<F64>()) {
        two_operands_agree::<F64>(operands)?;
    }

    #[test]
    fn f32_three_operands_agree_with_apfloat(operands in operands::triple::<F32>()) {
        three_operands_agree::<F32>(operands)?;
    }

    #[test]
    fn f64_three_operands_agree_with_apfloat(operands in operands::triple::<F64>()) {
        three_operands_agree::<F64>(operands)?;
    }
}
