//! Control and status registers: what exists, who may access it, what a write changes.
//!
//! One function reads and one writes; the table of what is legal is their `match`. The ones that
//! other parts of the hart look at often are plain fields.

pub mod counters;
pub mod mstatus;
pub mod number;
pub mod pmp;

use crate::state::HartState;
use crate::trap::{Privilege, irq};
use counters::Counter;
use number as n;
use pmp::Pmp;

/// `misa`: RV64 with A, C, D, F, I, M, S, U. Read-only.
pub const MISA: u64 = 2 << 62
    | letter(b'A')
    | letter(b'C')
    | letter(b'D')
    | letter(b'F')
    | letter(b'I')
    | letter(b'M')
    | letter(b'S')
    | letter(b'U');

const fn letter(c: u8) -> u64 {
    1 << (c - b'A')
}

/// `menvcfg` fields (§3.1.18) that exist here.
pub mod envcfg {
    /// Fence of I/O implies memory.
    pub const FIOM: u64 = 1;
    /// Where CBIE begins: 0 trap, 1 flush, 3 invalidate.
    pub const CBIE_SHIFT: u32 = 4;
    /// `cbo.clean` and `cbo.flush` allowed below.
    pub const CBCFE: u64 = 1 << 6;
    /// `cbo.zero` allowed below.
    pub const CBZE: u64 = 1 << 7;
    /// Hardware updates A and D (Svadu).
    pub const ADUE: u64 = 1 << 61;
    /// Supervisor timer compare (Sstc).
    pub const STCE: u64 = 1 << 63;
    /// What `senvcfg` has.
    pub const SENVCFG: u64 = FIOM | 3 << CBIE_SHIFT | CBCFE | CBZE;
    /// What `menvcfg` has.
    pub const MENVCFG: u64 = SENVCFG | ADUE | STCE;
}

/// Exceptions that may be delegated: all but ecall from M (11) and reserved ones.
const MEDELEG_WRITABLE: u64 = 0xb3ff;
const MIE_WRITABLE: u64 = irq::ALL;
/// `mip` bits that software in M-mode may write.
const MIP_WRITABLE: u64 = irq::SUPERVISOR;
/// `satp` mode field.
const SATP_MODE_SHIFT: u32 = 60;

/// The control and status registers of one hart. Names are those of the specification.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(
    missing_docs,
    reason = "each field is the register of that name in the specification"
)]
pub struct Csrs {
    pub mstatus: u64,
    pub medeleg: u64,
    pub mideleg: u64,
    pub mie: u64,
    /// Derived: lines, software bits and the supervisor timer together.
    pub mip: u64,
    /// Bits of `mip` that wires drive.
    pub mip_lines: u64,
    /// Bits of `mip` that software wrote.
    pub mip_soft: u64,
    pub mtvec: u64,
    pub mcounteren: u64,
    pub menvcfg: u64,
    pub mcountinhibit: u64,
    pub mscratch: u64,
    pub mepc: u64,
    pub mcause: u64,
    pub mtval: u64,
    pub stvec: u64,
    pub scounteren: u64,
    pub senvcfg: u64,
    pub sscratch: u64,
    pub sepc: u64,
    pub scause: u64,
    pub stval: u64,
    pub stimecmp: u64,
    pub satp: u64,
    pub frm: u8,
    pub fflags: u8,
    pub cycle: Counter,
    pub instret: Counter,
    pub pmp: Pmp,
}

/// The access is an illegal instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Illegal;

/// What a CSR write may have changed beyond the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing that the hart caches.
    None,
    /// Privilege context: translation mode or interrupt enables.
    Context,
    /// Protection: every cached translation.
    Protection,
}

/// Whether the current privilege may access `csr` at all, and `write` it.
fn allowed(h: &HartState, csr: u16, write: bool) -> Result<(), Illegal> {
    let needs = u64::from(csr >> 8 & 3);
    if (h.prv as u64) < needs || (write && csr >> 10 == 3) {
        return Err(Illegal);
    }
    let below_m = h.prv < Privilege::Machine;
    let ok = match csr {
        n::FFLAGS | n::FRM | n::FCSR => h.csr.mstatus & mstatus::FS != 0,
        n::CYCLE..=n::HPMCOUNTER31 => counter_allowed(h, csr),
        n::SATP => h.prv != Privilege::Supervisor || h.csr.mstatus & mstatus::TVM == 0,
        n::STIMECMP if below_m => h.csr.menvcfg & envcfg::STCE != 0 && h.csr.mcounteren & 2 != 0,
        _ => true,
    };
    if ok { Ok(()) } else { Err(Illegal) }
}

/// §3.1.11, §4.1.5: each level above must let the counter through.
fn counter_allowed(h: &HartState, csr: u16) -> bool {
    let bit = 1u64 << (csr & 31);
    let m = h.prv == Privilege::Machine || h.csr.mcounteren & bit != 0;
    let s = h.prv > Privilege::User || h.csr.scounteren & bit != 0;
    m && s
}

