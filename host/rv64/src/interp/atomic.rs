//! LR/SC and AMO (unprivileged ISA, chapter "A").
//!
//! Harts take turns, so a plain read-modify-write is atomic. A reservation is one physical address;
//! the machine clears it whenever another hart runs.

use crate::block::MicroOp;
use crate::isa::Op;
use crate::mmu::{self, Access};
use crate::state::HartState;
use crate::trap::Exception;
use maquette_model::{PhysAddr, Ram};

/// Whether [`execute`] knows the instruction: the A extension stands together in the table.
#[inline(always)]
pub(super) const fn is_atomic(op: Op) -> bool {
    op as u8 >= Op::LrW as u8 && op as u8 <= Op::AmomaxuD as u8
}

/// Executes an instruction of the A extension.
#[inline(never)]
pub(super) fn execute(h: &mut HartState, ram: &Ram, o: &MicroOp) -> Result<(), Exception> {
    let va = h.reg(o.rs1);
    let wide = o.op as u8 >= Op::LrD as u8;
    let size = if wide { 8 } else { 4 };
    match o.op {
        Op::LrW | Op::LrD => {
            let pa = mmu::atomic_address(h, ram, va, size, Access::Load)?;
            let v = read(ram, pa, wide);
            h.reservation = Some(pa.0);
            h.set_reg(o.rd, v);
        }
        Op::ScW | Op::ScD => {
            let pa = mmu::atomic_address(h, ram, va, size, Access::Store)?;
            let holds = h.reservation.take() == Some(pa.0);
            if holds {
                write(ram, pa, wide, h.reg(o.rs2));
            }
            h.set_reg(o.rd, u64::from(!holds));
        }
        op => {
            let operand = h.reg(o.rs2);
            let old = if wide {
                if let Some(host) = h.tlb.store_address(va, 8) {
                    let old = host.load_u64();
                    host.store_u64(combine(op, old, operand));
                    old
                } else {
                    let pa = mmu::atomic_address(h, ram, va, 8, Access::Store)?;
                    let old = read(ram, pa, true);
                    write(ram, pa, true, combine(op, old, operand));
                    old
                }
            } else if let Some(host) = h.tlb.store_address(va, 4) {
                let old = sign_extend(host.load_u32());
                host.store_u32(low(combine(op, old, sign_extend(low(operand)))));
                old
            } else {
                let pa = mmu::atomic_address(h, ram, va, 4, Access::Store)?;
                let old = read(ram, pa, false);
                write(ram, pa, false, combine(op, old, sign_extend(low(operand))));
                old
            };
            h.set_reg(o.rd, old);
        }
    }
    Ok(())
}

/// What an AMO stores. For words both operands come sign-extended, which keeps signed and unsigned
/// order alike.
fn combine(op: Op, old: u64, b: u64) -> u64 {
    match op {
        Op::AmoswapW | Op::AmoswapD => b,
        Op::AmoaddW | Op::AmoaddD => old.wrapping_add(b),
        Op::AmoxorW | Op::AmoxorD => old ^ b,
        Op::AmoandW | Op::AmoandD => old & b,
        Op::AmoorW | Op::AmoorD => old | b,
        Op::AmominW | Op::AmominD => old.cast_signed().min(b.cast_signed()).cast_unsigned(),
        Op::AmomaxW | Op::AmomaxD => old.cast_signed().max(b.cast_signed()).cast_unsigned(),
        Op::AmominuW | Op::AmominuD => old.min(b),
        Op::AmomaxuW | Op::AmomaxuD => old.max(b),
        _ => old,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "words are the low half")]
const fn low(v: u64) -> u32 {
    v as u32
}

const fn sign_extend(v: u32) -> u64 {
    (v.cast_signed() as i64).cast_unsigned()
}

/// `pa` was checked to lie in RAM.
fn read(ram: &Ram, pa: PhysAddr, wide: bool) -> u64 {
    if wide {
        ram.read_u64(pa).unwrap_or(0)
    } else {
        sign_extend(ram.read_u32(pa).unwrap_or(0))
    }
}

fn write(ram: &Ram, pa: PhysAddr, wide: bool, v: u64) {
    let _in_ram = if wide {
        ram.write(pa, &v.to_le_bytes())
    } else {
        ram.write(pa, &low(v).to_le_bytes())
    };
}
