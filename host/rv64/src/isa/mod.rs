//! The instruction set: one table that drives decoder, encoder, disassembler and coverage report.
//!
//! - [`TABLE`] has a line for every 32-bit instruction and [`COMPRESSED`] one for every 16-bit
//!   instruction, which is only another spelling of a 32-bit one: [`decode`] gives the same [`Op`]
//!   with `len` 2.
//! - The decoder decides *static* legality. What depends on the hart's state — a missing CSR, the
//!   privilege of `sret`, the dynamic rounding mode, FS off — is the interpreter's to judge.
//! - Hints decode as the instruction whose encoding they use, with `rd` = x0 or a zero operand, so
//!   they execute as no-ops without a case of their own.
//! - Reserved encodings are illegal; reserved *fields* that the specification tells implementations
//!   to ignore (those of `fence` and `fence.i`) are ignored.

mod compressed;
mod coverage;
mod decode;
mod disassemble;
mod encode;
mod operand;
mod table;
#[cfg(test)]
mod tests;

pub use compressed::{COMPRESSED, CompressedEntry, compress, decode16, decode16_entry};
pub use coverage::Coverage;
pub use decode::{decode, decode32};
pub use disassemble::{FREG_NAMES, REG_NAMES, disassemble};
pub use encode::{EncodeError, encode};
pub use operand::{Format, Operand};
pub use table::{Entry, Extension, Op, TABLE};

/// A decoded instruction. Fields that the instruction does not have are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Insn {
    /// What it does.
    pub op: Op,
    /// Destination register, 0..32 like all register numbers here.
    pub rd: u8,
    /// First source; the immediate of `csrrwi`, `csrrsi` and `csrrci`.
    pub rs1: u8,
    /// Second source.
    pub rs2: u8,
    /// Third source, of the fused multiply-adds.
    pub rs3: u8,
    /// Rounding mode (0..=4, or 7: dynamic); of an atomic the bits aq (2) and rl (1).
    pub rm: u8,
    /// Bytes in memory: 2 or 4.
    pub len: u8,
    /// Immediate, sign-extended (for `lui` and `auipc` already shifted); shift amount; CSR address;
    /// fm, predecessor and successor sets of `fence`.
    pub imm: i32,
}

impl Insn {
    /// A 32-bit instruction with all operands zero, to be filled in with struct update syntax.
    pub const fn new(op: Op) -> Self {
        Self {
            op,
            rd: 0,
            rs1: 0,
            rs2: 0,
            rs3: 0,
            rm: 0,
            len: 4,
            imm: 0,
        }
    }

    /// The CSR address of a CSR instruction.
    pub const fn csr(&self) -> u16 {
        (self.imm & 0xfff) as u16
    }
}
