//! `monitor …`: what only this machine can tell. Every answer is text for people, and changes nothing.

use crate::Machine;
use maquette_model::{Inspect, Shown, SimTime, Tree, Vcpu, VirtAddr};
use maquette_rv64::{Walk, WalkEnd};
use std::fmt::{self, Write as _};

const HELP: &str = "\
monitor help                 this text
monitor devices              the devices: addresses, interrupt source, accesses so far
monitor inspect NAME         the state below a name, such as hart0.csr or virtio0.queue0
monitor irq                  pending interrupts, of each hart and at the PLIC
monitor store                the store of a device or of the built-in SBI that was the reason for the last stop
monitor time                 where each hart stands in time
monitor walk ADDR [HART]     the page-table walk for an address, level by level; the hart that
                             stopped, if none is named
";

/// Names of the bits of `mip` (privileged ISA §3.1.9).
const INTERRUPTS: [(u32, &str); 6] = [
    (1, "supervisor software"),
    (3, "machine software"),
    (5, "supervisor timer"),
    (7, "machine timer"),
    (9, "supervisor external"),
    (11, "machine external"),
];

/// The answer to a command.
pub(super) fn answer(machine: &Machine, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut out = String::new();
    let written = match *words.as_slice() {
        [] | ["help"] => out.write_str(HELP),
        ["devices"] => devices(machine, &mut out),
        ["inspect", name] => inspect(machine, &mut out, name),
        ["irq"] => interrupts(machine, &mut out),
        ["store"] => store(machine, &mut out),
        ["time"] => times(machine, &mut out),
        ["walk"] => writeln!(
            out,
            "monitor: which address? write `monitor walk ADDR [HART]`, as in `monitor walk 80200000 hart0`"
        ),
        ["inspect"] => writeln!(
            out,
            "monitor: which part? write `monitor inspect NAME`, as in `monitor inspect hart0.csr`"
        ),
        ["walk", address] => walk(machine, &mut out, address, None),
        ["walk", address, hart] => walk(machine, &mut out, address, Some(hart)),
        _ => writeln!(out, "monitor: `{line}` is not known; try `monitor help`"),
    };
    // Writing to a string cannot fail.
    debug_assert!(written.is_ok());
    out
}

/// A hart in `info threads`.
pub(super) fn hart_line(machine: &Machine, i: usize) -> String {
    let Some(hart) = machine.hart(i) else {
        return String::new();
    };
    let mode = match hart.state().prv {
        maquette_rv64::trap::Privilege::User => 'U',
        maquette_rv64::trap::Privilege::Supervisor => 'S',
        maquette_rv64::trap::Privilege::Machine => 'M',
    };
    format!("hart{i} {}, {mode}-mode", machine.hart_doing(i))
}

fn devices(machine: &Machine, out: &mut String) -> fmt::Result {
    for device in machine.devices() {
        let (first, last) = (device.range.start().0, device.range.len().saturating_sub(1));
        let source = match device.source {
            Some(n) => format!("source {n}"),
            None => "no source".to_owned(),
        };
        writeln!(
            out,
            "{:24} {first:#011x}-{:#011x}  {source:10} {} accesses",
            device.path,
            first.saturating_add(last),
            device.accesses
        )?;
    }
    Ok(())
}

fn inspect(machine: &Machine, out: &mut String, name: &str) -> fmt::Result {
    let mut tree = Tree::default();
    machine.inspect(&mut tree);
    let Shown { values, hidden } = tree.shown(&[name]);
    if values.is_empty() && hidden == 0 {
        return writeln!(out, "monitor: there is no `{name}` in this machine");
    }
    for (path, value) in values {
        writeln!(out, "{path} = {value}")?;
    }
    match hidden {
        0 => Ok(()),
        n => writeln!(out, "({n} more at rest; name one to see it)"),
    }
}

