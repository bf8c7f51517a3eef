//! rv_32: the host's unit against the integer path, whole instructions: result, flags, dirty state.

use super::{by_integers, host};
use crate::block::{MicroOp, micro_op};
use crate::csr::mstatus;
use crate::fp::tests::{config, operands};
use crate::fp::{F32, F64, Rounding, box_f32};
use crate::isa::{Insn, Op};
use crate::state::HartState;
use maquette_tests::effort;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The instructions that the host's unit takes a part in, by the format of their first source.
const DOUBLE: [Op; 14] = [
    Op::FaddD,
    Op::FsubD,
    Op::FmulD,
    Op::FdivD,
    Op::FsqrtD,
    Op::FmaddD,
    Op::FmsubD,
    Op::FnmsubD,
    Op::FnmaddD,
    Op::FcvtSD,
    Op::FcvtWD,
    Op::FcvtWuD,
    Op::FcvtLD,
    Op::FcvtLuD,
];
const SINGLE: [Op; 14] = [
    Op::FaddS,
    Op::FsubS,
    Op::FmulS,
    Op::FdivS,
    Op::FsqrtS,
    Op::FmaddS,
    Op::FmsubS,
    Op::FnmsubS,
    Op::FnmaddS,
    Op::FcvtDS,
    Op::FcvtWS,
    Op::FcvtWuS,
    Op::FcvtLS,
    Op::FcvtLuS,
];
const INTEGER: [Op; 8] = [
    Op::FcvtSW,
    Op::FcvtSWu,
    Op::FcvtSL,
    Op::FcvtSLu,
    Op::FcvtDW,
    Op::FcvtDWu,
    Op::FcvtDL,
    Op::FcvtDLu,
];

#[derive(Clone, Copy, Debug)]
struct Case {
    op: Op,
    /// f1 to f3.
    sources: [u64; 3],
    /// x1.
    integer: u64,
    rm: Rounding,
    fflags: u8,
    fs: u64,
}

fn any_operation() -> impl Strategy<Value = (Op, [u64; 3])> {
    let double = (
        proptest::sample::select(DOUBLE.to_vec()),
        operands::triple::<F64>(),
    )
        .boxed();
    let single = (
        proptest::sample::select(SINGLE.to_vec()),
        operands::triple::<F32>(),
    )
        .prop_map(|(op, sources)| (op, sources.map(box_f32)))
        .boxed();
    // Numbers that are close to integers, which random exponents hardly ever give.
    let small = (
        proptest::sample::select(DOUBLE.to_vec()),
        prop::array::uniform3(-1_000_000_i32..1_000_000),
        0..8_i32,
    )
        .prop_map(|(op, sources, scale)| {
            let number = |v: i32| (f64::from(v) * 0.5_f64.powi(scale)).to_bits();
            (op, sources.map(number))
        })
        .boxed();
    let integer = proptest::sample::select(INTEGER.to_vec())
        .prop_map(|op| (op, [0; 3]))
        .boxed();
    prop_oneof![6 => double, 6 => single, 2 => small, 2 => integer]
}

fn any_case() -> impl Strategy<Value = Case> {
    let integer = prop_oneof![
        any::<u64>(),
        (0..64_u32, any::<u64>()).prop_map(|(shift, v)| (v.cast_signed() >> shift).cast_unsigned()),
        (0..64_u32, -2..=2_i64).prop_map(|(bit, near)| (1_u64 << bit).wrapping_add_signed(near)),
    ];
    let rm = prop_oneof![
        6 => Just(Rounding::Rne),
        2 => Just(Rounding::Rtz),
        1 => proptest::sample::select(Rounding::ALL.to_vec()),
    ];
    (any_operation(), integer, rm, 0..32_u8, 1..4_u64).prop_map(
        |((op, sources), integer, rm, fflags, fs)| Case {
            op,
            sources,
            integer,
            rm,
            fflags,
            fs,
        },
    )
}

fn hart(case: &Case) -> HartState {
    let mut h = HartState::new(0, HartState::default_clock());
    h.f[1..4].copy_from_slice(&case.sources);
    h.x[1] = case.integer;
    h.csr.fflags = case.fflags;
    h.csr.mstatus = case.fs * mstatus::FS_INITIAL;
    h
}

fn instruction(op: Op) -> MicroOp {
    micro_op(
        &Insn {
            rd: 5,
            rs1: 1,
            rs2: 2,
            rs3: 3,
            ..Insn::new(op)
        },
        0,
    )
}

type Visible = (u64, u64, u8, u64);

fn visible(h: &HartState) -> Visible {
    (h.x[5], h.f[5], h.csr.fflags, h.csr.mstatus)
}

/// With an effort of a few, millions.
fn cases() -> u32 {
    effort().saturating_mul(400_000)
}

#[test]
fn rv_32_host_unit_equals_the_integer_path_wherever_it_is_used() {
    // Per instruction: how often the host's unit did it, of how many tries in its rounding mode.
    let counts: RefCell<BTreeMap<Op, (u32, u32)>> = RefCell::default();
    let mut runner = TestRunner::new(config(cases()));
    let outcome = runner.run(&any_case(), |case| {
        let (mut fast, mut slow) = (hart(&case), hart(&case));
        let o = instruction(case.op);
        let before = visible(&fast);
        let done = host::execute(&mut fast, &o, case.rm);
        if done {
            by_integers(&mut slow, &o, case.rm).expect("a floating-point instruction");
            prop_assert_eq!(visible(&fast), visible(&slow));
        } else {
            prop_assert_eq!(visible(&fast), before);
        }
        if case.rm == Rounding::Rne {
            let mut counts = counts.borrow_mut();
            let (by_host, all) = counts.entry(case.op).or_default();
            *by_host += u32::from(done);
            *all += 1;
        }
        Ok(())
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
    for (op, (by_host, all)) in counts.into_inner() {
        println!("{}: {by_host} of {all}", op.mnemonic());
        // Operands are mostly chosen to be difficult.
        assert!(by_host >= all / 8, "{op:?}: {by_host} of {all}");
    }
}