/// Reads a CSR; `retired` counts the instructions before this one.
///
/// # Errors
/// When the register does not exist or this privilege may not read (or, if `write`, write) it.
pub fn read(h: &mut HartState, csr: u16, write: bool, retired: u64) -> Result<u64, Illegal> {
    allowed(h, csr, write)?;
    if csr == n::TIME {
        return Ok(h.clock.read_time(retired));
    }
    peek(h, csr, retired)
}

/// What a CSR holds, whoever may read it. Unlike [`read`] it has no side effect: `time` read by a
/// guest binds what other harts may read.
///
/// # Errors
/// When the register does not exist.
pub fn peek(h: &HartState, csr: u16, retired: u64) -> Result<u64, Illegal> {
    let c = &h.csr;
    Ok(match csr {
        n::FFLAGS => c.fflags.into(),
        n::FRM => c.frm.into(),
        n::FCSR => u64::from(c.frm) << 5 | u64::from(c.fflags),
        n::CYCLE | n::MCYCLE => c.cycle.read(h.clock.cycles(retired)),
        n::INSTRET | n::MINSTRET => c.instret.read(retired),
        n::TIME => h.clock.peek_time(retired),
        n::HPMCOUNTER3..=n::HPMCOUNTER31 | n::MHPMCOUNTER3..=n::MHPMCOUNTER31 => 0,
        n::MHPMEVENT3..=n::MHPMEVENT31 => 0,
        n::SSTATUS => mstatus::read_s(c.mstatus),
        n::SIE => c.mie & c.mideleg,
        n::STVEC => c.stvec,
        n::SCOUNTEREN => c.scounteren,
        n::SENVCFG => c.senvcfg,
        n::SSCRATCH => c.sscratch,
        n::SEPC => c.sepc,
        n::SCAUSE => c.scause,
        n::STVAL => c.stval,
        n::SIP => c.mip & c.mideleg,
        n::STIMECMP => c.stimecmp,
        n::SATP => c.satp,
        n::PMPCFG0 => c.pmp.read_cfg(0),
        n::PMPCFG2 => c.pmp.read_cfg(8),
        n::PMPADDR0..=n::PMPADDR15 => c.pmp.read_addr((csr - n::PMPADDR0).into()),
        _ => return read_machine(h, csr),
    })
}

fn read_machine(h: &HartState, csr: u16) -> Result<u64, Illegal> {
    let c = &h.csr;
    Ok(match csr {
        n::MSTATUS => mstatus::read(c.mstatus),
        n::MISA => MISA,
        n::MEDELEG => c.medeleg,
        n::MIDELEG => c.mideleg,
        n::MIE => c.mie,
        n::MTVEC => c.mtvec,
        n::MCOUNTEREN => c.mcounteren,
        n::MENVCFG => c.menvcfg,
        n::MCOUNTINHIBIT => c.mcountinhibit,
        n::MSCRATCH => c.mscratch,
        n::MEPC => c.mepc,
        n::MCAUSE => c.mcause,
        n::MTVAL => c.mtval,
        n::MIP => c.mip,
        n::MVENDORID | n::MARCHID | n::MIMPID | n::MCONFIGPTR => 0,
        n::MHARTID => h.hart_id,
        _ => return Err(Illegal),
    })
}

/// Writes a CSR that [`read`] has allowed; `retired` counts the instructions before this one.
///
/// # Errors
/// When the register does not exist.
pub fn write(h: &mut HartState, csr: u16, v: u64, retired: u64) -> Result<Effect, Illegal> {
    let next = retired.wrapping_add(1);
    match csr {
        n::FFLAGS | n::FRM | n::FCSR => write_float(h, csr, v),
        n::SSTATUS => return Ok(write_status(h, v, mstatus::SSTATUS_WRITABLE)),
        n::SIE => {
            let mask = h.csr.mideleg;
            h.csr.mie = (h.csr.mie & !mask) | (v & mask);
            return Ok(Effect::Context);
        }
        n::STVEC => h.csr.stvec = tvec(h.csr.stvec, v),
        n::SCOUNTEREN => h.csr.scounteren = v & 0xffff_ffff,
        n::SENVCFG => h.csr.senvcfg = envcfg_write(h.csr.senvcfg, v, envcfg::SENVCFG),
        n::SSCRATCH => h.csr.sscratch = v,
        n::SEPC => h.csr.sepc = v & !1,
        n::SCAUSE => h.csr.scause = v,
        n::STVAL => h.csr.stval = v,
        n::SIP => {
            // Only SSIP is writable from S, and only if delegated (§4.1.3).
            let mask = h.csr.mideleg & (1 << irq::SSI);
            h.csr.mip_soft = (h.csr.mip_soft & !mask) | (v & mask);
            h.refresh_mip(next);
            return Ok(Effect::Context);
        }
        n::STIMECMP => {
            h.csr.stimecmp = v;
            h.refresh_mip(next);
            return Ok(Effect::Context);
        }
        n::SATP => return Ok(write_satp(h, v)),
        _ => return write_machine(h, csr, v, next),
    }
    Ok(Effect::None)
}

