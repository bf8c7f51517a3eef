//! What a run has come to: lines for people, JSON for programs.

use crate::date;
use crate::render::printable;
use crate::verdict::{Ending, Reason, Verdict};
use crate::{figures, findings};
use maquette_machine::{Statistics, UnixTime};
use maquette_model::SimTime;
use maquette_sim::Statistics as EngineStatistics;
use maquette_trace::{Counts, Level, TraceHash};
use serde_json::{Value, json};
use std::fmt::{self, Write as _};
use std::time::Duration;

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// The machines, in the order of the system file; at least one.
    pub machines: Vec<MachineReport>,
    /// How the run ended; of several machines, for the one that decides the verdict.
    pub ending: Ending,
    /// What is made of it.
    pub verdict: Verdict,
    /// What is wrong, what decides first; empty when nothing is.
    pub reasons: Vec<Reason>,
    /// How far the run can be repeated.
    pub level: Level,
    /// The trace hash, unless the run could not be brought to one time for all its parts.
    pub hash: Option<TraceHash>,
    /// The virtual time that it has reached.
    pub time: SimTime,
    /// Where it ended, if something outside the simulation ended it.
    pub cut_at: Option<SimTime>,
    /// Events hashed.
    pub counts: Counts,
    /// What the engine counted.
    pub engine: EngineStatistics,
    /// Time on the host's clock.
    pub host_times: HostTimes,
}

/// How long things took on the host's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostTimes {
    /// The run, from its beginning or from its snapshot.
    pub run: Duration,
    /// Taking the snapshot, if one was taken.
    pub saved_in: Option<Duration>,
    /// Going on from a snapshot, from the command to the first instruction.
    pub resumed_in: Option<Duration>,
    /// Instructions that the run had behind it at its beginning here: those before a snapshot.
    pub instructions_before: u64,
}

/// What came of one machine.
#[derive(Debug)]
pub struct MachineReport {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub ending: Ending,
    /// What its real-time clock showed at first, if that came from the host.
    pub host_date: Option<UnixTime>,
    /// Bytes that its console showed and typed.
    pub console_bytes: (u64, u64),
    /// What it counted.
    pub statistics: Statistics,
}

impl Report {
    /// The exit code of the process; with `guest_status` the guest's own (its low 8 bits), where it
    /// gave one and nothing but the guest failed. No failure becomes a 0 by that.
    #[must_use]
    pub fn exit_code(&self, guest_status: bool) -> u8 {
        let verdict = self.verdict.exit_code();
        if !guest_status || self.verdict > Verdict::GuestFailure {
            return verdict;
        }
        match (&self.ending, self.ending.guest_status()) {
            (Ending::Failure(_), Some(status)) => match status.to_le_bytes()[0] {
                0 => Verdict::GuestFailure.exit_code(),
                code => code,
            },
            _ => verdict,
        }
    }

    /// Millions of instructions a second of host time; those before a snapshot took no time here.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a figure for people, of three digits"
    )]
    pub fn mips(&self) -> f64 {
        let seconds = self.host_times.run.as_secs_f64().max(1e-9);
        let here = (self.instructions()).saturating_sub(self.host_times.instructions_before);
        here as f64 / seconds / 1e6
    }

    /// Instructions of all machines.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        let machines = self.machines.iter();
        machines.map(|m| m.statistics.instructions()).sum()
    }

    /// The reasons as lines for standard error; empty when the run was clean.
    #[must_use]
    pub fn complaint(&self) -> String {
        let mut out = String::new();
        for reason in &self.reasons {
            let _ = writeln!(out, "maquette: {}", printable(&reason.to_string()));
            if let Some(remedy) = reason.remedy {
                let _ = writeln!(out, "  remedy: {remedy}");
            }
        }
        out
    }

    /// Everything that was counted, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let events: serde_json::Map<String, Value> = (self.counts.iter())
            .map(|(kind, count)| (kind.name().to_owned(), count.into()))
            .collect();
        let reasons: Vec<Value> = (self.reasons.iter())
            .map(|r| json!({ "class": r.class.name(), "text": r.text, "remedy": r.remedy }))
            .collect();
        let shown = |m: &MachineReport| m.console_bytes.0;
        let typed = |m: &MachineReport| m.console_bytes.1;
        let mut all = json!({
            "verdict": self.verdict.name(),
            "exit_code": self.verdict.exit_code(),
            "reasons": reasons,
            "end": self.ending.to_string(),
            "guest_status": self.ending.guest_status(),
            "level": self.level.to_string(),
            "trace_hash": self.hash.map(|h| h.to_string()),
            "events": events,
            "simulated_ps": self.time.as_ps(),
            "instructions": self.instructions(),
            "host_seconds": self.host_times.run.as_secs_f64(),
            "snapshot_seconds": self.host_times.saved_in.map(|t| t.as_secs_f64()),
            "resume_seconds": self.host_times.resumed_in.map(|t| t.as_secs_f64()),
            "mips": self.mips(),
            "console": {
                "shown_bytes": self.machines.iter().map(shown).sum::<u64>(),
                "typed_bytes": self.machines.iter().map(typed).sum::<u64>(),
            },
            "engine": {
                "events": self.engine.events,
                "messages": self.engine.messages,
                "inputs": self.engine.inputs,
                "unconnected": self.engine.unconnected,
            },
            "figures": figures::json(),
        });
        // One machine stands alone; several are a list.
        let mut machines: Vec<Value> = self.machines.iter().map(machine).collect();
        if let Some(object) = all.as_object_mut() {
            match (machines.len(), machines.pop()) {
                (1, Some(only)) => object.insert("machine".to_owned(), only),
                (_, last) => {
                    machines.extend(last);
                    object.insert("machines".to_owned(), machines.into())
                }
            };
        }
        all
    }
}

