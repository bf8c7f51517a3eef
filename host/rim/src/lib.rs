//! Where a run meets the host: the terminal, signals, the host's clock and disk files.
//!
//! Everything inside a simulation is virtual; this crate is the only one that touches the host, always
//! behind a trait of the crates below it ([`maquette_sim::Rim`] here, the disk back end of the virtio
//! devices in its own module).
//!
//! * [`Signals`] turns signals into an ordinary end of the run; a second one forces the end.
//! * [`RawMode`] makes the terminal raw and puts it back on every way out.
//! * [`Output`] carries the guest's console text to standard output, unaltered.
//! * [`FileDisk`] keeps a disk's content in a file.
//! * [`UserNetwork`] holds the sockets of a user network.
//! * [`DebugPort`] is the socket at which a debugger connects.
//! * [`TraceFile`] takes a trace.
//! * [`LiveLine`] says at the terminal how far a long run has come.
//! * [`Outside`] is the rim itself: it paces a run, feeds typed keys in, and ends the run for a
//!   signal, the escape key or a deadline.
//!
//! # Invariants
//!
//! * Nothing here blocks without listening for signals.
//! * What comes in is handed to the engine with its virtual time; the engine logs it.
//! * No failure of the host (a closed pipe, a lost terminal) is a panic.
//!
//! # What is not here
//!
//! No model of hardware, no command line, no decision what an end of a run means.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod date;
mod debug_port;
pub mod disk;
mod escape;
mod facts;
mod handlers;
mod live_line;
mod network;
mod output;
mod outside;
mod pace;
mod signals;
mod terminal;
mod trace_file;

pub use date::unix_nanoseconds;
pub use debug_port::{DebugEvent, DebugPort, DebugPortError, Debugged, tell};
pub use disk::{DiskAccess, DiskError, FileDisk, is_link_loop};
pub use facts::{
    Kvm, NoFolder, address_space_limit, file_size_limit, free_bytes, has_terminal, kvm,
};
pub use live_line::{LiveLine, Progress, erase_live_line};
pub use network::UserNetwork;
pub use output::Output;
pub use outside::{Ended, Keyboard, Outside, output_failure};
pub use pace::Pace;
pub use signals::{HANGUP, Signals, make_file_limit_an_error, name as signal_name};
pub use terminal::{RawMode, error_columns, has_person};
pub use trace_file::{TraceFile, TraceFileError};
