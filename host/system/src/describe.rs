//! From checked values to a [`Description`], with the rules that join several values.

mod accelerators;
mod cables;
mod ethernet;
mod slots;

use crate::date;
use crate::description::{
    Accelerator, Board, Boot, BootMode, Console, ConsoleLine, Description, Device, DeviceKind,
    Disk, DiskMode, End, Expect, FileRef, Fill, Limits, Machine, RtcStart, Slot, Step,
};
use crate::locate::Places;
use crate::problem::{Fault, Problem};
use crate::reader::{Document, Sections};
use crate::schema::CONSOLE_UART;
use crate::values::Group;
use maquette_machine::UnixTime;
use maquette_machine::diagnostics::Thresholds;
use maquette_model::SimTime;
use maquette_virtio::SST_QUEUE_DEPTH as QUEUE_DEPTH;
use std::time::Duration;

/// Describes the system. Problems are added to `problems`; the description is only of use when there
/// are none, but as much as possible of it is made all the same, so that later checks find more.
pub fn describe(document: &Document, places: &Places, problems: &mut Vec<Problem>) -> Description {
    let mut describer = Describer {
        places,
        host_date: None,
        problems,
    };
    let empty = Group::default();
    let one = |path| document.system.one(path).unwrap_or(&empty);
    let accelerators = describer.accelerators(&document.system);
    let machines = document.machines.iter().enumerate();
    let machines: Vec<Machine> = machines
        .map(|(index, sections)| describer.machine(sections, index, &accelerators))
        .collect();
    describer.names(&machines);
    Description {
        summary: one("").text("description").map(str::to_owned),
        limits: limits(one("limits")),
        thresholds: thresholds(one("diagnostics")),
        links: describer.links(&document.system, &machines),
        accelerators,
        machines,
    }
}

/// The board of the machine of a number.
fn board(group: &Group, index: usize, rtc: RtcStart) -> Board {
    let name = group.text("name").unwrap_or_default();
    Board {
        name: if index > 0 && !group.written("name") {
            format!("machine{index}")
        } else {
            name.to_owned()
        },
        harts: narrow(group.number("harts")),
        memory: group.number("memory").unwrap_or(0),
        clock: group.number("clock").unwrap_or(0),
        cpi: group.ratio("cpi").unwrap_or((1, 1)),
        quantum: group.number("quantum").unwrap_or(0),
        block_limit: narrow(group.number("block_limit")),
        seed: group.number("seed").unwrap_or(0),
        rtc,
        at: group.at,
        memory_at: group.at("memory"),
    }
}

/// Most descriptors in each of a device's queues.
fn queue_size(group: &Group, kind: &DeviceKind) -> u16 {
    match kind {
        DeviceKind::Sst { .. } if !group.written("queue_size") => QUEUE_DEPTH,
        _ => narrow(group.number("queue_size")),
    }
}

/// A number that the schema has bounded already.
fn narrow<T: TryFrom<u64> + Default>(n: Option<u64>) -> T {
    n.and_then(|n| T::try_from(n).ok()).unwrap_or_default()
}

fn limits(group: &Group) -> Limits {
    Limits {
        instructions: group.number("instructions"),
        time: group.time("time"),
        host_time: group
            .time("host_time")
            .map(|t| Duration::from_nanos(t.as_ps() / 1000)),
    }
}

fn thresholds(group: &Group) -> Thresholds {
    let usual = Thresholds::USUAL;
    Thresholds {
        spin_reads: group.number("spin_reads").unwrap_or(usual.spin_reads),
        storm_claims: group.number("storm_claims").unwrap_or(usual.storm_claims),
        storm_window: group.time("storm_window").unwrap_or(usual.storm_window),
        lost_after: group.time("lost_after").unwrap_or(usual.lost_after),
    }
}

/// What a machine's random things are made from: its seed, and its number in the file where machines
/// with one seed must differ.
#[derive(Clone, Copy)]
pub(crate) struct Seed(u64, usize);

/// Makes values of sections; what does not go together becomes a problem.
pub(crate) struct Describer<'a> {
    places: &'a Places,
    /// The host's clock, looked at once, so that all machines begin at one date.
    host_date: Option<UnixTime>,
    problems: &'a mut Vec<Problem>,
}

