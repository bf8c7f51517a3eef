//! Files that hold a run or a moment of one: recordings (`.maqr`) and snapshots (`.maqs`).
//!
//! Both begin alike and carry everything that is needed to go on elsewhere but the images, of which
//! they hold the hashes:
//!
//! ```text
//! "MAQUETTE"  kind 'R' or 'S'  format u16  header length u32  header (JSON: Origin)  body
//! ```
//!
//! * A **snapshot**'s body is the [`Sections`](maquette_model::Sections) of the system, then the BLAKE3
//!   hash of all that came before.
//! * A **recording**'s body is a list of records, each followed by a check that covers all records so
//!   far, so that a recording that ends early can be replayed as far as it goes.
//!
//! All numbers are little-endian. Readers trust nothing: a file that was cut, altered or made by
//! something else is refused with the reason, and lengths are believed only as far as the file goes.

mod error;
mod frame;
mod origin;
mod place;
mod recording;
mod replay;
mod snapshot;

pub use error::ArchiveError;
pub use frame::MAGIC;
pub use origin::{Image, Origin};
pub use place::SnapshotPlace;
pub use recording::{Record, Recorder, Recording};
pub use replay::Replay;
pub use snapshot::{SavedSystem, read as read_snapshot, write as write_snapshot};

#[cfg(test)]
mod tests;
