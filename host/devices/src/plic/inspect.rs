//! What there is to see of the PLIC.

use super::{Plic, SOURCES};
use maquette_model::{Inspect, Tree};

impl Inspect for Plic {
    fn inspect(&self, tree: &mut Tree) {
        for source in 1..SOURCES {
            let priority = self.priority.get(source as usize).copied().unwrap_or(0);
            let enabled = self.contexts.iter().any(|c| c.enable.has(source));
            let used = [self.level, self.pending, self.in_service]
                .iter()
                .any(|set| set.has(source));
            tree.branch(&format!("source{source}"), |t| {
                t.number("priority", priority);
                t.flag("level", self.level.has(source));
                t.flag("pending", self.pending.has(source));
                t.flag("in_service", self.in_service.has(source));
                // A driver may give all a priority and use few.
                if !enabled && !used {
                    t.rest();
                }
            });
        }
        for (i, context) in self.contexts.iter().enumerate() {
            // Contexts alternate: machine, supervisor.
            let mode = if i % 2 == 0 { "m" } else { "s" };
            tree.branch(&format!("hart{}.{mode}", i / 2), |t| {
                let enabled: Vec<String> = context.enable.iter().map(|s| s.to_string()).collect();
                t.text("enabled", enabled.join(" "));
                t.number("threshold", context.threshold);
                t.flag("raised", context.raised);
            });
        }
    }
}
