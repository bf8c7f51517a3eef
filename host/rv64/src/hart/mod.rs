//! One hart as a [`Vcpu`]: state and engine, joined to the machine's RAM.

mod debug;
mod inspect;
pub mod registers;
mod snapshot;

use crate::csr::counters::HartClock;
use crate::csr::{envcfg, mstatus};
use crate::interp::{BlockExec, BlockExit, Interpreter, raise};
use crate::mmu;
use crate::state::{HartState, Waiting};
use crate::trap::{Exception, Privilege, cause, irq};
use maquette_model::{
    Answer, CpuLine, Exit, Fail, HypercallArgs, MmioOp, PhysAddr, Ram, SimTime, Vcpu,
};
use std::rc::Rc;

/// Register numbers of the calling convention.
const A0: u8 = 10;
const A1: u8 = 11;
const A2: u8 = 12;
const A6: u8 = 16;
const A7: u8 = 17;

/// A hart with its engine.
pub struct Hart<E: BlockExec = Interpreter> {
    state: HartState,
    engine: E,
    ram: Rc<Ram>,
    /// Found when the machine answered an access; said when the hart is next to run.
    failed: Option<Fail>,
}

impl Hart<Interpreter> {
    /// A hart in M-mode at pc 0, executing blocks of at most `block_limit` instructions.
    #[must_use]
    pub fn new(id: u64, clock: HartClock, ram: Rc<Ram>, block_limit: u16) -> Self {
        Self::with_engine(id, clock, ram, Interpreter::new(block_limit))
    }
}

impl<E: BlockExec> Hart<E> {
    /// A hart with an engine of the caller's.
    #[must_use]
    pub fn with_engine(id: u64, clock: HartClock, ram: Rc<Ram>, engine: E) -> Self {
        let mut state = HartState::new(id, clock);
        state.code_cursor = ram.code_cursor();
        Self {
            state,
            engine,
            ram,
            failed: None,
        }
    }

    /// The state, for debuggers, reports and tests.
    #[must_use]
    pub const fn state(&self) -> &HartState {
        &self.state
    }

    /// The state, to set up a start. Translations and interrupts are looked at anew afterwards.
    pub fn set_up(&mut self, f: impl FnOnce(&mut HartState)) {
        f(&mut self.state);
        self.state.flush_translations();
        self.state.refresh_mip(self.state.retired);
    }

    /// Returns to the reset state, keeping time and the instruction count.
    pub fn reset(&mut self) {
        let old = &self.state;
        let mut fresh = HartState::new(old.hart_id, old.clock);
        fresh.retired = old.retired;
        fresh.csr.mip_lines = old.csr.mip_lines;
        fresh.profile = old.profile;
        fresh.code_cursor = self.ram.code_cursor();
        self.state = fresh;
        self.failed = None;
        self.engine.clear();
    }

    /// Starts in M-mode at `pc`, as a reset vector leaves it: a0 = hart id, a1 = `dtb`.
    pub fn start_bare(&mut self, pc: u64, dtb: u64) {
        self.set_up(|h| {
            h.pc = pc;
            h.prv = Privilege::Machine;
            h.set_reg(A0, h.hart_id);
            h.set_reg(A1, dtb);
        });
    }

    /// Starts firmware in M-mode at `pc`: as [`Self::start_bare`], with a2 = `info`.
    pub fn start_firmware(&mut self, pc: u64, dtb: u64, info: u64) {
        self.start_bare(pc, dtb);
        self.set_up(|h| h.set_reg(A2, info));
    }

    /// Starts in S-mode at `pc` under the built-in SBI, with a1 = `opaque`: what firmware sets up, and
    /// nothing that firmware would be asked for.
    pub fn start_supervisor(&mut self, pc: u64, opaque: u64) {
        self.set_up(|h| {
            h.builtin_sbi = true;
            h.prv = Privilege::Supervisor;
            h.pc = pc;
            h.set_reg(A0, h.hart_id);
            h.set_reg(A1, opaque);
            let c = &mut h.csr;
            c.satp = 0;
            c.mstatus &= !(mstatus::SIE | mstatus::MPRV);
            // All exceptions but ecall from S (which the machine answers before it traps).
            c.medeleg = 0xb1ff;
            c.mideleg = irq::SUPERVISOR;
            c.mcounteren = 0xffff_ffff;
            c.menvcfg = envcfg::STCE | envcfg::CBCFE | envcfg::CBZE | 3 << envcfg::CBIE_SHIFT;
            c.pmp.write_addr(0, u64::MAX);
            c.pmp.write_cfg(0, 0x1f);
        });
    }

    /// Whether `lr` has reserved an address that `sc` has not used yet.
    #[must_use]
    pub const fn is_reserving(&self) -> bool {
        self.state.reservation.is_some()
    }

    /// Loses the reservation of `lr`: another hart has run.
    pub const fn clear_reservation(&mut self) {
        self.state.reservation = None;
    }

    /// The largest time that this hart knows to have been read.
    #[must_use]
    pub const fn time_floor(&self) -> SimTime {
        self.state.clock.floor()
    }

    /// Tells the hart what time other harts have read.
    pub fn raise_time_floor(&mut self, floor: SimTime) {
        self.state.clock.raise_floor(floor);
    }

    /// Translates an address as a load of the supervisor would.
    pub fn probe(&mut self, va: u64) -> Option<PhysAddr> {
        mmu::probe(&mut self.state, &self.ram, va)
    }

