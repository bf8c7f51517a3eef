//! Operands and formats: where an instruction's fields lie in a 32-bit word.
//!
//! A format is its operands in the order of the assembly language. Everything else follows from
//! that list: the mask of an encoding is whatever no operand covers, the decoder reads the operands,
//! the encoder writes them, the disassembler prints them.

use super::Insn;

/// One operand, or one field that the specification reserves but lets decoders ignore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// Destination in an integer register.
    Rd,
    /// Destination in a floating-point register.
    Fd,
    /// First source, integer.
    Rs1,
    /// First source, floating point.
    Fs1,
    /// Second source, integer.
    Rs2,
    /// Second source, floating point.
    Fs2,
    /// Third source of a fused multiply-add.
    Fs3,
    /// `(rs1)`: an address without an offset.
    Base,
    /// `imm(rs1)` with the immediate of the I-type.
    MemI,
    /// `imm(rs1)` with the immediate of the S-type.
    MemS,
    /// `imm(rs1)` with the upper seven bits of the immediate of the S-type, the others being zero.
    MemPrefetch,
    /// Sign-extended 12-bit immediate.
    ImmI,
    /// Branch offset.
    ImmB,
    /// Upper 20 bits; `Insn::imm` holds the value already shifted.
    ImmU,
    /// Jump offset.
    ImmJ,
    /// Shift amount or bit index of a 64-bit operation.
    Shamt6,
    /// Shift amount of a 32-bit operation.
    Shamt5,
    /// CSR address, in `Insn::imm`.
    Csr,
    /// Five-bit immediate of the CSR instructions, in `Insn::rs1`.
    Zimm,
    /// Rounding mode, in `Insn::rm`; 5 and 6 are reserved and illegal.
    Rm,
    /// Acquire and release bits, in `Insn::rm` (bit 1: aq, bit 0: rl).
    AqRl,
    /// fm, predecessor and successor sets of `fence`, in `Insn::imm`.
    FenceSet,
    /// A reserved rd field: any value is accepted and dropped (unpriv. ISA, "Memory Ordering
    /// Instructions": implementations shall ignore the field).
    AnyRd,
    /// A reserved rs1 field, likewise.
    AnyRs1,
    /// A reserved I-immediate field, likewise.
    AnyImm,
}

const RD: u32 = 0x0000_0f80;
const RS1: u32 = 0x000f_8000;
const RS2: u32 = 0x01f0_0000;
const IMM_I: u32 = 0xfff0_0000;
const IMM_S: u32 = 0xfe00_0f80;

/// The five-bit field of `word` that starts at bit `at`.
const fn field5(word: u32, at: u32) -> u8 {
    // Masked to five bits: the cast keeps the value.
    ((word >> at) & 0x1f) as u8
}

/// Bits `at..at + width` of `word`.
const fn bits(word: u32, at: u32, width: u32) -> i32 {
    ((word >> at) & ((1 << width) - 1)).cast_signed()
}

/// The low bits of `imm`, `at..at + width`, moved to bit `to`.
const fn scatter(imm: i32, at: u32, width: u32, to: u32) -> u32 {
    ((imm.cast_unsigned() >> at) & ((1 << width) - 1)) << to
}

impl Operand {
    /// The bits of an instruction word that this operand covers.
    pub const fn mask(self) -> u32 {
        match self {
            Self::Rd | Self::Fd | Self::AnyRd => RD,
            Self::Rs1 | Self::Fs1 | Self::Base | Self::Zimm | Self::AnyRs1 => RS1,
            Self::Rs2 | Self::Fs2 | Self::Shamt5 => RS2,
            Self::Fs3 => 0xf800_0000,
            Self::MemI => IMM_I | RS1,
            Self::MemS => IMM_S | RS1,
            Self::MemPrefetch => 0xfe00_0000 | RS1,
            Self::ImmI | Self::Csr | Self::FenceSet | Self::AnyImm => IMM_I,
            Self::ImmB => IMM_S,
            Self::ImmU | Self::ImmJ => 0xffff_f000,
            Self::Shamt6 => 0x03f0_0000,
            Self::Rm => 0x0000_7000,
            Self::AqRl => 0x0600_0000,
        }
    }

