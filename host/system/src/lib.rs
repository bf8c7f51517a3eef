//! From a system file to a running system: the product's front half, without a command line.
//!
//! ```text
//! systems/x.toml ─► open ─► Description ─► build ─► System ─► run ─► Report
//!      schema ──────┘          data         files, machine       exit code, hash, statistics
//! ```
//!
//! * [`schema`] declares every section and parameter once: name, type, unit, range, default and a
//!   line of text. The reader, `maquette info` and the documentation come from it.
//! * [`open()`] reads a file and its overrides, and returns a [`description::Description`], or all
//!   problems of the file together, each with place, field and remedy.
//! * [`build()`] reads the files that the description names and makes the machine. `maquette check` ends
//!   here.
//! * [`Prepared`] is a run whose inputs are read and whose outputs are known to be no other files of it.
//!   Its [`run`](Prepared::run) runs it at the rim of the host and returns a [`Report`]: how the run ended,
//!   what is made of that ([`Verdict`]), the trace hash and the counters.
//!
//! # Invariants
//!
//! * No text, whatever it holds, makes anything here panic: everything is a value or a [`Problem`].
//! * A description is data. Nothing is opened, allocated or started before `build`.
//! * Defaults exist in the schema and nowhere else.
//! * A system is also a test: what a good run looks like is part of the file, and [`judge`] is a pure
//!   function of that and of how the run ended.
//!
//! # What is not here
//!
//! No command line and no printing (`maquette-cli`), no terminal, signal or host clock
//! (`maquette-rim`), no model of hardware (`maquette-machine` and below).
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

pub mod archive;
mod build;
mod causes;
mod console;
mod date;
mod describe;
pub mod description;
pub mod doctor;
mod draw;
pub mod figures;
mod finder;
mod findings;
pub mod info;
mod list;
pub mod locate;
pub mod look;
mod open;
mod problem;
mod reader;
mod render;
mod report;
mod run;
pub mod schema;
mod source;
mod suggest;
mod symbols;
mod tree;
pub mod units;
mod values;
mod verdict;

pub use build::{Outlet, Seat, System, build, check};
pub use causes::with_causes;
pub use console::Console;
pub use list::{Listed, list, show as show_list};
pub use open::{Opened, open, parse};
pub use problem::{Fault, Problem};
pub use render::{Problems, Style, clip};
pub use report::{MachineReport, Report};
pub use run::{
    DebugOptions, Moment, Options, Prepared, RunError, SnapshotOrder, TraceOrder, Warning,
};
pub use source::{At, LineColumn, Source, Sources};
pub use symbols::SymbolError;
pub use verdict::{EXIT_SETUP, Ending, Reason, Unmet, Verdict, judge};
