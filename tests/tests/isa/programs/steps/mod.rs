//! The generator: random steps over every line of the instruction tables.
//!
//! Blocks end, and are safe to run on a machine that is not understood yet:
//! - jumps go forward inside the block (loops count down), or where nothing may be executed;
//! - S- and U-mode may do anything, because PMP keeps them in the code and the scratch page; M-mode
//!   only touches memory through the pointer registers, which it never changes;
//! - nothing reads what two machines may disagree on: time, counters, identity.

mod groups;
mod system;

use maquette_rv64::isa::{
    COMPRESSED, CompressedEntry, Entry, Extension, Format, Insn, Op, Operand, TABLE, decode16_entry,
};

use super::block::{Block, Item, MEMORY, SCRATCH, Step, spell};
use super::values;
use crate::board::Mode;
use crate::random::Random;

/// Registers that point into the scratch page, most of the time.
const POINTERS: [u8; 3] = [2, 8, 9];

/// The field FS of sstatus and mstatus: dirty.
const FS: i32 = 0x6000;
/// The field TW of mstatus: waiting traps.
const TW: u64 = 1 << 21;

/// A random block of about `length` steps.
pub fn block(random: &mut Random, length: usize) -> Block {
    let taste = random.pick(&[
        Taste::Everything,
        Taste::Everything,
        Taste::Float,
        Taste::Memory,
    ]);
    block_of(taste, random, length)
}

/// A random block that is mainly about one kind of instruction.
pub fn block_of(taste: Taste, random: &mut Random, length: usize) -> Block {
    let mode = random.pick(&[
        Mode::User,
        Mode::User,
        Mode::User,
        Mode::Supervisor,
        Mode::Supervisor,
        Mode::Machine,
    ]);
    let mut x = [0; 32];
    x.iter_mut()
        .for_each(|value| *value = values::integer(random));
    for pointer in POINTERS {
        let misaligned = if random.percent(20) {
            random.below(8)
        } else {
            0
        };
        x[usize::from(pointer)] =
            SCRATCH + 1024 + 16 * random.below(128) as u64 + misaligned as u64;
    }
    let mut f = [0; 32];
    for (register, value) in (0..).zip(&mut f) {
        *value = values::float(random, register);
    }
    let mut memory = [0; MEMORY];
    for value in &mut memory {
        *value = if random.percent(50) {
            let kind = random.below(2) as u8;
            values::float(random, kind)
        } else {
            values::integer(random)
        };
    }
    let mstatus = mstatus(random);
    let mut generator = Generator {
        random,
        mode,
        waits: mstatus & TW == 0,
        taste,
        length,
        id: 0,
    };
    let steps = (0..length).map(|id| generator.step(id)).collect();
    Block {
        offset: None,
        mode,
        mstatus,
        fcsr: (random.pick(&[0, 0, 1, 2, 3, 4, 5, 7]) << 5 | random.below(32) as u64) & 0xff,
        x,
        f,
        memory,
        steps,
    }
}

/// FS nearly always dirty, else off; SUM, MXR, TVM, TW, TSR now and then.
fn mstatus(random: &mut Random) -> u64 {
    let fs = if random.percent(95) { FS as u64 } else { 0 };
    let rare = [18, 19, 20, 21, 22]
        .into_iter()
        .filter(|_| random.percent(15));
    rare.fold(fs, |bits, bit| bits | 1 << bit)
}

/// A piece of one given instruction.
fn word(insn: Insn) -> Item {
    Item::Word(spell(insn))
}

/// Puts a small constant into `register`.
fn constant(register: u8, value: i32) -> [Item; 2] {
    let upper = (value + 0x800) & !0xfff;
    [
        word(Insn {
            rd: register,
            imm: upper,
            ..Insn::new(Op::Lui)
        }),
        word(Insn {
            rd: register,
            rs1: register,
            imm: value - upper,
            ..Insn::new(Op::Addi)
        }),
    ]
}

/// The precisions ('s' or 'd') of a floating-point instruction's result and source, by its name:
/// `fadd.s`, `fcvt.s.d`, `fmv.w.x`, `fld`.
fn precisions(op: Op) -> (char, char) {
    let name = op.mnemonic();
    let precision = |part: Option<&str>| {
        if part.is_some_and(|part| part.ends_with('d')) {
            'd'
        } else {
            's'
        }
    };
    (
        precision(name.split('.').nth(1).or(Some(name))),
        precision(name.split('.').next_back()),
    )
}

