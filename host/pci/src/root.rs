//! What answers where no function does.

use maquette_model::{
    Access, Cx, Device, Event, Inspect, LoadError, Reader, Region, RegisterInfo, ResetKind,
    Snapshot, Tree, Width, Writer,
};

/// The root complex, for all accesses that no function claims: reads are all ones and writes are lost (PCIe
/// 5.0 §2.3.2, "Unsupported Request"), in configuration space as in memory and I/O ports.
#[derive(Clone, Copy, Debug, Default)]
pub struct RootComplex;

impl Device for RootComplex {
    fn read(&mut self, _: &mut Cx<'_>, _: Region, _: u64, width: Width) -> Access<u64> {
        Access::Done(width.mask())
    }
    fn write(&mut self, _: &mut Cx<'_>, _: Region, _: u64, _: Width, _: u64) -> Access<()> {
        Access::Done(())
    }
    fn event(&mut self, _: &mut Cx<'_>, _: Event) {}
    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {}
    fn register(&self, _: Region, _: u64) -> Option<RegisterInfo> {
        // A driver looks for functions where there are none.
        Some(RegisterInfo::plain("unclaimed"))
    }
}

/// It has no state.
impl Inspect for RootComplex {
    fn inspect(&self, _: &mut Tree) {}
}

impl Snapshot for RootComplex {
    fn kind(&self) -> &'static str {
        "pci-root-complex"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}
