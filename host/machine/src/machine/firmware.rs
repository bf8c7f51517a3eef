//! Firmware calls, answered by the machine.

use super::Machine;
use maquette_model::{Answer, HypercallArgs, Vcpu};
use maquette_sim::SimCx;
use maquette_trace::{Kind, payload};

impl Machine {
    /// Answers a call of hart `i`.
    pub(super) fn firmware_call(&mut self, cx: &mut SimCx<'_>, i: usize, call: HypercallArgs) {
        let (now, path) = (self.harts[i].hart.time(), self.harts[i].path);
        cx.trace()
            .record(now, path, Kind::Sbi, &payload::sbi(&call));
        self.harts[i].hart.finish(Answer::Sbi {
            a0: (-2i64).cast_unsigned(),
            a1: Some(0),
        });
    }
}
