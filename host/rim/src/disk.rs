//! Disk images in files, behind the block device's [`BlockBackend`].
//!
//! An image is opened once and all doubts about it are raised then, with the path and a remedy. What
//! can still go wrong later (somebody cuts the file, the medium fails) is an I/O error for the guest
//! and one message for the user, never a panic.

use maquette_model::{LoadError, Reader, Snapshot, Writer};
use maquette_virtio::block::check;
use maquette_virtio::{BlockBackend, BlockError};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Images are whole sectors.
const SECTOR: u64 = SECTOR_BYTES as u64;
const SECTOR_BYTES: usize = 512;

/// What the guest may do with an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskAccess {
    /// The file is never written; also the base of an overlay.
    ReadOnly,
    /// Writes go to the file.
    ReadWrite,
}

/// Why an image cannot be used.
#[derive(Debug, Error)]
pub enum DiskError {
    /// There is nothing at the path.
    #[error("the disk image {} does not exist", path.display())]
    Missing {
        /// The image.
        path: PathBuf,
    },
    /// A link to nothing.
    #[error("the disk image {} is a link to {}, which does not exist", path.display(), target.display())]
    DanglingLink {
        /// The image.
        path: PathBuf,
        /// Where the link points.
        target: PathBuf,
    },
    /// A directory, a pipe, a socket, a character device.
    #[error("the disk image {} is a {kind}, not a file", path.display())]
    NotAFile {
        /// The image.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The user may not open it.
    #[error("no permission to {verb} the disk image {}", path.display())]
    Denied {
        /// The image.
        path: PathBuf,
        /// "read" or "write".
        verb: &'static str,
    },
    /// The image has no bytes.
    #[error("the disk image {} is empty", path.display())]
    Empty {
        /// The image.
        path: PathBuf,
    },
    /// The image is no whole number of sectors.
    #[error("the disk image {} has {size} bytes, which is no multiple of 512", path.display())]
    Size {
        /// The image.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Another run uses it.
    #[error("the disk image {} is in use by another disk", path.display())]
    Busy {
        /// The image.
        path: PathBuf,
    },
    /// The host failed.
    #[error("cannot {verb} the disk image {}", path.display())]
    Host {
        /// The image.
        path: PathBuf,
        /// "open" or "read".
        verb: &'static str,
        /// What the host said.
        #[source]
        source: io::Error,
    },
}

impl DiskError {
    /// What the user can do about it, as a sentence.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing { path } => format!(
                "correct the path, or make an image: truncate -s 64M {}",
                path.display()
            ),
            Self::DanglingLink { .. } => {
                "point the link at an image, or name the image itself".into()
            }
            Self::NotAFile { .. } => "name a file with the disk's raw content".into(),
            Self::Denied {
                path,
                verb: "write",
            } => format!(
                "chmod u+w {}, or keep writes in memory with copy-on-write, or open it read-only",
                path.display()
            ),
            Self::Denied { path, .. } => {
                format!(
                    "chmod u+r {}, and look at the folders above it",
                    path.display()
                )
            }
            Self::Empty { path } => {
                format!("give it a size: truncate -s 64M {}", path.display())
            }
            Self::Size { path, size } => format!(
                "fill the last sector up: truncate -s {} {}; only raw images are read, so convert others first",
                size.next_multiple_of(SECTOR),
                path.display()
            ),
            Self::Busy { .. } => {
                "give each disk its own copy, or open all of them read-only or copy-on-write".into()
            }
            Self::Host { source, .. } if is_link_loop(source) => {
                "point the link at an image, or name the image itself".into()
            }
            Self::Host { source, .. } if is_bad_name(source) => {
                "name the image by a path that the host takes: without zero bytes, at most 255 bytes between two `/`, and 4095 in all".into()
            }
            Self::Host { .. } => "copy the image to another place and try again".into(),
        }
    }
}

/// Whether the host gave up following symbolic links.
#[must_use]
pub fn is_link_loop(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

fn is_bad_name(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput};
    matches!(error.kind(), InvalidFilename | InvalidInput)
}

/// A raw image in a file.
#[derive(Debug)]
pub struct FileDisk {
    path: PathBuf,
    file: File,
    size: u64,
    access: DiskAccess,
}

