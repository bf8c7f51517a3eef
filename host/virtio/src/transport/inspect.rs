//! What there is to see of a virtio device behind its registers.

use super::Transport;
use crate::VirtioDevice;
use maquette_model::{Inspect, Tree};

impl<D: VirtioDevice> Inspect for Transport<D> {
    fn inspect(&self, tree: &mut Tree) {
        let s = &self.state;
        tree.text("device", self.device.kind());
        tree.hex("status", s.status.bits());
        tree.hex("driver_features", s.driver_features.bits());
        tree.hex("interrupt_status", s.interrupt.bits());
        tree.number("config_generation", s.generation);
        tree.number("queue_sel", s.queue_sel);
        for (i, queue) in self.queues.iter().enumerate() {
            tree.branch(&format!("queue{i}"), |t| queue.inspect(t));
        }
        tree.branch("state", |t| self.device.inspect(t));
    }
}
