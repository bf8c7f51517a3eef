//! The 16-bit instructions (C with D, RV64) and what they expand to.
//!
//! A form names the register operands and where the bits of the immediate lie; it is read in both
//! directions. "RVC Instruction Set Listings" of the unprivileged ISA.

use super::{Insn, Op};

/// One 16-bit instruction.
#[derive(Clone, Copy, Debug)]
pub struct CompressedEntry {
    /// Name in the assembly language.
    pub mnemonic: &'static str,
    /// The instruction it abbreviates.
    pub op: Op,
    /// Value of the fixed bits.
    pub matches: u16,
    /// The fixed bits: those that no operand covers.
    pub mask: u16,
    form: Form,
    needs: Needs,
}

/// A register operand of the expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reg {
    /// Always this register.
    Is(u8),
    /// Bits 11:7.
    High,
    /// Bits 6:2.
    Low,
    /// x8 + bits 9:7.
    HighShort,
    /// x8 + bits 4:2.
    LowShort,
}

/// A run of immediate bits: `width` bits from bit `from` of the word to bit `to` of the value.
type Run = (u8, u8, u8);

/// Where the immediate lies.
#[derive(Clone, Copy, Debug)]
struct Imm {
    /// Bits of the value, the sign bit included; 0 for an unsigned one.
    signed: u8,
    runs: &'static [Run],
}

/// Registers and immediate.
#[derive(Clone, Copy, Debug)]
struct Form {
    rd: Reg,
    rs1: Reg,
    rs2: Reg,
    imm: Imm,
}

/// What makes an otherwise matching word a reserved or another instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// The immediate is not zero.
    Imm,
    /// rd is not x0.
    Rd,
    /// rs1 is not x0.
    Rs1,
    /// rs2 is not x0.
    Rs2,
    /// The immediate is not zero and rd is not x2 (whose place `c.addi16sp` has).
    ImmAndNotSp,
}

const X0: Reg = Reg::Is(0);
const RA: Reg = Reg::Is(1);
const SP: Reg = Reg::Is(2);

const fn form(rd: Reg, rs1: Reg, rs2: Reg, imm: Imm) -> Form {
    Form { rd, rs1, rs2, imm }
}
const fn unsigned(runs: &'static [Run]) -> Imm {
    Imm { signed: 0, runs }
}
const fn signed(signed: u8, runs: &'static [Run]) -> Imm {
    Imm { signed, runs }
}

const NO_IMM: Imm = unsigned(&[]);
const IMM6: Imm = signed(6, &[(2, 5, 0), (12, 1, 5)]);
const SHAMT: Imm = unsigned(&[(2, 5, 0), (12, 1, 5)]);
const UPPER: Imm = signed(18, &[(2, 5, 12), (12, 1, 17)]);
const SP16: Imm = signed(
    10,
    &[(6, 1, 4), (2, 1, 5), (5, 1, 6), (3, 2, 7), (12, 1, 9)],
);
const SP4: Imm = unsigned(&[(6, 1, 2), (5, 1, 3), (11, 2, 4), (7, 4, 6)]);
const WORD: Imm = unsigned(&[(6, 1, 2), (10, 3, 3), (5, 1, 6)]);
const DOUBLE: Imm = unsigned(&[(10, 3, 3), (5, 2, 6)]);
const LOAD_SP_WORD: Imm = unsigned(&[(4, 3, 2), (12, 1, 5), (2, 2, 6)]);
const LOAD_SP_DOUBLE: Imm = unsigned(&[(5, 2, 3), (12, 1, 5), (2, 3, 6)]);
const STORE_SP_WORD: Imm = unsigned(&[(9, 4, 2), (7, 2, 6)]);
const STORE_SP_DOUBLE: Imm = unsigned(&[(10, 3, 3), (7, 3, 6)]);
const JUMP: Imm = signed(
    12,
    &[
        (3, 3, 1),
        (11, 1, 4),
        (2, 1, 5),
        (7, 1, 6),
        (6, 1, 7),
        (9, 2, 8),
        (8, 1, 10),
        (12, 1, 11),
    ],
);
const BRANCH: Imm = signed(
    9,
    &[(3, 2, 1), (10, 2, 3), (2, 1, 5), (5, 2, 6), (12, 1, 8)],
);

