//! What there is to see of a disk.

use super::Block;
use maquette_model::{Inspect, Tree};

impl Inspect for Block {
    fn inspect(&self, tree: &mut Tree) {
        tree.number("bytes", self.backend.size());
        tree.flag("read_only", self.backend.read_only());
        tree.time("latency", self.latency);
        tree.length("requests_under_way", self.waiting.len());
        tree.flag("host_failed", self.complained);
    }
}