impl Describer<'_> {
    fn machine(
        &mut self,
        sections: &Sections,
        index: usize,
        accelerators: &[Accelerator],
    ) -> Machine {
        let empty = Group::default();
        let one = |path| sections.one(path).unwrap_or(&empty);
        let rtc = self.rtc(one("machine"));
        let board = board(one("machine"), index, rtc);
        let devices = self.devices(sections, Seed(board.seed, index), accelerators);
        Machine {
            boot: self.boot(one("boot")),
            console: self.console(sections, one("console"), &devices),
            expect: self.expect(one("expect")),
            board,
            devices,
            prefix: sections.prefix.clone(),
        }
    }

    pub(crate) fn problem(&mut self, group: &Group, name: &str, fault: Fault) {
        self.problems.push(Problem {
            at: group.at(name),
            field: group.field(name),
            fault,
        });
    }

    pub(crate) fn combination(&mut self, group: &Group, name: &str, what: &str, remedy: &str) {
        let fault = Fault::Combination {
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        };
        self.problem(group, name, fault);
    }

    fn file(&mut self, group: &Group, name: &str) -> Option<FileRef> {
        let text = group.text(name)?;
        match self.places.resolve(text) {
            Ok(path) => Some(FileRef {
                path,
                at: group.at(name),
                field: group.field(name),
            }),
            Err(fault) => {
                self.problem(group, name, fault);
                None
            }
        }
    }

    fn rtc(&mut self, group: &Group) -> RtcStart {
        match group.text("rtc").unwrap_or_default() {
            "host" => RtcStart::Host(
                *self
                    .host_date
                    .get_or_insert_with(|| UnixTime(maquette_rim::unix_nanoseconds())),
            ),
            // Not given a value that can be read: a problem already.
            "" => RtcStart::At(UnixTime::default()),
            text => RtcStart::At(date::parse(text).unwrap_or_else(|error| {
                let remedy = "write it as \"2026-01-01T00:00:00Z\", or \"host\"";
                self.combination(group, "rtc", &error.to_string(), remedy);
                UnixTime::default()
            })),
        }
    }

    fn boot(&mut self, group: &Group) -> Boot {
        let mode = match group.text("mode") {
            Some("bare") => BootMode::Bare,
            Some("firmware") => BootMode::Firmware,
            _ => BootMode::Sbi,
        };
        match (mode, group.written("firmware")) {
            (BootMode::Firmware, false) => self.combination(
                group,
                "mode",
                "mode `firmware` needs a `firmware`",
                "add `firmware = \"part:opensbi/fw_dynamic.bin\"`",
            ),
            (BootMode::Bare | BootMode::Sbi, true) => self.combination(
                group,
                "firmware",
                "`firmware` is for mode `firmware`, and this is another",
                "remove it, or use mode \"firmware\"",
            ),
            _ => {}
        }
        if mode == BootMode::Bare {
            for name in ["initrd", "cmdline"] {
                if group.written(name) {
                    let what = format!("`{name}` means nothing in mode `bare`");
                    self.combination(group, name, &what, "remove it, or use mode \"sbi\"");
                }
            }
        }
        if group
            .text("cmdline")
            .is_some_and(|text| text.contains('\0'))
        {
            let what = "a command line ends at its first zero byte, and this one has one inside";
            self.combination(group, "cmdline", what, "remove it");
        }
        Boot {
            mode,
            firmware: self.file(group, "firmware"),
            kernel: self.file(group, "kernel"),
            initrd: self.file(group, "initrd"),
            cmdline: group.text("cmdline").unwrap_or_default().to_owned(),
        }
    }

    fn devices(
        &mut self,
        sections: &Sections,
        seed: Seed,
        accelerators: &[Accelerator],
    ) -> Vec<Device> {
        let mut devices: Vec<Device> = Vec::new();
        let wanted = slots::wanted(sections);
        for group in sections.all("device") {
            let slot = self.slot(group, &devices, &wanted);
            let kind = match group.text("type") {
                Some("virtio-sst") => Some(self.sst(group, accelerators)),
                _ => self.device_kind(group, seed, slot.unwrap_or(Slot::Mmio(0))),
            };
            let Some(kind) = kind else {
                continue;
            };
            let Some(slot) = slot else {
                continue;
            };
            let own = group.text("type").unwrap_or_default();
            let name = group
                .text("name")
                .map_or_else(|| slots::default_name(own, slot), str::to_owned);
            if name == CONSOLE_UART || devices.iter().any(|d| d.name == name) {
                let fault = Fault::NameTaken { name: name.clone() };
                self.problem(group, "name", fault);
            }
            devices.push(Device {
                slot,
                name,
                queue_size: queue_size(group, &kind),
                kind,
                at: group.at,
                field: group.path.clone(),
            });
        }
        devices
    }

    fn device_kind(&mut self, group: &Group, seed: Seed, slot: Slot) -> Option<DeviceKind> {
        match group.text("type")? {
            "virtio-blk" => Some(self.block(group)),
            "virtio-console" => Some(DeviceKind::Console),
            "virtio-net" => Some(self.net(group, seed, slot)),
            "virtio-rng" => Some(DeviceKind::Rng {
                seed: group.number("seed").unwrap_or(seed.0),
            }),
            // An unknown type is a problem already.
            _ => None,
        }
    }

    fn block(&mut self, group: &Group) -> DeviceKind {
        let mode = match group.text("mode") {
            Some("raw") => DiskMode::Raw,
            Some("read-only") => DiskMode::ReadOnly,
            _ => DiskMode::CopyOnWrite,
        };
        let serial = group.text("serial").unwrap_or_default().to_owned();
        if serial.len() > 20 {
            let what = format!("`{serial}` has {} bytes", serial.len());
            self.combination(group, "serial", &what, "write at most 20 bytes");
        }
        DeviceKind::Block {
            disk: self.disk(group, mode),
            mode,
            latency: group.time("latency").unwrap_or(SimTime::ZERO),
            serial,
        }
    }

    fn disk(&mut self, group: &Group, mode: DiskMode) -> Disk {
        if group.written("file") {
            for name in ["size", "fill"] {
                if group.written(name) {
                    let what =
                        format!("`{name}` is for a disk in memory, and this one has a `file`");
                    self.combination(group, name, &what, &format!("remove `{name}` or `file`"));
                }
            }
            return self
                .file(group, "file")
                .map_or(Disk::Unresolved, Disk::File);
        }
        let Some(size) = group.number("size") else {
            let refused = self
                .problems
                .iter()
                .any(|p| p.field == group.field("size") || p.field == group.field("file"));
            if !refused {
                self.combination(
                    group,
                    "type",
                    "a disk needs a `file` or a `size`",
                    "add `file = \"disk.img\"`, or `size = \"1MiB\"` for a disk in memory",
                );
            }
            return Disk::Unresolved;
        };
        if mode == DiskMode::Raw {
            self.combination(
                group,
                "mode",
                "`raw` writes to a file, and a disk in memory has none",
                "use mode \"copy-on-write\" or \"read-only\", or a `file`",
            );
        }
        let fill = match group.text("fill") {
            Some("counter") => Fill::Counter,
            _ => Fill::Zero,
        };
        Disk::Memory { size, fill }
    }

    fn console(&mut self, sections: &Sections, group: &Group, devices: &[Device]) -> Console {
        let name = group.text("device").unwrap_or(CONSOLE_UART);
        let consoles = devices
            .iter()
            .filter(|d| d.kind == DeviceKind::Console)
            .map(|d| (d.name.as_str(), d.slot));
        let line = if name == CONSOLE_UART {
            ConsoleLine::Uart
        } else if let Some((_, slot)) = consoles.clone().find(|(n, _)| *n == name) {
            ConsoleLine::Slot(slot)
        } else {
            let known: Vec<_> = std::iter::once(CONSOLE_UART)
                .chain(consoles.map(|(n, _)| n))
                .collect();
            let what = format!("there is no console `{name}`");
            let remedy = crate::suggest::remedy(name, &known);
            self.combination(group, "device", &what, &remedy);
            ConsoleLine::Uart
        };
        let script = sections.all("console.script").map(|step| Step {
            expect: step.text("expect").unwrap_or_default().to_owned(),
            send: step.text("send").unwrap_or_default().to_owned(),
        });
        Console {
            line,
            script: script.collect(),
        }
    }

    fn expect(&mut self, group: &Group) -> Expect {
        let end = match group.text("end") {
            Some("failure") => End::Failure,
            Some("deadlock") => End::Deadlock,
            Some("hart-failure") => End::HartFailure,
            _ => End::PowerOff,
        };
        let status = group.number("status").and_then(|n| u32::try_from(n).ok());
        let contradiction = match (end, status) {
            (End::PowerOff, Some(n)) if n != 0 => Some("a power-off has the status 0"),
            (End::Failure, Some(0)) => Some("a failure has a status other than 0"),
            (End::Deadlock | End::HartFailure, Some(_)) => {
                Some("only a guest that ends the run itself has a status")
            }
            _ => None,
        };
        if let Some(what) = contradiction {
            let remedy = "remove `status`, or write `end = \"failure\"` for a status other than 0";
            self.combination(group, "status", what, remedy);
        }
        for name in ["console", "forbid"] {
            if group.texts(name).iter().any(String::is_empty) {
                self.combination(group, name, "an empty text is always there", "remove it");
            }
        }
        Expect {
            console: group.texts("console").to_vec(),
            forbid: group.texts("forbid").to_vec(),
            end,
            status,
            time: group.time("time"),
        }
    }
}