struct Generator<'r> {
    random: &'r mut Random,
    mode: Mode,
    /// TW is clear.
    waits: bool,
    taste: Taste,
    length: usize,
    id: usize,
}

/// What a block is mainly about.
#[derive(Clone, Copy, Debug)]
pub enum Taste {
    Everything,
    Float,
    Memory,
    /// Extensions that came after the base profile: Zbc, Zicond, Zicbop, Zawrs, Svinval.
    Additions,
}

/// The extensions of [`Taste::Additions`].
pub const ADDITIONS: [Extension; 5] = [
    Extension::Zbc,
    Extension::Zicond,
    Extension::Zicbop,
    Extension::Zawrs,
    Extension::Svinval,
];

impl Taste {
    fn wants(self, entry: &Entry) -> bool {
        match self {
            Self::Everything => true,
            Self::Float => matches!(entry.extension, Extension::F | Extension::D),
            Self::Memory => entry.format.has(Operand::MemI) || entry.format.has(Operand::MemS),
            Self::Additions => ADDITIONS.contains(&entry.extension),
        }
    }
}

impl Generator<'_> {
    fn step(&mut self, id: usize) -> Step {
        self.id = id;
        let items = match self.random.below(100) {
            0..=57 => self.long(),
            58..=92 => self.short(),
            93..=94 => self.counted_loop(),
            95..=96 => self.csr(),
            97 => self.illegal(),
            98 => self.reserve_and_store(),
            _ => self.wild_jump(),
        };
        Step { id, items }
    }

    fn machine(&self) -> bool {
        self.mode == Mode::Machine
    }

    /// Any register to write; hardly ever a pointer.
    fn destination(&mut self) -> u8 {
        loop {
            let register = self.random.below(32) as u8;
            let keep = self.machine() || !self.random.percent(3);
            if !(keep && POINTERS.contains(&register)) {
                return register;
            }
        }
    }

    /// A floating-point register, mostly of the precision wanted (see [`values::float`]).
    fn float(&mut self, precision: char) -> u8 {
        let register = self.any();
        if self.random.percent(6) {
            register
        } else {
            register & !1 | u8::from(precision == 'd')
        }
    }

    /// A register for an address or a counter of a group.
    fn temporary(&mut self) -> u8 {
        loop {
            let register = self.destination();
            if register != 0 && !POINTERS.contains(&register) {
                return register;
            }
        }
    }

    fn any(&mut self) -> u8 {
        self.random.below(32) as u8
    }

    /// The base of an access: mostly a pointer.
    fn base(&mut self) -> u8 {
        if self.machine() || self.random.percent(93) {
            self.random.pick(&POINTERS)
        } else {
            self.any()
        }
    }

    /// A step to jump to.
    fn ahead(&mut self) -> usize {
        (self.id + 1 + self.random.below(5)).min(self.length)
    }

    /// A step around a 32-bit instruction; all are equally likely.
    fn long(&mut self) -> Vec<Item> {
        let entry = loop {
            let entry = &TABLE[self.random.below(TABLE.len())];
            if self.taste.wants(entry) || self.random.percent(25) {
                break entry;
            }
        };
        match entry.op {
            Op::Jalr => self.jump_register(4),
            Op::Mret | Op::Sret => self.return_from_trap(entry.op),
            Op::Wfi => self.wait(),
            // Trapped by TW it leaves the instruction in tval here, as any does, and 0 there.
            Op::WrsNto if !self.waits => vec![self.plain(Op::WrsSto)],
            Op::LrW | Op::LrD | Op::ScW | Op::ScD => self.reserve_and_store(),
            _ if entry.extension == Extension::Zicsr => self.csr_with(entry.op),
            _ if entry.extension == Extension::A => self.atomic(entry.op),
            _ if matches!(entry.format, Format::Branch | Format::J) => {
                let mut insn = self.operands(entry.op);
                if entry.format == Format::Branch && self.random.percent(30) {
                    insn.rs2 = insn.rs1;
                }
                vec![Item::Reach {
                    insn,
                    to: self.ahead(),
                    bias: 0,
                    odd: false,
                }]
            }
            _ => vec![self.plain(entry.op)],
        }
    }

    /// One instruction with random operands.
    fn plain(&mut self, op: Op) -> Item {
        loop {
            let insn = self.operands(op);
            // Reserved fence sets exist; the one that is `pause` is not a `fence`.
            if let Ok(word) = maquette_rv64::isa::encode(&insn) {
                return Item::Word(word);
            }
        }
    }

    fn operands(&mut self, op: Op) -> Insn {
        let mut insn = Insn::new(op);
        let (result, source) = precisions(op);
        for operand in op.format().operands() {
            match operand {
                Operand::Rd => insn.rd = self.destination(),
                Operand::Fd => insn.rd = self.float(result),
                Operand::Rs1 | Operand::Zimm => insn.rs1 = self.any(),
                Operand::Rs2 => insn.rs2 = self.any(),
                Operand::Fs1 => insn.rs1 = self.float(source),
                Operand::Fs2 => insn.rs2 = self.float(source),
                Operand::Fs3 => insn.rs3 = self.float(source),
                Operand::Base => insn.rs1 = self.base(),
                Operand::MemI | Operand::MemS => {
                    insn.rs1 = self.base();
                    insn.imm = self.offset();
                }
                Operand::MemPrefetch => {
                    insn.rs1 = self.any();
                    insn.imm = 32 * self.random.range(-64, 64);
                }
                Operand::ImmI => insn.imm = self.random.range(-2048, 2048),
                Operand::ImmU => insn.imm = (self.random.word() & 0xffff_f000).cast_signed(),
                Operand::Shamt6 => insn.imm = self.random.range(0, 64),
                Operand::Shamt5 => insn.imm = self.random.range(0, 32),
                Operand::FenceSet => insn.imm = self.random.range(0, 256),
                Operand::Rm => insn.rm = self.random.pick(&[0, 1, 2, 3, 4, 7, 7, 7]),
                Operand::AqRl => insn.rm = self.random.below(4) as u8,
                Operand::ImmB | Operand::ImmJ | Operand::Csr => {}
                Operand::AnyRd | Operand::AnyRs1 | Operand::AnyImm => {}
            }
        }
        insn
    }

    /// An offset that stays in the page from a pointer; one in fifty does not.
    fn offset(&mut self) -> i32 {
        match self.random.below(50) {
            0 if !self.machine() => self.random.range(-2048, 2048),
            1..=25 => 8 * self.random.range(-120, 120),
            _ => self.random.range(-1000, 1000),
        }
    }

    /// A step around a 16-bit instruction; all are equally likely.
    fn short(&mut self) -> Vec<Item> {
        let entry = &COMPRESSED[self.random.below(COMPRESSED.len())];
        loop {
            let word = entry.matches | self.random.word() as u16 & !entry.mask;
            let Some((found, insn)) = decode16_entry(word) else {
                continue;
            };
            if !std::ptr::eq(found, entry) {
                continue;
            }
            if let Some(items) = self.short_step(entry, insn, word) {
                return items;
            }
        }
    }

    /// The step around this 16-bit instruction, if it is a good one here.
    fn short_step(&mut self, entry: &CompressedEntry, insn: Insn, word: u16) -> Option<Vec<Item>> {
        let format = insn.op.format();
        if insn.op == Op::Jalr {
            return Some(self.jump_register(2));
        }
        if matches!(format, Format::Branch | Format::J) {
            return Some(vec![Item::Reach {
                insn,
                to: self.ahead(),
                bias: 0,
                odd: false,
            }]);
        }
        let through_memory = format.has(Operand::MemI) || format.has(Operand::MemS);
        let wild = through_memory && !POINTERS.contains(&insn.rs1);
        let spoils = format.has(Operand::Rd) && POINTERS.contains(&insn.rd);
        let moves_pointer = entry.mnemonic == "c.addi16sp";
        let tolerated = !self.machine() && self.random.percent(5);
        let good = !wild && !spoils || moves_pointer || tolerated;
        good.then(|| vec![Item::Word(word.into())])
    }
}