fn write_machine(h: &mut HartState, csr: u16, v: u64, next: u64) -> Result<Effect, Illegal> {
    let cycles = h.clock.cycles(next);
    match csr {
        n::MSTATUS => return Ok(write_status(h, v, u64::MAX)),
        n::MISA | n::MHPMEVENT3..=n::MHPMEVENT31 | n::MHPMCOUNTER3..=n::MHPMCOUNTER31 => {}
        n::MEDELEG => h.csr.medeleg = v & MEDELEG_WRITABLE,
        n::MIDELEG | n::MIE | n::MIP => {
            write_interrupts(h, csr, v, next);
            return Ok(Effect::Context);
        }
        n::MTVEC => h.csr.mtvec = tvec(h.csr.mtvec, v),
        n::MCOUNTEREN => h.csr.mcounteren = v & 0xffff_ffff,
        n::MENVCFG => {
            h.csr.menvcfg = envcfg_write(h.csr.menvcfg, v, envcfg::MENVCFG);
            h.refresh_mip(next);
            return Ok(Effect::Protection);
        }
        n::MCOUNTINHIBIT => {
            h.csr.mcountinhibit = v & (counters::CY | counters::IR);
            h.csr.cycle.inhibit(v & counters::CY != 0, cycles);
            h.csr.instret.inhibit(v & counters::IR != 0, next);
        }
        n::MSCRATCH => h.csr.mscratch = v,
        n::MEPC => h.csr.mepc = v & !1,
        n::MCAUSE => h.csr.mcause = v,
        n::MTVAL => h.csr.mtval = v,
        n::MCYCLE => h.csr.cycle.write(v, cycles),
        n::MINSTRET => h.csr.instret.write(v, next),
        n::PMPCFG0 => h.csr.pmp.write_cfg(0, v),
        n::PMPCFG2 => h.csr.pmp.write_cfg(8, v),
        n::PMPADDR0..=n::PMPADDR15 => h.csr.pmp.write_addr((csr - n::PMPADDR0).into(), v),
        _ => return Err(Illegal),
    }
    let pmp = matches!(csr, n::PMPCFG0..=n::PMPADDR15);
    Ok(if pmp {
        Effect::Protection
    } else {
        Effect::None
    })
}

fn write_interrupts(h: &mut HartState, csr: u16, v: u64, next: u64) {
    match csr {
        n::MIDELEG => h.csr.mideleg = v & irq::SUPERVISOR,
        n::MIE => h.csr.mie = v & MIE_WRITABLE,
        _ => {
            h.csr.mip_soft = v & MIP_WRITABLE;
            h.refresh_mip(next);
        }
    }
}

fn write_float(h: &mut HartState, csr: u16, v: u64) {
    let [low, ..] = v.to_le_bytes();
    match csr {
        n::FFLAGS => h.csr.fflags = low & 0x1f,
        n::FRM => h.csr.frm = low & 7,
        _ => {
            h.csr.fflags = low & 0x1f;
            h.csr.frm = low >> 5;
        }
    }
    h.csr.mstatus |= mstatus::FS;
}

fn write_status(h: &mut HartState, v: u64, mask: u64) -> Effect {
    let merged = (h.csr.mstatus & !mask) | (v & mask);
    h.csr.mstatus = mstatus::write(h.csr.mstatus, merged);
    Effect::Context
}

/// A reserved mode is ignored as a whole (§4.1.11).
fn write_satp(h: &mut HartState, v: u64) -> Effect {
    if matches!(v >> SATP_MODE_SHIFT, 0 | 8 | 9 | 10) {
        h.csr.satp = v;
    }
    Effect::Context
}

/// Modes 0 and 1 exist; a write of another keeps the old mode.
const fn tvec(old: u64, v: u64) -> u64 {
    if v & 3 > 1 { (v & !3) | (old & 3) } else { v }
}

/// CBIE = 2 is reserved and leaves the field as it was.
const fn envcfg_write(old: u64, v: u64, mask: u64) -> u64 {
    let cbie = 3 << envcfg::CBIE_SHIFT;
    let v = if v >> envcfg::CBIE_SHIFT & 3 == 2 {
        (v & !cbie) | (old & cbie)
    } else {
        v
    };
    v & mask
}

/// The value that a read-modify-write of `csr` starts from: for `mip` the software bits only, since
/// a line must not stick (§3.1.9).
#[must_use]
pub const fn modify_base(h: &HartState, csr: u16, seen: u64) -> u64 {
    if csr == n::MIP { h.csr.mip_soft } else { seen }
}
