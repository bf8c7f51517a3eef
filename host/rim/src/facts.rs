//! What this host can do, found out without changing anything.

use rustix::fs::Access;
use rustix::process::{Resource, getrlimit};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Whether the host's hypervisor can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kvm {
    /// There is no such device.
    Absent,
    /// There is one, and this user may not open it.
    NoPermission,
    /// It can be opened.
    Present,
    /// There is one, and it cannot be opened for another reason.
    Broken(String),
}

/// Tries the hypervisor's device, `/dev/kvm`.
#[must_use]
pub fn kvm(device: &Path) -> Kvm {
    match OpenOptions::new().read(true).write(true).open(device) {
        Ok(_) => Kvm::Present,
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Kvm::Absent,
            ErrorKind::PermissionDenied => Kvm::NoPermission,
            _ => Kvm::Broken(error.to_string()),
        },
    }
}

/// A folder that cannot be written, nor made.
#[derive(Debug, Error)]
#[error("{} cannot be written", place.display())]
pub struct NoFolder {
    /// Where it fails: the folder, or what is in its way.
    pub place: PathBuf,
    /// What the host says.
    pub source: io::Error,
}

/// Bytes that this user may still write to a folder, or, where it is not there yet, to the one that it
/// would be made in.
///
/// # Errors
/// When it cannot be written, nor made.
pub fn free_bytes(folder: &Path) -> Result<u64, NoFolder> {
    let there = nearest(folder)?;
    let refused = |error: rustix::io::Errno| NoFolder {
        place: there.to_path_buf(),
        source: error.into(),
    };
    rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(refused)?;
    let stat = rustix::fs::statvfs(there).map_err(refused)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The folder, or the nearest one above that exists.
fn nearest(folder: &Path) -> Result<&Path, NoFolder> {
    for place in folder.ancestors() {
        let place = if place.as_os_str().is_empty() {
            Path::new(".")
        } else {
            place
        };
        let source = match place.metadata() {
            Ok(meta) if meta.is_dir() => return Ok(place),
            Ok(_) => ErrorKind::NotADirectory.into(),
            // What is in the way is further up.
            Err(error) if error.kind() == ErrorKind::NotADirectory => continue,
            Err(error) if error.kind() == ErrorKind::NotFound && !place.is_symlink() => continue,
            Err(error) => error,
        };
        let place = place.to_path_buf();
        return Err(NoFolder { place, source });
    }
    Ok(Path::new("/"))
}

/// The most bytes of address space that this process may have (`ulimit -v`), if there is a limit.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// The most bytes that a file may have (`ulimit -f`), if there is a limit.
#[must_use]
pub fn file_size_limit() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// Whether standard input and standard error are terminals, as an interactive run needs.
#[must_use]
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kvm_absent_refused_and_present_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let device = folder.path().join("kvm");
        assert_eq!(kvm(&device), Kvm::Absent);
        std::fs::write(&device, "").expect("a file");
        assert_eq!(kvm(&device), Kvm::Present);
        assert!(matches!(kvm(folder.path()), Kvm::Broken(_)));
    }

    #[test]
    fn free_bytes_of_a_folder_that_is_not_there_are_those_above_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(free_bytes(&folder.path().join("a/b")).is_ok());
    }

    #[test]
    fn folder_that_cannot_be_made_has_no_room_and_what_is_in_the_way_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").expect("a file");
        std::os::unix::fs::symlink("loop", at("loop")).expect("a link");
        std::os::unix::fs::symlink("nowhere", at("dangling")).expect("a link");
        for (wanted, place) in [
            ("file", "file"),
            ("file/a/b", "file"),
            ("loop/a", "loop/a"),
            ("dangling/a", "dangling"),
        ] {
            let refused = free_bytes(&at(wanted)).expect_err(wanted);
            assert!(refused.place.ends_with(place), "{refused}");
        }
    }
}
