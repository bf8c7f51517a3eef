//! A hart as a debugger sees it.

use super::Hart;
use super::registers::{self, Register};
use crate::csr::{self, Effect};
use crate::interp::{BlockExec, DebugExec, take_noted};
use crate::mmu::{Walk, WalkEnd, inspect};
use crate::state::{HartState, Waiting};
use crate::trap::Privilege;
use maquette_model::{DebugStop, Debuggable, Exit, PhysAddr, Points, VirtAddr};

/// CSR addresses with both bits 11:10 set are read-only (privileged ISA §2.1).
const READ_ONLY: u16 = 3;

impl<E: BlockExec> Hart<E> {
    /// Walks the page tables in force for `va`, changing nothing.
    #[must_use]
    pub fn walk(&self, va: VirtAddr) -> Walk {
        inspect(&self.state, &self.ram, va)
    }
}

impl<E: DebugExec> Debuggable for Hart<E> {
    const GENERAL_REGISTERS: usize = registers::GENERAL;

    fn description() -> String {
        registers::description()
    }

    fn run_debugged(&mut self, instructions: u64, points: &Points, step: bool) -> Exit {
        if let Some(stop) = self.watched() {
            return Exit::Debug(stop);
        }
        self.drive(instructions, |engine, h, ram, most| {
            engine.run_debugged(h, ram, most, points, step)
        })
    }

    fn watched(&mut self) -> Option<DebugStop> {
        take_noted(&mut self.state)
    }

    fn read_register(&self, number: usize) -> Option<u64> {
        let h = &self.state;
        match Register::from_number(number)? {
            Register::Integer(i) => Some(h.reg(i)),
            Register::Pc => Some(h.pc),
            Register::Float(i) => h.f.get(usize::from(i)).copied(),
            Register::Csr(address) => csr::peek(h, address, h.retired).ok(),
            Register::Privilege => Some(h.prv as u64),
        }
    }

    fn write_register(&mut self, number: usize, value: u64) -> bool {
        let h = &mut self.state;
        let Some(register) = Register::from_number(number) else {
            return false;
        };
        match register {
            Register::Integer(0) => return value == 0,
            Register::Integer(i) => h.set_reg(i, value),
            // The instruction that waits for its answer will move pc.
            Register::Pc if h.waiting != Waiting::No => return false,
            Register::Pc => h.pc = value & !1,
            Register::Float(i) => match h.f.get_mut(usize::from(i)) {
                Some(f) => *f = value,
                None => return false,
            },
            Register::Csr(address) => return write_csr(h, address, value),
            Register::Privilege => match Privilege::from_bits(value) {
                Some(prv) => {
                    h.prv = prv;
                    h.context_changed();
                }
                None => return false,
            },
        }
        true
    }

    fn translate(&self, va: VirtAddr) -> Option<PhysAddr> {
        match self.walk(va).end {
            WalkEnd::Mapped(pa) => Some(pa),
            _ => None,
        }
    }
}

fn write_csr(h: &mut HartState, address: u16, value: u64) -> bool {
    if address >> 10 == READ_ONLY {
        return false;
    }
    // Counts as if the instruction before had written.
    match csr::write(h, address, value, h.retired.wrapping_sub(1)) {
        Ok(Effect::None) => true,
        Ok(Effect::Context) => {
            h.context_changed();
            true
        }
        Ok(Effect::Protection) => {
            h.flush_translations();
            true
        }
        Err(_) => false,
    }
}
