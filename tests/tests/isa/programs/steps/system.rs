//! Steps on privileged state: CSRs, returns from traps, waiting; and words that are no instruction.

use maquette_rv64::isa::{Format, Insn, Op, TABLE, decode};

use super::{FS, Generator, constant, word};
use crate::programs::block::Item;

/// CSRs that S-mode may hold any value in.
const SUPERVISOR: [u16; 10] = [
    0x001, 0x002, 0x003, 0x100, 0x105, 0x106, 0x140, 0x141, 0x142, 0x143,
];
/// More of them for M-mode: mcounteren, mcause, mtval, pmpaddr15, misa. Not
/// mcountinhibit and the events: QEMU has hpm counters that count, which need not exist.
const MACHINE: [u16; 5] = [0x306, 0x342, 0x343, 0x3bf, 0x301];

const SSTATUS: u16 = 0x100;
const STVEC: u16 = 0x105;
/// The upper bit of its mode field.
const STVEC_RESERVED: i32 = 2;
const SEPC: u16 = 0x141;
const SIE: u16 = 0x104;
const SIP: u16 = 0x144;
const MSTATUS: u16 = 0x300;
const MEPC: u16 = 0x341;

impl Generator<'_> {
    /// A CSR instruction on a CSR that may hold anything.
    pub(super) fn csr(&mut self) -> Vec<Item> {
        let op = self.random.pick(&[
            Op::Csrrw,
            Op::Csrrs,
            Op::Csrrc,
            Op::Csrrwi,
            Op::Csrrsi,
            Op::Csrrci,
        ]);
        self.csr_with(op)
    }

    pub(super) fn csr_with(&mut self, op: Op) -> Vec<Item> {
        let mut insn = self.operands(op);
        let csr = if self.random.percent(40) {
            self.random.pick(&SUPERVISOR[..3])
        } else if self.machine() && self.random.percent(50) {
            self.random.pick(&MACHINE)
        } else {
            self.random.pick(&SUPERVISOR)
        };
        insn.imm = csr.into();
        let spared = match csr {
            SSTATUS => FS,
            STVEC => STVEC_RESERVED,
            _ => return vec![word(insn)],
        };
        if insn.op.format() == Format::CsrImm {
            insn.rs1 &= !(spared & 0x1f) as u8;
            return vec![word(insn)];
        }
        self.write_sparing(insn, spared)
    }

    /// Writes a random value of 32 bits without the bits `spared` to a CSR of which QEMU takes some
    /// values differently. In sstatus, UXL can be set to 32 bits there and is fixed here, and FS
    /// stays clean there when an operation with an integer result raises flags. A write of a
    /// reserved mode to stvec is ignored there; here it keeps the old mode.
    pub(super) fn write_sparing(&mut self, insn: Insn, spared: i32) -> Vec<Item> {
        let value = self.temporary();
        let rs1 = self.any();
        let mut items = constant(value, spared).to_vec();
        let code = [
            Insn {
                rd: value,
                rs1,
                rs2: value,
                ..Insn::new(Op::Andn)
            },
            Insn {
                rd: value,
                rs1: value,
                ..Insn::new(Op::AddUw)
            },
            Insn { rs1: value, ..insn },
        ];
        items.extend(code.map(word));
        items
    }

    /// `mret` or `sret` to a step ahead, into a random privilege.
    pub(super) fn return_from_trap(&mut self, op: Op) -> Vec<Item> {
        let (status, field, pc) = if op == Op::Mret {
            (MSTATUS, 3 << 11, MEPC)
        } else {
            (SSTATUS, 1 << 8, SEPC)
        };
        let (place, mask) = (self.temporary(), self.temporary());
        let previous = if op == Op::Mret {
            self.random.pick(&[0, 1, 3]) << 11
        } else {
            field
        };
        let keep = self.random.percent(50);
        let csr = |op, csr: u16, rs1| {
            word(Insn {
                rs1,
                imm: csr.into(),
                ..Insn::new(op)
            })
        };
        let to = Insn {
            rd: place,
            rs1: place,
            ..Insn::new(Op::Addi)
        };
        let mut items = vec![
            word(Insn {
                rd: place,
                ..Insn::new(Op::Auipc)
            }),
            Item::Reach {
                insn: to,
                to: self.ahead(),
                bias: 4,
                odd: false,
            },
            csr(Op::Csrrw, pc, place),
        ];
        items.extend(constant(mask, field));
        items.push(csr(Op::Csrrc, status, mask));
        items.extend(constant(mask, previous));
        items.push(csr(if keep { Op::Csrrs } else { Op::Csrrc }, status, mask));
        items.push(word(Insn::new(op)));
        items
    }

    /// `wfi` while an interrupt is pending that is enabled but masked.
    pub(super) fn wait(&mut self) -> Vec<Item> {
        let csr = |op, csr: u16| {
            word(Insn {
                rs1: 2,
                imm: csr.into(),
                ..Insn::new(op)
            })
        };
        vec![
            csr(Op::Csrrci, SSTATUS),
            csr(Op::Csrrsi, SIE),
            csr(Op::Csrrsi, SIP),
            word(Insn::new(Op::Wfi)),
            csr(Op::Csrrci, SIP),
            csr(Op::Csrrci, SIE),
        ]
    }

    /// A word that is no instruction.
    pub(super) fn illegal(&mut self) -> Vec<Item> {
        loop {
            let entry = &TABLE[self.random.below(TABLE.len())];
            let word = match self.random.below(4) {
                0 => self.random.word() & 0xffff,
                1 => self.random.word(),
                _ => {
                    (entry.matches | self.random.word() & !entry.mask) ^ 4 << self.random.below(30)
                }
            };
            let word = if word & 3 == 3 { word } else { word & 0xffff };
            if decode(word).is_none() {
                return vec![Item::Word(word)];
            }
        }
    }
}