fn interrupts(machine: &Machine, out: &mut String) -> fmt::Result {
    for i in 0..machine.hart_count() {
        let Some(hart) = machine.hart(i) else {
            continue;
        };
        let csr = &hart.state().csr;
        writeln!(
            out,
            "hart{i}: mip {:#x}, mie {:#x}, mideleg {:#x}",
            csr.mip, csr.mie, csr.mideleg
        )?;
        for (bit, name) in INTERRUPTS {
            if csr.mip >> bit & 1 == 1 {
                let enabled = if csr.mie >> bit & 1 == 1 {
                    "enabled"
                } else {
                    "not enabled"
                };
                writeln!(out, "  {name}: pending, {enabled}")?;
            }
        }
    }
    let plic = machine.plic();
    writeln!(
        out,
        "PLIC: pending {}; in service {}",
        list(plic.pending()),
        list(plic.in_service())
    )?;
    for (context, enabled, threshold) in plic.contexts() {
        let mode = if context % 2 == 0 { 'M' } else { 'S' };
        let hart = context / 2;
        writeln!(
            out,
            "  hart{hart} {mode}-mode: enabled {}; threshold {threshold}",
            list(enabled)
        )?;
    }
    Ok(())
}

fn store(machine: &Machine, out: &mut String) -> fmt::Result {
    let none = "an instruction of the hart that stopped, or nothing that was watched";
    writeln!(out, "{}", machine.store_that_stopped().unwrap_or(none))
}

fn list(sources: impl Iterator<Item = u32>) -> String {
    let all: Vec<String> = sources.map(|s| s.to_string()).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(" ")
    }
}

fn times(machine: &Machine, out: &mut String) -> fmt::Result {
    for i in 0..machine.hart_count() {
        let Some(hart) = machine.hart(i) else {
            continue;
        };
        let timer = match hart.timer_deadline() {
            SimTime::MAX => "no timer".to_owned(),
            t => format!("timer at {t}"),
        };
        let (now, retired) = (hart.time(), hart.retired());
        writeln!(out, "hart{i}: {now}, {retired} instructions, {timer}")?;
    }
    writeln!(
        out,
        "machine: {}, hart{} has the turn",
        machine.time(),
        machine.current_hart()
    )
}

fn walk(machine: &Machine, out: &mut String, address: &str, hart: Option<&str>) -> fmt::Result {
    let digits = address.strip_prefix("0x").unwrap_or(address);
    let Ok(va) = u64::from_str_radix(digits, 16) else {
        return writeln!(
            out,
            "monitor: `{address}` is no address in hexadecimal, such as 80200000"
        );
    };
    let number = match hart {
        None => Some(machine.current_hart()),
        Some(name) => name.strip_prefix("hart").unwrap_or(name).parse().ok(),
    };
    let Some((i, hart)) = number.and_then(|i| Some((i, machine.hart(i)?))) else {
        let name = hart.unwrap_or_default();
        let last = machine.hart_count().saturating_sub(1);
        return writeln!(
            out,
            "monitor: there is no hart `{name}`; there is hart0 to hart{last}"
        );
    };
    let Walk { mode, steps, end } = hart.walk(VirtAddr(va));
    writeln!(out, "hart{i}, {mode}: {va:#x}")?;
    for step in steps {
        write!(out, "  level {}, entry at {}: ", step.level, step.at)?;
        match step.entry {
            Some(entry) => writeln!(out, "{entry:#018x} {}", flags(entry))?,
            None => writeln!(out, "no RAM")?,
        }
    }
    match end {
        WalkEnd::Mapped(pa) => writeln!(out, "  leads to {pa}"),
        WalkEnd::NotCanonical => writeln!(out, "  page fault: the address is not canonical"),
        WalkEnd::NoMemory => writeln!(out, "  access fault: the table is not in RAM"),
        WalkEnd::NotValid => writeln!(out, "  page fault: the entry is not valid"),
        WalkEnd::Malformed => writeln!(out, "  page fault: the entry is malformed"),
    }
}

/// The flags of a page-table entry (privileged ISA §4.3.1).
fn flags(entry: u64) -> String {
    let name = |(i, c): (usize, char)| if entry >> i & 1 == 1 { c } else { '-' };
    "vrwxugad".chars().enumerate().map(name).collect()
}
