//! Counters for people. They are no part of the trace hash.

use super::Machine;
use crate::diagnostics::Findings;
use maquette_model::{SimTime, Vcpu};
use maquette_rv64::Profile;
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

/// What the machine counts while it runs.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Accesses that left a hart for a device.
    pub mmio_exits: u64,
    /// Firmware calls answered.
    pub sbi_calls: u64,
    /// Times that a hart went to sleep.
    pub wfi_exits: u64,
    /// Spin-loop hints.
    pub pause_exits: u64,
    /// Accesses where no device is.
    pub unmapped_accesses: u64,
    /// Times that the machine started over.
    pub restarts: u64,
    /// Mistakes of the guest that devices noticed.
    pub guest_errors: u64,
    /// The last of them.
    pub last_guest_error: Option<(Cow<'static, str>, u64)>,
    /// Bytes that devices moved to or from RAM.
    pub dma_bytes: u64,
    /// Per hart.
    pub harts: Vec<HartStatistics>,
    /// Accesses per device, by path.
    pub devices: Vec<(String, u64)>,
    /// What devices count of themselves: path, what, how often.
    pub counters: Vec<(String, Cow<'static, str>, u64)>,
    /// The latest time that any hart has reached.
    pub time: SimTime,
    /// What the guest's drivers did wrong.
    pub findings: Findings,
}

/// What one hart did.
#[derive(Clone, Copy, Debug, Default)]
pub struct HartStatistics {
    /// Instructions retired.
    pub instructions: u64,
    /// What the engine did for them.
    pub profile: Profile,
}

impl Statistics {
    /// Instructions of all harts.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.harts.iter().map(|h| h.instructions).sum()
    }
}

/// How far machines have come: for somebody who looks on while they run.
#[derive(Debug, Default)]
pub struct Progress {
    /// Instructions retired by all harts.
    pub instructions: Cell<u64>,
    /// Accesses that left a hart.
    pub exits: Cell<u64>,
}

impl Machine {
    /// Adds what the machine does from now on to `progress`, each time that it pauses.
    pub fn show_progress(&mut self, progress: Rc<Progress>) {
        self.progress = Some((progress, 0, 0));
    }

    /// Adds what was done since the last time.
    pub(super) fn tell_progress(&mut self) {
        let Some((progress, instructions, exits)) = &mut self.progress else {
            return;
        };
        let retired = self.harts.iter().map(|s| s.hart.retired()).sum();
        let add = |to: &Cell<u64>, before: &mut u64, now: u64| {
            to.set(to.get() + now.saturating_sub(*before));
            *before = now;
        };
        add(&progress.instructions, instructions, retired);
        add(&progress.exits, exits, self.statistics.mmio_exits);
    }

    /// The counters as they stand.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let harts = self.harts.iter().map(|s| HartStatistics {
            instructions: s.hart.retired(),
            profile: s.hart.state().profile,
        });
        Statistics {
            guest_errors: self.core.guest_errors,
            last_guest_error: self.core.last_guest_error.clone(),
            dma_bytes: self.core.dma_bytes,
            harts: harts.collect(),
            devices: self
                .bus
                .nodes
                .iter()
                .map(|n| (n.name.clone(), n.accesses))
                .collect(),
            counters: (self.core.counters.iter())
                .filter_map(|((device, what), &count)| {
                    let node = self.bus.nodes.get(*device)?;
                    Some((node.name.clone(), what.clone(), count))
                })
                .collect(),
            time: self.reached(),
            findings: self.findings(),
            ..self.statistics.clone()
        }
    }
}
