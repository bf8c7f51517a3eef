//! Proof that the comparison sees: faults planted into our hart, one at a time.
//!
//! A fault is what a plausible slip in the interpreter would do, and strikes only where its operands
//! make it matter. It is planted from outside, behind each instruction, so that the interpreter
//! itself carries no hook.

use maquette_model::{PhysAddr, Ram};
use maquette_rv64::HartState;
use maquette_rv64::isa::{Insn, Op, decode};
use maquette_tests::need;

use super::guest::Program;
use super::{BLOCKS, blocks, minimise, report, sides};
use crate::here::{self, Watch};

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `mulhsu` takes its second operand as signed, like `mulh`.
    MulhsuSigned,
    /// `sh` across a doubleword loses its upper byte.
    StoreHalfSplit,
    /// `fmadd.s` rounds the product before it adds.
    FusedRoundsTwice,
}

/// A hart with one fault.
struct Faulty {
    fault: Fault,
    /// The instruction about to run, its pc, and what it overwrites.
    insn: Option<Insn>,
    pc: u64,
    address: u64,
    memory: [u8; 2],
    sources: [u64; 3],
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            insn: None,
            pc: 0,
            address: 0,
            memory: [0; 2],
            sources: [0; 3],
        }
    }
}

impl Watch for Faulty {
    fn before(&mut self, h: &HartState, ram: &Ram) {
        // Blocks run untranslated: the pc is a physical address.
        let word = ram.read_array(PhysAddr(h.pc)).map(u32::from_le_bytes);
        self.insn = word.and_then(decode);
        self.pc = h.pc;
        let Some(insn) = self.insn else { return };
        self.sources = match self.fault {
            Fault::FusedRoundsTwice => [insn.rs1, insn.rs2, insn.rs3].map(|f| h.f[usize::from(f)]),
            _ => [h.reg(insn.rs1), h.reg(insn.rs2), 0],
        };
        self.address = h.reg(insn.rs1).wrapping_add_signed(insn.imm.into());
        self.memory = ram.read_array(PhysAddr(self.address)).unwrap_or_default();
    }

    fn after(&mut self, h: &mut HartState, ram: &Ram) {
        let Some(insn) = self.insn else { return };
        if h.pc != self.pc + u64::from(insn.len) {
            return; // it trapped
        }
        match (self.fault, insn.op) {
            (Fault::MulhsuSigned, Op::Mulhsu) if insn.rd != 0 => {
                let [a, b, _] = self.sources.map(|value| i128::from(value.cast_signed()));
                h.set_reg(insn.rd, ((a * b) >> 64) as u64);
            }
            (Fault::StoreHalfSplit, Op::Sh) if self.address % 8 == 7 => {
                assert!(ram.write(PhysAddr(self.address + 1), &self.memory[1..]));
            }
            // Only to nearest, where both roundings agree nearly always.
            (Fault::FusedRoundsTwice, Op::FmaddS)
                if insn.rm == 0 || insn.rm == 7 && h.csr.frm == 0 =>
            {
                if let Some(wrong) = rounded_twice(self.sources, h.f[usize::from(insn.rd)]) {
                    h.f[usize::from(insn.rd)] = wrong;
                }
            }
            _ => {}
        }
    }
}

/// a * b + c with a rounding in between, where all are finite, boxed singles.
fn rounded_twice(sources: [u64; 3], right: u64) -> Option<u64> {
    let single = |bits: u64| {
        let value = f32::from_bits(bits as u32);
        (bits >> 32 == 0xffff_ffff && value.is_finite()).then_some(value)
    };
    let [a, b, c] = sources.map(single);
    let wrong = a? * b? + c?;
    let comparable = single(right).is_some() && wrong.is_finite();
    comparable.then(|| 0xffff_ffff << 32 | u64::from(wrong.to_bits()))
}

/// Plants `fault` and demands that the comparison of rv_22 finds it, and traces it to `culprit`.
fn caught(fault: Fault, culprit: Op) {
    let qemu = need!(qemu);
    let blocks = blocks(1, BLOCKS);
    let program = Program::new(&blocks, false);
    let mut faulty = |program: &Program| here::run_watched(&program.image, Faulty::new(fault));
    let theirs = sides::in_qemu(&qemu, &program, false).text;
    let differing = report::differing(blocks.len(), &faulty(&program), &theirs);
    let first = *differing
        .first()
        .unwrap_or_else(|| panic!("{fault:?} was not seen"));
    let small = minimise::minimise(&blocks, first, &mut faulty, &qemu);
    println!(
        "{fault:?}: {} blocks differ; in short:\n{small}",
        differing.len()
    );
    assert!(
        small.contains(culprit.mnemonic()),
        "{fault:?} traced to\n{small}"
    );
}

#[test]
fn rv_23_integer_fault_is_caught() {
    caught(Fault::MulhsuSigned, Op::Mulhsu);
}

#[test]
fn rv_23_memory_fault_is_caught() {
    caught(Fault::StoreHalfSplit, Op::Sh);
}

#[test]
fn rv_23_float_fault_is_caught() {
    caught(Fault::FusedRoundsTwice, Op::FmaddS);
}
