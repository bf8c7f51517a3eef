//! The harts of a machine and what each is doing.

use maquette_model::{SimTime, Token, Vcpu};
use maquette_rv64::Hart;
use maquette_trace::PathId;

/// What a hart is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    /// It executes.
    Running,
    /// It waits for an interrupt.
    Sleeping,
    /// A device answers its access later.
    Blocked(Token),
    /// Firmware has not started it, or has stopped it.
    Stopped,
    /// Suspended without keeping state: an interrupt makes it resume at an address (SBI HSM).
    Suspended { resume: u64, opaque: u64 },
}

impl Doing {
    /// In words, after the hart's name.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Running => "runs",
            Self::Sleeping => "waits for an interrupt",
            Self::Blocked(_) => "waits for a device's answer",
            Self::Stopped => "is stopped",
            Self::Suspended { .. } => "is suspended",
        }
    }
}

pub(super) struct HartSlot {
    pub(super) hart: Hart,
    pub(super) doing: Doing,
    pub(super) path: PathId,
}

impl HartSlot {
    /// When a hart that waits wakes by itself: when its timer is due and enabled.
    pub(super) fn wake_time(&self) -> SimTime {
        match self.doing {
            Doing::Sleeping | Doing::Suspended { .. } => {
                if self.hart.wakes() {
                    self.hart.time()
                } else {
                    self.enabled_timer()
                }
            }
            _ => SimTime::MAX,
        }
    }

    /// The timer's deadline, if its interrupt would end the wait.
    fn enabled_timer(&self) -> SimTime {
        let enabled = self.hart.state().csr.mie >> maquette_rv64::trap::irq::STI & 1 == 1;
        if enabled {
            self.hart.timer_deadline()
        } else {
            SimTime::MAX
        }
    }
}

/// A hart's turn.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) hart: usize,
    /// The count of retired instructions at which it ends.
    pub(super) ends: u64,
    /// It was made longer, which happens at most once.
    pub(super) extended: bool,
}