fn machine(m: &MachineReport) -> Value {
    let s = &m.statistics;
    let devices: serde_json::Map<String, Value> = (s.devices.iter())
        .map(|(name, accesses)| (name.clone(), (*accesses).into()))
        .collect();
    let counters: serde_json::Map<String, Value> = (s.counters.iter())
        .map(|(path, what, count)| (format!("{path}.{what}"), (*count).into()))
        .collect();
    let harts: Vec<Value> = s.harts.iter().map(hart).collect();
    json!({
        "name": m.name,
        "end": m.ending.to_string(),
        "host_date": m.host_date.map(date::show),
        "harts": harts,
        "mmio_exits": s.mmio_exits,
        "sbi_calls": s.sbi_calls,
        "wfi_exits": s.wfi_exits,
        "pause_exits": s.pause_exits,
        "unmapped_accesses": s.unmapped_accesses,
        "guest_errors": s.guest_errors,
        "last_guest_error": s.last_guest_error.as_ref().map(|(what, value)| format!("{what} ({value:#x})")),
        "restarts": s.restarts,
        "dma_bytes": s.dma_bytes,
        "device_accesses": devices,
        "device_counters": counters,
        "diagnostics": findings::json(&s.findings),
    })
}

fn hart(h: &maquette_machine::HartStatistics) -> Value {
    let p = &h.profile;
    json!({
        "instructions": h.instructions,
        "blocks": p.blocks,
        "blocks_built": p.blocks_built,
        "block_front_misses": p.block_front_misses,
        "memory_ops": p.memory_ops,
        "data_misses": p.data_misses,
        "fetch_misses": p.fetch_misses,
        "walks": p.walks,
        "traps": p.traps,
    })
}

/// The report that ends a run.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.machines.as_slice() {
            [_] => writeln!(f, "end: {}", printable(&self.ending.to_string()))?,
            machines => {
                for m in machines {
                    writeln!(f, "end: {}: {}", m.name, printable(&m.ending.to_string()))?;
                }
            }
        }
        if let Some(status) = self.ending.guest_status() {
            writeln!(f, "guest status: {status}")?;
        }
        writeln!(
            f,
            "time: {} simulated, {:.2} s on the host; {} instructions, {:.0} MIPS",
            self.time,
            self.host_times.run.as_secs_f64(),
            grouped(self.instructions()),
            self.mips()
        )?;
        for m in &self.machines {
            let s = &m.statistics;
            if s.guest_errors > 0 {
                write!(f, "guest errors: {}", grouped(s.guest_errors))?;
                if self.machines.len() > 1 {
                    write!(f, " of {}", m.name)?;
                }
                if let Some((what, value)) = &s.last_guest_error {
                    write!(f, ", the last: {what} ({value:#x})")?;
                }
                writeln!(f)?;
            }
            f.write_str(&findings::lines(&s.findings))?;
        }
        if let Some(date) = self.machines.iter().find_map(|m| m.host_date) {
            let date = date::show(date);
            writeln!(
                f,
                "date: {date} at the start, the host's; `--set machine.rtc={date}` starts there again"
            )?;
        }
        writeln!(f, "level: {}", self.level)?;
        writeln!(f, "events hashed: {}", self.counts)?;
        match (&self.hash, self.cut_at) {
            (Some(hash), None) => writeln!(f, "trace hash: {hash}"),
            (Some(hash), Some(at)) => {
                writeln!(f, "trace hash: {hash} (ended from outside at {at})")
            }
            (None, _) => writeln!(f, "trace hash: none (the run was torn off from outside)"),
        }
    }
}

/// A number with its digits in groups of three.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouped_puts_a_space_before_each_three_digits() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1 234 567");
    }
}
