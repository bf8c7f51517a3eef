//! What this host can do, found out without changing anything.

use rustix::process::{Resource, getrlimit};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal};
use std::path::Path;

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

/// Bytes that this user may still write to the file system of a folder, or of the nearest one above that
/// exists.
///
/// # Errors
/// When the host does not say.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let there = folder.ancestors().find(|f| f.exists());
    let stat = rustix::fs::statvfs(there.unwrap_or(Path::new("/")))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
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
}
