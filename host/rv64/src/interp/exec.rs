//! The hot loop: one pass over the instructions of a block.
//!
//! Loads and stores that hit the soft TLB, integer arithmetic and branches are done right here;
//! whatever else there is, is a call. A backward branch to the start of the block restarts the pass
//! without a look-up.

use super::{Flow, atomic, float, int};
use crate::block::MicroOp;
use crate::isa::Op;
use crate::mmu::{self, Stop};
use crate::state::{HartState, LoadTo};
use maquette_model::{Ram, Width};

/// Sign extension of a 32-bit result.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "W instructions work on the low half"
)]
const fn sext32(v: u64) -> u64 {
    (v as i32 as i64).cast_unsigned()
}

#[inline(always)]
const fn sext_imm(imm: i32) -> u64 {
    (imm as i64).cast_unsigned()
}

/// Executes `ops`, the block at `h.pc`, but not more than `left` > 0 instructions.
#[expect(
    clippy::cast_possible_truncation,
    reason = "narrow loads and stores move the low bits"
)]
#[expect(
    clippy::too_many_lines,
    reason = "one arm an instruction: splitting it costs the dispatch"
)]
#[inline(always)]
pub(super) fn run(h: &mut HartState, ram: &Ram, ops: &[MicroOp], mut left: u64) -> Flow {
    let pc = h.pc;
    'pass: loop {
        let n = if left < ops.len() as u64 {
            left as usize
        } else {
            ops.len()
        };
        for (i, o) in ops[..n].iter().enumerate() {
            macro_rules! rs1 {
                () => {
                    h.reg(o.rs1)
                };
            }
            macro_rules! rs2 {
                () => {
                    h.reg(o.rs2)
                };
            }
            macro_rules! imm {
                () => {
                    sext_imm(o.imm)
                };
            }
            macro_rules! rd {
                ($v:expr) => {{
                    let v = $v;
                    h.set_reg(o.rd, v)
                }};
            }
            macro_rules! load {
                ($word:ident, $width:expr, $v:ident => $extended:expr, $set:expr) => {{
                    let va = rs1!().wrapping_add(imm!());
                    let $v = match h.tlb.load_address(va, $width.bytes()) {
                        Some(host) => host.$word(),
                        None => match mmu::load_slow(h, ram, va, $width) {
                            Ok(v) => v as _,
                            Err(stop) => return Flow::Stop(i, stop),
                        },
                    };
                    let v = $extended;
                    $set(h, o.rd, v);
                }};
            }
            macro_rules! store {
                ($word:ident, $width:expr, $v:expr) => {{
                    let va = rs1!().wrapping_add(imm!());
                    let v = $v;
                    match h.tlb.store_address(va, $width.bytes()) {
                        Some(host) => host.$word(v as _),
                        None => {
                            if let Err(stop) = mmu::store_slow(h, ram, va, $width, v) {
                                return Flow::Stop(i, stop);
                            }
                            if ram.code_cursor() != h.code_cursor {
                                return leave(h, pc, i, o);
                            }
                        }
                    }
                }};
            }
            macro_rules! branch {
                ($taken:expr) => {
                    if $taken {
                        let target = pc.wrapping_add(o.off.into()).wrapping_add(imm!());
                        let done = i as u64 + 1;
                        h.retired += done;
                        if target == pc && left > done {
                            left -= done;
                            h.profile.blocks += 1;
                            continue 'pass;
                        }
                        h.pc = target;
                        return Flow::Next;
                    }
                };
            }
            macro_rules! int_reg {
                () => {
                    |h: &mut HartState, rd: u8, v: u64| h.set_reg(rd, v)
                };
            }
            match o.op {
                Op::Lui => rd!(imm!()),
                Op::Auipc => rd!(pc.wrapping_add(o.off.into()).wrapping_add(imm!())),
                Op::Jal => {
                    let at = pc.wrapping_add(o.off.into());
                    rd!(at.wrapping_add(o.len.into()));
                    let target = at.wrapping_add(imm!());
                    let done = i as u64 + 1;
                    h.retired += done;
                    if target == pc && left > done {
                        left -= done;
                        h.profile.blocks += 1;
                        continue 'pass;
                    }
                    h.pc = target;
                    return Flow::Next;
                }
                Op::Jalr => {
                    let target = rs1!().wrapping_add(imm!()) & !1;
                    rd!(pc.wrapping_add(o.off.into()).wrapping_add(o.len.into()));
                    h.retired += i as u64 + 1;
                    h.pc = target;
                    return Flow::Next;
                }
                Op::Beq => branch!(rs1!() == rs2!()),
                Op::Bne => branch!(rs1!() != rs2!()),
                Op::Blt => branch!(rs1!().cast_signed() < rs2!().cast_signed()),
                Op::Bge => branch!(rs1!().cast_signed() >= rs2!().cast_signed()),
                Op::Bltu => branch!(rs1!() < rs2!()),
                Op::Bgeu => branch!(rs1!() >= rs2!()),

                Op::Lb => {
                    load!(load_u8, Width::B1, v => (v as i8 as i64).cast_unsigned(), int_reg!())
                }
                Op::Lh => {
                    load!(load_u16, Width::B2, v => (v as i16 as i64).cast_unsigned(), int_reg!())
                }
                Op::Lw => {
                    load!(load_u32, Width::B4, v => (v as i32 as i64).cast_unsigned(), int_reg!())
                }
                Op::Ld => load!(load_u64, Width::B8, v => v, int_reg!()),
                Op::Lbu => load!(load_u8, Width::B1, v => u64::from(v), int_reg!()),
                Op::Lhu => load!(load_u16, Width::B2, v => u64::from(v), int_reg!()),
                Op::Lwu => load!(load_u32, Width::B4, v => u64::from(v), int_reg!()),
                Op::Sb => store!(store_u8, Width::B1, rs2!()),
                Op::Sh => store!(store_u16, Width::B2, rs2!()),
                Op::Sw => store!(store_u32, Width::B4, rs2!()),
                Op::Sd => store!(store_u64, Width::B8, rs2!()),
                Op::Flw | Op::Fld | Op::Fsw | Op::Fsd if !float::on(h) => return Flow::Illegal(i),
                Op::Flw => {
                    load!(load_u32, Width::B4, v => u64::from(v) | !0xffff_ffff, float::set_loaded)
                }
                Op::Fld => load!(load_u64, Width::B8, v => v, float::set_loaded),
                Op::Fsw => store!(store_u32, Width::B4, float::reg(h, o.rs2)),
                Op::Fsd => store!(store_u64, Width::B8, float::reg(h, o.rs2)),

                Op::Addi => rd!(rs1!().wrapping_add(imm!())),
                Op::Slti => rd!(u64::from(rs1!().cast_signed() < imm!().cast_signed())),
                Op::Sltiu => rd!(u64::from(rs1!() < imm!())),
                Op::Xori => rd!(rs1!() ^ imm!()),
                Op::Ori => rd!(rs1!() | imm!()),
                Op::Andi => rd!(rs1!() & imm!()),
                Op::Slli => rd!(rs1!() << (o.imm & 63)),
                Op::Srli => rd!(rs1!() >> (o.imm & 63)),
                Op::Srai => rd!((rs1!().cast_signed() >> (o.imm & 63)).cast_unsigned()),
                Op::Add => rd!(rs1!().wrapping_add(rs2!())),
                Op::Sub => rd!(rs1!().wrapping_sub(rs2!())),
                Op::Sll => rd!(rs1!() << (rs2!() & 63)),
                Op::Slt => rd!(u64::from(rs1!().cast_signed() < rs2!().cast_signed())),
                Op::Sltu => rd!(u64::from(rs1!() < rs2!())),
                Op::Xor => rd!(rs1!() ^ rs2!()),
                Op::Srl => rd!(rs1!() >> (rs2!() & 63)),
                Op::Sra => rd!((rs1!().cast_signed() >> (rs2!() & 63)).cast_unsigned()),
                Op::Or => rd!(rs1!() | rs2!()),
                Op::And => rd!(rs1!() & rs2!()),
                Op::Addiw => rd!(sext32(rs1!().wrapping_add(imm!()))),
                Op::Slliw => rd!(sext32(rs1!() << (o.imm & 31))),
                Op::Srliw => rd!(sext32(u64::from(rs1!() as u32 >> (o.imm & 31)))),
                Op::Sraiw => rd!(sext32(
                    i64::from(rs1!() as i32 >> (o.imm & 31)).cast_unsigned()
                )),
                Op::Addw => rd!(sext32(rs1!().wrapping_add(rs2!()))),
                Op::Subw => rd!(sext32(rs1!().wrapping_sub(rs2!()))),
                Op::Sllw => rd!(sext32(rs1!() << (rs2!() & 31))),
                Op::Srlw => rd!(sext32(u64::from(rs1!() as u32 >> (rs2!() & 31)))),
                Op::Sraw => rd!(sext32(
                    i64::from(rs1!() as i32 >> (rs2!() & 31)).cast_unsigned()
                )),
                Op::Mul => rd!(rs1!().wrapping_mul(rs2!())),
                Op::Mulw => rd!(sext32(rs1!().wrapping_mul(rs2!()))),
                Op::Fence | Op::FenceI | Op::PrefetchI | Op::PrefetchR | Op::PrefetchW => {}
                Op::CzeroEqz => rd!(if rs2!() == 0 { 0 } else { rs1!() }),
                Op::CzeroNez => rd!(if rs2!() == 0 { rs1!() } else { 0 }),

                Op::AddUw => rd!((rs1!() & 0xffff_ffff).wrapping_add(rs2!())),
                Op::Sh1add => rd!((rs1!() << 1).wrapping_add(rs2!())),
                Op::Sh2add => rd!((rs1!() << 2).wrapping_add(rs2!())),
                Op::Sh3add => rd!((rs1!() << 3).wrapping_add(rs2!())),
                Op::Sh1addUw => rd!(((rs1!() & 0xffff_ffff) << 1).wrapping_add(rs2!())),
                Op::Sh2addUw => rd!(((rs1!() & 0xffff_ffff) << 2).wrapping_add(rs2!())),
                Op::Sh3addUw => rd!(((rs1!() & 0xffff_ffff) << 3).wrapping_add(rs2!())),
                Op::SlliUw => rd!((rs1!() & 0xffff_ffff) << (o.imm & 63)),
                Op::Andn => rd!(rs1!() & !rs2!()),
                Op::Orn => rd!(rs1!() | !rs2!()),
                Op::Xnor => rd!(!(rs1!() ^ rs2!())),
                Op::Max => rd!(rs1!()
                    .cast_signed()
                    .max(rs2!().cast_signed())
                    .cast_unsigned()),
                Op::Maxu => rd!(rs1!().max(rs2!())),
                Op::Min => rd!(rs1!()
                    .cast_signed()
                    .min(rs2!().cast_signed())
                    .cast_unsigned()),
                Op::Minu => rd!(rs1!().min(rs2!())),
                Op::SextB => rd!((rs1!() as i8 as i64).cast_unsigned()),
                Op::SextH => rd!((rs1!() as i16 as i64).cast_unsigned()),
                Op::ZextH => rd!(rs1!() & 0xffff),
                Op::Rori => rd!(rs1!().rotate_right((o.imm & 63).cast_unsigned())),
                Op::Bclri => rd!(rs1!() & !(1 << (o.imm & 63))),
                Op::Bexti => rd!(rs1!() >> (o.imm & 63) & 1),
                Op::Binvi => rd!(rs1!() ^ 1 << (o.imm & 63)),
                Op::Bseti => rd!(rs1!() | 1 << (o.imm & 63)),

                Op::Ecall
                | Op::Ebreak
                | Op::Mret
                | Op::Sret
                | Op::Wfi
                | Op::SfenceVma
                | Op::SinvalVma
                | Op::SfenceWInval
                | Op::SfenceInvalIr
                | Op::WrsNto
                | Op::WrsSto
                | Op::Pause
                | Op::Csrrw
                | Op::Csrrs
                | Op::Csrrc
                | Op::Csrrwi
                | Op::Csrrsi
                | Op::Csrrci
                | Op::CboInval
                | Op::CboClean
                | Op::CboFlush
                | Op::CboZero => return Flow::System(i),

                op if int::is_rare(op) => rd!(int::rare(op, rs1!(), rs2!(), o.imm)),
                op if atomic::is_atomic(op) => match atomic::execute(h, ram, o) {
                    Ok(()) if ram.code_cursor() != h.code_cursor => return leave(h, pc, i, o),
                    Ok(()) => {}
                    Err(e) => return Flow::Stop(i, Stop::Exception(e)),
                },
                _ => {
                    if float::execute(h, o).is_err() {
                        return Flow::Illegal(i);
                    }
                }
            }
        }
        h.retired += n as u64;
        if let Some(o) = ops[..n].last() {
            h.pc = pc.wrapping_add(o.off.into()).wrapping_add(o.len.into());
        }
        return Flow::Next;
    }
}

/// Ends the pass after instruction `i`: it wrote to cached code, perhaps of this very block.
#[cold]
fn leave(h: &mut HartState, pc: u64, i: usize, o: &MicroOp) -> Flow {
    h.retired += i as u64 + 1;
    h.pc = pc.wrapping_add(o.off.into()).wrapping_add(o.len.into());
    Flow::Next
}

/// Where the value of a load goes that a device answers.
pub(super) const fn destination(o: &MicroOp) -> LoadTo {
    match o.op {
        Op::Lb | Op::Lh | Op::Lw | Op::Ld => LoadTo::Signed(o.rd),
        Op::Lbu | Op::Lhu | Op::Lwu => LoadTo::Unsigned(o.rd),
        Op::Flw | Op::Fld => LoadTo::Float(o.rd),
        _ => LoadTo::Nowhere,
    }
}
