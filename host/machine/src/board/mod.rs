//! What a machine consists of, as data: address ranges, interrupt numbers, harts.
//!
//! The bus and the device tree are both made from one [`Board`], so a guest is never told of a device
//! that is not there, and no address is written down twice.
//!
//! # Invariants
//!
//! * A [`Board`] that exists has been checked: no two devices overlap, none lies in RAM, no two
//!   share an interrupt number, and no range wraps.
//! * The device tree is a pure function of its arguments: equal arguments give equal bytes, also of
//!   the random seed that a kernel is given.
//!
//! # What is not here
//!
//! No device and no behaviour: [`DeviceKind`] says which model the machine puts there.

mod fdt;
mod map;
mod pci;
mod range;

pub use fdt::{FdtError, TreeOptions, View, device_tree};
pub use map::{
    Board, BoardError, DeviceKind, DeviceNode, MAX_HARTS, MAX_RAM, PLIC_SOURCES, RAM_BASE,
    TIMEBASE_HZ, UART_CLOCK_HZ, VIRTIO_SLOTS,
};
pub use pci::{PCI_IRQ, PCI_IRQS, PciWindow, pci_irq};
pub use range::AddrRange;

#[cfg(test)]
mod tests;
