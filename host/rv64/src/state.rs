//! All state of one hart, as instructions see it.

use crate::csr::counters::HartClock;
use crate::csr::{Csrs, envcfg, mstatus};
use crate::mmu::{ContextTable, Tlbs};
use crate::trap::{Privilege, irq};
use maquette_model::{DebugStop, Frequency, MmioOp, PhysAddr, SimTime, Width};

/// The register that writes to x0 go to: the decoder renames the destination, so that the register
/// file needs no check.
pub const SINK: u8 = 32;

/// An access that the machine must answer before the hart can go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outstanding {
    /// Where.
    pub addr: PhysAddr,
    /// How wide.
    pub width: Width,
    /// Read or write.
    pub op: MmioOp,
    /// The guest-virtual address, for the fault.
    pub va: u64,
    /// What happens to the value read.
    pub load: LoadTo,
    /// The length of the instruction.
    pub len: u8,
}

/// Where a loaded value goes, and how it gets there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadTo {
    /// A store: nowhere.
    Nowhere,
    /// An integer register, zero-extended.
    Unsigned(u8),
    /// An integer register, sign-extended.
    Signed(u8),
    /// A floating-point register (NaN-boxed if narrow).
    Float(u8),
}

/// What the hart waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Waiting {
    /// Nothing.
    #[default]
    No,
    /// The answer to an access.
    Mmio(Outstanding),
    /// The answer to a firmware call (the `ecall` is four bytes long).
    Sbi,
}

/// Counters of the implementation, not of the architecture. They feed reports, never the guest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    /// Blocks entered.
    pub blocks: u64,
    /// Blocks decoded.
    pub blocks_built: u64,
    /// Blocks found in the hashed table only, not in the direct-mapped front.
    pub block_front_misses: u64,
    /// Loads and stores of the blocks entered (an upper bound where a block was left early).
    pub memory_ops: u64,
    /// Loads and stores that took the slow path.
    pub data_misses: u64,
    /// Fetch translations that took the slow path.
    pub fetch_misses: u64,
    /// Page-table walks.
    pub walks: u64,
    /// Traps taken.
    pub traps: u64,
}

/// The state of one hart.
pub struct HartState {
    /// x0 to x31; from 32 on: where writes to x0 go. The length lets an index be masked, not checked.
    pub x: [u64; 64],
    /// f0 to f31, NaN-boxed.
    pub f: [u64; 32],
    /// The next instruction; while a block runs, the start of the block.
    pub pc: u64,
    /// Current privilege.
    pub prv: Privilege,
    /// Control and status registers.
    pub csr: Csrs,
    /// Time and counters' source.
    pub clock: HartClock,
    /// Instructions retired.
    pub retired: u64,
    /// `mhartid`.
    pub hart_id: u64,
    /// The physical address that `lr` reserved.
    pub reservation: Option<u64>,
    /// What the machine owes.
    pub waiting: Waiting,
    /// `ecall` from S goes to the machine's built-in SBI.
    pub builtin_sbi: bool,
    pub(crate) tlb: Tlbs,
    pub(crate) contexts: ContextTable,
    /// Interrupt enables, pending bits or privilege changed since interrupts were last looked at.
    pub(crate) check_interrupts: bool,
    /// Position in RAM's log of code changes.
    pub(crate) code_cursor: u64,
    /// Physical address of the running block, for the words of illegal instructions.
    pub(crate) block_pa: u64,
    /// Traps taken since the last instruction retired.
    pub(crate) idle_traps: u32,
    /// `retired` at the last trap.
    pub(crate) last_trap_at: u64,
    /// The watched memory that the instruction being executed accesses. Set for debuggers only.
    pub(crate) noted: Option<Noted>,
    /// What the implementation did.
    pub profile: Profile,
}

/// An access to watched memory that has yet to complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    pub(crate) stop: DebugStop,
    /// Instructions retired before it.
    pub(crate) retired: u64,
    /// It does not count if this register is not 0 afterwards.
    pub(crate) unless: Option<u8>,
}

impl HartState {
    /// A hart at its reset state: M-mode, pc 0.
    #[must_use]
    pub fn new(hart_id: u64, clock: HartClock) -> Self {
        let mut h = Self {
            x: [0; 64],
            f: [0; 32],
            pc: 0,
            prv: Privilege::Machine,
            csr: Csrs::default(),
            clock,
            retired: 0,
            hart_id,
            reservation: None,
            waiting: Waiting::No,
            builtin_sbi: false,
            tlb: Tlbs::new(),
            contexts: ContextTable::default(),
            check_interrupts: true,
            code_cursor: 0,
            block_pa: 0,
            idle_traps: 0,
            last_trap_at: u64::MAX,
            noted: None,
            profile: Profile::default(),
        };
        h.csr.stimecmp = u64::MAX;
        h.context_changed();
        h
    }

    /// Default clock: 1 GHz, one cycle an instruction, a 10 MHz timebase.
    #[must_use]
    pub const fn default_clock() -> HartClock {
        HartClock::new(
            Frequency::from_hz(1_000_000_000),
            (1, 1),
            Frequency::from_hz(10_000_000),
        )
    }

    /// Register `x<i>`.
    #[must_use]
    #[inline(always)]
    pub fn reg(&self, i: u8) -> u64 {
        self.x[usize::from(i & 63)]
    }

    /// Sets register `i`, which is 32 (a register that nobody reads) where the instruction says x0.
    #[inline(always)]
    pub fn set_reg(&mut self, i: u8, v: u64) {
        self.x[usize::from(i & 63)] = v;
    }

    /// The privilege of data accesses (§3.1.6.3).
    #[must_use]
    pub fn data_privilege(&self) -> Privilege {
        if self.csr.mstatus & mstatus::MPRV == 0 {
            return self.prv;
        }
        Privilege::from_bits(self.csr.mstatus >> mstatus::MPP_SHIFT & 3).unwrap_or(Privilege::User)
    }

    /// To be called after anything that translation or interrupt delivery depends on has changed.
    pub(crate) fn context_changed(&mut self) {
        self.check_interrupts = true;
        let base = self.contexts.slot(self.csr.satp, &mut self.tlb);
        self.tlb
            .select(base, self.prv, self.data_privilege(), self.csr.mstatus);
    }

    /// Forgets every cached translation.
    pub(crate) fn flush_translations(&mut self) {
        self.tlb.flush();
        self.context_changed();
    }

    /// Recomputes `mip` from its sources; `retired` places the timer.
    pub(crate) fn refresh_mip(&mut self, retired: u64) {
        let c = &mut self.csr;
        let mut mip = c.mip_lines | c.mip_soft;
        if c.menvcfg & envcfg::STCE != 0 {
            let due = self.clock.own_ticks(retired) >= c.stimecmp;
            mip = (mip & !(1 << irq::STI)) | u64::from(due) << irq::STI;
        }
        if mip != c.mip {
            c.mip = mip;
            self.check_interrupts = true;
        }
    }

    /// When the supervisor timer fires, or `MAX`.
    #[must_use]
    pub fn timer_deadline(&self) -> SimTime {
        let armed = self.csr.menvcfg & envcfg::STCE != 0 && self.csr.mip & (1 << irq::STI) == 0;
        if armed {
            self.clock.time_of_tick(self.csr.stimecmp)
        } else {
            SimTime::MAX
        }
    }
}
