//! The host bridge in the device tree (bindings of Linux, `host-generic-pci` and IEEE Std 1275 for PCI).

use super::{FdtError, Tree};
use crate::board::{AddrRange, DeviceKind, PciWindow, pci};

/// Which space an address of the bus is in (IEEE Std 1275 PCI binding §2.2.1.1, "ss").
const PORTS: u32 = 1 << 24;
const MEMORY32: u32 = 2 << 24;
const MEMORY64: u32 = 3 << 24;
/// Where the device number is in the first cell of an address, and its bits that choose an interrupt.
const DEVICE_SHIFT: u32 = 11;
const MASK: [u32; 4] = [(pci::PCI_IRQS - 1) << DEVICE_SHIFT, 0, 0, 7];
const PINS: u8 = 4;

impl Tree<'_> {
    /// What the node has besides its name and its registers.
    pub(super) fn pci(&mut self) -> Result<(), FdtError> {
        self.fdt.property_string("device_type", "pci")?;
        self.fdt.property_u32("#address-cells", 3)?;
        self.fdt.property_u32("#size-cells", 2)?;
        self.fdt.property_u32("#interrupt-cells", 1)?;
        self.fdt.property_u32("linux,pci-domain", 0)?;
        self.fdt.property_array_u32("bus-range", &[0, 0xff])?;
        self.fdt.property_null("dma-coherent")?;
        let mut ranges = Vec::new();
        for device in self.board.devices() {
            let DeviceKind::Pci(window) = device.kind else {
                continue;
            };
            let start = device.range.start().0;
            let (space, on_bus) = match window {
                PciWindow::Config => continue,
                PciWindow::Ports => (PORTS, 0),
                PciWindow::Memory32 => (MEMORY32, start),
                PciWindow::Memory64 => (MEMORY64, start),
            };
            ranges.extend(range(space, on_bus, device.range));
        }
        self.fdt.property_array_u32("ranges", &ranges)?;
        self.fdt.property_array_u32("interrupt-map-mask", &MASK)?;
        let plic = self.phandles.plic();
        let map = (0..PINS).flat_map(|device| {
            (1..=PINS).flat_map(move |pin| {
                let unit = u32::from(device) << DEVICE_SHIFT;
                [unit, 0, 0, pin.into(), plic, pci::pci_irq(device, pin)]
            })
        });
        let map: Vec<u32> = map.collect();
        Ok(self.fdt.property_array_u32("interrupt-map", &map)?)
    }
}

/// An address of the bus, the harts' address, and a size.
fn range(space: u32, on_bus: u64, range: AddrRange) -> [u32; 7] {
    let [a, b] = cells(on_bus);
    let [c, d] = cells(range.start().0);
    let [e, f] = cells(range.len());
    [space, a, b, c, d, e, f]
}

/// The upper and the lower half.
const fn cells(value: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
    [
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    ]
}
