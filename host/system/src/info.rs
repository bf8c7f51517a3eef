//! What this build can do, in words: made from the tables that do it.

use crate::schema::{DEVICES, Kind, Param, Presence, SECTIONS, Section};
use maquette_machine::board::{Board, MAX_HARTS, MAX_RAM, TIMEBASE_HZ};
use maquette_rv64::isa::{COMPRESSED, Op};
use maquette_rv64::{CACHE_BLOCK_BYTES, ISA_EXTENSIONS};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Everything.
#[must_use]
pub fn all() -> String {
    [isa(), boards(), devices(), parameters(), statistics()].join("\n")
}

/// The figures of the statistics.
#[must_use]
pub fn statistics() -> String {
    crate::figures::show()
}

/// The instruction set.
#[must_use]
pub fn isa() -> String {
    let mut out = String::from("Instruction set\n");
    let _ = writeln!(out, "  base        rv64i");
    let _ = writeln!(out, "  extensions  {}", ISA_EXTENSIONS.join(" "));
    let _ = writeln!(out, "  modes       machine, supervisor, user");
    let _ = writeln!(out, "  paging      Sv39, Sv48, Sv57");
    let _ = writeln!(out, "  PMP         16 entries");
    let _ = writeln!(out, "  cache block {CACHE_BLOCK_BYTES} bytes");
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for op in Op::all() {
        *groups.entry(format!("{:?}", op.extension())).or_default() += 1;
    }
    let groups: Vec<String> = groups.iter().map(|(g, n)| format!("{g} {n}")).collect();
    let _ = writeln!(
        out,
        "  instructions {} of 32 bits ({}), {} of 16 bits",
        Op::COUNT,
        groups.join(", "),
        COMPRESSED.len()
    );
    out
}

/// The boards.
#[must_use]
pub fn boards() -> String {
    let mut out = String::from("Boards\n  virt        the memory map of QEMU's `virt`\n");
    let _ = writeln!(out, "    harts     1 to {MAX_HARTS}");
    let _ = writeln!(
        out,
        "    timebase  {} (`time` and `mtime`)",
        crate::units::show_hertz(TIMEBASE_HZ.into())
    );
    if let Ok(board) = Board::virt(1, 128 << 20) {
        for node in board.devices() {
            let irq = node
                .irq
                .map_or_else(String::new, |irq| format!(", interrupt {irq}"));
            let range = node.range.to_string();
            let _ = writeln!(out, "    {range:<27} {}{irq}", node.name);
        }
        let ram = format!("from {}", board.ram().start());
        let _ = writeln!(
            out,
            "    {ram:<27} RAM, up to {}",
            crate::units::show_size(MAX_RAM)
        );
    }
    out
}

/// The devices that can be put into slots.
#[must_use]
pub fn devices() -> String {
    let mut out = String::from("Devices for slots: [[device]]\n");
    for device in DEVICES {
        let _ = writeln!(out, "  {:<14} {}", device.path, device.summary);
        for param in device.params {
            out.push_str(&line(param, 4));
        }
    }
    out
}

/// The parameters of system files.
#[must_use]
pub fn parameters() -> String {
    let mut out = String::from("Parameters of system files\n");
    for section in SECTIONS {
        let _ = writeln!(out, "\n  {:<18} {}", heading(section), section.summary);
        for param in section.params {
            out.push_str(&line(param, 4));
        }
    }
    out.push_str(
        "\n  Sizes: B KiB MiB GiB TiB. Times: ps ns us ms s min h. Clocks: Hz kHz MHz GHz.\n  Bandwidths: bit/s kbit/s Mbit/s Gbit/s.\n",
    );
    out
}

fn heading(section: &Section) -> String {
    match (section.path, section.repeated) {
        ("", _) => "(top)".to_owned(),
        (path, true) => format!("[[{path}]]"),
        (path, false) => format!("[{path}]"),
    }
}

fn line(param: &Param, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let kind = match param.kind.range() {
        range if range.is_empty() => param.kind.name(),
        range => range,
    };
    let mut out = format!(
        "{pad}{:<13} {}\n{pad}              {kind}; {}\n",
        param.name,
        param.summary,
        presence(param.presence)
    );
    if let Kind::Choice(words) = param.kind {
        for (word, meaning) in words {
            let _ = writeln!(out, "{pad}                {word}: {meaning}");
        }
    }
    out
}

fn presence(presence: Presence) -> String {
    match presence {
        Presence::Required(_) => "must be given".to_owned(),
        Presence::Default("") => "empty by default".to_owned(),
        Presence::Default(text) => format!("{text} by default"),
        Presence::Optional(text) => format!("if not given: {text}"),
    }
}

/// The same as Markdown tables, for the documentation.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        table(&mut out, &heading(section), section);
        if section.path == "device" {
            for device in DEVICES {
                table(&mut out, &format!("type = \"{}\"", device.path), device);
            }
        }
    }
    // One line end at the end of the file.
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn table(out: &mut String, heading: &str, section: &Section) {
    let _ = writeln!(out, "### `{heading}`\n\n{}\n", capital(section.summary));
    if section.params.is_empty() {
        out.push_str("No parameters of its own.\n\n");
        return;
    }
    out.push_str("| Parameter | Values | Default | What it is |\n|---|---|---|---|\n");
    for param in section.params {
        let mut values = match param.kind.range() {
            range if range.is_empty() => param.kind.name().replace('|', "or"),
            range => range,
        };
        if let Kind::Choice(words) = param.kind {
            let words: Vec<_> = words.iter().map(|(w, m)| format!("`{w}`: {m}")).collect();
            values = words.join("; ");
        }
        let default = match param.presence {
            Presence::Required(example) => format!("required, e.g. `{example}`"),
            Presence::Default("") => "empty".to_owned(),
            Presence::Default(text) => format!("`{text}`"),
            Presence::Optional(text) => text.to_owned(),
        };
        let _ = writeln!(
            out,
            "| `{}` | {values} | {default} | {} |",
            param.name, param.summary
        );
    }
    out.push('\n');
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of the page that is made from the schema begins behind this line.
    const MARK: &str = "`maquette info parameters` prints the same.\n\n";

    #[test]
    fn page_of_system_files_holds_the_schema_as_it_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/system-files.md");
        let page = std::fs::read_to_string(path).expect("the page");
        let (head, tables) = page.split_once(MARK).expect("the mark");
        if tables == markdown() {
            return;
        }
        let fresh = format!("{head}{MARK}{}", markdown());
        std::fs::write(path, fresh).expect("the page can be written");
        panic!("docs/system-files.md did not hold the schema; it has been written anew: commit it");
    }

    #[test]
    fn every_parameter_is_shown_with_its_default() {
        let (text, devices) = (parameters(), devices());
        for section in SECTIONS {
            for param in section.params {
                assert!(text.contains(&line(param, 4)), "{}", param.name);
            }
        }
        for device in DEVICES {
            assert!(devices.contains(device.path), "{}", device.path);
            for param in device.params {
                assert!(devices.contains(&line(param, 4)), "{}", param.name);
            }
        }
    }
}
