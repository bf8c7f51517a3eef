//! The table: every instruction that the hart implements, once.
//!
//! A line is `Op "mnemonic" Format match;` under its extension. The mask is not written: it is
//! whatever the operands of the format leave over. Where two encodings overlap, the first line wins
//! (`pause` is a `fence` with a particular operand, a prefetch an `ori` to x0).
//!
//! Encodings: "RV32/64G Instruction Set Listings" of the unprivileged ISA, the bit-manipulation and
//! CMO specifications, and the listings of the privileged ISA.

use super::operand::Format;

/// Where an instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extension {
    /// RV64I.
    I,
    /// Multiplication and division.
    M,
    /// Atomics.
    A,
    /// Single precision.
    F,
    /// Double precision.
    D,
    /// CSR access.
    Zicsr,
    /// Instruction-fetch fence.
    Zifencei,
    /// The `pause` hint.
    Zihintpause,
    /// Cache-block management.
    Zicbom,
    /// Cache-block zeroing.
    Zicboz,
    /// Prefetch hints.
    Zicbop,
    /// Conditional zeroing.
    Zicond,
    /// Waiting for a reservation to be lost.
    Zawrs,
    /// Address generation.
    Zba,
    /// Basic bit manipulation.
    Zbb,
    /// Carry-less multiplication.
    Zbc,
    /// Single-bit instructions.
    Zbs,
    /// Address-space fences in parts.
    Svinval,
    /// The privileged architecture.
    Priv,
}

/// One instruction of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name of the semantics.
    pub op: Op,
    /// Name in the assembly language.
    pub mnemonic: &'static str,
    /// The extension that brings it.
    pub extension: Extension,
    /// Operands.
    pub format: Format,
    /// Value of the fixed bits.
    pub matches: u32,
    /// The fixed bits.
    pub mask: u32,
}

/// Generates [`Op`] and [`TABLE`] from one list.
macro_rules! isa {
    ($($extension:ident { $($op:ident $mnemonic:literal $format:ident $matches:literal;)+ })+) => {
        /// The semantics of an instruction: one variant for each line of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $($(#[doc = concat!("`", $mnemonic, "`")] $op,)+)+
        }

        /// All instructions, in the order of [`Op`].
        pub static TABLE: [Entry; Op::COUNT] = Op::ENTRIES;

        impl Op {
            /// How many there are.
            pub const COUNT: usize = [$($(Op::$op),+),+].len();
            pub(super) const ENTRIES: [Entry; Op::COUNT] = [
                $($(Entry {
                    op: Op::$op,
                    mnemonic: $mnemonic,
                    extension: Extension::$extension,
                    format: Format::$format,
                    matches: $matches,
                    mask: Format::$format.mask(),
                },)+)+
            ];
        }
    };
}

impl Op {
    /// The line of the table.
    pub fn entry(self) -> &'static Entry {
        // One line per variant, in order: the index is always inside.
        &TABLE[self as usize]
    }

    /// Name in the assembly language.
    pub fn mnemonic(self) -> &'static str {
        self.entry().mnemonic
    }

    /// The extension that brings it.
    pub fn extension(self) -> Extension {
        self.entry().extension
    }

    /// Operands.
    pub fn format(self) -> Format {
        self.entry().format
    }

    /// Every instruction, in the order of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Op> {
        TABLE.iter().map(|entry| entry.op)
    }
}

