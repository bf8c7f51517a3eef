//! The memory map of QEMU's `virt` board, which stock firmware and kernels know.

use super::{AddrRange, PciWindow, pci};
use maquette_model::PhysAddr;
use thiserror::Error;

/// Where RAM begins.
pub const RAM_BASE: PhysAddr = PhysAddr(0x8000_0000);
/// The most RAM that a board takes: 64 GiB.
pub const MAX_RAM: u64 = 64 << 30;
/// The most harts that a board takes.
pub const MAX_HARTS: u8 = 8;
/// Ticks of `time` in a second.
pub const TIMEBASE_HZ: u32 = 10_000_000;
/// The clock that the UART divides down to a baud rate. Only the device tree tells it.
pub const UART_CLOCK_HZ: u32 = 3_686_400;
/// Interrupt sources of the PLIC, 1 to this number (`riscv,ndev`; source 0 does not exist).
pub const PLIC_SOURCES: u32 = 95;
/// Virtio-mmio slots.
pub const VIRTIO_SLOTS: u8 = 8;

/// Which model the machine puts at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceKind {
    /// Power-off, failure status and reset by a register write (SiFive test device).
    Finisher,
    /// Per-hart timer and software interrupts of machine mode.
    Clint,
    /// The platform's interrupt controller: for hart `h`, context `2h` is machine mode and `2h + 1`
    /// supervisor mode.
    Plic,
    /// The console, a 16550.
    Uart,
    /// The date and an alarm (Goldfish).
    Rtc,
    /// A virtio device behind the MMIO transport; an empty slot answers with device id 0.
    VirtioMmio {
        /// 0 to 7.
        slot: u8,
    },
    /// A part of the PCI root complex.
    Pci(PciWindow),
}

/// One device: where it is and which interrupt it drives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceNode {
    /// What messages, statistics and the trace call it.
    pub name: String,
    /// The registers.
    pub range: AddrRange,
    /// The PLIC source that it drives.
    pub irq: Option<u32>,
    /// The model.
    pub kind: DeviceKind,
}

/// Why a board cannot exist.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BoardError {
    /// The number of harts is outside the range.
    #[error("a board has 1 to {MAX_HARTS} harts, not {harts}")]
    Harts {
        /// The number asked for.
        harts: u8,
    },
    /// The amount of RAM cannot be had.
    #[error(
        "RAM must be a multiple of 4 KiB, at least 4 KiB and at most {} GiB; {bytes} bytes is not",
        MAX_RAM >> 30
    )]
    Ram {
        /// The size asked for.
        bytes: u64,
    },
    /// A range goes past the end of the address space, or is empty.
    #[error("device `{name}`: {len:#x} bytes at {start} is no valid range")]
    Range {
        /// Which device.
        name: String,
        /// Where it was to begin.
        start: PhysAddr,
        /// How long it was to be.
        len: u64,
    },
    /// Two things claim the same address.
    #[error(
        "`{first}` at {first_range} and `{second}` at {second_range} overlap; move one of them"
    )]
    Overlap {
        /// The lower one.
        first: String,
        /// Where it is.
        first_range: AddrRange,
        /// The other one.
        second: String,
        /// Where that is.
        second_range: AddrRange,
    },
    /// Two devices drive one interrupt.
    #[error("`{first}` and `{second}` both drive interrupt {irq}; give each its own")]
    SharedIrq {
        /// One device.
        first: String,
        /// The other.
        second: String,
        /// The interrupt number.
        irq: u32,
    },
    /// The interrupt controller has no such source.
    #[error("`{name}` drives interrupt {irq}, but the PLIC has sources 1 to {PLIC_SOURCES}")]
    NoSuchIrq {
        /// Which device.
        name: String,
        /// The interrupt number.
        irq: u32,
    },
}

/// A checked board: harts, RAM and devices in order of their addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Board {
    harts: u8,
    ram: AddrRange,
    timebase_hz: u32,
    devices: Vec<DeviceNode>,
}

/// (name, start, length, interrupt, kind) of what every `virt` board has.
const FIXED: [(&str, u64, u64, Option<u32>, DeviceKind); 5] = [
    ("finisher", 0x10_0000, 0x1000, None, DeviceKind::Finisher),
    ("rtc", 0x10_1000, 0x1000, Some(11), DeviceKind::Rtc),
    ("clint", 0x200_0000, 0x1_0000, None, DeviceKind::Clint),
    ("plic", 0xc00_0000, 0x60_0000, None, DeviceKind::Plic),
    ("uart0", 0x1000_0000, 0x100, Some(10), DeviceKind::Uart),
];
const VIRTIO_BASE: u64 = 0x1000_1000;
const VIRTIO_STRIDE: u64 = 0x1000;

