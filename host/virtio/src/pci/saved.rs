//! The transport as saved state.

use super::VirtioPci;
use crate::VirtioDevice;
use maquette_model::{LoadError, Reader, Snapshot, Writer};

impl<D: VirtioDevice> Snapshot for VirtioPci<D> {
    fn kind(&self) -> &'static str {
        "virtio-pci"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        let vectors = &self.transport.vectors;
        w.u16(vectors.config);
        for vector in &vectors.queues {
            w.u16(*vector);
        }
        self.transport.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let vectors = &mut self.transport.vectors;
        vectors.config = r.u16()?;
        for vector in &mut vectors.queues {
            *vector = r.u16()?;
        }
        self.transport.load(r)
    }
}
