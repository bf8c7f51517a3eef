//! What a machine is made from. No defaults here: they live in the schema of system files.

use crate::board::BoardError;
use crate::boot::BootError;
use maquette_devices::UnixTime;
use maquette_model::{Device, Frequency, RamError};
use maquette_pci::{LayoutError, PciFunction};
use thiserror::Error;

/// A machine, complete.
pub struct Config {
    /// The component's path, for example `machine0`.
    pub name: String,
    /// Harts, 1 to 8.
    pub harts: u8,
    /// RAM in bytes.
    pub ram_bytes: u64,
    /// Clock rate of every hart.
    pub clock: Frequency,
    /// Cycles an instruction, as a fraction.
    pub cpi: (u64, u64),
    /// Instructions in a hart's turn; part of what the trace hash depends on.
    pub quantum: u64,
    /// Most instructions in a block; not observable.
    pub block_limit: u16,
    /// Seed of everything random.
    pub seed: u64,
    /// What the real-time clock shows at virtual time zero.
    pub rtc: UnixTime,
    /// What to boot.
    pub boot: BootSource,
    /// Devices in virtio slots.
    pub slots: Vec<Slot>,
    /// PCI functions; the board has a root complex if there are any.
    pub functions: Vec<PciSlot>,
}

/// A device for a virtio-mmio slot.
pub struct Slot {
    /// 0 to 7.
    pub index: u8,
    /// The transport with its device.
    pub device: Box<dyn Device>,
}

/// A function on the root bus.
pub struct PciSlot {
    /// Its device number, 1 to 31; it is function 0.
    pub device: u8,
    /// The function.
    pub function: Box<dyn PciFunction>,
}

/// Who is underneath the program that is booted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootMode {
    /// Nobody: all harts begin in M-mode.
    Bare,
    /// A firmware of the user's: all harts begin in it, in M-mode.
    Firmware,
    /// The machine answers firmware calls itself: hart 0 begins in S-mode.
    Sbi,
}

/// What is booted, kept for restarts.
pub struct BootSource {
    /// Who is underneath.
    pub mode: BootMode,
    /// The firmware, as read from its file; for [`BootMode::Firmware`] alone.
    pub firmware: Option<Vec<u8>>,
    /// The kernel image, as read from its file.
    pub kernel: Vec<u8>,
    /// The initial RAM disk.
    pub initrd: Option<Vec<u8>>,
    /// The kernel command line; empty for none.
    pub cmdline: String,
}

/// Why there is no machine.
#[derive(Debug, Error)]
pub enum MachineError {
    /// The board is impossible.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The host has no RAM for it.
    #[error(transparent)]
    Ram(#[from] RamError),
    /// It cannot boot.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A firmware is to be started, and there is none.
    #[error("mode `firmware` needs a firmware; name one such as part:opensbi/fw_dynamic.bin")]
    NoFirmware,
    /// A slot does not exist.
    #[error("there is no virtio slot {index}; slots are 0 to 7")]
    NoSlot {
        /// Which was asked for.
        index: u8,
    },
    /// Two devices in one slot.
    #[error("two devices want virtio slot {index}")]
    SlotTaken {
        /// Which.
        index: u8,
    },
    /// A device number does not exist, or is the host bridge's.
    #[error("there is no PCI slot {device} for a device; slots are 1 to 31")]
    NoPciSlot {
        /// Which was asked for.
        device: u8,
    },
    /// Two functions with one device number.
    #[error("two devices want PCI slot {device}")]
    PciSlotTaken {
        /// Which.
        device: u8,
    },
    /// A function cannot have such a configuration space.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A turn without instructions never ends.
    #[error("a quantum of 0 instructions never ends; use at least 1")]
    Quantum,
}
