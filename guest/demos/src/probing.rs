//! What the programs share that probe accesses in M-mode.

use maquette_guest_rt::arch::csr::{self, PMPADDR0, PMPCFG0, PMPCFG2};
use maquette_guest_rt::arch::{self, Cause, Outcome};

/// Permissions and address matching of a PMP entry (privileged §3.7.1).
pub mod pmp {
    /// Readable.
    pub const R: usize = 1;
    /// Writable.
    pub const W: usize = 2;
    /// Executable.
    pub const X: usize = 4;
    /// Naturally aligned power-of-two region of 8 bytes or more.
    pub const NAPOT: usize = 3 << 3;
    /// Locked: also for M-mode, until reset.
    pub const L: usize = 1 << 7;
}

/// Lets S-mode and U-mode at everything: without any PMP entry they may do nothing.
pub fn open_pmp() {
    PMPCFG0.write(0);
    PMPCFG2.write(0);
    PMPADDR0.write(usize::MAX >> 10);
    PMPCFG0.write(pmp::R | pmp::W | pmp::X | pmp::NAPOT);
    arch::sfence_vma();
}

/// What kind of access a fault was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An instruction fetch.
    Fetch,
    /// A load.
    Load,
    /// A store or an atomic memory operation.
    Store,
}

/// The result of a probe that may end by a page fault at `address` and by nothing else.
pub fn page_fault(outcome: Outcome, address: usize) -> Result<usize, Fault> {
    match outcome.result() {
        Ok(value) => Ok(value),
        Err((cause, value)) if value == address => match cause {
            Cause::FETCH_PAGE => Err(Fault::Fetch),
            Cause::LOAD_PAGE => Err(Fault::Load),
            Cause::STORE_PAGE => Err(Fault::Store),
            _ => panic!("cause {} at {value:#x} is no page fault", cause.0),
        },
        Err((cause, value)) => panic!("cause {} at {value:#x}, not {address:#x}", cause.0),
    }
}

/// Turns translation off.
pub fn stop_paging() {
    csr::SATP.write(0);
    arch::sfence_vma();
}
