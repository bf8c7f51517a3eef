//! A transport with nothing plugged in.

use super::VENDOR;
use super::registers::{self, Place, Reg, SIZE, place};
use maquette_model::{
    Access, Cx, Device, Event, Inspect, LoadError, Reader, Region, RegisterInfo, ResetKind,
    Snapshot, Tree, Width, Writer,
};
use maquette_virtio_protocol::{DeviceId, mmio};

/// An empty slot: it identifies itself as a transport with device 0, which a driver ignores (virtio 1.3
/// §4.2.3.1), and all else reads 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptySlot;

impl EmptySlot {
    /// Size of the register region.
    pub const SIZE: u64 = SIZE;
}

/// It has no state.
impl Inspect for EmptySlot {
    fn inspect(&self, tree: &mut Tree) {
        tree.text("device", "none");
    }
}

impl Device for EmptySlot {
    fn read(&mut self, _: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        let value = match place(off, w) {
            Ok(Place::Register(Reg::Magic)) => mmio::MAGIC,
            Ok(Place::Register(Reg::Version)) => mmio::VERSION_MODERN,
            Ok(Place::Register(Reg::VendorId)) => VENDOR,
            Ok(Place::Register(Reg::DeviceId)) => DeviceId::NONE.0,
            Ok(_) => 0,
            Err(e) => return Access::Fault(e),
        };
        Access::Done(value.into())
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, _: u64) -> Access<()> {
        match place(off, w) {
            Ok(_) => {
                cx.guest_error("virtio-mmio: write to an empty slot", off);
                Access::Done(())
            }
            Err(e) => Access::Fault(e),
        }
    }

    fn event(&mut self, _: &mut Cx<'_>, _: Event) {}

    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {}

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        match registers::info(off)?.name {
            name @ ("MagicValue" | "Version" | "DeviceID" | "VendorID") => {
                Some(RegisterInfo::plain(name))
            }
            _ => None,
        }
    }
}

impl Snapshot for EmptySlot {
    fn kind(&self) -> &'static str {
        "virtio-mmio-empty"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}
