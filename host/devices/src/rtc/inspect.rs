//! What there is to see of the clock. The time itself is a function of virtual time.

use super::Rtc;
use maquette_model::{Inspect, Tree};

impl Inspect for Rtc {
    fn inspect(&self, tree: &mut Tree) {
        let s = &self.state;
        tree.number("start_unix_ns", self.start.0);
        tree.number("offset_ns", s.offset);
        tree.number("alarm_ns", s.alarm);
        tree.flag("armed", s.armed);
        tree.flag("pending", s.pending);
        tree.flag("irq_enabled", s.enabled);
        tree.flag("interrupt", s.level);
    }
}
