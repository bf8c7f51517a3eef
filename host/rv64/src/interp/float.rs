//! F and D: registers and NaN boxing around the arithmetic of [`crate::fp`].

mod host;
#[cfg(test)]
mod tests;

use crate::block::MicroOp;
use crate::csr::mstatus;
use crate::fp::{self, F32, F64, Flags, Rounding, box_f32, unbox_f32};
use crate::isa::Op;
use crate::state::HartState;

/// The state or the rounding mode does not allow the instruction.
#[derive(Debug)]
pub(super) struct Illegal;

/// Whether floating point is switched on.
#[inline(always)]
pub(super) const fn on(h: &HartState) -> bool {
    h.csr.mstatus & mstatus::FS != 0
}

/// Register `f<i>`.
#[inline(always)]
pub(super) fn reg(h: &HartState, i: u8) -> u64 {
    h.f[usize::from(i & 31)]
}

/// Sets a register from memory; the state is dirty then.
#[inline(always)]
pub(super) fn set_loaded(h: &mut HartState, i: u8, v: u64) {
    h.f[usize::from(i & 31)] = v;
    h.csr.mstatus |= mstatus::FS;
}

/// What an instruction produces.
enum Out {
    /// A single, to be boxed.
    S(u32),
    /// A double.
    D(u64),
    /// An integer.
    X(u64),
}

/// The operands of one instruction.
struct In {
    a: u64,
    b: u64,
    c: u64,
    x: u64,
    rm: Rounding,
}

impl In {
    fn s(&self) -> (u32, u32, u32) {
        (unbox_f32(self.a), unbox_f32(self.b), unbox_f32(self.c))
    }
}

/// Executes a floating-point instruction that is no load or store.
#[inline(never)]
pub(super) fn execute(h: &mut HartState, o: &MicroOp) -> Result<(), Illegal> {
    if !on(h) {
        return Err(Illegal);
    }
    let rm = o.aux >> 5;
    let rm = if rm == 7 { h.csr.frm } else { rm };
    // Instructions without a rounding mode have 0 there.
    let rm = Rounding::from_bits(rm).ok_or(Illegal)?;
    if host::execute(h, o, rm) {
        return Ok(());
    }
    by_integers(h, o, rm)
}

/// Executes the instruction in integers, which defines what it does.
fn by_integers(h: &mut HartState, o: &MicroOp, rm: Rounding) -> Result<(), Illegal> {
    let i = In {
        a: reg(h, o.rs1),
        b: reg(h, o.rs2),
        c: reg(h, o.aux & 31),
        x: h.reg(o.rs1),
        rm,
    };
    let mut flags = Flags::NONE;
    let out = single(o.op, &i, &mut flags)
        .or_else(|| double(o.op, &i, &mut flags))
        .or_else(|| convert(o.op, &i, &mut flags))
        .ok_or(Illegal)?;
    match out {
        Out::S(v) => set_loaded(h, o.rd, box_f32(v)),
        Out::D(v) => set_loaded(h, o.rd, v),
        Out::X(v) => h.set_reg(o.rd, v),
    }
    if flags != Flags::NONE {
        h.csr.fflags |= flags.bits();
        h.csr.mstatus |= mstatus::FS;
    }
    Ok(())
}

const SIGN32: u32 = 1 << 31;
const SIGN64: u64 = 1 << 63;

fn single(op: Op, i: &In, fl: &mut Flags) -> Option<Out> {
    let (a, b, c) = i.s();
    Some(match op {
        Op::FaddS => Out::S(fp::add::<F32>(a, b, i.rm, fl)),
        Op::FsubS => Out::S(fp::sub::<F32>(a, b, i.rm, fl)),
        Op::FmulS => Out::S(fp::mul::<F32>(a, b, i.rm, fl)),
        Op::FdivS => Out::S(fp::div::<F32>(a, b, i.rm, fl)),
        Op::FsqrtS => Out::S(fp::sqrt::<F32>(a, i.rm, fl)),
        Op::FmaddS => Out::S(fp::fma::<F32>(a, b, c, i.rm, fl)),
        Op::FmsubS => Out::S(fp::fmsub::<F32>(a, b, c, i.rm, fl)),
        Op::FnmsubS => Out::S(fp::fnmsub::<F32>(a, b, c, i.rm, fl)),
        Op::FnmaddS => Out::S(fp::fnmadd::<F32>(a, b, c, i.rm, fl)),
        Op::FminS => Out::S(fp::min::<F32>(a, b, fl)),
        Op::FmaxS => Out::S(fp::max::<F32>(a, b, fl)),
        Op::FsgnjS => Out::S(a & !SIGN32 | b & SIGN32),
        Op::FsgnjnS => Out::S(a & !SIGN32 | !b & SIGN32),
        Op::FsgnjxS => Out::S(a ^ b & SIGN32),
        Op::FeqS => Out::X(fp::eq::<F32>(a, b, fl).into()),
        Op::FltS => Out::X(fp::lt::<F32>(a, b, fl).into()),
        Op::FleS => Out::X(fp::le::<F32>(a, b, fl).into()),
        Op::FclassS => Out::X(fp::classify::<F32>(a).into()),
        _ => return None,
    })
}

