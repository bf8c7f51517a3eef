//! Decoding of a block from memory.

use super::{End, MicroOp};
use crate::isa::{self, Insn, Op};
use crate::state::SINK;
use maquette_model::{PhysAddr, Ram};

/// What was decoded.
pub(crate) struct Built {
    pub(crate) end: End,
    pub(crate) memory_ops: u16,
    /// Bytes of code that the block depends on.
    pub(crate) bytes: u64,
}

/// Decodes the block at `pa` (which lies in RAM) onto the end of `ops`, at most `limit` instructions.
///
/// `None` if the first instruction straddles the page end: it belongs to no block.
pub(crate) fn build(ram: &Ram, pa: u64, limit: u16, ops: &mut Vec<MicroOp>) -> Option<Built> {
    let page_end = (pa | 0xfff) + 1;
    let mut at = pa;
    let mut built = Built {
        end: End::Fall,
        memory_ops: 0,
        bytes: 0,
    };
    for _ in 0..limit.max(1) {
        let Some((word, len)) = word_at(ram, at, page_end) else {
            break;
        };
        let Some(insn) = isa::decode(word) else {
            if at > pa {
                break;
            }
            built.bytes = len;
            built.end = End::Illegal(if len == 2 { word & 0xffff } else { word });
            return Some(built);
        };
        let off = u16::try_from(at - pa).unwrap_or(0);
        ops.push(micro_op(&insn, off));
        built.memory_ops += u16::from(is_memory(insn.op));
        at += len;
        built.bytes = at - pa;
        if ends_block(insn.op) || at >= page_end {
            break;
        }
    }
    (built.bytes > 0).then_some(built)
}

/// The instruction word at `at` and its length, unless it goes past `page_end`.
fn word_at(ram: &Ram, at: u64, page_end: u64) -> Option<(u32, u64)> {
    let low = u16::from_le_bytes(ram.read_array(PhysAddr(at))?);
    if low & 3 != 3 {
        return Some((low.into(), 2));
    }
    if at + 4 > page_end {
        return None;
    }
    Some((ram.read_u32(PhysAddr(at))?, 4))
}

/// The instruction bits at `pa`, as they go to `xtval`; 0 where they cannot be read any more.
pub(crate) fn decode_at(ram: &Ram, pa: u64, len: u8) -> u32 {
    match len {
        2 => ram
            .read_array(PhysAddr(pa))
            .map_or(0, |b| u16::from_le_bytes(b).into()),
        _ => ram.read_u32(PhysAddr(pa)).unwrap_or(0),
    }
}

/// Renames x0 as a destination and packs the operands.
pub(crate) fn micro_op(i: &Insn, off: u16) -> MicroOp {
    let float_rd = writes_float(i.op);
    MicroOp {
        op: i.op,
        rd: if i.rd == 0 && !float_rd { SINK } else { i.rd },
        rs1: i.rs1,
        rs2: i.rs2,
        aux: (i.rs3 & 31) | i.rm << 5,
        len: i.len,
        off,
        imm: i.imm,
    }
}

/// Whether `rd` is a floating-point register.
fn writes_float(op: Op) -> bool {
    op.format().operands().contains(&isa::Operand::Fd)
}

/// Control does not simply go on, or the hart must look around before it does.
const fn ends_block(op: Op) -> bool {
    use Op::{
        Csrrc, Csrrci, Csrrs, Csrrsi, Csrrw, Csrrwi, Ebreak, Ecall, Jal, Jalr, Mret, Pause,
        SfenceVma, SinvalVma, Sret, Wfi, WrsNto, WrsSto,
    };
    matches!(
        op,
        Jal | Jalr
            | Ecall
            | Ebreak
            | Mret
            | Sret
            | Wfi
            | SfenceVma
            | SinvalVma
            | WrsNto
            | WrsSto
            | Pause
            | Csrrw
            | Csrrs
            | Csrrc
            | Csrrwi
            | Csrrsi
            | Csrrci
    )
}

const fn is_memory(op: Op) -> bool {
    use Op::{Fld, Flw, Fsd, Fsw, Lb, Lbu, Ld, Lh, Lhu, Lw, Lwu, Sb, Sd, Sh, Sw};
    matches!(
        op,
        Lb | Lbu | Lh | Lhu | Lw | Lwu | Ld | Sb | Sh | Sw | Sd | Flw | Fld | Fsw | Fsd
    )
}
