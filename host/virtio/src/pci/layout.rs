//! Where the structures lie in the function's memory, and what its configuration space says of that.

use super::VirtioPci;
use crate::VirtioDevice;
use maquette_model::Width;
use maquette_pci::{Bar, Layout, PciDevice, VendorCapability};
use maquette_pci_protocol::{ClassCode, Identity};
use maquette_virtio_protocol::DeviceId;
use maquette_virtio_protocol::pci::{self, Structure};
use zerocopy::IntoBytes;

/// Size of the memory.
pub(super) const SIZE: u64 = 0x4000;
/// Each structure has a page of its own, so that a guest can map one alone.
const PAGE: u32 = 0x1000;
const COMMON: u32 = 0;
const ISR: u32 = PAGE;
const DEVICE: u32 = 2 * PAGE;
const NOTIFY: u32 = 3 * PAGE;
/// `notify_off_multiplier`: queue `n` is notified at this times `n`.
pub(super) const NOTIFY_STRIDE: u64 = 4;
/// The base address register of the structures.
const BAR: u8 = 4;
/// The base address register of the message interrupts' table.
const TABLE_BAR: u8 = 1;

/// What lies at an offset, with the distance from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Common(u64),
    Isr(u64),
    Device(u64),
    Notify(u64),
}

/// What an access is for; `None` for one that is not aligned, or past the end.
pub(super) fn place(off: u64, w: Width) -> Option<Place> {
    if !off.is_multiple_of(w.bytes()) {
        return None;
    }
    let within = off % u64::from(PAGE);
    let start = u32::try_from(off - within).ok()?;
    match start {
        COMMON => Some(Place::Common(within)),
        ISR => Some(Place::Isr(within)),
        DEVICE => Some(Place::Device(within)),
        NOTIFY => Some(Place::Notify(within)),
        _ => None,
    }
}

/// The class that drivers of other systems expect.
const fn class(id: DeviceId) -> ClassCode {
    match id {
        DeviceId::NETWORK => ClassCode::ETHERNET,
        DeviceId::BLOCK => ClassCode::SCSI,
        DeviceId::CONSOLE => ClassCode::COMMUNICATION,
        _ => ClassCode::OTHER,
    }
}

fn capability(structure: Structure, offset: u32, length: u32, more: &[u8]) -> VendorCapability {
    let (bar, window) = match structure {
        Structure::WINDOW => (0, true),
        _ => (BAR, false),
    };
    let place = pci::Place::new(structure, bar, offset, length);
    let body = [place.as_bytes(), more].concat();
    VendorCapability { body, window }
}

impl<D: VirtioDevice> PciDevice for VirtioPci<D> {
    fn layout(&self) -> Layout {
        let id = self.transport.device.id();
        let multiplier = u32::try_from(NOTIFY_STRIDE).unwrap_or(0).to_le_bytes();
        let queues = u32::try_from(self.transport.queues.len()).unwrap_or(u32::MAX);
        let notify_bytes = queues.saturating_mul(4).min(PAGE);
        Layout {
            identity: Identity {
                vendor: pci::VENDOR,
                device: pci::device_number(id).unwrap_or(0),
                revision: pci::REVISION,
                class: class(id),
                subsystem_vendor: pci::VENDOR,
                subsystem: pci::SUBSYSTEM,
            },
            bars: vec![Bar {
                index: BAR,
                bytes: SIZE,
                wide: true,
                prefetchable: true,
            }],
            pin: true,
            vectors: (self.vector_count(), TABLE_BAR),
            express: true,
            vendor: vec![
                capability(Structure::COMMON, COMMON, pci::COMMON_BYTES, &[]),
                capability(Structure::ISR, ISR, 1, &[]),
                capability(Structure::DEVICE, DEVICE, PAGE, &[]),
                capability(Structure::NOTIFY, NOTIFY, notify_bytes, &multiplier),
                capability(Structure::WINDOW, 0, 0, &[0; 4]),
            ],
        }
    }
}
