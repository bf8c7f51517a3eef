//! What tests need to meet the world outside this workspace.
//!
//! # Purpose
//!
//! End-to-end tests live in `tests/tests/<system>.rs`, one file per system, and drive the built
//! `maquette` binary the way a user does. This library gives them, and any other crate's tests
//! that list it as a dev-dependency:
//!
//! - [`need!`]: "this test is about a real part" (QEMU, Debian's kernel, OpenSBI, GDB). Without the
//!   part the test is recorded as skipped, with the reason and the remedy; with
//!   `MAQUETTE_REQUIRE_REAL=1` it fails instead.
//! - [`parts`]: where real parts are kept once `cargo xtask real-parts <name>` has fetched them.
//! - [`guests`]: guest programs that `cargo xtask guests` has built.
//! - [`tool`]: run the `maquette` binary on a system file and look at what it did.
//! - [`debuggee`]: `maquette gdb`, and a small debugger to talk to it.
//! - [`qemu`]: run QEMU on the same guest, for a second opinion, or talk to its console.
//! - [`perfetto`]: reads trace files, independently of what writes them.
//! - [`allocation`]: a count of allocations, for code that must make none.
//! - [`effort()`], [`rounds`] and [`seeds`]: two figures that turn quick tests (`cargo xtask test`)
//!   into long ones with ever new seeds (`cargo xtask soak`) without a second copy of the test.
//!
//! # Invariants
//!
//! - Nothing here knows a crate of `host/`: a test that wants to look inside the machine depends
//!   on that crate itself, and this library can serve every crate without a cycle.
//! - Every wait has an end: a child that outlives its limit is killed, and the error shows the
//!   last of its output.
//! - A test never sleeps to wait for something; it blocks on the event with a limit.
//!
//! # Not here
//!
//! Fetching real parts, building guests, counting results: that is `xtask`. The acceptance rows
//! are in `tests/rows/`.

pub mod allocation;
pub mod child;
pub mod debuggee;
pub mod effort;
pub mod guests;
pub mod parts;
pub mod perfetto;
pub mod places;
pub mod qemu;
pub mod skip;
pub mod tool;

pub use child::{Finished, Limit};
pub use effort::{effort, rounds, seeds};
pub use parts::{Absent, Part};
