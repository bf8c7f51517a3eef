//! The exact model.
//!
//! binary128 holds sums, products and quotients of the narrower formats either exactly or with 60
//! and more bits to spare, and its exponents never run out. An inexact intermediate result is
//! truncated and its last bit set, which makes the second rounding the only one that counts.

use rustc_apfloat::ieee::Quad;
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};

use super::{Op, Outcome, Reference, soft_flags, soft_round};
use crate::fp::{Flags, Rounding};

/// The result and the flags that RISC-V prescribes.
pub(super) fn expected<F: Reference>(
    op: Op,
    operands: [F::Bits; 3],
    rm: Rounding,
) -> Outcome<F::Bits> {
    let operands = used(op, operands.map(F::soft));
    if op == Op::Sqrt {
        return round::<F>(root::<F>(operands[0]), rm);
    }
    // Widening a signalling NaN makes it quiet, so its flag is noted first.
    let signals = operands.iter().any(|operand| operand.is_signaling());
    let wide = operands.map(widened::<F>);
    let exact = evaluate(op, wide, soft_round(rm));
    let jammed = if exact.status.contains(Status::INEXACT) {
        let truncated = evaluate(op, wide, Round::TowardZero);
        truncated.map(|value| Quad::from_bits(value.to_bits() | 1))
    } else {
        exact
    };
    let mut outcome = round::<F>(jammed, rm);
    if signals {
        outcome.flags |= Flags::NV;
    }
    outcome
}

/// Rounds a jammed result to the format.
///
/// Only NX is taken from the soft float: it raises OF for an infinite result alone, and judges
/// tininess by the result in the format.
pub(super) fn round<F: Reference>(exact: StatusAnd<Quad>, rm: Rounding) -> Outcome<F::Bits> {
    let mut flags = soft_flags(exact.status).without(Flags::NX);
    let (value, status) = F::from_quad(exact.value, rm);
    if status.contains(Status::INEXACT) {
        flags |= Flags::NX;
        if overflows::<F>(exact.value, rm) {
            flags |= Flags::OF;
        }
        if is_tiny::<F>(exact.value, rm) {
            flags |= Flags::UF;
        }
    }
    Outcome {
        bits: F::hard(value),
        flags,
    }
}

/// Far enough from an end of the exponents to be out of its sight.
const FAR: i32 = 200;

/// Whether the result, rounded as though exponents had no upper end, is beyond the largest number.
fn overflows<F: Reference>(exact: Quad, rm: Rounding) -> bool {
    if exact.ilogb() != F::EXPONENT_MAX {
        return exact.ilogb() > F::EXPONENT_MAX;
    }
    let (scaled, _) = F::from_quad(exact.scalbn(-FAR), rm);
    scaled.abs() > F::Soft::largest().scalbn(-FAR)
}

/// Whether the result, rounded as though exponents had no lower end, is below the smallest normal
/// number.
fn is_tiny<F: Reference>(exact: Quad, rm: Rounding) -> bool {
    if exact.ilogb() != F::EXPONENT_MIN - 1 {
        return exact.ilogb() < F::EXPONENT_MIN - 1;
    }
    let (scaled, _) = F::from_quad(exact.scalbn(FAR), rm);
    scaled.abs() < F::Soft::smallest_normalized().scalbn(FAR)
}

/// The operands that count; the others must not signal.
fn used<S: Float>(op: Op, [a, b, c]: [S; 3]) -> [S; 3] {
    match op {
        Op::Sqrt => [a, S::ZERO, S::ZERO],
        Op::Add | Op::Sub | Op::Mul | Op::Div => [a, b, S::ZERO],
        Op::Fma | Op::Fmsub | Op::Fnmsub | Op::Fnmadd => [a, b, c],
    }
}

fn evaluate(op: Op, [a, b, c]: [Quad; 3], round: Round) -> StatusAnd<Quad> {
    match op {
        Op::Add => a.add_r(b, round),
        Op::Sub => a.sub_r(b, round),
        Op::Mul => a.mul_r(b, round),
        Op::Div => a.div_r(b, round),
        Op::Fma => a.mul_add_r(b, c, round),
        Op::Fmsub => a.mul_add_r(b, -c, round),
        Op::Fnmsub => (-a).mul_add_r(b, c, round),
        Op::Fnmadd => (-a).mul_add_r(b, -c, round),
        Op::Sqrt => unreachable!("no such operation on soft floats"),
    }
}

/// The root, exact or jammed: the host's root put below the true one, then placed by squares,
/// which binary128 holds exactly.
fn root<F: Reference>(operand: F::Soft) -> StatusAnd<Quad> {
    if operand.is_nan() {
        let status = if operand.is_signaling() {
            Status::INVALID_OP
        } else {
            Status::OK
        };
        return status.and(Quad::NAN);
    }
    if operand.is_zero() {
        return Status::OK.and(widened::<F>(operand));
    }
    if operand.is_negative() {
        return Status::INVALID_OP.and(Quad::NAN);
    }
    if operand.is_infinite() {
        return Status::OK.and(Quad::INFINITY);
    }
    let radicand = widened::<F>(operand);
    let mut below = F::soft(F::host_sqrt(F::hard(operand)));
    if square(widened::<F>(below)) > radicand {
        below = below.next_down().value;
    }
    let root = widened::<F>(below);
    if square(root) == radicand {
        return Status::OK.and(root);
    }
    let above = widened::<F>(below.next_up().value);
    assert!(square(root) < radicand && radicand < square(above));
    let half_step = (above - root).value.scalbn(-1);
    let middle = (root + half_step).value;
    let quarter = half_step.scalbn(-1);
    let place = if radicand < square(middle) {
        root
    } else {
        middle
    };
    Status::INEXACT.and((place + quarter).value)
}

fn square(value: Quad) -> Quad {
    let square = value * value;
    assert_eq!(square.status, Status::OK, "a square must be exact");
    square.value
}

fn widened<F: Reference>(value: F::Soft) -> Quad {
    value.convert(&mut false).value
}