impl Board {
    /// The board with the memory map of QEMU's `virt`.
    ///
    /// # Errors
    /// When the number of harts or the amount of RAM is out of range.
    pub fn virt(harts: u8, ram_bytes: u64) -> Result<Self, BoardError> {
        let fixed = FIXED
            .iter()
            .map(|&(name, start, len, irq, kind)| (name.to_owned(), start, len, irq, kind));
        let slots = (0..VIRTIO_SLOTS).map(|slot| {
            let start = VIRTIO_BASE + VIRTIO_STRIDE * u64::from(slot);
            let irq = Some(1 + u32::from(slot));
            let kind = DeviceKind::VirtioMmio { slot };
            (format!("virtio{slot}"), start, VIRTIO_STRIDE, irq, kind)
        });
        let devices = fixed
            .chain(slots)
            .map(|(name, start, len, irq, kind)| node(name, PhysAddr(start), len, irq, kind))
            .collect::<Result<_, _>>()?;
        Self::new(harts, ram_bytes, devices)
    }

    /// A board with these devices, in any order.
    ///
    /// # Errors
    /// When a number is out of range, ranges overlap, or an interrupt is shared.
    pub fn new(
        harts: u8,
        ram_bytes: u64,
        mut devices: Vec<DeviceNode>,
    ) -> Result<Self, BoardError> {
        if harts == 0 || harts > MAX_HARTS {
            return Err(BoardError::Harts { harts });
        }
        if ram_bytes == 0 || ram_bytes > MAX_RAM || !ram_bytes.is_multiple_of(4096) {
            return Err(BoardError::Ram { bytes: ram_bytes });
        }
        let ram =
            AddrRange::new(RAM_BASE, ram_bytes).ok_or(BoardError::Ram { bytes: ram_bytes })?;
        devices.sort_by_key(|d| d.range.start());
        check_ranges(ram, &devices)?;
        check_irqs(&devices)?;
        Ok(Self {
            harts,
            ram,
            timebase_hz: TIMEBASE_HZ,
            devices,
        })
    }

    /// The same board with a PCI root complex.
    ///
    /// # Errors
    /// When its addresses are taken.
    pub fn with_pci(mut self) -> Result<Self, BoardError> {
        self.devices.extend(pci::windows(self.ram)?);
        let ram_bytes = self.ram.len();
        Self::new(self.harts, ram_bytes, self.devices)
    }

    /// The number of harts, 1 to [`MAX_HARTS`].
    #[must_use]
    pub const fn harts(&self) -> u8 {
        self.harts
    }

    /// Where RAM is.
    #[must_use]
    pub const fn ram(&self) -> AddrRange {
        self.ram
    }

    /// Ticks of `time` in a second.
    #[must_use]
    pub const fn timebase_hz(&self) -> u32 {
        self.timebase_hz
    }

    /// The devices in order of their addresses.
    #[must_use]
    pub fn devices(&self) -> &[DeviceNode] {
        &self.devices
    }
}

/// Makes a device node.
pub(super) fn node(
    name: String,
    start: PhysAddr,
    len: u64,
    irq: Option<u32>,
    kind: DeviceKind,
) -> Result<DeviceNode, BoardError> {
    match AddrRange::new(start, len) {
        Some(range) if len != 0 => Ok(DeviceNode {
            name,
            range,
            irq,
            kind,
        }),
        _ => Err(BoardError::Range { name, start, len }),
    }
}

/// `devices` are sorted, so comparing neighbours (and each with RAM) finds every overlap.
fn check_ranges(ram: AddrRange, devices: &[DeviceNode]) -> Result<(), BoardError> {
    let overlap = |a: (&str, AddrRange), b: (&str, AddrRange)| BoardError::Overlap {
        first: a.0.to_owned(),
        first_range: a.1,
        second: b.0.to_owned(),
        second_range: b.1,
    };
    for d in devices {
        if d.range.is_empty() {
            return Err(BoardError::Range {
                name: d.name.clone(),
                start: d.range.start(),
                len: 0,
            });
        }
        if d.range.overlaps(ram) {
            return Err(overlap((&d.name, d.range), ("ram", ram)));
        }
    }
    for (a, b) in devices.iter().zip(devices.iter().skip(1)) {
        if a.range.overlaps(b.range) {
            return Err(overlap((&a.name, a.range), (&b.name, b.range)));
        }
    }
    Ok(())
}

fn check_irqs(devices: &[DeviceNode]) -> Result<(), BoardError> {
    for (i, d) in devices.iter().enumerate() {
        let Some(irq) = d.irq else { continue };
        if irq == 0 || irq > PLIC_SOURCES {
            return Err(BoardError::NoSuchIrq {
                name: d.name.clone(),
                irq,
            });
        }
        if let Some(other) = devices.iter().take(i).find(|o| o.irq == Some(irq)) {
            return Err(BoardError::SharedIrq {
                first: other.name.clone(),
                second: d.name.clone(),
                irq,
            });
        }
    }
    Ok(())
}
