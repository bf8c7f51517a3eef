//! The CPU as a machine sees it: run for a while, stop for a reason, take an answer, go on.

use crate::{BusError, DebugStop, PhysAddr, SimTime, Snapshot, Width};
use core::fmt;

/// What an MMIO exit wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MmioOp {
    /// Read; answered by [`Answer::Value`].
    Read,
    /// Write this value; answered by [`Answer::Done`].
    Write(u64),
}

/// The registers of a call from supervisor to firmware (RISC-V SBI: a7, a6, a0 to a5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HypercallArgs {
    /// Extension id (a7).
    pub extension: u64,
    /// Function id (a6).
    pub function: u64,
    /// Arguments (a0 to a5).
    pub args: [u64; 6],
}

/// Why the CPU cannot go on at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fail {
    /// The trap handler itself traps, for ever: no instruction can retire.
    TrapLoop {
        /// Where the handler was expected.
        pc: u64,
        /// The cause that repeats.
        cause: u64,
        /// The trap value.
        tval: u64,
    },
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrapLoop { pc, cause, tval } => write!(
                f,
                "trap loop: the trap handler at pc {pc:#x} itself traps for ever (cause {cause}, tval {tval:#x})"
            ),
        }
    }
}

/// Why [`Vcpu::run`] returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The budget is used up.
    Limit,
    /// An access outside RAM; answer with [`Vcpu::finish`].
    Mmio {
        /// Where.
        addr: PhysAddr,
        /// How wide.
        width: Width,
        /// Read or write.
        op: MmioOp,
    },
    /// A call into firmware that the machine answers; answer with [`Vcpu::finish`].
    Sbi(HypercallArgs),
    /// The CPU sleeps until an interrupt is pending.
    Wfi,
    /// The CPU hints that another one should run (a spin loop); nothing is outstanding.
    Pause,
    /// A stop that the debugger asked for.
    Debug(DebugStop),
    /// The CPU cannot go on.
    Fail(Fail),
}

/// The machine's answer to an exit that asked something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A write was done.
    Done,
    /// A read gave this value.
    Value(u64),
    /// The access failed.
    Fault(BusError),
    /// A firmware call returned: a0 and, unless it was a legacy call, a1.
    Sbi {
        /// Goes to a0.
        a0: u64,
        /// Goes to a1.
        a1: Option<u64>,
    },
    /// Control goes elsewhere: a hart was started or resumed with these registers.
    Nothing,
}

/// An interrupt input of a CPU. The meaning of a number is the CPU's (for RISC-V the bit in `mip`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CpuLine(pub u8);

/// A virtual CPU.
///
/// # Exactness
///
/// `run(n)` retires exactly `n` instructions, or returns earlier with an exit other than
/// [`Exit::Limit`]. Interrupts are taken only when `run` is entered or directly after the instruction
/// that enables them, so the machine decides by its budgets where an interrupt lands.
pub trait Vcpu: Snapshot {
    /// Executes until an exit, for at most `instructions`.
    fn run(&mut self, instructions: u64) -> Exit;
    /// Completes the outstanding access or call. Without one it does nothing.
    fn finish(&mut self, answer: Answer);
    /// Drives an interrupt input.
    fn set_irq(&mut self, line: CpuLine, level: bool);
    /// Whether an interrupt is pending and enabled in a way that ends a wait.
    fn wakes(&self) -> bool;
    /// The CPU's own time: how far it has come.
    fn time(&self) -> SimTime;
    /// Moves the CPU's own time forward without executing (idle). Never moves it back.
    fn skip_to(&mut self, t: SimTime);
    /// The next time at which the CPU raises an interrupt by itself (its private timer), or `MAX`.
    fn timer_deadline(&self) -> SimTime;
    /// How many instructions fit before the CPU's own time reaches `t`: the smallest `n` after which
    /// `time() >= t`.
    fn instructions_until(&self, t: SimTime) -> u64;
    /// Instructions retired since the first reset.
    fn retired(&self) -> u64;
    /// The program counter, for messages.
    fn pc(&self) -> u64;
}
