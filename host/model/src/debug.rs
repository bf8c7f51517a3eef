//! The CPU as a debugger sees it: registers by number, addresses as the running program means them, and
//! places at which to stop.
//!
//! Nothing of this is state of the simulated machine: it is saved nowhere, and a CPU that stops and is
//! run again comes to the same state as one that was not stopped.

use crate::{Exit, PhysAddr, Vcpu, VirtAddr};
use std::collections::BTreeSet;

/// Which accesses a watchpoint is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WatchKind {
    /// Loads.
    Read,
    /// Stores.
    Write,
    /// Both.
    Access,
}

impl WatchKind {
    /// Whether an access that reads, or writes, or both, is meant.
    #[must_use]
    pub const fn concerns(self, reads: bool, writes: bool) -> bool {
        match self {
            Self::Read => reads,
            Self::Write => writes,
            Self::Access => reads || writes,
        }
    }
}

/// Memory whose accesses stop the CPU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Watch {
    /// The first byte, as instructions address it.
    pub start: VirtAddr,
    /// How many bytes, at least 1.
    pub len: u64,
    /// Which accesses.
    pub kind: WatchKind,
}

impl Watch {
    /// The first watched byte that `len` bytes at `va` touch.
    #[must_use]
    pub fn overlap(&self, va: u64, len: u64) -> Option<VirtAddr> {
        let end = |start: u64, len: u64| u128::from(start) + u128::from(len);
        let start = self.start.0.max(va);
        let below = end(self.start.0, self.len).min(end(va, len));
        (u128::from(start) < below).then_some(VirtAddr(start))
    }
}

/// Where a CPU has to stop.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Points {
    /// Instructions before which it stops.
    pub breakpoints: BTreeSet<u64>,
    /// Accesses after which it stops.
    pub watches: Vec<Watch>,
}

impl Points {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.breakpoints.is_empty() && self.watches.is_empty()
    }
}

/// Why a CPU stopped for the debugger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DebugStop {
    /// Before the instruction at a breakpoint.
    Breakpoint,
    /// After an access to watched memory.
    Watchpoint {
        /// What was watched for.
        kind: WatchKind,
        /// The first watched byte that was accessed.
        addr: VirtAddr,
    },
    /// A single step ended in a trap: at the handler's first instruction, with nothing retired.
    Trapped,
}

/// What a debugger needs of a CPU besides running it.
pub trait Debuggable: Vcpu {
    /// How many registers, from number 0 on, are the general ones (with the program counter).
    const GENERAL_REGISTERS: usize;

    /// GDB's description of the registers (XML, "Target Descriptions").
    fn description() -> String;

    /// Like [`Vcpu::run`], but stops at `points` with [`Exit::Debug`]. With `step`, no breakpoint keeps the
    /// first instruction from being executed, and a trap stops too.
    fn run_debugged(&mut self, instructions: u64, points: &Points, step: bool) -> Exit;

    /// After the machine has answered an access: the watchpoint that it met.
    fn watched(&mut self) -> Option<DebugStop>;

    /// The value of a register, without the side effects that reading it has for the guest.
    fn read_register(&self, number: usize) -> Option<u64>;

    /// Changes a register as an instruction with all rights would. `false` if there is no such register or
    /// it cannot be written now.
    fn write_register(&mut self, number: usize, value: u64) -> bool;

    /// Where an address leads, by the page tables in force, whoever may access it. Nothing is changed, not
    /// even accessed and dirty bits.
    fn translate(&self, va: VirtAddr) -> Option<PhysAddr>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn watch_overlap_is_the_first_common_byte(
            start in 0u64..40, len in 1u64..12, va in 0u64..40, size in 1u64..9,
            base in prop::sample::select(vec![0, u64::MAX - 60]),
        ) {
            let watch = Watch { start: VirtAddr(base + start), len, kind: WatchKind::Access };
            let common = (start..start + len).find(|b| (va..va + size).contains(b));
            prop_assert_eq!(watch.overlap(base + va, size), common.map(|b| VirtAddr(base + b)));
        }
    }
}
