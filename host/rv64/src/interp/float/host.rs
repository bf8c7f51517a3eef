//! What the host's floating-point unit may do: see [`crate::fp::host`].

use super::{SIGN32, SIGN64, reg, set_loaded};
use crate::block::MicroOp;
use crate::fp::host::{RELIABLE, Rounded, convert, double, single};
use crate::fp::{Flags, Rounding, box_f32, unbox_f32};
use crate::isa::Op;
use crate::state::HartState;

/// Executes the instruction, or does nothing and returns false where the integer path must.
#[inline(always)]
pub(super) fn execute(h: &mut HartState, o: &MicroOp, rm: Rounding) -> bool {
    match rm {
        _ if !RELIABLE => false,
        Rounding::Rne => arithmetic(h, o) || conversion(h, o, true),
        Rounding::Rtz => conversion(h, o, false),
        _ => false,
    }
}

/// To nearest.
#[inline(always)]
fn arithmetic(h: &mut HartState, o: &MicroOp) -> bool {
    let sticky = h.csr.fflags & Flags::NX.bits() != 0;
    let (a, b, c) = (reg(h, o.rs1), reg(h, o.rs2), reg(h, o.aux & 31));
    let s = unbox_f32;
    match o.op {
        Op::FaddD => put_double(h, o, double::add(a, b, sticky)),
        Op::FsubD => put_double(h, o, double::add(a, b ^ SIGN64, sticky)),
        Op::FmulD => put_double(h, o, double::mul(a, b, sticky)),
        Op::FdivD => put_double(h, o, double::div(a, b, sticky)),
        Op::FsqrtD => put_double(h, o, double::sqrt(a, sticky)),
        Op::FmaddD => put_double(h, o, double::fma(a, b, c, sticky)),
        Op::FmsubD => put_double(h, o, double::fma(a, b, c ^ SIGN64, sticky)),
        Op::FnmsubD => put_double(h, o, double::fma(a ^ SIGN64, b, c, sticky)),
        Op::FnmaddD => put_double(h, o, double::fma(a ^ SIGN64, b, c ^ SIGN64, sticky)),
        Op::FaddS => put_single(h, o, single::add(s(a), s(b), sticky)),
        Op::FsubS => put_single(h, o, single::add(s(a), s(b) ^ SIGN32, sticky)),
        Op::FmulS => put_single(h, o, single::mul(s(a), s(b))),
        Op::FdivS => put_single(h, o, single::div(s(a), s(b))),
        Op::FsqrtS => put_single(h, o, single::sqrt(s(a))),
        Op::FmaddS => put_single(h, o, single::fma(s(a), s(b), s(c), sticky)),
        Op::FmsubS => put_single(h, o, single::fma(s(a), s(b), s(c) ^ SIGN32, sticky)),
        Op::FnmsubS => put_single(h, o, single::fma(s(a) ^ SIGN32, s(b), s(c), sticky)),
        Op::FnmaddS => put_single(
            h,
            o,
            single::fma(s(a) ^ SIGN32, s(b), s(c) ^ SIGN32, sticky),
        ),
        Op::FcvtSD => put_single(h, o, convert::double_to_single(a)),
        Op::FcvtDS => put_double(h, o, convert::single_to_double(s(a))),
        Op::FcvtDL => put_double(h, o, convert::double_from_signed(signed(h, o), sticky)),
        Op::FcvtSL => put_single(h, o, convert::single_from_signed(signed(h, o), sticky)),
        Op::FcvtDLu => put_double(h, o, convert::double_from_unsigned(h.reg(o.rs1), sticky)),
        Op::FcvtSLu => put_single(h, o, convert::single_from_unsigned(h.reg(o.rs1), sticky)),
        Op::FcvtSW => put_single(h, o, convert::single_from_signed(word(h, o).into(), sticky)),
        Op::FcvtSWu => {
            let v = word(h, o).cast_unsigned().into();
            put_single(h, o, convert::single_from_signed(v, sticky))
        }
        _ => false,
    }
}

/// Of which the rounding is computed here, or never needed.
#[inline(always)]
fn conversion(h: &mut HartState, o: &MicroOp, to_nearest: bool) -> bool {
    let a = reg(h, o.rs1);
    let long = || convert::double_to_long(a, to_nearest);
    let long_s = || convert::single_to_long(unbox_f32(a), to_nearest);
    match o.op {
        Op::FcvtWD => put_integer(h, o, long(), i32::MIN.into(), i32::MAX.into()),
        Op::FcvtLD => put_integer(h, o, long(), i64::MIN, i64::MAX),
        Op::FcvtLuD => put_integer(h, o, long(), 0, i64::MAX),
        Op::FcvtWuD => put_unsigned_word(h, o, long()),
        Op::FcvtWuS => put_unsigned_word(h, o, long_s()),
        Op::FcvtWS => put_integer(h, o, long_s(), i32::MIN.into(), i32::MAX.into()),
        Op::FcvtLS => put_integer(h, o, long_s(), i64::MIN, i64::MAX),
        Op::FcvtLuS => put_integer(h, o, long_s(), 0, i64::MAX),
        Op::FcvtDW => put_double(h, o, convert::double_from_word(word(h, o).into())),
        Op::FcvtDWu => {
            let v = word(h, o).cast_unsigned().into();
            put_double(h, o, convert::double_from_word(v))
        }
        _ => false,
    }
}

fn signed(h: &HartState, o: &MicroOp) -> i64 {
    h.reg(o.rs1).cast_signed()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "W sources are the low half of the register"
)]
fn word(h: &HartState, o: &MicroOp) -> i32 {
    h.reg(o.rs1) as i32
}

#[inline(always)]
fn put_double(h: &mut HartState, o: &MicroOp, result: Rounded<u64>) -> bool {
    let Some((bits, inexact)) = result else {
        return false;
    };
    set_loaded(h, o.rd, bits);
    h.csr.fflags |= u8::from(inexact);
    true
}

#[inline(always)]
fn put_single(h: &mut HartState, o: &MicroOp, result: Rounded<u32>) -> bool {
    put_double(h, o, result.map(|(bits, inexact)| (box_f32(bits), inexact)))
}

/// An unsigned word, which registers hold sign-extended as any.
#[inline(always)]
fn put_unsigned_word(h: &mut HartState, o: &MicroOp, result: Rounded<i64>) -> bool {
    let done = put_integer(h, o, result, 0, u32::MAX.into());
    if done {
        let v = h.reg(o.rd) << 32;
        h.set_reg(o.rd, (v.cast_signed() >> 32).cast_unsigned());
    }
    done
}

/// Leaves results outside `min..=max` to the integer path.
#[inline(always)]
fn put_integer(h: &mut HartState, o: &MicroOp, result: Rounded<i64>, min: i64, max: i64) -> bool {
    match result {
        Some((v, inexact)) if (min..=max).contains(&v) => {
            h.set_reg(o.rd, v.cast_unsigned());
            if inexact {
                h.csr.fflags |= Flags::NX.bits();
                h.csr.mstatus |= crate::csr::mstatus::FS;
            }
            true
        }
        _ => false,
    }
}
