//! Where PCI is on QEMU's `virt` board.

use super::{AddrRange, BoardError, DeviceKind, DeviceNode};
use maquette_model::PhysAddr;

/// What a range of addresses is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PciWindow {
    /// I/O ports from 0 on; no function has any.
    Ports,
    /// Configuration space of buses 0 to 255.
    Config,
    /// Memory below 4 GiB, at the same addresses on the bus.
    Memory32,
    /// Memory above 4 GiB, at the same addresses on the bus.
    Memory64,
}

/// The interrupt of pin INTA# of device 0; three more follow.
pub const PCI_IRQ: u32 = 32;
/// Interrupts of all functions together.
pub const PCI_IRQS: u32 = 4;
/// Size of the memory window above 4 GiB, which is aligned to that too.
const MEMORY64_BYTES: u64 = 16 << 30;

/// The interrupt that a pin leads to: devices take turns, so that neighbours do not share one.
#[must_use]
pub const fn pci_irq(device: u8, pin: u8) -> u32 {
    PCI_IRQ + (device as u32 + pin as u32 - 1) % PCI_IRQS
}

/// The windows of a board with this RAM, which pushes the upper window up if it is large.
pub(super) fn windows(ram: AddrRange) -> Result<Vec<DeviceNode>, BoardError> {
    let above = ram.end().0.next_multiple_of(MEMORY64_BYTES);
    [
        ("pci.ports", 0x300_0000, 0x1_0000, PciWindow::Ports),
        ("pci", 0x3000_0000, 0x1000_0000, PciWindow::Config),
        (
            "pci.memory32",
            0x4000_0000,
            0x4000_0000,
            PciWindow::Memory32,
        ),
        ("pci.memory64", above, MEMORY64_BYTES, PciWindow::Memory64),
    ]
    .into_iter()
    .map(|(name, start, len, window)| {
        let kind = DeviceKind::Pci(window);
        super::map::node(name.to_owned(), PhysAddr(start), len, None, kind)
    })
    .collect()
}
