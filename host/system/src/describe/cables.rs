//! Several machines in one system: their names, and the cables between them.

use super::Describer;
use crate::description::{DeviceKind, Link, Machine, Plug};
use crate::problem::{Fault, Problem};
use crate::reader::Sections;
use crate::suggest;
use crate::values::Group;
use maquette_model::SimTime;

/// The least time that can be halved: a cable that is a component has two ends.
const HALVED: SimTime = SimTime::from_ps(2);

impl Describer<'_> {
    /// No two machines have one name.
    pub(super) fn names(&mut self, machines: &[Machine]) {
        for (index, machine) in machines.iter().enumerate() {
            let name = &machine.board.name;
            let others = machines.get(..index).unwrap_or_default();
            if others.iter().any(|other| other.board.name == *name) {
                let fault = Fault::Combination {
                    what: format!("two machines are called `{name}`"),
                    remedy: "give each machine a `name` of its own".to_owned(),
                };
                self.problems.push(Problem {
                    at: machine.board.at,
                    field: machine.field("machine.name"),
                    fault,
                });
            }
        }
    }

    /// The cables; what has two is a problem.
    pub(super) fn links(&mut self, sections: &Sections, machines: &[Machine]) -> Vec<Link> {
        let plugs = plugs(machines);
        let has_user = |plug: Plug| {
            let machine = machines.get(plug.machine);
            let device = machine.and_then(|m| m.devices.iter().find(|d| d.slot == plug.slot));
            device.is_some_and(|d| matches!(d.kind, DeviceKind::Net { user: Some(_), .. }))
        };
        let mut taken: Vec<(Plug, String)> = Vec::new();
        let mut links = Vec::new();
        for group in sections.all("link") {
            let names = ["from", "to"].map(|end| group.text(end).unwrap_or_default());
            let shown = format!("the link from `{}` to `{}`", names[0], names[1]);
            let ends = ["from", "to"].map(|end| self.plug(group, end, &shown, &plugs));
            let [Some(from), Some(to)] = ends else {
                continue;
            };
            if from == to {
                let what = format!("{shown} joins a device to itself");
                self.combination(group, "to", &what, "name another device");
                continue;
            }
            for (end, plug) in [("from", from), ("to", to)] {
                if has_user(plug) {
                    let what =
                        format!("{shown}: the device has a cable already, to the user network");
                    let remedy = "remove the link, or `backend = \"user\"` of the device";
                    self.combination(group, end, &what, remedy);
                }
                if let Some((_, other)) = taken.iter().find(|(p, _)| *p == plug) {
                    let what = format!("{shown}: there is a cable already, {other}");
                    let remedy = "give the machine one more virtio-net device, or remove a link";
                    self.combination(group, end, &what, remedy);
                }
            }
            taken.extend([from, to].map(|plug| (plug, shown.clone())));
            let loss = group.ratio("loss");
            if loss.is_some_and(|(some, of)| some > of) {
                let what = format!("{shown} would lose more frames than it carries");
                self.combination(group, "loss", &what, "write a share such as \"1/1000\"");
            }
            let latency = group.time("latency").unwrap_or(SimTime::ZERO);
            let is_wire = loss.is_some() || group.written("bandwidth");
            if is_wire && latency < HALVED {
                let what = format!("{shown}: with `bandwidth` or `loss`, 1 ps is too short");
                self.combination(group, "latency", &what, "write at least \"2ps\"");
            }
            links.push(Link {
                from,
                to,
                latency,
                bandwidth: group.number("bandwidth"),
                loss,
                seed: group.number("seed").unwrap_or(0),
                at: group.at,
                field: group.path.clone(),
            });
        }
        links
    }

    /// The device that an end names.
    fn plug(
        &mut self,
        group: &Group,
        end: &str,
        shown: &str,
        plugs: &[(String, Plug)],
    ) -> Option<Plug> {
        let name = group.text(end)?;
        let found = plugs.iter().find(|(known, _)| known == name);
        if found.is_none() {
            let what = format!("{shown}: there is no network device `{name}`");
            let known: Vec<&str> = plugs.iter().map(|(known, _)| known.as_str()).collect();
            let remedy = if known.is_empty() {
                "add a [[device]] of type \"virtio-net\" to the machine".to_owned()
            } else {
                suggest::remedy(name, &known)
            };
            self.combination(group, end, &what, &remedy);
        }
        found.map(|(_, plug)| *plug)
    }
}

/// All network devices by their names, `machine.device`.
fn plugs(machines: &[Machine]) -> Vec<(String, Plug)> {
    let mut plugs = Vec::new();
    for (index, machine) in machines.iter().enumerate() {
        let nets = (machine.devices.iter()).filter(|d| matches!(d.kind, DeviceKind::Net { .. }));
        plugs.extend(nets.map(|device| {
            let name = format!("{}.{}", machine.board.name, device.name);
            let plug = Plug {
                machine: index,
                slot: device.slot,
            };
            (name, plug)
        }));
    }
    plugs
}
