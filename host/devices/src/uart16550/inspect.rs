//! What there is to see of the UART. A read of these registers would change some of them.

use super::Uart16550;
use maquette_model::{Inspect, Tree};

impl Inspect for Uart16550 {
    fn inspect(&self, tree: &mut Tree) {
        let s = &self.state;
        tree.hex("ier", s.ier);
        tree.hex("fcr", s.fcr);
        tree.hex("lcr", s.lcr);
        tree.hex("mcr", s.mcr);
        tree.hex("scr", s.scratch);
        tree.number("divisor", s.divisor);
        tree.flag("thr_empty_pending", s.thr_empty);
        tree.flag("interrupt", s.raised);
        tree.branch("receiver", |t| {
            t.length("fifo", self.rx.fifo.len());
            t.flag("overrun", self.rx.overrun);
            t.flag("timed_out", self.rx.timed_out);
        });
    }
}