const ADDI4SPN: Form = form(Reg::LowShort, SP, X0, SP4);
const LOAD_WORD: Form = form(Reg::LowShort, Reg::HighShort, X0, WORD);
const LOAD_DOUBLE: Form = form(Reg::LowShort, Reg::HighShort, X0, DOUBLE);
const STORE_WORD: Form = form(X0, Reg::HighShort, Reg::LowShort, WORD);
const STORE_DOUBLE: Form = form(X0, Reg::HighShort, Reg::LowShort, DOUBLE);
const UPDATE_IMM: Form = form(Reg::High, Reg::High, X0, IMM6);
const LOAD_IMM: Form = form(Reg::High, X0, X0, IMM6);
const ADDI16SP: Form = form(SP, SP, X0, SP16);
const LOAD_UPPER: Form = form(Reg::High, X0, X0, UPPER);
const SHORT_SHIFT: Form = form(Reg::HighShort, Reg::HighShort, X0, SHAMT);
const SHORT_IMM: Form = form(Reg::HighShort, Reg::HighShort, X0, IMM6);
const SHORT_REGS: Form = form(Reg::HighShort, Reg::HighShort, Reg::LowShort, NO_IMM);
const GO: Form = form(X0, X0, X0, JUMP);
const COMPARE_ZERO: Form = form(X0, Reg::HighShort, X0, BRANCH);
const SHIFT: Form = form(Reg::High, Reg::High, X0, SHAMT);
const SP_LOAD_WORD: Form = form(Reg::High, SP, X0, LOAD_SP_WORD);
const SP_LOAD_DOUBLE: Form = form(Reg::High, SP, X0, LOAD_SP_DOUBLE);
const SP_STORE_WORD: Form = form(X0, SP, Reg::Low, STORE_SP_WORD);
const SP_STORE_DOUBLE: Form = form(X0, SP, Reg::Low, STORE_SP_DOUBLE);
const JUMP_REG: Form = form(X0, Reg::High, X0, NO_IMM);
const CALL_REG: Form = form(RA, Reg::High, X0, NO_IMM);
const MOVE: Form = form(Reg::High, X0, Reg::Low, NO_IMM);
const ADD: Form = form(Reg::High, Reg::High, Reg::Low, NO_IMM);
const BARE: Form = form(X0, X0, X0, NO_IMM);

/// Generates [`COMPRESSED`].
macro_rules! compressed {
    ($($mnemonic:literal $op:ident $form:ident $needs:ident $matches:literal;)+) => {
        const ENTRIES: [CompressedEntry; [$($matches),+].len()] = [
            $(CompressedEntry {
                mnemonic: $mnemonic,
                op: Op::$op,
                matches: $matches,
                mask: $form.mask(),
                form: $form,
                needs: Needs::$needs,
            },)+
        ];

        /// The 16-bit instructions; where two match, the first is meant.
        pub static COMPRESSED: [CompressedEntry; ENTRIES.len()] = ENTRIES;
    };
}

