//! Every figure of the statistics: where it is, in which unit, what it says. `maquette info statistics` and
//! the file itself show this table.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// A figure of the statistics.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its path in the JSON. `*` stands for a number in a list or a name in an object; what is below `machine` is
    /// below `machines.*` where a system has several.
    pub path: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

const fn figure(path: &'static str, unit: &'static str, meaning: &'static str) -> Figure {
    Figure {
        path,
        unit,
        meaning,
    }
}

const TEXT: &str = "text";
const ADDRESS: &str = "hexadecimal";
const COUNT: &str = "count";
const BYTES: &str = "bytes";
const PS: &str = "ps";

/// All of them, in the order of the paths.
#[rustfmt::skip]
pub const FIGURES: &[Figure] = &[
    figure("console.shown_bytes", BYTES, "what the guests' consoles showed"),
    figure("console.typed_bytes", BYTES, "what was typed into them"),
    figure("end", TEXT, "how the run ended"),
    figure("engine.events", COUNT, "events that the engine delivered"),
    figure("engine.inputs", COUNT, "inputs from outside"),
    figure("engine.messages", COUNT, "messages over links"),
    figure("engine.unconnected", COUNT, "messages to ports without a link"),
    figure("events.*", COUNT, "events in the trace hash, by kind"),
    figure("exit_code", "code", "the exit code that the verdict gives"),
    figure("guest_status", "code", "what the guest reported; null if nothing"),
    figure("host_seconds", "s", "time on the host's clock"),
    figure("instructions", "instructions", "retired by all harts of all machines"),
    figure("level", TEXT, "how far the run can be repeated"),
    figure("machine.device_accesses.*", COUNT, "accesses by harts, by the device's path"),
    figure("machine.device_counters.*", COUNT, "what devices count of themselves"),
    figure("machine.diagnostics.lost.*.count", COUNT, "interrupts that this hart took too late in this mode"),
    figure("machine.diagnostics.lost.*.hart", "number", "the hart that an interrupt waited for"),
    figure("machine.diagnostics.lost.*.lasted_ps", PS, "how long the worst of them waited"),
    figure("machine.diagnostics.lost.*.mode", TEXT, "for which mode of the hart"),
    figure("machine.diagnostics.lost.*.pc", ADDRESS, "the hart's pc when it was claimed, or at the end"),
    figure("machine.diagnostics.lost.*.since_ps", PS, "when it was raised"),
    figure("machine.diagnostics.lost.*.why", TEXT, "why the hart did not take it, if that can be seen; else null"),
    figure("machine.diagnostics.spins.*.address", ADDRESS, "the register's physical address"),
    figure("machine.diagnostics.spins.*.device", TEXT, "the device that was polled"),
    figure("machine.diagnostics.spins.*.hart", "number", "the hart that polled"),
    figure("machine.diagnostics.spins.*.offset", ADDRESS, "the register's distance from the device's first"),
    figure("machine.diagnostics.spins.*.pc", ADDRESS, "the instruction that polled"),
    figure("machine.diagnostics.spins.*.reads", COUNT, "equal reads in a row, at most"),
    figure("machine.diagnostics.spins.*.register", TEXT, "the register's name"),
    figure("machine.diagnostics.spins.*.value", ADDRESS, "what it read"),
    figure("machine.diagnostics.storms.*.claims", COUNT, "claims without progress"),
    figure("machine.diagnostics.storms.*.device", TEXT, "the device whose interrupt stormed"),
    figure("machine.diagnostics.storms.*.hart", "number", "the hart that claimed it"),
    figure("machine.diagnostics.storms.*.pc", ADDRESS, "the instruction that claimed it"),
    figure("machine.diagnostics.storms.*.since_ps", PS, "when the first storm began"),
    figure("machine.diagnostics.storms.*.source", "number", "the source at the PLIC"),
    figure("machine.diagnostics.unimplemented.*.access", TEXT, "read or write"),
    figure("machine.diagnostics.unimplemented.*.address", ADDRESS, "the physical address that was touched"),
    figure("machine.diagnostics.unimplemented.*.count", COUNT, "how often"),
    figure("machine.diagnostics.unimplemented.*.device", TEXT, "the device that has no register there; null where no device is"),
    figure("machine.diagnostics.unimplemented.*.hart", "number", "the hart that touched it first"),
    figure("machine.diagnostics.unimplemented.*.offset", ADDRESS, "the distance from the device's first register"),
    figure("machine.diagnostics.unimplemented.*.pc", ADDRESS, "the instruction that touched it first"),
    figure("machine.diagnostics.unimplemented_more", COUNT, "accesses to further such registers, which are not listed"),
    figure("machine.dma_bytes", BYTES, "moved by devices to or from RAM"),
    figure("machine.end", TEXT, "how this machine ended"),
    figure("machine.guest_errors", COUNT, "mistakes of the guest that devices noticed"),
    figure("machine.harts.*.block_front_misses", COUNT, "blocks that the first table did not hold"),
    figure("machine.harts.*.blocks", COUNT, "blocks executed"),
    figure("machine.harts.*.blocks_built", COUNT, "blocks decoded"),
    figure("machine.harts.*.data_misses", COUNT, "loads and stores that the soft TLB did not hold"),
    figure("machine.harts.*.fetch_misses", COUNT, "fetches that the soft TLB did not hold"),
    figure("machine.harts.*.instructions", "instructions", "retired by this hart"),
    figure("machine.harts.*.memory_ops", COUNT, "loads and stores"),
    figure("machine.harts.*.traps", COUNT, "exceptions and interrupts taken"),
    figure("machine.harts.*.walks", COUNT, "walks over page tables"),
    figure("machine.host_date", TEXT, "the host's date at the start, if the guest could see it; else null"),
    figure("machine.last_guest_error", TEXT, "the last mistake of the guest; null if none"),
    figure("machine.mmio_exits", COUNT, "accesses that left a hart for a device"),
    figure("machine.name", TEXT, "the machine's name"),
    figure("machine.pause_exits", COUNT, "spin-loop hints"),
    figure("machine.restarts", COUNT, "times that the machine started over"),
    figure("machine.sbi_calls", COUNT, "firmware calls answered"),
    figure("machine.unmapped_accesses", COUNT, "accesses where no device is"),
    figure("machine.wfi_exits", COUNT, "times that a hart went to sleep"),
    figure("mips", "million instructions/s", "instructions for each microsecond on the host's clock"),
    figure("reasons.*.class", TEXT, "whose failure it is"),
    figure("reasons.*.remedy", TEXT, "what to do about it; null where that depends on what is wanted"),
    figure("reasons.*.text", TEXT, "what is wrong"),
    figure("resume_seconds", "s", "from the command to the first instruction, if a snapshot was gone on from"),
    figure("simulated_ps", PS, "the virtual time that the run reached"),
    figure("snapshot_seconds", "s", "taking the snapshot, if one was taken"),
    figure("trace_hash", TEXT, "the trace hash; null if the run was torn off"),
    figure("verdict", TEXT, "what is made of the run"),
];

