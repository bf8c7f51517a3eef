//! Privilege levels, exceptions, interrupts, and how a trap is taken and returned from.
//!
//! Privileged ISA 1.13, §3.1.6 (mstatus), §3.1.8 (delegation), §3.1.9 (interrupt order), §3.3.2 (xRET).

use crate::csr::mstatus;
use crate::state::HartState;

/// A privilege level, in the encoding of `mstatus.MPP`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Privilege {
    /// User.
    User = 0,
    /// Supervisor.
    Supervisor = 1,
    /// Machine.
    Machine = 3,
}

impl Privilege {
    /// Decodes two bits; the reserved value 2 gives `None`.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        match bits {
            0 => Some(Self::User),
            1 => Some(Self::Supervisor),
            3 => Some(Self::Machine),
            _ => None,
        }
    }
}

/// Exception codes of `mcause` (§3.1.15).
pub mod cause {
    /// Instruction access fault.
    pub const FETCH_ACCESS: u64 = 1;
    /// Illegal instruction.
    pub const ILLEGAL: u64 = 2;
    /// Breakpoint.
    pub const BREAKPOINT: u64 = 3;
    /// Load address misaligned.
    pub const LOAD_MISALIGNED: u64 = 4;
    /// Load access fault.
    pub const LOAD_ACCESS: u64 = 5;
    /// Store or AMO address misaligned.
    pub const STORE_MISALIGNED: u64 = 6;
    /// Store or AMO access fault.
    pub const STORE_ACCESS: u64 = 7;
    /// Environment call from U-mode; + 1 from S-mode, + 3 from M-mode.
    pub const ECALL_FROM_U: u64 = 8;
    /// Instruction page fault.
    pub const FETCH_PAGE: u64 = 12;
    /// Load page fault.
    pub const LOAD_PAGE: u64 = 13;
    /// Store or AMO page fault.
    pub const STORE_PAGE: u64 = 15;
    /// Set in `mcause` for interrupts.
    pub const INTERRUPT: u64 = 1 << 63;
}

/// Bits of `mip` and `mie`.
pub mod irq {
    /// Supervisor software interrupt.
    pub const SSI: u8 = 1;
    /// Machine software interrupt.
    pub const MSI: u8 = 3;
    /// Supervisor timer interrupt.
    pub const STI: u8 = 5;
    /// Machine timer interrupt.
    pub const MTI: u8 = 7;
    /// Supervisor external interrupt.
    pub const SEI: u8 = 9;
    /// Machine external interrupt.
    pub const MEI: u8 = 11;
    /// From the most to the least urgent (§3.1.9).
    pub const ORDER: [u8; 6] = [MEI, MSI, MTI, SEI, SSI, STI];
    /// The interrupts that exist here.
    pub const ALL: u64 = 1 << SSI | 1 << MSI | 1 << STI | 1 << MTI | 1 << SEI | 1 << MEI;
    /// Those that belong to the supervisor.
    pub const SUPERVISOR: u64 = 1 << SSI | 1 << STI | 1 << SEI;
}

/// A synchronous exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception {
    /// One of [`cause`].
    pub cause: u64,
    /// What `xtval` will hold.
    pub tval: u64,
}

impl Exception {
    /// An illegal instruction; `word` are its bits.
    #[must_use]
    pub const fn illegal(word: u32) -> Self {
        Self {
            cause: cause::ILLEGAL,
            tval: word as u64,
        }
    }
}

/// Enters the handler of an exception; `h.pc` is the pc of the instruction that raised it.
pub(crate) fn take_exception(h: &mut HartState, e: Exception) {
    let delegated = h.csr.medeleg >> (e.cause & 63) & 1 == 1 && h.prv < Privilege::Machine;
    enter(h, e.cause, e.tval, delegated);
}

