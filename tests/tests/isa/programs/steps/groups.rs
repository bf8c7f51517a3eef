//! Steps of several instructions: atomics, loops, jumps through registers.

use maquette_rv64::isa::{Format, Insn, Op, Operand, TABLE};

use super::{Generator, word};
use crate::programs::block::{Item, SCRATCH};

impl Generator<'_> {
    /// An atomic, mostly at an aligned address.
    pub(super) fn atomic(&mut self, op: Op) -> Vec<Item> {
        let mut insn = self.operands(op);
        if self.random.percent(20) {
            return vec![word(insn)];
        }
        insn.rs1 = self.temporary();
        let mut items = self.aligned_address(insn.rs1);
        items.push(word(insn));
        items
    }

    /// Puts an aligned address of the scratch page into `register`.
    pub(super) fn aligned_address(&mut self, register: u8) -> Vec<Item> {
        let upper = (SCRATCH >> 1) as i32;
        let offset = 8 * self.random.range(0, 255);
        // SCRATCH is 2 GiB and more: built halved, because `lui` extends the sign.
        let code = [
            Insn {
                rd: register,
                imm: upper,
                ..Insn::new(Op::Lui)
            },
            Insn {
                rd: register,
                rs1: register,
                imm: 1,
                ..Insn::new(Op::Slli)
            },
            Insn {
                rd: register,
                rs1: register,
                imm: offset,
                ..Insn::new(Op::Addi)
            },
        ];
        code.map(word).to_vec()
    }

    /// Load reserved, perhaps some arithmetic, store conditional; then one that must fail.
    pub(super) fn reserve_and_store(&mut self) -> Vec<Item> {
        let (load, store) = self.random.pick(&[(Op::LrW, Op::ScW), (Op::LrD, Op::ScD)]);
        let base = self.temporary();
        let mut items = self.aligned_address(base);
        let mut load = self.operands(load);
        (load.rs1, load.rd) = (base, self.other_than(base));
        items.push(word(load));
        for _ in 0..self.random.below(3) {
            items.push(self.arithmetic(base));
        }
        for _ in 0..1 + self.random.below(2) {
            let mut store = self.operands(store);
            (store.rs1, store.rd) = (base, self.other_than(base));
            items.push(word(store));
        }
        items
    }

    pub(super) fn other_than(&mut self, register: u8) -> u8 {
        loop {
            let other = self.destination();
            if other != register {
                return other;
            }
        }
    }

    /// An instruction that only computes, and leaves `spared` alone.
    pub(super) fn arithmetic(&mut self, spared: u8) -> Item {
        loop {
            let op = TABLE[self.random.below(TABLE.len())].op;
            let computes = matches!(
                op.format(),
                Format::R
                    | Format::R1
                    | Format::I
                    | Format::Shift6
                    | Format::Shift5
                    | Format::F4
                    | Format::F2Rm
                    | Format::F1Rm
                    | Format::FToXRm
                    | Format::XToFRm
            );
            let insn = self.operands(op);
            let spares = op.format().has(Operand::Fd) || insn.rd != spared;
            if computes && spares {
                return word(insn);
            }
        }
    }

    /// A short loop that counts down.
    pub(super) fn counted_loop(&mut self) -> Vec<Item> {
        let counter = self.temporary();
        let start = Insn {
            rd: counter,
            imm: self.random.range(1, 6),
            ..Insn::new(Op::Addi)
        };
        let mut items = vec![word(start)];
        let body = self.random.range(1, 4);
        for _ in 0..body {
            items.push(self.arithmetic(counter));
        }
        let down = Insn {
            rd: counter,
            rs1: counter,
            imm: -1,
            ..Insn::new(Op::Addi)
        };
        let back = Insn {
            rs1: counter,
            imm: -4 * (body + 1),
            ..Insn::new(Op::Bne)
        };
        items.extend([down, back].map(word));
        items
    }

    /// A jump through a register that was set to a place ahead just before.
    pub(super) fn jump_register(&mut self, len: u8) -> Vec<Item> {
        let register = self.temporary();
        let to = self.ahead();
        let here = Insn {
            rd: register,
            ..Insn::new(Op::Auipc)
        };
        let mut items = vec![word(here)];
        if len == 4 {
            let insn = Insn {
                rd: self.destination(),
                rs1: register,
                ..Insn::new(Op::Jalr)
            };
            // Bit 0 of the target is ignored.
            items.push(Item::Reach {
                insn,
                to,
                bias: 4,
                odd: self.random.percent(30),
            });
        } else {
            let add = Insn {
                rd: register,
                rs1: register,
                ..Insn::new(Op::Addi)
            };
            items.push(Item::Reach {
                insn: add,
                to,
                bias: 4,
                odd: self.random.percent(30),
            });
            let link = self.random.below(2) as u8;
            let jump = Insn {
                rd: link,
                rs1: register,
                len: 2,
                ..Insn::new(Op::Jalr)
            };
            items.push(word(jump));
        }
        items
    }

    /// A jump to where nothing can be executed: it ends the block.
    pub(super) fn wild_jump(&mut self) -> Vec<Item> {
        if self.machine() {
            return vec![self.plain(Op::Ecall)];
        }
        let register = self.temporary();
        // Below 2 GiB there is no RAM.
        let upper = (self.random.word() >> 1 & 0x7fff_f000).cast_signed();
        let far = Insn {
            rd: register,
            imm: upper,
            ..Insn::new(Op::Lui)
        };
        let mut jump = self.operands(Op::Jalr);
        jump.rs1 = register;
        [far, jump].map(word).to_vec()
    }
}
