//! Text for an instruction, in the manner of the usual disassemblers without aliases: ABI register
//! names, decimal immediates, hexadecimal targets and CSR addresses, the rounding mode only where
//! it is not the dynamic one.

use std::fmt::Write;

use super::{Insn, Op, Operand};

/// ABI names of the integer registers.
pub const REG_NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];

/// ABI names of the floating-point registers.
pub const FREG_NAMES: [&str; 32] = [
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2",
    "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",
    "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
];

/// Names of the rounding modes; 5 and 6 never leave the decoder.
const ROUNDING: [&str; 8] = ["rne", "rtz", "rdn", "rup", "rmm", "?", "?", "dyn"];

fn x(register: u8) -> &'static str {
    REG_NAMES[usize::from(register & 31)]
}

fn f(register: u8) -> &'static str {
    FREG_NAMES[usize::from(register & 31)]
}

/// The text of `insn` at address `pc`. A compressed instruction reads as what it abbreviates.
pub fn disassemble(insn: &Insn, pc: u64) -> String {
    let mut text = String::from(insn.op.mnemonic());
    let mut separator = " ";
    for &operand in insn.op.format().operands() {
        if operand == Operand::AqRl {
            text.push_str(["", ".rl", ".aq", ".aqrl"][usize::from(insn.rm & 3)]);
            continue;
        }
        let Some(operand) = operand_text(operand, insn, pc) else {
            continue;
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{operand}");
        separator = ", ";
    }
    text
}

/// The text of one operand; `None` where nothing is written.
fn operand_text(operand: Operand, insn: &Insn, pc: u64) -> Option<String> {
    let imm = insn.imm;
    Some(match operand {
        Operand::Rd => x(insn.rd).into(),
        Operand::Fd => f(insn.rd).into(),
        Operand::Rs1 => x(insn.rs1).into(),
        Operand::Fs1 => f(insn.rs1).into(),
        Operand::Rs2 => x(insn.rs2).into(),
        Operand::Fs2 => f(insn.rs2).into(),
        Operand::Fs3 => f(insn.rs3).into(),
        Operand::Base => format!("({})", x(insn.rs1)),
        Operand::MemI | Operand::MemS | Operand::MemPrefetch => format!("{imm}({})", x(insn.rs1)),
        Operand::ImmI | Operand::Shamt6 | Operand::Shamt5 => imm.to_string(),
        Operand::ImmB | Operand::ImmJ => format!("{:#x}", pc.wrapping_add_signed(imm.into())),
        Operand::ImmU => format!("{:#x}", imm.cast_unsigned() >> 12),
        Operand::Csr => format!("{:#x}", insn.csr()),
        Operand::Zimm => insn.rs1.to_string(),
        Operand::Rm if insn.rm == usual_rounding(insn.op) => return None,
        Operand::Rm => ROUNDING[usize::from(insn.rm & 7)].into(),
        Operand::FenceSet => fence_text(imm),
        Operand::AqRl | Operand::AnyRd | Operand::AnyRs1 | Operand::AnyImm => return None,
    })
}

/// The rounding mode that goes without saying: assemblers write 0 into the field of the conversions
/// that are always exact.
fn usual_rounding(op: Op) -> u8 {
    if matches!(op, Op::FcvtDS | Op::FcvtDW | Op::FcvtDWu) {
        0
    } else {
        7
    }
}

/// Predecessor and successor sets; `fence.tso` and the reserved modes show their fm field.
fn fence_text(imm: i32) -> String {
    let set = |bits: i32| -> String {
        let letters: String = [(8, 'i'), (4, 'o'), (2, 'r'), (1, 'w')]
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, letter)| letter)
            .collect();
        if letters.is_empty() {
            "0".into()
        } else {
            letters
        }
    };
    let sets = format!("{}, {}", set(imm >> 4), set(imm));
    match imm >> 8 & 15 {
        0 => sets,
        mode => format!("{sets}, fm={mode}"),
    }
}
