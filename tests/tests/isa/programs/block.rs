//! A block: one short random program with everything it starts from.

use maquette_rv64::isa::{Insn, Op, compress, encode};

use crate::board::Mode;

/// Where blocks lie; S- and U-mode may read and execute here.
pub const CODE: u64 = 0x8080_0000;
pub const CODE_SIZE: u64 = 0x80_0000;
/// The page that S- and U-mode may read and write.
pub const SCRATCH: u64 = 0x8040_0000;
pub const SCRATCH_SIZE: u64 = 4096;
/// Words that a block's memory starts with, repeated over the scratch page.
pub const MEMORY: usize = 128;

/// A piece of a step.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// An instruction word of two or four bytes, as its low bits say.
    Word(u32),
    /// An instruction whose immediate is the distance from `bias` bytes before itself to the start
    /// of step `to` (of the end, if there is none), plus `odd`.
    Reach {
        insn: Insn,
        to: usize,
        bias: u64,
        odd: bool,
    },
}

impl Item {
    fn len(&self) -> u64 {
        match self {
            Self::Word(word) => {
                if word & 3 == 3 {
                    4
                } else {
                    2
                }
            }
            Self::Reach { insn, .. } => insn.len.into(),
        }
    }
}

/// One or more instructions that stay together; jumps lead only to the first.
#[derive(Clone, Debug)]
pub struct Step {
    /// The step's number when it was generated: what jumps refer to, also after others are gone.
    pub id: usize,
    pub items: Vec<Item>,
}

/// A random program.
#[derive(Clone, Debug)]
pub struct Block {
    /// Offset in its page of the block's first instruction, if it matters.
    pub offset: Option<u64>,
    /// The privilege it starts in.
    pub mode: Mode,
    /// `mstatus` without the previous privilege.
    pub mstatus: u64,
    pub fcsr: u64,
    pub x: [u64; 32],
    pub f: [u64; 32],
    pub memory: [u64; MEMORY],
    pub steps: Vec<Step>,
}

/// The row of the table from which the guest starts a block.
pub const ROW: usize = (4 + 31 + 32 + MEMORY) * 8;

impl Block {
    /// The first place from `from` on where the block may start.
    ///
    /// No instruction on CSRs may reach a page end there: if it traps, QEMU 11.1, told to translate
    /// one instruction at a time, gives an `epc` that is one page too far.
    pub fn place(&self, from: u64) -> u64 {
        let mut start = from;
        loop {
            let wanted = self.offset.is_none_or(|offset| start % 4096 == offset);
            if wanted && !self.csr_at_page_end(start) {
                return start;
            }
            start += 2;
        }
    }

    fn csr_at_page_end(&self, start: u64) -> bool {
        let mut at = start;
        self.steps.iter().flat_map(|step| &step.items).any(|item| {
            let here = at;
            at += item.len();
            let csr = matches!(item, Item::Word(word) if word & 0x7f == 0x73);
            csr && here % 4096 >= 4092
        })
    }

    /// The code at `start`; the instruction after the last step is the one that ends the block.
    pub fn assemble(&self, start: u64) -> Vec<u8> {
        let mut begins = Vec::new();
        let mut at = start;
        for step in &self.steps {
            begins.push((step.id, at));
            at += step.items.iter().map(Item::len).sum::<u64>();
        }
        let place = |to: usize| {
            begins
                .iter()
                .find(|(id, _)| *id >= to)
                .map_or(at, |(_, at)| *at)
        };
        let mut code = Vec::new();
        for item in self.steps.iter().flat_map(|step| &step.items) {
            let here = start + code.len() as u64;
            let word = match *item {
                Item::Word(word) => word,
                Item::Reach {
                    insn,
                    to,
                    bias,
                    odd,
                } => {
                    let distance = place(to).wrapping_sub(here - bias) as i32;
                    spell(Insn {
                        imm: distance | i32::from(odd),
                        ..insn
                    })
                }
            };
            code.extend(&word.to_le_bytes()[..item.len() as usize]);
        }
        code.extend(encode(&Insn::new(Op::Ebreak)).unwrap().to_le_bytes());
        code
    }

    /// The row of a block whose code is at `start` and has `len` bytes.
    pub fn row(&self, start: u64, len: u64) -> Vec<u8> {
        let mstatus = self.mstatus | (self.mode as u64) << 11;
        let head = [start, start + len - 4, mstatus, self.fcsr];
        let values = head
            .iter()
            .chain(&self.x[1..])
            .chain(&self.f)
            .chain(&self.memory);
        values.flat_map(|value| value.to_le_bytes()).collect()
    }

    /// This block without the steps at `gone`.
    pub fn without(&self, gone: std::ops::Range<usize>) -> Self {
        let mut less = self.clone();
        less.steps.drain(gone);
        less
    }

    /// This block with no-ops for the steps at `idle`.
    pub fn idle(&self, idle: std::ops::Range<usize>) -> Self {
        let mut less = self.clone();
        for item in less.steps[idle].iter_mut().flat_map(|step| &mut step.items) {
            *item = Item::Word(NOPS[usize::from(item.len() == 4)]);
        }
        less
    }
}

/// Short and long no-ops.
const NOPS: [u32; 2] = [0x0001, 0x0000_0013];

/// The word of an instruction in the length that it says.
pub fn spell(insn: Insn) -> u32 {
    if insn.len == 2 {
        compress(&insn)
            .unwrap_or_else(|| panic!("no short spelling: {insn:?}"))
            .into()
    } else {
        encode(&insn).unwrap()
    }
}
