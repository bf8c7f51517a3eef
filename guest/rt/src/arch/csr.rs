//! Control and status registers by number (RISC-V privileged 20240411 chapter 2).

use core::arch::asm;

/// The register with number `N`.
#[derive(Clone, Copy, Debug)]
pub struct Csr<const N: usize>;

impl<const N: usize> Csr<N> {
    /// Reads it.
    #[must_use]
    #[inline(always)]
    pub fn read(self) -> usize {
        let v: usize;
        // SAFETY: a read changes nothing but the destination.
        unsafe { asm!("csrr {}, {}", out(reg) v, const N, options(nostack)) };
        v
    }

    /// Writes it.
    #[inline(always)]
    pub fn write(self, v: usize) {
        // SAFETY: the program owns the machine; see "what is not here" of this crate.
        unsafe { asm!("csrw {}, {}", const N, in(reg) v, options(nostack)) };
    }

    /// Sets bits and returns the old value.
    #[inline(always)]
    pub fn set(self, bits: usize) -> usize {
        let v: usize;
        // SAFETY: as for `write`.
        unsafe { asm!("csrrs {}, {}, {}", out(reg) v, const N, in(reg) bits, options(nostack)) };
        v
    }

    /// Clears bits and returns the old value.
    #[inline(always)]
    pub fn clear(self, bits: usize) -> usize {
        let v: usize;
        // SAFETY: as for `write`.
        unsafe { asm!("csrrc {}, {}, {}", out(reg) v, const N, in(reg) bits, options(nostack)) };
        v
    }
}

macro_rules! csrs {
    ($($name:ident = $number:literal;)*) => {
        $(#[doc = concat!("CSR ", stringify!($number), ".")]
        pub const $name: Csr<$number> = Csr;)*
    };
}

csrs! {
    CYCLE = 0xc00; TIME = 0xc01; INSTRET = 0xc02;
    SSTATUS = 0x100; SIE = 0x104; STVEC = 0x105; SCOUNTEREN = 0x106; SENVCFG = 0x10a;
    SSCRATCH = 0x140; SEPC = 0x141; SCAUSE = 0x142; STVAL = 0x143; SIP = 0x144;
    STIMECMP = 0x14d; SATP = 0x180;
    MSTATUS = 0x300; MISA = 0x301; MEDELEG = 0x302; MIDELEG = 0x303; MIE = 0x304; MTVEC = 0x305;
    MCOUNTEREN = 0x306; MENVCFG = 0x30a; MCOUNTINHIBIT = 0x320;
    MSCRATCH = 0x340; MEPC = 0x341; MCAUSE = 0x342; MTVAL = 0x343; MIP = 0x344;
    PMPCFG0 = 0x3a0; PMPCFG2 = 0x3a2;
    PMPADDR0 = 0x3b0; PMPADDR1 = 0x3b1; PMPADDR2 = 0x3b2; PMPADDR3 = 0x3b3;
    MCYCLE = 0xb00; MINSTRET = 0xb02; MHARTID = 0xf14;
}

/// `sstatus.SIE`.
pub const SSTATUS_SIE: usize = 1 << 1;
/// `mstatus.MIE`.
pub const MSTATUS_MIE: usize = 1 << 3;
/// `mstatus.MPP`.
pub const MSTATUS_MPP: usize = 3 << 11;
/// `mstatus.MPP` shift.
pub const MSTATUS_MPP_SHIFT: usize = 11;
/// `mstatus.MPRV`: loads and stores use the privilege in MPP.
pub const MSTATUS_MPRV: usize = 1 << 17;
/// `mstatus.SUM`: S-mode may use user pages.
pub const MSTATUS_SUM: usize = 1 << 18;
/// `mstatus.MXR`: executable pages are readable.
pub const MSTATUS_MXR: usize = 1 << 19;
/// Supervisor software interrupt, in `mip`, `mie`, `mideleg`, `sip`, `sie`.
pub const SSI: usize = 1 << 1;
/// Machine software interrupt.
pub const MSI: usize = 1 << 3;
/// Supervisor timer interrupt.
pub const STI: usize = 1 << 5;
/// Machine timer interrupt.
pub const MTI: usize = 1 << 7;
/// Supervisor external interrupt.
pub const SEI: usize = 1 << 9;
/// Machine external interrupt.
pub const MEI: usize = 1 << 11;
/// `menvcfg.ADUE`: the hart sets A and D bits by itself (Svadu).
pub const MENVCFG_ADUE: usize = 1 << 61;
/// `menvcfg.STCE`: S-mode has `stimecmp` (Sstc).
pub const MENVCFG_STCE: usize = 1 << 63;
/// `satp.MODE` for Sv39.
pub const SATP_SV39: usize = 8 << 60;
/// `satp.MODE` for Sv48.
pub const SATP_SV48: usize = 9 << 60;
/// `satp.MODE` for Sv57.
pub const SATP_SV57: usize = 10 << 60;