compressed! {
    "c.addi4spn" Addi ADDI4SPN Imm 0x0000;
    "c.fld" Fld LOAD_DOUBLE Nothing 0x2000;
    "c.lw" Lw LOAD_WORD Nothing 0x4000;
    "c.ld" Ld LOAD_DOUBLE Nothing 0x6000;
    "c.fsd" Fsd STORE_DOUBLE Nothing 0xa000;
    "c.sw" Sw STORE_WORD Nothing 0xc000;
    "c.sd" Sd STORE_DOUBLE Nothing 0xe000;
    "c.addi" Addi UPDATE_IMM Nothing 0x0001;
    "c.addiw" Addiw UPDATE_IMM Rd 0x2001;
    "c.li" Addi LOAD_IMM Nothing 0x4001;
    "c.addi16sp" Addi ADDI16SP Imm 0x6101;
    "c.lui" Lui LOAD_UPPER ImmAndNotSp 0x6001;
    "c.srli" Srli SHORT_SHIFT Nothing 0x8001;
    "c.srai" Srai SHORT_SHIFT Nothing 0x8401;
    "c.andi" Andi SHORT_IMM Nothing 0x8801;
    "c.sub" Sub SHORT_REGS Nothing 0x8c01;
    "c.xor" Xor SHORT_REGS Nothing 0x8c21;
    "c.or" Or SHORT_REGS Nothing 0x8c41;
    "c.and" And SHORT_REGS Nothing 0x8c61;
    "c.subw" Subw SHORT_REGS Nothing 0x9c01;
    "c.addw" Addw SHORT_REGS Nothing 0x9c21;
    "c.j" Jal GO Nothing 0xa001;
    "c.beqz" Beq COMPARE_ZERO Nothing 0xc001;
    "c.bnez" Bne COMPARE_ZERO Nothing 0xe001;
    "c.slli" Slli SHIFT Nothing 0x0002;
    "c.fldsp" Fld SP_LOAD_DOUBLE Nothing 0x2002;
    "c.lwsp" Lw SP_LOAD_WORD Rd 0x4002;
    "c.ldsp" Ld SP_LOAD_DOUBLE Rd 0x6002;
    "c.jr" Jalr JUMP_REG Rs1 0x8002;
    "c.mv" Add MOVE Rs2 0x8002;
    "c.ebreak" Ebreak BARE Nothing 0x9002;
    "c.jalr" Jalr CALL_REG Rs1 0x9002;
    "c.add" Add ADD Rs2 0x9002;
    "c.fsdsp" Fsd SP_STORE_DOUBLE Nothing 0xa002;
    "c.swsp" Sw SP_STORE_WORD Nothing 0xc002;
    "c.sdsp" Sd SP_STORE_DOUBLE Nothing 0xe002;
}

/// `width` bits of `word` from bit `from`.
const fn take(word: u16, from: u8, width: u8) -> u16 {
    (word >> from) & ((1 << width) - 1)
}

impl Reg {
    const fn mask(self) -> u16 {
        match self {
            Self::Is(_) => 0,
            Self::High => 0x0f80,
            Self::Low => 0x007c,
            Self::HighShort => 0x0380,
            Self::LowShort => 0x001c,
        }
    }

    const fn extract(self, word: u16) -> u8 {
        // At most five bits: the casts keep the value.
        match self {
            Self::Is(register) => register,
            Self::High => take(word, 7, 5) as u8,
            Self::Low => take(word, 2, 5) as u8,
            Self::HighShort => 8 + take(word, 7, 3) as u8,
            Self::LowShort => 8 + take(word, 2, 3) as u8,
        }
    }

    const fn insert(self, register: u8) -> u16 {
        let register = register as u16;
        match self {
            Self::Is(_) => 0,
            Self::High => (register & 0x1f) << 7,
            Self::Low => (register & 0x1f) << 2,
            Self::HighShort => (register & 7) << 7,
            Self::LowShort => (register & 7) << 2,
        }
    }
}

impl Imm {
    const fn mask(self) -> u16 {
        let mut mask = 0;
        let mut i = 0;
        while i < self.runs.len() {
            let (from, width, _) = self.runs[i];
            mask |= ((1 << width) - 1) << from;
            i += 1;
        }
        mask
    }

    fn extract(self, word: u16) -> i32 {
        let value = self.runs.iter().fold(0, |value, &(from, width, to)| {
            value | i32::from(take(word, from, width)) << to
        });
        let unused = if self.signed == 0 {
            0
        } else {
            32 - u32::from(self.signed)
        };
        value << unused >> unused
    }