    /// Executes `sfence.vma` or `fence.i` on behalf of another hart.
    pub fn remote_fence(&mut self) {
        self.state.flush_translations();
    }

    /// Sets or clears software-writable bits of `mip`, as M-mode firmware would.
    pub fn set_soft_irq(&mut self, line: CpuLine, level: bool) {
        let bit = 1u64 << (line.0 & 63) & irq::SUPERVISOR;
        let h = &mut self.state;
        h.csr.mip_soft = if level {
            h.csr.mip_soft | bit
        } else {
            h.csr.mip_soft & !bit
        };
        h.refresh_mip(h.retired);
    }

    /// Sets the supervisor timer on behalf of a firmware call.
    pub fn set_timer(&mut self, ticks: u64) {
        let h = &mut self.state;
        h.csr.stimecmp = ticks;
        h.refresh_mip(h.retired);
    }

    /// What the machine must answer now.
    fn outstanding(&self) -> Option<Exit> {
        match self.state.waiting {
            Waiting::No => None,
            Waiting::Mmio(m) => Some(Exit::Mmio {
                addr: m.addr,
                width: m.width,
                op: m.op,
            }),
            Waiting::Sbi => {
                let r = |i| self.state.reg(i);
                Some(Exit::Sbi(HypercallArgs {
                    extension: r(A7),
                    function: r(A6),
                    args: [r(A0), r(A1), r(12), r(13), r(14), r(15)],
                }))
            }
        }
    }

    fn finish_mmio(&mut self, m: crate::state::Outstanding, answer: Answer) {
        let h = &mut self.state;
        match answer {
            Answer::Value(v) => m.load.deliver(h, m.width, v),
            Answer::Fault(_) => {
                let store = matches!(m.op, MmioOp::Write(_));
                let cause = if store {
                    cause::STORE_ACCESS
                } else {
                    cause::LOAD_ACCESS
                };
                if let Some(BlockExit::Fail(f)) = raise(h, Exception { cause, tval: m.va }) {
                    self.failed = Some(f);
                }
                return;
            }
            _ => {}
        }
        h.pc = h.pc.wrapping_add(m.len.into());
        h.retired += 1;
    }
}

impl<E: BlockExec> Hart<E> {
    /// Executes by means of `run`, which is one of the engine's ways, until it gives a reason to stop.
    #[inline]
    fn drive(
        &mut self,
        instructions: u64,
        mut run: impl FnMut(&mut E, &mut HartState, &Ram, u64) -> (u64, BlockExit),
    ) -> Exit {
        if let Some(asked) = self.outstanding() {
            return asked;
        }
        if let Some(f) = &self.failed {
            return Exit::Fail(f.clone());
        }
        let end = self.state.retired.saturating_add(instructions);
        loop {
            let h = &mut self.state;
            h.refresh_mip(h.retired);
            let left = end - h.retired;
            if left == 0 {
                return Exit::Limit;
            }
            let timer = h.clock.instructions_until(h.retired, h.timer_deadline());
            let (_, exit) = run(&mut self.engine, h, &self.ram, left.min(timer.max(1)));
            match exit {
                BlockExit::Limit | BlockExit::Reschedule => {}
                BlockExit::Waiting => {
                    if let Some(asked) = self.outstanding() {
                        return asked;
                    }
                }
                BlockExit::Wfi => return Exit::Wfi,
                BlockExit::Pause => return Exit::Pause,
                BlockExit::Debug(stop) => return Exit::Debug(stop),
                BlockExit::Fail(f) => return Exit::Fail(f),
            }
        }
    }
}

impl<E: BlockExec> Vcpu for Hart<E> {
    fn run(&mut self, instructions: u64) -> Exit {
        self.drive(instructions, |engine, h, ram, most| {
            engine.run(h, ram, most)
        })
    }

    fn finish(&mut self, answer: Answer) {
        match core::mem::take(&mut self.state.waiting) {
            Waiting::No => {}
            Waiting::Mmio(m) => self.finish_mmio(m, answer),
            Waiting::Sbi => {
                let h = &mut self.state;
                if let Answer::Sbi { a0, a1 } = answer {
                    h.set_reg(A0, a0);
                    if let Some(a1) = a1 {
                        h.set_reg(A1, a1);
                    }
                }
                h.pc = h.pc.wrapping_add(4);
                h.retired += 1;
            }
        }
    }

    fn set_irq(&mut self, line: CpuLine, level: bool) {
        let bit = 1u64 << (line.0 & 63) & irq::ALL;
        let h = &mut self.state;
        h.csr.mip_lines = if level {
            h.csr.mip_lines | bit
        } else {
            h.csr.mip_lines & !bit
        };
        h.refresh_mip(h.retired);
    }

    fn wakes(&self) -> bool {
        self.state.csr.mip & self.state.csr.mie != 0
    }

    fn time(&self) -> SimTime {
        self.state.clock.now(self.state.retired)
    }

    fn skip_to(&mut self, t: SimTime) {
        let h = &mut self.state;
        h.clock.skip_to(h.retired, t);
        h.refresh_mip(h.retired);
    }

    fn timer_deadline(&self) -> SimTime {
        self.state.timer_deadline()
    }

    fn instructions_until(&self, t: SimTime) -> u64 {
        self.state.clock.instructions_until(self.state.retired, t)
    }

    fn retired(&self) -> u64 {
        self.state.retired
    }

    fn pc(&self) -> u64 {
        self.state.pc
    }
}
