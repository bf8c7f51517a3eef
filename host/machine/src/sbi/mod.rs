//! The built-in firmware: calls of a supervisor, as the RISC-V Supervisor Binary Interface 2.0 defines
//! them.
//!
//! ```text
//! a7, a6, a0..a5 ──SbiCall::decode──► SbiCall ──perform──► SbiHost (effects) ──► Reply ──► a0, a1
//! ```
//!
//! [`call`] does it all. The machine implements [`SbiHost`] and knows no function number; what is here
//! knows no machine, so that each function is tested with a host of ten lines.
//!
//! # What is answered
//!
//! Legacy functions 0 to 8, base, TIME, IPI, RFENCE (without the hypervisor's fences), HSM, SRST and
//! DBCN. Every other extension probes 0 and answers `SBI_ERR_NOT_SUPPORTED`.
//!
//! # Invariants
//!
//! * All arguments are the guest's: none can cause a panic, or work beyond [`CONSOLE_LIMIT`] bytes.
//! * An argument that the specification forbids has no effect at all: arguments are checked first.
//! * A host is only ever asked about harts that exist.
//!
//! # What is not here
//!
//! What an effect does to a hart, and its order among events: the machine's.

mod call;
mod console;
mod harts;
mod host;
mod legacy;
mod name;
mod perform;
mod reply;

pub use call::{ConsoleBuffer, SbiCall};
pub use console::CONSOLE_LIMIT;
pub use harts::{HartId, HartMask, HartSet};
pub use host::{
    Fence, FenceRange, HartState, MachineIds, Reset, ResetReason, SbiHost, Start, SuspendKind,
};
pub use name::{name, name_of};
pub use perform::{IMPLEMENTATION_ID, call};
pub use reply::{Reply, SbiError};

#[cfg(test)]
mod tests;
