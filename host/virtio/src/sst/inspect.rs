//! What there is to see of the device.

use super::Sst;
use maquette_model::{Inspect, Tree};

impl Inspect for Sst {
    fn inspect(&self, tree: &mut Tree) {
        tree.number("device_id", self.settings.device_id);
        tree.flag("connected", self.settings.connected);
        tree.length("in_flight", self.flights.len());
        if let Some(deadline) = self.flights.deadline() {
            tree.time("next_deadline", deadline);
        }
        tree.length("events_waiting", self.events.len());
    }
}
