//! A device without state: what a store to it does is the test's own.

use maquette_model::{
    Access, Cx, Device, Event, Inspect, LoadError, Reader, Region, ResetKind, Snapshot, Tree,
    Width, Writer,
};

/// Calls the function with what is stored to the device; reads as 0.
pub(super) struct OnWrite<F>(pub(super) F);

impl<F> Snapshot for OnWrite<F> {
    fn kind(&self) -> &'static str {
        "on-write"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, _: &mut Writer) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl<F> Inspect for OnWrite<F> {
    fn inspect(&self, _: &mut Tree) {}
}

impl<F: FnMut(&mut Cx<'_>, u64)> Device for OnWrite<F> {
    fn read(&mut self, _: &mut Cx<'_>, _: Region, _: u64, _: Width) -> Access<u64> {
        Access::Done(0)
    }
    fn write(&mut self, cx: &mut Cx<'_>, _: Region, _: u64, _: Width, v: u64) -> Access<()> {
        (self.0)(cx, v);
        Access::Done(())
    }
    fn event(&mut self, _: &mut Cx<'_>, _: Event) {}
    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {}
}
