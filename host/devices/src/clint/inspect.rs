//! What there is to see of the CLINT.

use super::Clint;
use maquette_model::{Inspect, Tree};

impl Inspect for Clint {
    fn inspect(&self, tree: &mut Tree) {
        for (i, hart) in self.harts.iter().enumerate() {
            tree.branch(&format!("hart{i}"), |t| {
                t.flag("msip", hart.msip);
                t.flag("mtip", hart.mtip);
                t.hex("mtimecmp", hart.mtimecmp);
            });
        }
    }
}
