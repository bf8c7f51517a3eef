//! What the registers of configuration space and of the table are called.

use super::Function;
use maquette_model::registers::{Register, find};
use maquette_model::{RegisterInfo, Width};
use maquette_pci_protocol::{bar, express, header, msix};

const fn one(at: u16, width: Width, name: &'static str) -> Register<&'static str> {
    Register::one(at as u64, width, name)
}

/// PCI 3.0 §6.1, figure 6-1.
const HEADER: [Register<&str>; 17] = [
    one(header::VENDOR_ID, Width::B2, "Vendor ID"),
    one(header::DEVICE_ID, Width::B2, "Device ID"),
    one(header::COMMAND, Width::B2, "Command"),
    one(header::STATUS, Width::B2, "Status"),
    one(header::REVISION_ID, Width::B1, "Revision ID"),
    Register::array(header::CLASS_CODE as u64, Width::B1, 1, 3, "Class Code"),
    one(header::CACHE_LINE_SIZE, Width::B1, "Cache Line Size"),
    one(header::CACHE_LINE_SIZE + 1, Width::B1, "Latency Timer"),
    one(header::HEADER_TYPE, Width::B1, "Header Type"),
    one(header::HEADER_TYPE + 1, Width::B1, "BIST"),
    Register::array(
        header::BASE_ADDRESS as u64,
        Width::B4,
        4,
        bar::COUNT as usize,
        "Base Address",
    ),
    one(
        header::SUBSYSTEM_VENDOR_ID,
        Width::B2,
        "Subsystem Vendor ID",
    ),
    one(header::SUBSYSTEM_ID, Width::B2, "Subsystem ID"),
    one(
        header::EXPANSION_ROM,
        Width::B4,
        "Expansion ROM Base Address",
    ),
    one(header::CAPABILITIES, Width::B1, "Capabilities Pointer"),
    one(header::INTERRUPT_LINE, Width::B1, "Interrupt Line"),
    one(header::INTERRUPT_PIN, Width::B1, "Interrupt Pin"),
];

/// The register of configuration space at an offset. Reserved ones are registers too: drivers save and
/// restore all of it.
pub(super) fn config<D>(function: &Function<D>, at: u64) -> Option<RegisterInfo> {
    if let Some(hit) = find(&HEADER, at) {
        return Some(RegisterInfo::plain(hit.id));
    }
    if at >= u64::from(header::EXPRESS_BYTES) {
        return None;
    }
    let places = &function.places;
    let within = |place: Option<u16>, bytes: u16| {
        let off = at.checked_sub(u64::from(place?))?;
        (off < u64::from(bytes)).then_some(off)
    };
    let control = u64::from(express::DEVICE_CONTROL);
    let name = if let Some(off) = within(places.express, express::BYTES) {
        if off >> 1 == control >> 1 {
            "Device Control"
        } else {
            "PCI Express capability"
        }
    } else if let Some(off) = within(places.msix, msix::BYTES) {
        if off >> 1 == u64::from(msix::CONTROL) >> 1 {
            "MSI-X Message Control"
        } else {
            "MSI-X capability"
        }
    } else if at >= u64::from(header::CONVENTIONAL_BYTES) {
        "Extended capabilities"
    } else if at >= u64::from(header::END) {
        "Capabilities"
    } else {
        "Reserved"
    };
    Some(RegisterInfo::plain(name))
}

/// The register at an offset of the table's memory, whose second half holds the pending bits.
pub(super) fn table(at: u64, half: u64) -> Option<RegisterInfo> {
    let name = match at {
        _ if at >= half => "MSI-X pending bits",
        _ => match at % msix::ENTRY_BYTES {
            msix::ENTRY_CONTROL.. => "MSI-X Vector Control",
            msix::ENTRY_DATA.. => "MSI-X Message Data",
            _ => "MSI-X Message Address",
        },
    };
    Some(RegisterInfo::plain(name))
}
