//! What there is to see of an accelerator.

use super::{Accelerator, Timing};
use maquette_model::Tree;

impl Accelerator {
    pub(super) fn look(&self, tree: &mut Tree) {
        tree.number("cycles_per_unit", self.cycles_per_unit);
        let timing = match self.timing {
            Timing::Immediate => "instant".to_owned(),
            Timing::Fixed => "fixed".to_owned(),
            Timing::Pipelined(interval) => format!("pipelined, a request each {interval} cycles"),
        };
        tree.text("timing", timing);
        tree.length("waiting", self.waiting.len());
        tree.branch("memory", |tree| {
            tree.number("size", self.memory.size());
            tree.number("in_use", self.memory.in_use());
        });
        tree.branch("counters", |tree| {
            tree.number("requests", self.counters.requests);
            tree.number("refused", self.counters.refused);
            tree.number("units", self.counters.units);
            tree.number("busy_cycles", self.counters.busy_cycles);
            tree.number("strays", self.counters.strays);
        });
    }
}
