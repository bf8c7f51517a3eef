//! What a guest's drivers do wrong while they are brought up: registers that nobody models, loops on a
//! register that never changes, interrupts that storm or are lost.
//!
//! Everything here is counted from what the guest does and from virtual time, so that equal runs say
//! the same. It watches, and can change nothing; it is no part of the trace hash.

mod lost;
mod polling;
mod storm;
mod thresholds;
mod unimplemented;

pub use lost::{LOST_AFTER, Lost, Mode};
pub use polling::{SPIN_READS, Spin};
pub use storm::{STORM_CLAIMS, STORM_WINDOW, Storm};
pub use thresholds::Thresholds;
pub use unimplemented::{UNIMPLEMENTED_KEPT, Unimplemented};

use maquette_model::{LoadError, PhysAddr, Reader, SimTime, Writer};

/// An access of a hart, when it has been answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) hart: usize,
    pub(crate) pc: u64,
    pub(crate) addr: PhysAddr,
    /// Of a read that was answered: the value.
    pub(crate) value: Option<u64>,
    pub(crate) write: bool,
    /// Whether a model has a register there.
    pub(crate) implemented: bool,
    /// The interrupt source of the device at the address.
    pub(crate) source: Option<u32>,
}

/// What has been noticed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics {
    /// The user's; no state.
    pub(crate) thresholds: Thresholds,
    pub(crate) unimplemented: unimplemented::Registers,
    pub(crate) polling: polling::Polling,
    pub(crate) storms: storm::Storms,
    pub(crate) lost: lost::Outputs,
}

impl Diagnostics {
    /// A hart has accessed a device, or an address where none is.
    pub(crate) fn access(&mut self, a: &Access) {
        if !a.implemented {
            self.unimplemented.touched(a);
        }
        self.polling.access(a, self.thresholds.spin_reads);
        if let Some(source) = a.source {
            self.storms.accessed(source);
        }
    }

    /// A hart has claimed `source`.
    pub(crate) fn claimed(&mut self, source: u32, now: SimTime, at: (usize, u64)) {
        self.storms.claimed(source, now, at, &self.thresholds);
    }

    /// The PLIC's output to a hart has changed; `pc` is the hart's.
    pub(crate) fn output(&mut self, to: (usize, Mode), level: bool, now: SimTime, pc: u64) {
        let after = self.thresholds.lost_after;
        self.lost.changed(to, level, (now, pc), after);
    }

    /// A hart did something else that a driver's loop would do when it gets ahead.
    pub(crate) fn got_ahead(&mut self, hart: usize) {
        self.polling.forget(hart);
    }

    /// Everything is reset; what was noticed stays.
    pub(crate) fn restart(&mut self, now: SimTime) {
        self.polling.restart();
        self.storms.restart();
        self.lost.restart(now, self.thresholds.lost_after);
    }

    pub(crate) fn save(&self, w: &mut Writer) {
        self.unimplemented.save(w);
        self.polling.save(w);
        self.storms.save(w);
        self.lost.save(w);
    }

    pub(crate) fn load(r: &mut Reader<'_>, thresholds: Thresholds) -> Result<Self, LoadError> {
        Ok(Self {
            thresholds,
            unimplemented: unimplemented::Registers::load(r)?,
            polling: polling::Polling::load(r)?,
            storms: storm::Storms::load(r)?,
            lost: lost::Outputs::load(r)?,
        })
    }
}

/// Where a register is, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The device's path; `None` where no device is.
    pub device: Option<String>,
    /// Its register's name, if it has one there.
    pub register: Option<&'static str>,
    /// The distance from the device's first register; the address where no device is.
    pub offset: u64,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.device {
            Some(device) => write!(f, "{device}+{:#x}", self.offset)?,
            None => write!(f, "unmapped address {:#x}", self.offset)?,
        }
        self.register.map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// What a run's diagnostics come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Registers that the guest touched and nobody models, by address.
    pub unimplemented: Vec<Unimplemented>,
    /// How many accesses went to further ones, of which no list is kept.
    pub unimplemented_more: u64,
    /// Loops on a register that did not change.
    pub spins: Vec<Spin>,
    /// Interrupts that came again and again.
    pub storms: Vec<Storm>,
    /// Interrupts that were not taken.
    pub lost: Vec<Lost>,
}

impl Findings {
    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.unimplemented.is_empty()
            && self.spins.is_empty()
            && self.storms.is_empty()
            && self.lost.is_empty()
    }
}

#[cfg(test)]
mod tests;
