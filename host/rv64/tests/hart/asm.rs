//! A very small assembler.

use maquette_rv64::isa::{Insn, Op, encode};

/// Code under construction, to be loaded at `base`.
pub struct Code {
    pub base: u64,
    pub bytes: Vec<u8>,
}

/// `op rd, rs1, rs2`.
pub fn r(op: Op, rd: u8, rs1: u8, rs2: u8) -> Insn {
    Insn {
        rd,
        rs1,
        rs2,
        ..Insn::new(op)
    }
}

/// `op rd, rs1, imm`; also loads, `jalr`, and jumps with `rs1` = 0.
pub fn i(op: Op, rd: u8, rs1: u8, imm: i32) -> Insn {
    Insn {
        rd,
        rs1,
        imm,
        ..Insn::new(op)
    }
}

/// Stores (`rs2` to `imm(rs1)`) and branches.
pub fn s(op: Op, rs1: u8, rs2: u8, imm: i32) -> Insn {
    Insn {
        rs1,
        rs2,
        imm,
        ..Insn::new(op)
    }
}

/// `op rd, csr, rs1` or `op rd, csr, zimm`.
pub fn csr(op: Op, rd: u8, csr: u16, rs1: u8) -> Insn {
    i(op, rd, rs1, csr.into())
}

/// `csrr rd, csr`.
pub fn csrr(rd: u8, number: u16) -> Insn {
    csr(Op::Csrrs, rd, number, 0)
}

/// `csrw csr, rs1`.
pub fn csrw(number: u16, rs1: u8) -> Insn {
    csr(Op::Csrrw, 0, number, rs1)
}

/// An instruction without operands.
pub fn bare(op: Op) -> Insn {
    Insn::new(op)
}

/// The word of a 32-bit instruction.
pub fn word(insn: Insn) -> u32 {
    encode(&insn).unwrap_or_else(|e| panic!("{e}"))
}

/// Splits `v` into what `lui` or `auipc` takes and the rest for a 12-bit immediate.
pub fn split(v: i64) -> (i32, i32) {
    let low = (v << 52 >> 52) as i32;
    (v.wrapping_sub(low.into()) as i32, low)
}

impl Code {
    pub fn new(base: u64) -> Self {
        Self {
            base,
            bytes: Vec::new(),
        }
    }

    /// The address of what comes next.
    pub fn here(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Appends an instruction; gives its address.
    pub fn put(&mut self, insn: Insn) -> u64 {
        self.word(word(insn))
    }

    pub fn word(&mut self, w: u32) -> u64 {
        let at = self.here();
        self.bytes.extend_from_slice(&w.to_le_bytes());
        at
    }

    pub fn half(&mut self, w: u16) -> u64 {
        let at = self.here();
        self.bytes.extend_from_slice(&w.to_le_bytes());
        at
    }

    /// Loads a constant: one to eight instructions.
    pub fn li(&mut self, rd: u8, v: u64) {
        let v = v.cast_signed();
        if i64::from(v as i32) == v {
            let (high, low) = split(v);
            self.put(i(Op::Lui, rd, 0, high));
            self.put(i(Op::Addiw, rd, rd, low));
            return;
        }
        let low = v << 52 >> 52;
        self.li(rd, (v.wrapping_sub(low) >> 12).cast_unsigned());
        self.put(i(Op::Slli, rd, rd, 12));
        self.put(i(Op::Addi, rd, rd, low as i32));
    }

    /// Appends a branch or jump to a known address.
    pub fn jump(&mut self, insn: Insn, to: u64) -> u64 {
        let imm = to.wrapping_sub(self.here()).cast_signed() as i32;
        self.put(Insn { imm, ..insn })
    }

    /// Points the branch or jump at `at` to here.
    pub fn land(&mut self, at: u64) {
        let off = (at - self.base) as usize;
        let old = u32::from_le_bytes(self.bytes[off..off + 4].try_into().unwrap());
        let insn = maquette_rv64::isa::decode(old).unwrap();
        let imm = (self.here() - at) as i32;
        self.bytes[off..off + 4].copy_from_slice(&word(Insn { imm, ..insn }).to_le_bytes());
    }
}