    fn insert(self, value: i32) -> u16 {
        self.runs.iter().fold(0, |word, &(from, width, to)| {
            // At most eight bits are left by the mask: the cast keeps the value.
            word | ((value >> to & ((1 << width) - 1)) as u16) << from
        })
    }
}

impl Form {
    const fn mask(self) -> u16 {
        !(self.rd.mask() | self.rs1.mask() | self.rs2.mask() | self.imm.mask())
    }
}

impl Needs {
    fn met_by(self, insn: &Insn) -> bool {
        match self {
            Self::Nothing => true,
            Self::Imm => insn.imm != 0,
            Self::Rd => insn.rd != 0,
            Self::Rs1 => insn.rs1 != 0,
            Self::Rs2 => insn.rs2 != 0,
            Self::ImmAndNotSp => insn.imm != 0 && insn.rd != 2,
        }
    }
}

impl CompressedEntry {
    /// The instruction that `word` abbreviates, if it is this one.
    fn expand(&self, word: u16) -> Option<Insn> {
        if (word ^ self.matches) & self.mask != 0 {
            return None;
        }
        let insn = Insn {
            rd: self.form.rd.extract(word),
            rs1: self.form.rs1.extract(word),
            rs2: self.form.rs2.extract(word),
            imm: self.form.imm.extract(word),
            len: 2,
            ..Insn::new(self.op)
        };
        self.needs.met_by(&insn).then_some(insn)
    }

    /// The word whose operands are those of `insn`, as far as they fit.
    fn compose(&self, insn: &Insn) -> u16 {
        let Form { rd, rs1, rs2, imm } = self.form;
        self.matches
            | rd.insert(insn.rd)
            | rs1.insert(insn.rs1)
            | rs2.insert(insn.rs2)
            | imm.insert(insn.imm)
    }
}

/// Bounds of the entries of each bucket (bits 1:0 and 15:13): the table is sorted that way.
static BUCKETS: [(u8, u8); 32] = buckets();

const fn bucket_of(word: u16) -> usize {
    ((word & 3) << 3 | word >> 13) as usize
}

const fn buckets() -> [(u8, u8); 32] {
    let mut bounds = [(0, 0); 32];
    let mut i = 0;
    while i < ENTRIES.len() {
        let bucket = bucket_of(ENTRIES[i].matches);
        let next = i as u8 + 1;
        bounds[bucket] = if bounds[bucket].1 == 0 {
            (i as u8, next)
        } else {
            (bounds[bucket].0, next)
        };
        assert!(
            i == 0 || bucket >= bucket_of(ENTRIES[i - 1].matches),
            "table not sorted"
        );
        i += 1;
    }
    bounds
}

/// Decodes a 16-bit instruction and tells which line of [`COMPRESSED`] it is.
pub fn decode16_entry(word: u16) -> Option<(&'static CompressedEntry, Insn)> {
    let (start, end) = BUCKETS[bucket_of(word)];
    COMPRESSED[usize::from(start)..usize::from(end)]
        .iter()
        .find_map(|entry| Some((entry, entry.expand(word)?)))
}

/// Decodes a 16-bit instruction to the 32-bit instruction it abbreviates, with `len` 2.
/// `None`: illegal, or not a 16-bit instruction.
pub fn decode16(word: u16) -> Option<Insn> {
    decode16_entry(word).map(|(_, insn)| insn)
}

/// The 16-bit spelling of `insn`, if it has one (its `len` does not matter).
pub fn compress(insn: &Insn) -> Option<u16> {
    let short = Insn { len: 2, ..*insn };
    COMPRESSED
        .iter()
        .filter(|entry| entry.op == insn.op)
        .map(|entry| entry.compose(&short))
        .find(|&word| decode16(word) == Some(short))
}
