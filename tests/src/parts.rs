//! Real parts in the cache: where they are and whether they are there.
//!
//! Layout, shared with `cargo xtask real-parts` (which writes it) and with `part:` paths in system
//! files (which read it): `<cache>/<part>/current/<file>`, `current` being a link to a version.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::places;

/// A real component that tests and demos can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// QEMU 11 with the riscv64 and x86-64 system emulators.
    Qemu,
    /// Debian's riscv64 kernel and a busybox initramfs with its virtio modules.
    LinuxRiscv,
    /// The firmware that QEMU's `virt` board starts with.
    Opensbi,
    /// GNU objdump for riscv64.
    Objdump,
    /// GDB for every architecture.
    Gdb,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 5] = [
        Self::Qemu,
        Self::LinuxRiscv,
        Self::Opensbi,
        Self::Objdump,
        Self::Gdb,
    ];

    /// The name in commands, in the cache and in `part:` paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::LinuxRiscv => "linux-riscv",
            Self::Opensbi => "opensbi",
            Self::Objdump => "objdump",
            Self::Gdb => "gdb",
        }
    }

    /// A file without which the part is of no use.
    const fn witness(self) -> &'static str {
        match self {
            Self::Qemu => "bin/qemu-system-riscv64",
            Self::LinuxRiscv => "vmlinuz",
            Self::Opensbi => "fw_dynamic.bin",
            Self::Objdump => "bin/riscv64-linux-gnu-objdump",
            Self::Gdb => "bin/gdb-multiarch",
        }
    }

    /// Where the part's files are; they may be absent.
    #[must_use]
    pub fn folder(self) -> PathBuf {
        places::cache().join(self.name()).join("current")
    }

    /// The part, if it is in the cache.
    ///
    /// # Errors
    /// [`Absent`] names the file that was looked for and the command that fetches it.
    pub fn find(self) -> Result<Found, Absent> {
        self.find_in(&places::cache())
    }

    /// The part, if it is in the given cache.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn find_in(self, cache: &Path) -> Result<Found, Absent> {
        let folder = cache.join(self.name()).join("current");
        let witness = folder.join(self.witness());
        if witness.exists() {
            Ok(Found { part: self, folder })
        } else {
            Err(Absent {
                part: self,
                witness,
            })
        }
    }
}

/// A part that is in the cache.
#[derive(Clone, Debug)]
pub struct Found {
    part: Part,
    folder: PathBuf,
}

impl Found {
    /// Which part this is.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// One of its files, by its path inside the part.
    #[must_use]
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// The version, as the archive names it: the folder that `current` points to.
    #[must_use]
    pub fn version(&self) -> String {
        let real = std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        real.file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// A part that is not in the cache.
#[derive(Clone, Debug)]
pub struct Absent {
    part: Part,
    witness: PathBuf,
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.part.name();
        let witness = self.witness.display();
        write!(
            f,
            "no {name}: {witness} does not exist; `cargo xtask real-parts {name}` fetches it"
        )
    }
}

impl std::error::Error for Absent {}

/// The parts by the names that [`need!`](crate::need) takes.
pub mod by_name {
    use super::{Absent, Found, Part};

    /// QEMU.
    ///
    /// # Errors
    /// It is not in the cache.
    pub fn qemu() -> Result<crate::qemu::Qemu, Absent> {
        Part::Qemu.find().map(crate::qemu::Qemu::new)
    }

    /// Debian's riscv64 kernel.
    ///
    /// # Errors
    /// It is not in the cache.
    pub fn linux_riscv() -> Result<Found, Absent> {
        Part::LinuxRiscv.find()
    }

    /// OpenSBI.
    ///
    /// # Errors
    /// It is not in the cache.
    pub fn opensbi() -> Result<Found, Absent> {
        Part::Opensbi.find()
    }

    /// GNU objdump.
    ///
    /// # Errors
    /// It is not in the cache.
    pub fn objdump() -> Result<Found, Absent> {
        Part::Objdump.find()
    }

    /// GDB.
    ///
    /// # Errors
    /// It is not in the cache.
    pub fn gdb() -> Result<Found, Absent> {
        Part::Gdb.find()
    }
}