fn double(op: Op, i: &In, fl: &mut Flags) -> Option<Out> {
    let (a, b, c) = (i.a, i.b, i.c);
    Some(match op {
        Op::FaddD => Out::D(fp::add::<F64>(a, b, i.rm, fl)),
        Op::FsubD => Out::D(fp::sub::<F64>(a, b, i.rm, fl)),
        Op::FmulD => Out::D(fp::mul::<F64>(a, b, i.rm, fl)),
        Op::FdivD => Out::D(fp::div::<F64>(a, b, i.rm, fl)),
        Op::FsqrtD => Out::D(fp::sqrt::<F64>(a, i.rm, fl)),
        Op::FmaddD => Out::D(fp::fma::<F64>(a, b, c, i.rm, fl)),
        Op::FmsubD => Out::D(fp::fmsub::<F64>(a, b, c, i.rm, fl)),
        Op::FnmsubD => Out::D(fp::fnmsub::<F64>(a, b, c, i.rm, fl)),
        Op::FnmaddD => Out::D(fp::fnmadd::<F64>(a, b, c, i.rm, fl)),
        Op::FminD => Out::D(fp::min::<F64>(a, b, fl)),
        Op::FmaxD => Out::D(fp::max::<F64>(a, b, fl)),
        Op::FsgnjD => Out::D(a & !SIGN64 | b & SIGN64),
        Op::FsgnjnD => Out::D(a & !SIGN64 | !b & SIGN64),
        Op::FsgnjxD => Out::D(a ^ b & SIGN64),
        Op::FeqD => Out::X(fp::eq::<F64>(a, b, fl).into()),
        Op::FltD => Out::X(fp::lt::<F64>(a, b, fl).into()),
        Op::FleD => Out::X(fp::le::<F64>(a, b, fl).into()),
        Op::FclassD => Out::X(fp::classify::<F64>(a).into()),
        _ => return None,
    })
}

/// Conversions and moves.
#[expect(
    clippy::cast_possible_truncation,
    reason = "W sources are the low half of the register"
)]
fn convert(op: Op, i: &In, fl: &mut Flags) -> Option<Out> {
    let s = unbox_f32(i.a);
    let (x, w) = (i.x, i.x as u32);
    let word = |v: i32| Out::X(i64::from(v).cast_unsigned());
    Some(match op {
        Op::FcvtWS => word(fp::to_i32::<F32>(s, i.rm, fl)),
        Op::FcvtWuS => word(fp::to_u32::<F32>(s, i.rm, fl).cast_signed()),
        Op::FcvtLS => Out::X(fp::to_i64::<F32>(s, i.rm, fl).cast_unsigned()),
        Op::FcvtLuS => Out::X(fp::to_u64::<F32>(s, i.rm, fl)),
        Op::FcvtWD => word(fp::to_i32::<F64>(i.a, i.rm, fl)),
        Op::FcvtWuD => word(fp::to_u32::<F64>(i.a, i.rm, fl).cast_signed()),
        Op::FcvtLD => Out::X(fp::to_i64::<F64>(i.a, i.rm, fl).cast_unsigned()),
        Op::FcvtLuD => Out::X(fp::to_u64::<F64>(i.a, i.rm, fl)),
        Op::FcvtSW => Out::S(fp::from_i32::<F32>(w.cast_signed(), i.rm, fl)),
        Op::FcvtSWu => Out::S(fp::from_u32::<F32>(w, i.rm, fl)),
        Op::FcvtSL => Out::S(fp::from_i64::<F32>(x.cast_signed(), i.rm, fl)),
        Op::FcvtSLu => Out::S(fp::from_u64::<F32>(x, i.rm, fl)),
        Op::FcvtDW => Out::D(fp::from_i32::<F64>(w.cast_signed(), i.rm, fl)),
        Op::FcvtDWu => Out::D(fp::from_u32::<F64>(w, i.rm, fl)),
        Op::FcvtDL => Out::D(fp::from_i64::<F64>(x.cast_signed(), i.rm, fl)),
        Op::FcvtDLu => Out::D(fp::from_u64::<F64>(x, i.rm, fl)),
        Op::FcvtSD => Out::S(fp::f64_to_f32(i.a, i.rm, fl)),
        Op::FcvtDS => Out::D(fp::f32_to_f64(s, fl)),
        Op::FmvXW => word((i.a as u32).cast_signed()),
        Op::FmvXD => Out::X(i.a),
        Op::FmvWX => Out::S(w),
        Op::FmvDX => Out::D(x),
        _ => return None,
    })
}
