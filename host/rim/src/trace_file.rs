//! A trace file: written piece by piece during the run.
//!
//! All doubts about the path are raised when the file is made. What goes wrong later (a full disk) ends
//! the file after its last whole piece, and the run goes on; [`TraceFile::failure`] says so once it is
//! over.

use maquette_trace::perfetto::Destination;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use thiserror::Error;

/// Why there is no trace file.
#[derive(Debug, Error)]
pub enum TraceFileError {
    /// The path names something that is no file.
    #[error("--trace {} is a {kind}, not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Somebody's file is there.
    #[error("--trace {} holds something other than a trace of Maquette", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// The host refuses it.
    #[error("--trace {} cannot be made", path.display())]
    Host {
        /// The path.
        path: PathBuf,
        /// What the host said.
        source: io::Error,
    },
}

impl TraceFileError {
    /// What the user can do.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NotAFile { .. } => "name a file",
            Self::Foreign { .. } => "name a new file, or delete that one first",
            Self::Host { .. } => "name a file in a folder that exists and that you may write",
        }
    }
}

/// A file that takes a trace. Clones are the same file.
#[derive(Clone, Debug)]
pub struct TraceFile {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Bytes of whole pieces.
    written: u64,
    failure: Option<io::Error>,
}

impl TraceFile {
    /// Makes the file, or empties one that begins with `beginning` as earlier traces do.
    ///
    /// # Errors
    /// When it cannot be made, or something else is there.
    pub fn create(path: &Path, beginning: &[u8]) -> Result<Self, TraceFileError> {
        let host = |source| TraceFileError::Host {
            path: path.to_path_buf(),
            source,
        };
        if let Ok(meta) = path.metadata() {
            if !meta.is_file() {
                let kind = if meta.is_dir() {
                    "folder"
                } else {
                    "pipe, a socket or a device"
                };
                let path = path.to_path_buf();
                return Err(TraceFileError::NotAFile { path, kind });
            }
            if !is_trace(path, beginning) {
                let path = path.to_path_buf();
                return Err(TraceFileError::Foreign { path });
            }
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).open(path);
        Ok(Self {
            inner: Rc::new(RefCell::new(Inner {
                file: file.map_err(host)?,
                written: 0,
                failure: None,
            })),
        })
    }

    /// Why the file is not complete.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.inner
            .borrow()
            .failure
            .as_ref()
            .map(io::Error::to_string)
    }
}

/// Whether a file is empty or an earlier trace: nobody's kernel is overwritten by a slip of the fingers.
fn is_trace(path: &Path, beginning: &[u8]) -> bool {
    let mut first = Vec::new();
    let most = beginning.len() as u64;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut first));
    read.is_ok() && (first.is_empty() || first == beginning)
}

impl Destination for TraceFile {
    fn piece(&mut self, bytes: &[u8]) -> bool {
        let mut inner = self.inner.borrow_mut();
        if inner.failure.is_some() {
            return false;
        }
        match inner.file.write_all(bytes) {
            Ok(()) => inner.written += bytes.len() as u64,
            Err(error) => {
                inner.failure = Some(error);
                // A viewer takes whole packets; where even this fails, the error above says enough.
                let _ = inner.file.set_len(inner.written);
            }
        }
        inner.failure.is_none()
    }

    fn end(&mut self) {
        let mut inner = self.inner.borrow_mut();
        if inner.failure.is_none() {
            // Some file systems say only here that there was no room.
            inner.failure = inner.file.sync_all().err();
        }
    }
}
