//! What there is to see of a virtqueue, without a look at guest memory.

use super::Queue;
use maquette_model::{Inspect, Tree};

impl Inspect for Queue {
    fn inspect(&self, tree: &mut Tree) {
        tree.number("max", self.max);
        tree.number("size", self.size);
        tree.flag("ready", self.ready);
        tree.hex("desc", self.areas.desc.0);
        tree.hex("avail", self.areas.avail.0);
        tree.hex("used", self.areas.used.0);
        tree.flag("event_idx", self.event_idx);
        tree.number("avail_idx", self.seen_avail);
        tree.number("next_avail", self.next_avail);
        tree.number("used_idx", self.next_used);
        tree.number("signalled", self.signalled);
    }
}