    /// Reads this operand out of `word` into `insn`; false if the value is a reserved one.
    pub(super) const fn extract(self, word: u32, insn: &mut Insn) -> bool {
        let signed = word.cast_signed();
        match self {
            Self::Rd | Self::Fd => insn.rd = field5(word, 7),
            Self::Rs1 | Self::Fs1 | Self::Base | Self::Zimm => insn.rs1 = field5(word, 15),
            Self::Rs2 | Self::Fs2 => insn.rs2 = field5(word, 20),
            Self::Fs3 => insn.rs3 = field5(word, 27),
            Self::MemI => {
                insn.rs1 = field5(word, 15);
                insn.imm = signed >> 20;
            }
            Self::MemS => {
                insn.rs1 = field5(word, 15);
                insn.imm = ((signed >> 25) << 5) | bits(word, 7, 5);
            }
            Self::MemPrefetch => {
                insn.rs1 = field5(word, 15);
                insn.imm = (signed >> 25) << 5;
            }
            Self::ImmI => insn.imm = signed >> 20,
            Self::ImmB => {
                insn.imm = ((signed >> 31) << 12)
                    | (bits(word, 7, 1) << 11)
                    | (bits(word, 25, 6) << 5)
                    | (bits(word, 8, 4) << 1);
            }
            Self::ImmU => insn.imm = (word & 0xffff_f000).cast_signed(),
            Self::ImmJ => {
                insn.imm = ((signed >> 31) << 20)
                    | (bits(word, 12, 8) << 12)
                    | (bits(word, 20, 1) << 11)
                    | (bits(word, 21, 10) << 1);
            }
            Self::Shamt6 => insn.imm = bits(word, 20, 6),
            Self::Shamt5 => insn.imm = bits(word, 20, 5),
            Self::Csr | Self::FenceSet => insn.imm = bits(word, 20, 12),
            Self::Rm => {
                insn.rm = field5(word, 12) & 7;
                return insn.rm != 5 && insn.rm != 6;
            }
            Self::AqRl => insn.rm = field5(word, 25) & 3,
            Self::AnyRd | Self::AnyRs1 | Self::AnyImm => {}
        }
        true
    }

    /// The bits of an instruction word that hold this operand of `insn`. Bits of a value that do
    /// not fit its field are lost; [`super::encode`] notices.
    pub(super) const fn insert(self, insn: &Insn) -> u32 {
        let rs1 = (insn.rs1 as u32 & 0x1f) << 15;
        let imm = insn.imm;
        match self {
            Self::Rd | Self::Fd => (insn.rd as u32 & 0x1f) << 7,
            Self::Rs1 | Self::Fs1 | Self::Base | Self::Zimm => rs1,
            Self::Rs2 | Self::Fs2 => (insn.rs2 as u32 & 0x1f) << 20,
            Self::Fs3 => (insn.rs3 as u32 & 0x1f) << 27,
            Self::MemI => rs1 | scatter(imm, 0, 12, 20),
            Self::MemS => rs1 | scatter(imm, 5, 7, 25) | scatter(imm, 0, 5, 7),
            Self::MemPrefetch => rs1 | scatter(imm, 5, 7, 25),
            Self::ImmI | Self::Csr | Self::FenceSet => scatter(imm, 0, 12, 20),
            Self::ImmB => {
                scatter(imm, 12, 1, 31)
                    | scatter(imm, 11, 1, 7)
                    | scatter(imm, 5, 6, 25)
                    | scatter(imm, 1, 4, 8)
            }
            Self::ImmU => imm.cast_unsigned() & 0xffff_f000,
            Self::ImmJ => {
                scatter(imm, 20, 1, 31)
                    | scatter(imm, 12, 8, 12)
                    | scatter(imm, 11, 1, 20)
                    | scatter(imm, 1, 10, 21)
            }
            Self::Shamt6 => scatter(imm, 0, 6, 20),
            Self::Shamt5 => scatter(imm, 0, 5, 20),
            Self::Rm => (insn.rm as u32 & 7) << 12,
            Self::AqRl => (insn.rm as u32 & 3) << 25,
            Self::AnyRd | Self::AnyRs1 | Self::AnyImm => 0,
        }
    }
}

