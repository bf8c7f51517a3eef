//! The function that stands for the root complex itself.

use crate::{Layout, PciDevice};
use maquette_model::{
    Access, BusError, Cx, Device, Event, Inspect, LoadError, Reader, Region, ResetKind, Snapshot,
    Tree, Width, Writer,
};
use maquette_pci_protocol::{ClassCode, Identity};

/// The host bridge at 00:00.0, with the numbers of QEMU's generic one. It has configuration space and nothing
/// else.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostBridge;

impl PciDevice for HostBridge {
    fn layout(&self) -> Layout {
        Layout {
            identity: Identity {
                vendor: 0x1b36,
                device: 0x0008,
                revision: 0,
                class: ClassCode::HOST_BRIDGE,
                subsystem_vendor: 0x1af4,
                subsystem: 0x1100,
            },
            bars: Vec::new(),
            pin: false,
            vectors: (0, 0),
            express: false,
            vendor: Vec::new(),
        }
    }
}

impl Device for HostBridge {
    fn read(&mut self, _: &mut Cx<'_>, _: Region, _: u64, _: Width) -> Access<u64> {
        Access::Fault(BusError::Unmapped)
    }
    fn write(&mut self, _: &mut Cx<'_>, _: Region, _: u64, _: Width, _: u64) -> Access<()> {
        Access::Fault(BusError::Unmapped)
    }
    fn event(&mut self, _: &mut Cx<'_>, _: Event) {}
    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {}
}

/// It has no state.
impl Inspect for HostBridge {
    fn inspect(&self, _: &mut Tree) {}
}

impl Snapshot for HostBridge {
    fn kind(&self) -> &'static str {
        "pci-host-bridge"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}