/// The table for people.
#[must_use]
pub fn show() -> String {
    let mut out = String::from("Figures of --stats\n");
    for f in FIGURES {
        let _ = writeln!(out, "  {:<50} [{}] {}", f.path, f.unit, f.meaning);
    }
    out
}

/// The table as the statistics hold it, by path.
pub(crate) fn json() -> Value {
    let entries = FIGURES.iter().map(|f| {
        let entry = json!({ "unit": f.unit, "meaning": f.meaning });
        (f.path.to_owned(), entry)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{HostTimes, MachineReport, Report};
    use crate::verdict::{Ending, Reason, Verdict};
    use maquette_machine::diagnostics::{Findings, Lost, Mode, Place, Spin, Storm, Unimplemented};
    use maquette_machine::{HartStatistics, Statistics};
    use maquette_model::{PhysAddr, SimTime};
    use std::collections::BTreeSet;
    use std::time::Duration;

    fn findings() -> Findings {
        let place = Place {
            device: Some("m.uart0".to_owned()),
            register: Some("LSR"),
            offset: 5,
        };
        Findings {
            unimplemented: vec![Unimplemented {
                place: place.clone(),
                addr: PhysAddr(5),
                write: false,
                count: 1,
                first: (0, 0),
            }],
            unimplemented_more: 0,
            spins: vec![Spin {
                hart: 0,
                pc: 0,
                place,
                addr: PhysAddr(5),
                value: 0,
                reads: 1,
            }],
            storms: vec![Storm {
                device: "m.uart0".to_owned(),
                source: 10,
                claims: 1,
                since: SimTime::ZERO,
                at: (0, 0),
            }],
            lost: vec![Lost {
                hart: 0,
                mode: Mode::Machine,
                since: SimTime::ZERO,
                lasted: SimTime::ZERO,
                pc: 0,
                why: None,
                count: 1,
            }],
        }
    }

    /// A report in which nothing is empty.
    fn full(machines: usize) -> Value {
        let machine = || MachineReport {
            name: "m".to_owned(),
            ending: Ending::PowerOff,
            host_date: None,
            console_bytes: (0, 0),
            statistics: Statistics {
                harts: vec![HartStatistics::default()],
                devices: vec![("m.uart0".to_owned(), 1)],
                counters: vec![("m.net0".to_owned(), "sent".into(), 1)],
                findings: findings(),
                ..Statistics::default()
            },
        };
        let report = Report {
            machines: (0..machines).map(|_| machine()).collect(),
            ending: Ending::PowerOff,
            verdict: Verdict::Clean,
            reasons: vec![Reason::new(Verdict::Clean, "")],
            time: SimTime::ZERO,
            level: maquette_trace::Level::default(),
            hash: None,
            cut_at: None,
            counts: maquette_trace::Counts::default(),
            engine: maquette_sim::Statistics::default(),
            host_times: HostTimes {
                run: Duration::from_secs(1),
                saved_in: None,
                resumed_in: None,
                instructions_before: 0,
            },
        };
        report.json()
    }

    /// The paths of all values that hold no others.
    fn leaves(path: &[String], value: &Value, out: &mut Vec<Vec<String>>) {
        let below = |name: String| path.iter().cloned().chain([name]).collect::<Vec<_>>();
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(name, v)| leaves(&below(name.clone()), v, out)),
            Value::Array(list) => list
                .iter()
                .for_each(|v| leaves(&below("*".to_owned()), v, out)),
            _ => out.push(path.to_vec()),
        }
    }

    fn describes(figure: &Figure, path: &[String]) -> bool {
        let parts: Vec<&str> = figure.path.split('.').collect();
        parts.len() == path.len() && parts.iter().zip(path).all(|(a, b)| *a == "*" || a == b)
    }

    #[test]
    fn rv_48_every_figure_is_in_the_table_and_every_row_is_a_figure() {
        for machines in [1, 2] {
            let mut found = Vec::new();
            let mut json = full(machines);
            let table = json.as_object_mut().and_then(|o| o.remove("figures"));
            assert_eq!(table, Some(super::json()));
            leaves(&[], &json, &mut found);
            let mut used = BTreeSet::new();
            for path in found {
                let path = match path.as_slice() {
                    [first, _, rest @ ..] if first == "machines" => {
                        [&["machine".to_owned()], rest].concat()
                    }
                    _ => path,
                };
                let mut rows = FIGURES.iter().filter(|f| describes(f, &path));
                let row = rows.next().unwrap_or_else(|| panic!("{path:?} has no row"));
                used.insert(row.path);
            }
            for figure in FIGURES {
                assert!(used.contains(figure.path), "{} is no figure", figure.path);
            }
        }
    }

    #[test]
    fn rv_48_table_is_sorted_and_each_row_has_unit_and_meaning() {
        assert!(FIGURES.is_sorted_by_key(|f| f.path));
        for figure in FIGURES {
            assert!(!figure.unit.is_empty() && !figure.meaning.is_empty());
            assert!(show().contains(figure.meaning), "{}", figure.path);
        }
    }
}