/// Generates [`Format`] and its operand lists.
macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $name:ident [$($operand:ident),*];)+) => {
        /// The shape of an instruction: which operands it has, in assembly order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Format {
            /// The operands, in the order of the assembly language.
            pub const fn operands(self) -> &'static [Operand] {
                match self {
                    $(Self::$name => &[$(Operand::$operand),*],)+
                }
            }
        }
    };
}

formats! {
    /// Nothing but the opcode.
    Bare [];
    /// Two integer sources.
    R [Rd, Rs1, Rs2];
    /// One integer source.
    R1 [Rd, Rs1];
    /// Register and 12-bit immediate.
    I [Rd, Rs1, ImmI];
    /// Six-bit shift amount.
    Shift6 [Rd, Rs1, Shamt6];
    /// Five-bit shift amount.
    Shift5 [Rd, Rs1, Shamt5];
    /// Load into an integer register; also `jalr`.
    Load [Rd, MemI];
    /// Store of an integer register.
    Store [Rs2, MemS];
    /// Compare and branch.
    Branch [Rs1, Rs2, ImmB];
    /// Upper immediate.
    U [Rd, ImmU];
    /// Jump and link.
    J [Rd, ImmJ];
    /// `fence`: rd and rs1 are reserved fields that must be ignored.
    Fence [FenceSet, AnyRd, AnyRs1];
    /// `fence.i`: everything but the opcode must be ignored.
    FenceI [AnyImm, AnyRd, AnyRs1];
    /// CSR access with a register.
    CsrReg [Rd, Csr, Rs1];
    /// CSR access with an immediate.
    CsrImm [Rd, Csr, Zimm];
    /// Load reserved.
    Lr [AqRl, Rd, Base];
    /// Store conditional and atomic read-modify-write.
    Amo [AqRl, Rd, Rs2, Base];
    /// Cache-block operation.
    Cbo [Base];
    /// Prefetch hint.
    Prefetch [MemPrefetch];
    /// Address-space fence: address and ASID.
    Sfence [Rs1, Rs2];
    /// Floating-point load.
    FLoad [Fd, MemI];
    /// Floating-point store.
    FStore [Fs2, MemS];
    /// Fused multiply-add.
    F4 [Fd, Fs1, Fs2, Fs3, Rm];
    /// Rounded operation on two floating-point sources.
    F2Rm [Fd, Fs1, Fs2, Rm];
    /// Rounded operation on one floating-point source.
    F1Rm [Fd, Fs1, Rm];
    /// Exact operation on two floating-point sources.
    F2 [Fd, Fs1, Fs2];
    /// Comparison: two floating-point sources, integer result.
    FCmp [Rd, Fs1, Fs2];
    /// Exact: floating-point source, integer result.
    FToX [Rd, Fs1];
    /// Rounded: floating-point source, integer result.
    FToXRm [Rd, Fs1, Rm];
    /// Exact: integer source, floating-point result.
    XToF [Fd, Rs1];
    /// Rounded: integer source, floating-point result.
    XToFRm [Fd, Rs1, Rm];
}

impl Format {
    /// The bits of a word that no operand covers and that therefore must equal the encoding.
    pub const fn mask(self) -> u32 {
        let operands = self.operands();
        let mut covered = 0;
        let mut i = 0;
        while i < operands.len() {
            covered |= operands[i].mask();
            i += 1;
        }
        !covered
    }

    /// True if an instruction of this format names `operand`.
    pub fn has(self, operand: Operand) -> bool {
        self.operands().contains(&operand)
    }
}
