//! What can be wrong with a recording or snapshot.

use maquette_model::{RestoreError, SaveError};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a recording or snapshot was not written, read or taken.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The host refused the file.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the host said.
        source: io::Error,
    },
    /// It is no file that could be read or replaced.
    #[error("{} is a folder, a pipe or a device", path.display())]
    NoFile {
        /// What.
        path: PathBuf,
    },
    /// Something else would be lost.
    #[error("{} holds something other than a recording or snapshot", path.display())]
    Taken {
        /// Which file.
        path: PathBuf,
    },
    /// It was made by something else.
    #[error("{} is no {expected} of Maquette: it does not begin like one", path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
    /// A recording where a snapshot is wanted, or the other way round.
    #[error("{} is a {found}, not a {expected}", path.display())]
    Other {
        /// Which file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
    /// A later Maquette made it.
    #[error(
        "{} has format {found}; this program reads formats up to {known}",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The newest format known.
        known: u16,
    },
    /// It ends early.
    #[error("{} was cut short: it ends after {bytes} bytes, in its {place}", path.display())]
    Cut {
        /// Which file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// Where in it.
        place: &'static str,
    },
    /// Some of its bytes are not those that were written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file that the system uses is not what it was.
    #[error("{field}: {} is not the file that the {kind} was made with: {what}", path.display())]
    Image {
        /// The field that names it.
        field: String,
        /// Where it lies now.
        path: PathBuf,
        /// Recording or snapshot.
        kind: &'static str,
        /// The difference.
        what: String,
    },
    /// A part of the system cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The system does not take the state.
    #[error("{} cannot be restored", path.display())]
    Restore {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: RestoreError,
    },
}

impl ArchiveError {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the path, the permissions and the room on the disk",
            Self::NoFile { .. } => "name a regular file",
            Self::Taken { .. } => "name another file, or remove this one",
            Self::Foreign { .. } => "make one with `maquette run FILE --record` or `--snapshot`",
            Self::Other { .. } => "`maquette replay` takes recordings, `maquette resume` snapshots",
            Self::Newer { .. } => "use the version of Maquette that made it, or a later one",
            Self::Cut { .. } | Self::Damaged { .. } => "copy it again from where it was made",
            Self::Image { .. } => "put the same file there, or name another folder with --root",
            Self::Save(_) => "leave the part out of the system",
            Self::Restore { .. } => "use the version of Maquette that made it",
        }
    }
}
