//! The RISC-V machine as a whole: the rows of `tests/rows/rv.toml` that need guests, disks, Linux or
//! QEMU, shown from the outside with the built tool, and where the outside cannot reach, with a
//! machine in this process (`inside`).
//!
//! - [`programs`]: the guest programs, one row each, here and in QEMU.
//! - [`disks`]: what disks hold before and after.
//! - [`linux`], [`linux_disk`], [`linux_opensbi`], [`linux_pci`], [`linux_qemu`]: Debian's kernel to its shell, on a large
//!   disk, above OpenSBI, and beside QEMU.
//! - [`moments`]: snapshots that runs go on from, recordings that are replayed.
//! - [`trace_hash`]: what the trace hash depends on, and what it does not.
//! - [`links`]: slow and lossy cables, frame by frame.
//! - [`rtc`]: the date, fixed or the host's, to a bare guest and to Linux.
//! - [`tracing`]: files for viewers.
//! - [`endings`]: power-off, reboot, deadlock, trap loop.
//! - [`idle`]: what a machine that waits costs.
//! - [`debugger`]: runs under GDB, and what a debugger must not change.
//! - [`boards`]: numbers of harts, quantum, CPI, other than the defaults.
//!
//! Runs take seconds at most on an idle machine; limits are generous because machines are not idle.

mod boards;
mod debugger;
mod disks;
mod endings;
mod idle;
mod inside;
mod links;
mod linux;
mod linux_disk;
mod linux_opensbi;
mod linux_pci;
mod linux_qemu;
mod moments;
mod network;
mod programs;
mod ran;
mod rtc;
mod trace_hash;
mod tracing;
