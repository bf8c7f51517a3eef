//! Accelerators, and the devices that send them work.

use super::{Describer, narrow};
use crate::description::{Accelerator, DeviceKind, Worker};
use crate::reader::Sections;
use crate::suggest;
use crate::values::Group;
use maquette_devices::{AcceleratorSettings, Timing};
use maquette_model::{Frequency, SimTime};

/// For a device that nothing works for.
const NONE: &str = "none";
/// What a system has beside its parts.
const RESERVED: [&str; 6] = [NONE, "console", "engine", "level", "time", "trace"];

impl Describer<'_> {
    pub(super) fn accelerators(&mut self, sections: &Sections) -> Vec<Accelerator> {
        let mut all: Vec<Accelerator> = Vec::new();
        for (index, group) in sections.all("accelerator").enumerate() {
            let accelerator = self.accelerator(group, index);
            self.name(group, &accelerator.settings.path, &all);
            all.push(accelerator);
        }
        all
    }

    /// A name is a path of its own among the parts of the system.
    fn name(&mut self, group: &Group, name: &str, others: &[Accelerator]) {
        let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let what = if !name.bytes().all(letters) {
            format!(
                "`{}` has other characters than a-z, A-Z, 0-9, - and _",
                name.escape_debug()
            )
        } else if RESERVED.contains(&name) {
            format!("`{name}` means something else")
        } else if others.iter().any(|other| other.settings.path == name) {
            format!("two accelerators are called `{name}`")
        } else {
            return;
        };
        self.combination(group, "name", &what, "give the accelerator another name");
    }

    fn accelerator(&mut self, group: &Group, index: usize) -> Accelerator {
        let number = |name| group.number(name).unwrap_or(0);
        let name = group.text("name").unwrap_or_default();
        let path = if index > 0 && !group.written("name") {
            format!("accelerator{index}")
        } else {
            name.to_owned()
        };
        let timing = match group.text("timing") {
            Some("pipelined") => Timing::Pipelined(number("initiation_interval")),
            Some("instant") => Timing::Immediate,
            _ => Timing::Fixed,
        };
        if group.written("initiation_interval") && !matches!(timing, Timing::Pipelined(_)) {
            let what = "`initiation_interval` is for timing `pipelined`, and this is another";
            let remedy = "remove it, or write `timing = \"pipelined\"`";
            self.combination(group, "initiation_interval", what, remedy);
        }
        Accelerator {
            settings: AcceleratorSettings {
                clock: Frequency::from_hz(number("clock")),
                timing,
                cycles_per_unit: number("cycles_per_unit"),
                max_compute_units: number("max_compute_units"),
                memory_size: number("memory"),
                memory_cycles: number("memory_cycles"),
                completion_events: group.flag("completion_events").unwrap_or(false),
                ..AcceleratorSettings::new(path)
            },
            at: group.at,
            field: group.path.clone(),
        }
    }

    pub(super) fn sst(&mut self, group: &Group, accelerators: &[Accelerator]) -> DeviceKind {
        if group.text("bus") == Some("pci") {
            let what = "a virtio-sst has no number on PCI yet";
            self.combination(group, "bus", what, "use `bus = \"mmio\"`");
        }
        DeviceKind::Sst {
            worker: self.worker(group, accelerators),
            latency: group.time("latency").unwrap_or(SimTime::ZERO),
            timeout: group.time("timeout").unwrap_or(SimTime::ZERO),
            request_queues: narrow(group.number("request_queues")),
            device_id: narrow(group.number("device_id")),
            type_number: narrow(group.number("type_number")),
        }
    }

    fn worker(&mut self, group: &Group, accelerators: &[Accelerator]) -> Worker {
        let Some(name) = group.text("accelerator") else {
            return match accelerators {
                [] => Worker::Own,
                _ => Worker::Shared(0),
            };
        };
        if name == NONE {
            return Worker::None;
        }
        let mut all = accelerators.iter();
        let found = all.position(|accelerator| accelerator.settings.path == name);
        found.map_or_else(
            || {
                let what = format!("there is no accelerator `{name}`");
                let known = accelerators.iter().map(|a| a.settings.path.as_str());
                let known: Vec<&str> = known.chain([NONE]).collect();
                let remedy = suggest::remedy(name, &known);
                self.combination(group, "accelerator", &what, &remedy);
                Worker::None
            },
            Worker::Shared,
        )
    }
}
