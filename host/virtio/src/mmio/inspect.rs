//! What there is to see of a virtio device behind memory-mapped registers.

use super::VirtioMmio;
use crate::VirtioDevice;
use maquette_model::{Inspect, Tree};

impl<D: VirtioDevice> Inspect for VirtioMmio<D> {
    fn inspect(&self, tree: &mut Tree) {
        self.transport.inspect(tree);
    }
}
