//! What a machine's diagnostics have found: lines for people, JSON for programs.

use crate::units;
use maquette_machine::diagnostics::{Findings, Lost, Spin, Storm, Unimplemented};
use serde_json::{Value, json};
use std::fmt::{self, Write as _};

/// So many registers are shown at the end of a run; the statistics hold all.
const SHOWN: usize = 8;

/// The lines of the report, each about one machine; empty when nothing was found.
pub fn lines(findings: &Findings) -> String {
    let mut out = String::new();
    let _ = write(&mut out, findings);
    out
}

fn write(out: &mut String, findings: &Findings) -> fmt::Result {
    let all = &findings.unimplemented;
    for u in all.iter().take(SHOWN) {
        let did = if u.write { "written" } else { "read" };
        let (hart, pc) = u.first;
        writeln!(
            out,
            "unimplemented: {} {did} {}, first by hart{hart} at pc {pc:#x}",
            u.place,
            times(u.count)
        )?;
    }
    let hidden = all.len().saturating_sub(SHOWN);
    if hidden > 0 {
        writeln!(out, "unimplemented: {hidden} more; --stats lists them")?;
    }
    for s in &findings.spins {
        writeln!(
            out,
            "spin: hart{} at pc {:#x} read {} {} in a row and always got {:#x}",
            s.hart,
            s.pc,
            s.place,
            times(s.reads),
            s.value
        )?;
    }
    for s in &findings.storms {
        let since = units::show_time(s.since);
        writeln!(
            out,
            "interrupt storm: {} (source {}) was claimed {} without progress, from {since} on; \
             hart{} claims at pc {:#x}",
            s.device,
            s.source,
            times(s.claims),
            s.at.0,
            s.at.1
        )?;
    }
    for l in &findings.lost {
        write_lost(out, l)?;
    }
    Ok(())
}

fn write_lost(out: &mut String, l: &Lost) -> fmt::Result {
    write!(
        out,
        "lost interrupt: a {} external interrupt for hart{} waited for {} from {} on; hart{} is at pc {:#x}",
        l.mode,
        l.hart,
        units::show_time(l.lasted),
        units::show_time(l.since),
        l.hart,
        l.pc
    )?;
    if let Some(why) = l.why {
        write!(out, ", {why}")?;
    }
    if l.count > 1 {
        write!(out, "; {} in all", times(l.count))?;
    }
    writeln!(out)
}

fn times(n: u64) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{n} times"),
    }
}

/// An address as programs take it: JSON numbers lose bits.
fn hex(v: u64) -> String {
    format!("{v:#x}")
}

/// The member `diagnostics` of a machine's statistics.
pub fn json(f: &Findings) -> Value {
    json!({
        "unimplemented": f.unimplemented.iter().map(unimplemented).collect::<Vec<_>>(),
        "unimplemented_more": f.unimplemented_more,
        "spins": f.spins.iter().map(spin).collect::<Vec<_>>(),
        "storms": f.storms.iter().map(storm).collect::<Vec<_>>(),
        "lost": f.lost.iter().map(lost).collect::<Vec<_>>(),
    })
}

fn unimplemented(u: &Unimplemented) -> Value {
    json!({
        "device": u.place.device,
        "address": hex(u.addr.0),
        "offset": hex(u.place.offset),
        "access": if u.write { "write" } else { "read" },
        "count": u.count,
        "hart": u.first.0,
        "pc": hex(u.first.1),
    })
}

fn spin(s: &Spin) -> Value {
    json!({
        "device": s.place.device,
        "register": s.place.register,
        "address": hex(s.addr.0),
        "offset": hex(s.place.offset),
        "value": hex(s.value),
        "reads": s.reads,
        "hart": s.hart,
        "pc": hex(s.pc),
    })
}

fn storm(s: &Storm) -> Value {
    json!({
        "device": s.device,
        "source": s.source,
        "claims": s.claims,
        "since_ps": s.since.as_ps(),
        "hart": s.at.0,
        "pc": hex(s.at.1),
    })
}

fn lost(l: &Lost) -> Value {
    json!({
        "hart": l.hart,
        "mode": l.mode.to_string(),
        "since_ps": l.since.as_ps(),
        "lasted_ps": l.lasted.as_ps(),
        "pc": hex(l.pc),
        "why": l.why,
        "count": l.count,
    })
}
