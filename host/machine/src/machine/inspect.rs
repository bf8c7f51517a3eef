//! What there is to see of a machine: its own state, its harts, its devices.

use super::harts::Doing;
use super::{Machine, Status};
use maquette_model::{Inspect, Tree};

impl Inspect for Machine {
    fn inspect(&self, tree: &mut Tree) {
        tree.text("status", status(&self.status));
        tree.time("time", self.reached());
        tree.length("events_waiting", self.core.events.len());
        for (i, slot) in self.harts.iter().enumerate() {
            tree.branch(&format!("hart{i}"), |t| {
                t.text("doing", doing(slot.doing));
                slot.hart.inspect(t);
            });
        }
        let prefix = format!("{}.", self.name);
        for node in &self.bus.nodes {
            let name = node.name.strip_prefix(&prefix).unwrap_or(&node.name);
            tree.branch(name, |t| {
                t.hex("address", node.range.start().0);
                t.number("accesses", node.accesses);
                match node.model.device() {
                    None => self.core.plic.inspect(t),
                    Some(device) => device.inspect(t),
                }
            });
        }
        tree.branch("ram", |t| {
            t.hex("address", self.core.ram.base().0);
            t.number("bytes", self.core.ram.size());
        });
    }
}

fn status(status: &Status) -> String {
    match status {
        Status::Running => "running".to_owned(),
        Status::PoweredOff => "powered off".to_owned(),
        Status::GuestFailed(code) => format!("the guest reported failure {code}"),
        Status::HartFailed { hart, what, .. } => format!("hart{hart} failed: {what}"),
        Status::RestartFailed(why) => format!("the restart failed: {why}"),
        Status::InstructionLimit => "at its limit of instructions".to_owned(),
    }
}

const fn doing(doing: Doing) -> &'static str {
    match doing {
        Doing::Running => "running",
        Doing::Sleeping => "waiting for an interrupt",
        Doing::Blocked(_) => "waiting for a device",
        Doing::Stopped => "stopped",
        Doing::Suspended { .. } => "suspended",
    }
}
