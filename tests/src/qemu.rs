//! QEMU as a second opinion on the same guest.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::{self, Dialogue, Finished, Limit};
use crate::parts::Found;

/// QEMU from the cache. Get it by `need!(qemu)`.
#[derive(Clone, Debug)]
pub struct Qemu {
    part: Found,
}

impl Qemu {
    pub(crate) const fn new(part: Found) -> Self {
        Self { part }
    }

    /// The path of one of its programs, such as `qemu-system-riscv64`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.part.file(Path::new("bin").join(name))
    }

    /// QEMU's version, as the archive names it.
    #[must_use]
    pub fn version(&self) -> String {
        self.part.version()
    }

    /// A `virt` board without firmware, display or default devices beyond the board's own, whose
    /// serial port is the child's standard input and output.
    #[must_use]
    pub fn virt(&self) -> Virt {
        let fixed = [
            "-M",
            "virt",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-monitor",
            "none",
            "-no-reboot",
        ];
        let modern = ["-global", "virtio-mmio.force-legacy=false"];
        let arguments = fixed.iter().chain(&modern).map(OsString::from).collect();
        Virt {
            program: self.program("qemu-system-riscv64"),
            arguments,
            limit: Limit::seconds(60),
        }
    }
}

/// A riscv64 `virt` machine that is about to be run.
#[derive(Clone, Debug)]
pub struct Virt {
    program: PathBuf,
    arguments: Vec<OsString>,
    limit: Limit,
}

impl Virt {
    /// Any arguments of QEMU.
    #[must_use]
    pub fn args<I, S>(mut self, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.arguments
            .extend(arguments.into_iter().map(|a| a.as_ref().to_os_string()));
        self
    }

    /// An ELF program in M-mode, with no firmware before it.
    #[must_use]
    pub fn bare(self, elf: &Path) -> Self {
        self.args(["-bios", "none", "-kernel"]).args([elf])
    }

    /// A kernel behind QEMU's own OpenSBI.
    #[must_use]
    pub fn kernel(self, image: &Path, initrd: &Path, command_line: &str) -> Self {
        self.args(["-kernel"])
            .args([image])
            .args(["-initrd"])
            .args([initrd])
            .args(["-append", command_line])
    }

    /// Memory in MiB and number of harts.
    #[must_use]
    pub fn size(self, mebibytes: u32, harts: u32) -> Self {
        self.args(["-m", &mebibytes.to_string(), "-smp", &harts.to_string()])
    }

    /// The CPU model, such as `rv64i,m=true`.
    #[must_use]
    pub fn cpu(self, model: &str) -> Self {
        self.args(["-cpu", model])
    }

    /// A raw disk on a virtio-mmio slot.
    #[must_use]
    pub fn disk(self, image: &Path) -> Self {
        let drive = format!("file={},format=raw,if=none,id=disk0", image.display());
        self.args(["-drive", &drive, "-device", "virtio-blk-device,drive=disk0"])
    }

    /// The time after which QEMU is killed; a minute, if nothing is said.
    #[must_use]
    pub const fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// The command, for a test that wants to hold the process itself.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// Runs the machine to its end.
    #[must_use]
    pub fn finish(self) -> Finished {
        child::run(self.command(), &[], self.limit)
    }

    /// Starts the machine for a conversation over its serial port.
    #[must_use]
    pub fn talk(self) -> Dialogue {
        Dialogue::start(self.command(), self.limit)
    }
}