impl FileDisk {
    /// Opens an image.
    ///
    /// While it is open, no other disk can open it for writing, or at all if this one writes.
    ///
    /// # Errors
    /// When it is missing, no file, empty, no whole number of sectors, in use, or not readable (for
    /// [`DiskAccess::ReadWrite`]: not writable).
    pub fn open(path: &Path, access: DiskAccess) -> Result<Self, DiskError> {
        let owned = || path.to_path_buf();
        // Looked at before it is opened, since opening a pipe would wait for its other end.
        let kind = fs::metadata(path).map_err(|e| refused(path, e, "open"))?;
        if let Some(kind) = kind_of(kind.file_type()) {
            let path = owned();
            return Err(DiskError::NotAFile { path, kind });
        }
        let (write, verb) = match access {
            DiskAccess::ReadOnly => (false, "read"),
            DiskAccess::ReadWrite => (true, "write"),
        };
        let file = OpenOptions::new().read(true).write(write).open(path);
        let file = file.map_err(|e| refused(path, e, verb))?;
        lock(&file, access).map_err(|_| DiskError::Busy { path: owned() })?;
        let host = |source| DiskError::Host {
            path: owned(),
            verb: "read",
            source,
        };
        let size = file.metadata().map_err(host)?.len();
        if size == 0 {
            return Err(DiskError::Empty { path: owned() });
        }
        if !size.is_multiple_of(SECTOR) {
            let path = owned();
            return Err(DiskError::Size { path, size });
        }
        let mut sector = [0; SECTOR_BYTES];
        for at in [0, size - SECTOR] {
            file.read_exact_at(&mut sector, at).map_err(host)?;
        }
        Ok(Self {
            path: owned(),
            file,
            size,
            access,
        })
    }

    /// Where the image lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What went wrong in the middle of a run, in words.
    fn failed(&self, verb: &str, e: &io::Error) -> BlockError {
        let path = self.path.display();
        let now = self.file.metadata().map_or(self.size, |m| m.len());
        BlockError::Host(if now < self.size {
            format!(
                "the disk image {path} was cut from {} to {now} bytes while the machine uses it",
                self.size
            )
        } else {
            format!("cannot {verb} the disk image {path}: {e}")
        })
    }
}

impl BlockBackend for FileDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_only(&self) -> bool {
        self.access == DiskAccess::ReadOnly
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        check(self.size, offset, buf.len() as u64)?;
        let read = self.file.read_exact_at(buf, offset);
        read.map_err(|e| self.failed("read", &e))
    }

    fn write_at(&mut self, offset: u64, buf: &[u8]) -> Result<(), BlockError> {
        check(self.size, offset, buf.len() as u64)?;
        if self.read_only() {
            return Err(BlockError::ReadOnly);
        }
        // A write past the end would quietly make the file longer again, with a hole before it.
        let whole = self.file.metadata().is_ok_and(|m| m.len() >= self.size);
        if !whole {
            return Err(self.failed("write", &io::ErrorKind::UnexpectedEof.into()));
        }
        let written = self.file.write_all_at(buf, offset);
        written.map_err(|e| self.failed("write", &e))
    }

    fn flush(&mut self) -> Result<(), BlockError> {
        if self.read_only() {
            return Ok(());
        }
        self.file.sync_data().map_err(|e| self.failed("flush", &e))
    }
}

/// The bytes stay in the file; saved is only what they must fit.
impl Snapshot for FileDisk {
    fn kind(&self) -> &'static str {
        "file-disk"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.size);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        r.same("disk size", self.size)
    }
}

/// What a file that is no regular one is called.
fn kind_of(kind: fs::FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("directory")
    } else if kind.is_fifo() {
        Some("pipe")
    } else if kind.is_socket() {
        Some("socket")
    } else {
        Some("device")
    }
}

/// Names the reason why a path could not be opened.
fn refused(path: &Path, e: io::Error, verb: &'static str) -> DiskError {
    let target = || fs::read_link(path).ok();
    let path_owned = path.to_path_buf();
    match (e.kind(), target()) {
        (io::ErrorKind::NotFound, Some(target)) => DiskError::DanglingLink {
            path: path_owned,
            target,
        },
        (io::ErrorKind::NotFound, None) => DiskError::Missing { path: path_owned },
        (io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem, _) => {
            let verb = if verb == "write" { "write" } else { "read" };
            DiskError::Denied {
                path: path_owned,
                verb,
            }
        }
        _ => DiskError::Host {
            path: path_owned,
            verb: "open",
            source: e,
        },
    }
}

/// Locks the image against other disks, as far as the file system can.
fn lock(file: &File, access: DiskAccess) -> Result<(), ()> {
    let locked = match access {
        DiskAccess::ReadOnly => file.try_lock_shared(),
        DiskAccess::ReadWrite => file.try_lock(),
    };
    match locked {
        Err(TryLockError::WouldBlock) => Err(()),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
