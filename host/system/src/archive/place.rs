//! Where a recording or snapshot goes, and that nothing else is lost there.

use super::error::ArchiveError;
use super::frame::MAGIC;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that may be replaced: there is none yet, it is empty, or it is one of ours. Links are followed.
///
/// # Errors
/// When it is no regular file, or holds something else.
pub(super) fn replaceable(path: &Path) -> Result<PathBuf, ArchiveError> {
    let owned = || path.to_path_buf();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            return Ok(owned());
        }
        Err(source) => {
            return Err(ArchiveError::File {
                verb: "write",
                path: owned(),
                source,
            });
        }
    };
    if !metadata.is_file() {
        return Err(ArchiveError::NoFile { path: owned() });
    }
    let mut first = [0; MAGIC.len()];
    let ours = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    if metadata.len() > 0 && (ours.is_err() || &first != MAGIC) {
        return Err(ArchiveError::Taken { path: owned() });
    }
    Ok(path.canonicalize().unwrap_or_else(|_| owned()))
}

/// A file's content; a pipe or a device is none, and might never end.
///
/// # Errors
/// When it is no regular file, or the host refuses.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ArchiveError> {
    regular(path)?;
    fs::read(path).map_err(|source| ArchiveError::File {
        verb: "read",
        path: path.to_path_buf(),
        source,
    })
}

/// That a file is one that ends.
///
/// # Errors
/// When it is no regular file, or the host refuses.
pub(super) fn regular(path: &Path) -> Result<(), ArchiveError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(ArchiveError::NoFile {
            path: path.to_path_buf(),
        }),
        Err(source) => Err(ArchiveError::File {
            verb: "read",
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// Where a snapshot will be: its folder can be written, and a file of our own waits there for it.
pub struct SnapshotPlace {
    pub(super) path: PathBuf,
    pub(super) partial: NamedTempFile,
}

impl SnapshotPlace {
    /// Looks at the place before the run, so that no hours are lost to a mistyped name.
    ///
    /// # Errors
    /// When nothing can be written there, or something else would be lost.
    pub fn prepare(path: &Path) -> Result<Self, ArchiveError> {
        let resolved = replaceable(path)?;
        let folder = resolved.parent().filter(|p| !p.as_os_str().is_empty());
        let partial = tempfile::Builder::new()
            .prefix(".maquette-")
            .suffix(".partial")
            .permissions(permissions())
            .tempfile_in(folder.unwrap_or(Path::new(".")));
        let partial = partial.map_err(|source| ArchiveError::File {
            verb: "write",
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            path: resolved,
            partial,
        })
    }
}

/// As other new files: what the user's mask leaves.
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}
