//! The trace facade, and the trace hash that says whether two runs were the same run.
//!
//! Everything observable that happens in a run passes [`Trace::record`]: register accesses,
//! interrupts, firmware calls, DMA, console bytes, link messages, and at the end a digest of each
//! machine's registers and RAM. The facade always does two cheap things with an event, and a third
//! if asked:
//!
//! 1. it feeds the **trace hash**;
//! 2. it counts the event under its [`Kind`];
//! 3. it hands the event to a [`Sink`], if one is attached. Without one this costs a single
//!    predictable branch.
//!
//! # Use
//!
//! ```
//! use maquette_model::SimTime;
//! use maquette_trace::{Kind, Trace};
//!
//! let mut trace = Trace::new();
//! let uart = trace.path("machine0.uart0"); // once, at set-up
//! trace.record(SimTime::from_ns(5), uart, Kind::Console, b"h"); // as often as you like
//! trace.record(SimTime::from_ns(9), uart, Kind::Console, b"i");
//! assert_eq!(trace.counts()[Kind::Console], 2);
//! println!("trace hash: {}", trace.finish());
//! ```
//!
//! # What equal hashes mean
//!
//! The hash covers the list of all events (time, path, kind, payload), sorted by time, then path,
//! then the order in which that path recorded them. Two such lists are equal exactly when each
//! path's own list is equal, so the facade keeps one hash stream per path and joins them by name at
//! the end. Nothing needs sorting, and the hash cannot depend on how a scheduler interleaves
//! components, on threads, or on the order in which paths were interned.
//!
//! # Invariants
//!
//! - Recording allocates nothing; only [`Trace::path`] does.
//! - A path without events leaves no mark on the hash.
//! - Nothing that depends on the host, on block shapes or on TLB contents is ever recorded here.
//!
//! # Not here
//!
//! Files (the sink [`perfetto`] makes their content), logs for people (`tracing` in the tools), and the
//! decision what is observable: that is each component's.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod kind;
mod level;
pub mod payload;
pub mod perfetto;
mod sink;
mod stream;
mod trace;

pub use kind::{Counts, Kind};
pub use level::Level;
pub use sink::{Entry, Note, Sink};
pub use stream::TraceHash;
pub use trace::{PathId, Trace};