isa! {
    Zicbop {
        PrefetchI "prefetch.i" Prefetch 0x0000_6013;
        PrefetchR "prefetch.r" Prefetch 0x0010_6013;
        PrefetchW "prefetch.w" Prefetch 0x0030_6013;
    }
    I {
        Lui "lui" U 0x0000_0037;
        Auipc "auipc" U 0x0000_0017;
        Jal "jal" J 0x0000_006f;
        Jalr "jalr" Load 0x0000_0067;
        Beq "beq" Branch 0x0000_0063;
        Bne "bne" Branch 0x0000_1063;
        Blt "blt" Branch 0x0000_4063;
        Bge "bge" Branch 0x0000_5063;
        Bltu "bltu" Branch 0x0000_6063;
        Bgeu "bgeu" Branch 0x0000_7063;
        Lb "lb" Load 0x0000_0003;
        Lh "lh" Load 0x0000_1003;
        Lw "lw" Load 0x0000_2003;
        Ld "ld" Load 0x0000_3003;
        Lbu "lbu" Load 0x0000_4003;
        Lhu "lhu" Load 0x0000_5003;
        Lwu "lwu" Load 0x0000_6003;
        Sb "sb" Store 0x0000_0023;
        Sh "sh" Store 0x0000_1023;
        Sw "sw" Store 0x0000_2023;
        Sd "sd" Store 0x0000_3023;
        Addi "addi" I 0x0000_0013;
        Slti "slti" I 0x0000_2013;
        Sltiu "sltiu" I 0x0000_3013;
        Xori "xori" I 0x0000_4013;
        Ori "ori" I 0x0000_6013;
        Andi "andi" I 0x0000_7013;
        Slli "slli" Shift6 0x0000_1013;
        Srli "srli" Shift6 0x0000_5013;
        Srai "srai" Shift6 0x4000_5013;
        Add "add" R 0x0000_0033;
        Sub "sub" R 0x4000_0033;
        Sll "sll" R 0x0000_1033;
        Slt "slt" R 0x0000_2033;
        Sltu "sltu" R 0x0000_3033;
        Xor "xor" R 0x0000_4033;
        Srl "srl" R 0x0000_5033;
        Sra "sra" R 0x4000_5033;
        Or "or" R 0x0000_6033;
        And "and" R 0x0000_7033;
        Addiw "addiw" I 0x0000_001b;
        Slliw "slliw" Shift5 0x0000_101b;
        Srliw "srliw" Shift5 0x0000_501b;
        Sraiw "sraiw" Shift5 0x4000_501b;
        Addw "addw" R 0x0000_003b;
        Subw "subw" R 0x4000_003b;
        Sllw "sllw" R 0x0000_103b;
        Srlw "srlw" R 0x0000_503b;
        Sraw "sraw" R 0x4000_503b;
    }
    Zihintpause {
        Pause "pause" Bare 0x0100_000f;
    }
    I {
        Fence "fence" Fence 0x0000_000f;
        Ecall "ecall" Bare 0x0000_0073;
        Ebreak "ebreak" Bare 0x0010_0073;
    }
    Zifencei {
        FenceI "fence.i" FenceI 0x0000_100f;
    }
    Zicsr {
        Csrrw "csrrw" CsrReg 0x0000_1073;
        Csrrs "csrrs" CsrReg 0x0000_2073;
        Csrrc "csrrc" CsrReg 0x0000_3073;
        Csrrwi "csrrwi" CsrImm 0x0000_5073;
        Csrrsi "csrrsi" CsrImm 0x0000_6073;
        Csrrci "csrrci" CsrImm 0x0000_7073;
    }
    Priv {
        Sret "sret" Bare 0x1020_0073;
        Mret "mret" Bare 0x3020_0073;
        Wfi "wfi" Bare 0x1050_0073;
        SfenceVma "sfence.vma" Sfence 0x1200_0073;
    }
    Svinval {
        SinvalVma "sinval.vma" Sfence 0x1600_0073;
        SfenceWInval "sfence.w.inval" Bare 0x1800_0073;
        SfenceInvalIr "sfence.inval.ir" Bare 0x1810_0073;
    }
    Zawrs {
        WrsNto "wrs.nto" Bare 0x00d0_0073;
        WrsSto "wrs.sto" Bare 0x01d0_0073;
    }
    Zicond {
        CzeroEqz "czero.eqz" R 0x0e00_5033;
        CzeroNez "czero.nez" R 0x0e00_7033;
    }
    M {
        Mul "mul" R 0x0200_0033;
        Mulh "mulh" R 0x0200_1033;
        Mulhsu "mulhsu" R 0x0200_2033;
        Mulhu "mulhu" R 0x0200_3033;
        Div "div" R 0x0200_4033;
        Divu "divu" R 0x0200_5033;
        Rem "rem" R 0x0200_6033;
        Remu "remu" R 0x0200_7033;
        Mulw "mulw" R 0x0200_003b;
        Divw "divw" R 0x0200_403b;
        Divuw "divuw" R 0x0200_503b;
        Remw "remw" R 0x0200_603b;
        Remuw "remuw" R 0x0200_703b;
    }
    A {
        LrW "lr.w" Lr 0x1000_202f;
        ScW "sc.w" Amo 0x1800_202f;
        AmoswapW "amoswap.w" Amo 0x0800_202f;
        AmoaddW "amoadd.w" Amo 0x0000_202f;
        AmoxorW "amoxor.w" Amo 0x2000_202f;
        AmoandW "amoand.w" Amo 0x6000_202f;
        AmoorW "amoor.w" Amo 0x4000_202f;
        AmominW "amomin.w" Amo 0x8000_202f;
        AmomaxW "amomax.w" Amo 0xa000_202f;
        AmominuW "amominu.w" Amo 0xc000_202f;
        AmomaxuW "amomaxu.w" Amo 0xe000_202f;
        LrD "lr.d" Lr 0x1000_302f;
        ScD "sc.d" Amo 0x1800_302f;
        AmoswapD "amoswap.d" Amo 0x0800_302f;
        AmoaddD "amoadd.d" Amo 0x0000_302f;
        AmoxorD "amoxor.d" Amo 0x2000_302f;
        AmoandD "amoand.d" Amo 0x6000_302f;
        AmoorD "amoor.d" Amo 0x4000_302f;
        AmominD "amomin.d" Amo 0x8000_302f;
        AmomaxD "amomax.d" Amo 0xa000_302f;
        AmominuD "amominu.d" Amo 0xc000_302f;
        AmomaxuD "amomaxu.d" Amo 0xe000_302f;
    }
    F {
        Flw "flw" FLoad 0x0000_2007;
        Fsw "fsw" FStore 0x0000_2027;
        FmaddS "fmadd.s" F4 0x0000_0043;
        FmsubS "fmsub.s" F4 0x0000_0047;
        FnmsubS "fnmsub.s" F4 0x0000_004b;
        FnmaddS "fnmadd.s" F4 0x0000_004f;
        FaddS "fadd.s" F2Rm 0x0000_0053;
        FsubS "fsub.s" F2Rm 0x0800_0053;
        FmulS "fmul.s" F2Rm 0x1000_0053;
        FdivS "fdiv.s" F2Rm 0x1800_0053;
        FsqrtS "fsqrt.s" F1Rm 0x5800_0053;
        FsgnjS "fsgnj.s" F2 0x2000_0053;
        FsgnjnS "fsgnjn.s" F2 0x2000_1053;
        FsgnjxS "fsgnjx.s" F2 0x2000_2053;
        FminS "fmin.s" F2 0x2800_0053;
        FmaxS "fmax.s" F2 0x2800_1053;
        FcvtWS "fcvt.w.s" FToXRm 0xc000_0053;
        FcvtWuS "fcvt.wu.s" FToXRm 0xc010_0053;
        FcvtLS "fcvt.l.s" FToXRm 0xc020_0053;
        FcvtLuS "fcvt.lu.s" FToXRm 0xc030_0053;
        FmvXW "fmv.x.w" FToX 0xe000_0053;
        FclassS "fclass.s" FToX 0xe000_1053;
        FeqS "feq.s" FCmp 0xa000_2053;
        FltS "flt.s" FCmp 0xa000_1053;
        FleS "fle.s" FCmp 0xa000_0053;
        FcvtSW "fcvt.s.w" XToFRm 0xd000_0053;
        FcvtSWu "fcvt.s.wu" XToFRm 0xd010_0053;
        FcvtSL "fcvt.s.l" XToFRm 0xd020_0053;
        FcvtSLu "fcvt.s.lu" XToFRm 0xd030_0053;
        FmvWX "fmv.w.x" XToF 0xf000_0053;
    }
    D {
        Fld "fld" FLoad 0x0000_3007;
        Fsd "fsd" FStore 0x0000_3027;
        FmaddD "fmadd.d" F4 0x0200_0043;
        FmsubD "fmsub.d" F4 0x0200_0047;
        FnmsubD "fnmsub.d" F4 0x0200_004b;
        FnmaddD "fnmadd.d" F4 0x0200_004f;
        FaddD "fadd.d" F2Rm 0x0200_0053;
        FsubD "fsub.d" F2Rm 0x0a00_0053;
        FmulD "fmul.d" F2Rm 0x1200_0053;
        FdivD "fdiv.d" F2Rm 0x1a00_0053;
        FsqrtD "fsqrt.d" F1Rm 0x5a00_0053;
        FsgnjD "fsgnj.d" F2 0x2200_0053;
        FsgnjnD "fsgnjn.d" F2 0x2200_1053;
        FsgnjxD "fsgnjx.d" F2 0x2200_2053;
        FminD "fmin.d" F2 0x2a00_0053;
        FmaxD "fmax.d" F2 0x2a00_1053;
        FcvtSD "fcvt.s.d" F1Rm 0x4010_0053;
        FcvtDS "fcvt.d.s" F1Rm 0x4200_0053;
        FcvtWD "fcvt.w.d" FToXRm 0xc200_0053;
        FcvtWuD "fcvt.wu.d" FToXRm 0xc210_0053;
        FcvtLD "fcvt.l.d" FToXRm 0xc220_0053;
        FcvtLuD "fcvt.lu.d" FToXRm 0xc230_0053;
        FmvXD "fmv.x.d" FToX 0xe200_0053;
        FclassD "fclass.d" FToX 0xe200_1053;
        FeqD "feq.d" FCmp 0xa200_2053;
        FltD "flt.d" FCmp 0xa200_1053;
        FleD "fle.d" FCmp 0xa200_0053;
        FcvtDW "fcvt.d.w" XToFRm 0xd200_0053;
        FcvtDWu "fcvt.d.wu" XToFRm 0xd210_0053;
        FcvtDL "fcvt.d.l" XToFRm 0xd220_0053;
        FcvtDLu "fcvt.d.lu" XToFRm 0xd230_0053;
        FmvDX "fmv.d.x" XToF 0xf200_0053;
    }
    Zicbom {
        CboInval "cbo.inval" Cbo 0x0000_200f;
        CboClean "cbo.clean" Cbo 0x0010_200f;
        CboFlush "cbo.flush" Cbo 0x0020_200f;
    }
    Zicboz {
        CboZero "cbo.zero" Cbo 0x0040_200f;
    }
    Zba {
        AddUw "add.uw" R 0x0800_003b;
        Sh1add "sh1add" R 0x2000_2033;
        Sh2add "sh2add" R 0x2000_4033;
        Sh3add "sh3add" R 0x2000_6033;
        Sh1addUw "sh1add.uw" R 0x2000_203b;
        Sh2addUw "sh2add.uw" R 0x2000_403b;
        Sh3addUw "sh3add.uw" R 0x2000_603b;
        SlliUw "slli.uw" Shift6 0x0800_101b;
    }
    Zbb {
        Andn "andn" R 0x4000_7033;
        Orn "orn" R 0x4000_6033;
        Xnor "xnor" R 0x4000_4033;
        Clz "clz" R1 0x6000_1013;
        Ctz "ctz" R1 0x6010_1013;
        Cpop "cpop" R1 0x6020_1013;
        Clzw "clzw" R1 0x6000_101b;
        Ctzw "ctzw" R1 0x6010_101b;
        Cpopw "cpopw" R1 0x6020_101b;
        Max "max" R 0x0a00_6033;
        Maxu "maxu" R 0x0a00_7033;
        Min "min" R 0x0a00_4033;
        Minu "minu" R 0x0a00_5033;
        SextB "sext.b" R1 0x6040_1013;
        SextH "sext.h" R1 0x6050_1013;
        ZextH "zext.h" R1 0x0800_403b;
        Rol "rol" R 0x6000_1033;
        Rolw "rolw" R 0x6000_103b;
        Ror "ror" R 0x6000_5033;
        Rori "rori" Shift6 0x6000_5013;
        Rorw "rorw" R 0x6000_503b;
        Roriw "roriw" Shift5 0x6000_501b;
        OrcB "orc.b" R1 0x2870_5013;
        Rev8 "rev8" R1 0x6b80_5013;
    }
    Zbc {
        Clmul "clmul" R 0x0a00_1033;
        Clmulh "clmulh" R 0x0a00_3033;
        Clmulr "clmulr" R 0x0a00_2033;
    }
    Zbs {
        Bclr "bclr" R 0x4800_1033;
        Bclri "bclri" Shift6 0x4800_1013;
        Bext "bext" R 0x4800_5033;
        Bexti "bexti" Shift6 0x4800_5013;
        Binv "binv" R 0x6800_1033;
        Binvi "binvi" Shift6 0x6800_1013;
        Bset "bset" R 0x2800_1033;
        Bseti "bseti" Shift6 0x2800_1013;
    }
}