/// The most urgent interrupt that may be taken now, as (number, to supervisor).
pub(crate) fn interrupt_to_take(h: &HartState) -> Option<(u8, bool)> {
    let pending = h.csr.mip & h.csr.mie;
    if pending == 0 {
        return None;
    }
    let m_on = h.prv < Privilege::Machine || h.csr.mstatus & mstatus::MIE != 0;
    let s_on = h.prv < Privilege::Supervisor
        || (h.prv == Privilege::Supervisor && h.csr.mstatus & mstatus::SIE != 0);
    let to_m = if m_on { pending & !h.csr.mideleg } else { 0 };
    let to_s = if s_on { pending & h.csr.mideleg } else { 0 };
    let (set, supervisor) = if to_m != 0 {
        (to_m, false)
    } else {
        (to_s, true)
    };
    irq::ORDER
        .into_iter()
        .find(|n| set >> n & 1 == 1)
        .map(|n| (n, supervisor))
}

/// Enters the handler of interrupt `n`.
pub(crate) fn take_interrupt(h: &mut HartState, n: u8, supervisor: bool) {
    enter(h, cause::INTERRUPT | u64::from(n), 0, supervisor);
}

fn enter(h: &mut HartState, cause: u64, tval: u64, supervisor: bool) {
    let s = h.csr.mstatus;
    h.reservation = None;
    let tvec = if supervisor {
        h.csr.scause = cause;
        h.csr.sepc = h.pc;
        h.csr.stval = tval;
        let mut n = s & !(mstatus::SIE | mstatus::SPIE | mstatus::SPP);
        n |= if s & mstatus::SIE != 0 {
            mstatus::SPIE
        } else {
            0
        };
        n |= if h.prv == Privilege::Supervisor {
            mstatus::SPP
        } else {
            0
        };
        h.csr.mstatus = n;
        h.prv = Privilege::Supervisor;
        h.csr.stvec
    } else {
        h.csr.mcause = cause;
        h.csr.mepc = h.pc;
        h.csr.mtval = tval;
        let mut n = s & !(mstatus::MIE | mstatus::MPIE | mstatus::MPP);
        n |= if s & mstatus::MIE != 0 {
            mstatus::MPIE
        } else {
            0
        };
        n |= (h.prv as u64) << mstatus::MPP_SHIFT;
        h.csr.mstatus = n;
        h.prv = Privilege::Machine;
        h.csr.mtvec
    };
    let vectored = tvec & 3 == 1 && cause & cause::INTERRUPT != 0;
    let base = tvec & !3;
    h.pc = if vectored {
        base.wrapping_add((cause & 63) * 4)
    } else {
        base
    };
    h.context_changed();
}

/// `mret` (§3.3.2), after its privilege has been checked.
pub(crate) fn mret(h: &mut HartState) {
    let s = h.csr.mstatus;
    let to = Privilege::from_bits(s >> mstatus::MPP_SHIFT & 3).unwrap_or(Privilege::User);
    let mut n = s & !(mstatus::MIE | mstatus::MPP) | mstatus::MPIE;
    n |= if s & mstatus::MPIE != 0 {
        mstatus::MIE
    } else {
        0
    };
    h.pc = h.csr.mepc;
    return_to(h, to, n);
}

/// `sret` (§3.3.2), after its privilege has been checked.
pub(crate) fn sret(h: &mut HartState) {
    let s = h.csr.mstatus;
    let to = if s & mstatus::SPP != 0 {
        Privilege::Supervisor
    } else {
        Privilege::User
    };
    let mut n = s & !(mstatus::SIE | mstatus::SPP) | mstatus::SPIE;
    n |= if s & mstatus::SPIE != 0 {
        mstatus::SIE
    } else {
        0
    };
    h.pc = h.csr.sepc;
    return_to(h, to, n);
}

fn return_to(h: &mut HartState, to: Privilege, status: u64) {
    // §3.1.6.3: a return to a mode below M clears MPRV.
    let keep = if to == Privilege::Machine {
        u64::MAX
    } else {
        !mstatus::MPRV
    };
    h.csr.mstatus = status & keep;
    h.prv = to;
    h.context_changed();
}
