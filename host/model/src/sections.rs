//! The saved state of a whole system: one section for each part, found by its path.
//!
//! A path is a component's, or begins with one (`machine0.uart0`). What writes the sections to a file
//! and guards them against damage is not here.

use crate::{LoadError, Reader, Snapshot, Writer};
use std::collections::BTreeMap;
use thiserror::Error;

/// The saved state of one part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// [`Snapshot::kind`].
    pub kind: String,
    /// [`Snapshot::version`].
    pub version: u16,
    /// What [`Snapshot::save`] wrote.
    pub payload: Vec<u8>,
}

/// Why a part could not be saved.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SaveError {
    /// The part cannot be saved at all.
    #[error("`{path}` cannot be saved: it is a part without snapshots")]
    Unsupported {
        /// Which.
        path: String,
    },
    /// Two parts have one path.
    #[error("two parts are called `{path}`")]
    SamePath {
        /// Which path.
        path: String,
    },
}

/// Why a system did not take a saved state.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RestoreError {
    /// The snapshot has nothing for a part.
    #[error("the snapshot holds nothing for `{path}`")]
    Missing {
        /// Which part.
        path: String,
    },
    /// The snapshot has something that the system has not.
    #[error("the snapshot holds state of `{path}` ({kind}), which this system does not have")]
    Unknown {
        /// Which part.
        path: String,
        /// What it was.
        kind: String,
    },
    /// A part is something else.
    #[error("`{path}` is a {expected} here and a {found} in the snapshot")]
    Kind {
        /// Which part.
        path: String,
        /// What it is.
        expected: &'static str,
        /// What was saved.
        found: String,
    },
    /// The layout is too new or too old.
    #[error(
        "the state of `{path}` ({kind}) has version {found}; this program reads {oldest} to {newest}"
    )]
    Version {
        /// Which part.
        path: String,
        /// What it is.
        kind: &'static str,
        /// The version saved.
        found: u16,
        /// The oldest that can be read.
        oldest: u16,
        /// The newest that can be read.
        newest: u16,
    },
    /// The content is wrong.
    #[error("the state of `{path}` ({kind}) is damaged")]
    Payload {
        /// Which part.
        path: String,
        /// What it is.
        kind: &'static str,
        /// What is wrong.
        source: LoadError,
    },
}

/// Saved parts by path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sections {
    parts: BTreeMap<String, Section>,
}

impl Sections {
    /// Saves one part.
    ///
    /// # Errors
    /// When the path is taken.
    pub fn put(&mut self, path: &str, part: &dyn Snapshot) -> Result<(), SaveError> {
        let mut w = Writer::default();
        part.save(&mut w);
        self.insert(
            path,
            Section {
                kind: part.kind().to_owned(),
                version: part.version(),
                payload: w.into_bytes(),
            },
        )
    }

    /// Adds a section as it came from a file.
    ///
    /// # Errors
    /// When the path is taken.
    pub fn insert(&mut self, path: &str, section: Section) -> Result<(), SaveError> {
        if self.parts.contains_key(path) {
            let path = path.to_owned();
            return Err(SaveError::SamePath { path });
        }
        self.parts.insert(path.to_owned(), section);
        Ok(())
    }

    /// Loads one part and takes its section out.
    ///
    /// # Errors
    /// When there is no such section, or it is of another kind, of a version that cannot be read, or
    /// damaged. The part is then unspecified but sound.
    pub fn take(&mut self, path: &str, part: &mut dyn Snapshot) -> Result<(), RestoreError> {
        let owned = || path.to_owned();
        let Some(section) = self.parts.remove(path) else {
            return Err(RestoreError::Missing { path: owned() });
        };
        if section.kind != part.kind() {
            return Err(RestoreError::Kind {
                path: owned(),
                expected: part.kind(),
                found: section.kind,
            });
        }
        let (oldest, newest) = (part.oldest_version(), part.version());
        if !(oldest..=newest).contains(&section.version) {
            return Err(RestoreError::Version {
                path: owned(),
                kind: part.kind(),
                found: section.version,
                oldest,
                newest,
            });
        }
        let mut r = Reader::of_version(&section.payload, section.version);
        let loaded = part.load(&mut r).and_then(|()| r.finish());
        loaded.map_err(|source| RestoreError::Payload {
            path: owned(),
            kind: part.kind(),
            source,
        })
    }

    /// Ends a restore.
    ///
    /// # Errors
    /// When something was left that nobody took.
    pub fn finish(self) -> Result<(), RestoreError> {
        match self.parts.into_iter().next() {
            None => Ok(()),
            Some((path, section)) => Err(RestoreError::Unknown {
                path,
                kind: section.kind,
            }),
        }
    }

    /// Paths and their sections in order of paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.parts.iter().map(|(path, s)| (path.as_str(), s))
    }
}

#[cfg(test)]
mod tests;
