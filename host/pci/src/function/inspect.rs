//! What there is to see of a function behind its registers.

use super::Function;
use maquette_model::{Inspect, Tree};
use maquette_pci_protocol::header;

impl<D: Inspect> Inspect for Function<D> {
    fn inspect(&self, tree: &mut Tree) {
        tree.hex("vendor", self.space.word(header::VENDOR_ID));
        tree.hex("device", self.space.word(header::DEVICE_ID));
        tree.hex("command", self.space.word(header::COMMAND));
        for own in self.bars.iter().flatten() {
            tree.branch(&format!("bar{}", own.index), |t| {
                t.hex("address", self.base(*own));
                t.hex("bytes", own.bytes);
            });
        }
        tree.flag("inta", self.pin);
        tree.branch("msix", |t| {
            t.hex("control", self.message_control().bits());
            self.table.inspect(t);
        });
        tree.branch("registers", |t| self.device.inspect(t));
    }
}
