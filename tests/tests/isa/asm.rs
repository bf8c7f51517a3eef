//! An assembler of a few calls: instructions of the ISA table, labels, constants.

use maquette_rv64::isa::{Insn, Op, encode};

/// Register numbers by ABI name.
pub mod reg {
    pub const ZERO: u8 = 0;
    pub const RA: u8 = 1;
    pub const SP: u8 = 2;
    pub const T0: u8 = 5;
    pub const T1: u8 = 6;
    pub const T2: u8 = 7;
    pub const S0: u8 = 8;
    pub const S1: u8 = 9;
    pub const A0: u8 = 10;
    pub const A1: u8 = 11;
    pub const A2: u8 = 12;
    pub const S2: u8 = 18;
    pub const S3: u8 = 19;
    pub const S4: u8 = 20;
    pub const S5: u8 = 21;
    pub const S6: u8 = 22;
    pub const S7: u8 = 23;
    pub const S8: u8 = 24;
    pub const T6: u8 = 31;
}

/// A place in the program that a jump can name before it is known.
#[derive(Clone, Copy, Debug)]
pub struct Label(usize);

/// A program under construction.
pub struct Asm {
    base: u64,
    bytes: Vec<u8>,
    labels: Vec<Option<u64>>,
    /// Instructions whose immediate is the distance to a label.
    open: Vec<(usize, Insn, Label)>,
}

impl Asm {
    pub fn new(base: u64) -> Self {
        Self {
            base,
            bytes: Vec::new(),
            labels: Vec::new(),
            open: Vec::new(),
        }
    }

    /// The address of the next instruction.
    pub fn here(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Puts `label` here.
    pub fn bind(&mut self, label: Label) {
        assert!(self.labels[label.0].is_none(), "label bound twice");
        self.labels[label.0] = Some(self.here());
    }

    /// A label bound here.
    pub fn mark(&mut self) -> Label {
        let label = self.label();
        self.bind(label);
        label
    }

    pub fn word(&mut self, word: u32) {
        self.bytes.extend(word.to_le_bytes());
    }

    pub fn put(&mut self, insn: Insn) {
        self.word(encode(&insn).unwrap());
    }

    /// An instruction without operands.
    pub fn bare(&mut self, op: Op) {
        self.put(Insn::new(op));
    }

    pub fn r(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8) {
        self.put(Insn {
            rd,
            rs1,
            rs2,
            ..Insn::new(op)
        });
    }

    /// Register and immediate; also loads.
    pub fn i(&mut self, op: Op, rd: u8, rs1: u8, imm: i32) {
        self.put(Insn {
            rd,
            rs1,
            imm,
            ..Insn::new(op)
        });
    }

    pub fn store(&mut self, op: Op, rs2: u8, imm: i32, rs1: u8) {
        self.put(Insn {
            rs1,
            rs2,
            imm,
            ..Insn::new(op)
        });
    }

    pub fn branch(&mut self, op: Op, rs1: u8, rs2: u8, to: Label) {
        self.reach(
            Insn {
                rs1,
                rs2,
                ..Insn::new(op)
            },
            to,
        );
    }

    pub fn jump(&mut self, to: Label) {
        self.reach(Insn::new(Op::Jal), to);
    }

    pub fn call(&mut self, to: Label) {
        self.reach(
            Insn {
                rd: reg::RA,
                ..Insn::new(Op::Jal)
            },
            to,
        );
    }

    pub fn ret(&mut self) {
        self.i(Op::Jalr, 0, reg::RA, 0);
    }

    fn reach(&mut self, insn: Insn, to: Label) {
        self.open.push((self.bytes.len(), insn, to));
        self.word(0);
    }

    /// `op rd, csr, rs1`; the CSR operations with an immediate take it as `rs1`.
    pub fn csr(&mut self, op: Op, rd: u8, csr: u16, rs1: u8) {
        self.put(Insn {
            rd,
            rs1,
            imm: csr.into(),
            ..Insn::new(op)
        });
    }

    pub fn csrw(&mut self, csr: u16, rs1: u8) {
        self.csr(Op::Csrrw, 0, csr, rs1);
    }

    pub fn csrr(&mut self, rd: u8, csr: u16) {
        self.csr(Op::Csrrs, rd, csr, 0);
    }

    /// Fills up to `address`.
    pub fn pad_to(&mut self, address: u64) {
        assert!(self.here() <= address, "no room before {address:#x}");
        self.bytes.resize((address - self.base) as usize, 0);
    }

    /// Any constant, in at most eight instructions.
    pub fn li(&mut self, rd: u8, value: u64) {
        let low = (value.cast_signed() << 52) >> 52;
        let rest = value.cast_signed().wrapping_sub(low);
        if let Ok(upper) = i32::try_from(rest) {
            self.put(Insn {
                rd,
                imm: upper,
                ..Insn::new(Op::Lui)
            });
            self.i(Op::Addiw, rd, rd, low as i32);
        } else if value >> 31 == 1 {
            // 2 GiB to 4 GiB, where RAM is: below, sign extension would get in the way.
            self.li(rd, u64::from(value as u32).wrapping_sub(1 << 32));
            self.i(Op::Slli, rd, rd, 32);
            self.i(Op::Srli, rd, rd, 32);
        } else {
            self.li(rd, (rest >> 12).cast_unsigned());
            self.i(Op::Slli, rd, rd, 12);
            self.i(Op::Addi, rd, rd, low as i32);
        }
    }

    /// The program's bytes, with all labels resolved.
    pub fn finish(mut self) -> Vec<u8> {
        for (at, insn, Label(label)) in std::mem::take(&mut self.open) {
            let target = self.labels[label].expect("label never bound");
            let from = self.base + at as u64;
            let imm = i32::try_from(target.wrapping_sub(from).cast_signed()).unwrap();
            let word = encode(&Insn { imm, ..insn }).unwrap();
            self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        self.bytes
    }
}

/// A bare program: (address, bytes) of each segment; it starts at the first.
pub struct Image(pub Vec<(u64, Vec<u8>)>);

impl Image {
    /// The program as an ELF file.
    pub fn elf(&self) -> Vec<u8> {
        let segments = &self.0;
        const HEADER: usize = 64;
        const SEGMENT: usize = 56;
        let mut image = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let halves = |values: &[u16]| {
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<_>>()
        };
        let doubles = |values: &[u64]| {
            values
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect::<Vec<_>>()
        };
        image.extend(halves(&[2, 243, 1, 0])); // ET_EXEC, EM_RISCV, version
        image.extend(doubles(&[segments[0].0, HEADER as u64, 0]));
        // Flags (RVC, double-float ABI), header sizes and counts.
        image.extend(halves(&[
            5,
            0,
            HEADER as u16,
            SEGMENT as u16,
            segments.len() as u16,
            64,
            0,
            0,
        ]));
        let mut offset = (HEADER + SEGMENT * segments.len()) as u64;
        for (address, bytes) in segments {
            let size = bytes.len() as u64;
            image.extend(halves(&[1, 0, 7, 0])); // PT_LOAD, readable, writable, executable
            image.extend(doubles(&[offset, *address, *address, size, size, 1]));
            offset += size;
        }
        for (_, bytes) in segments {
            image.extend(bytes);
        }
        image
    }
}
