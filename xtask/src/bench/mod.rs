//! `cargo xtask bench`: measurements, each against a peer where there is one.
//!
//! A group is a function that measures and returns figures. To add one: write a module with
//! `pub fn measure(bench: &Bench) -> Result<Vec<Figure>>` and name it in [`GROUPS`]. One that needs neither
//! guests nor the tool takes no `Bench`. Identifiers of figures are stable: SPECIFICATION.md and later
//! runs refer to them.

mod figure;
pub mod hello;
mod linux;
mod rv64;
mod sim;
mod snapshot;
mod trace;
mod usage;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use maquette_tests::parts::by_name;
use maquette_tests::places;
use maquette_tests::qemu::Qemu;

use crate::{guests, host};
use figure::Figure;

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Only this group; all, if none is named
    group: Option<String>,
    /// Write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail if a figure misses its target
    #[arg(long)]
    check: bool,
    /// List the groups
    #[arg(long)]
    list: bool,
}

struct Group {
    name: &'static str,
    about: &'static str,
    measure: Measure,
}

enum Measure {
    /// The built tool, with guests.
    Tool(fn(&Bench) -> Result<Vec<Figure>>),
    /// Something that the group builds itself.
    Own(fn() -> Result<Vec<Figure>>),
}

const GROUPS: &[Group] = &[
    Group {
        name: "rv64",
        about: "the RISC-V CPU: kernels against QEMU, start-up, Linux, caches",
        measure: Measure::Tool(rv64::measure),
    },
    Group {
        name: "trace",
        about: "what a trace costs, by instructions of the host",
        measure: Measure::Tool(trace::measure),
    },
    Group {
        name: "snapshot",
        about: "saving Linux with 1 GiB of RAM and going on from it; the size of a recording",
        measure: Measure::Tool(snapshot::measure),
    },
    Group {
        name: "sim",
        about: "the event engine: PHOLD against nexosim, on one thread",
        measure: Measure::Own(sim::measure),
    },
];

/// What a group measures with.
pub struct Bench {
    /// The built tool.
    pub tool: PathBuf,
    /// The peer, if it is in the cache.
    pub qemu: Option<Qemu>,
}

impl Bench {
    fn build() -> Result<Self> {
        guests::build()?;
        let bench = Self {
            tool: host::build()?,
            qemu: by_name::qemu().ok(),
        };
        if bench.qemu.is_none() {
            eprintln!("bench: no peer: cargo xtask real-parts qemu fetches QEMU");
        }
        Ok(bench)
    }

    /// `maquette run FILE`, in the checkout.
    pub fn run(&self, file: &str) -> Command {
        let mut command = Command::new(&self.tool);
        command.args(["run", file]).current_dir(places::workspace());
        command
    }
}

pub fn command(options: &Options) -> Result<()> {
    if options.list {
        for group in GROUPS {
            println!("{:10} {}", group.name, group.about);
        }
        return Ok(());
    }
    let chosen: Vec<&Group> = GROUPS
        .iter()
        .filter(|group| {
            options
                .group
                .as_deref()
                .is_none_or(|name| name == group.name)
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        bail!(
            "there is no group {}; there are {}",
            options.group.as_deref().unwrap_or(""),
            names.join(", ")
        );
    }
    let mut bench = None;
    let mut figures = Vec::new();
    for group in chosen {
        eprintln!("bench: {}: {}", group.name, group.about);
        let measured = match group.measure {
            Measure::Own(measure) => measure(),
            Measure::Tool(measure) => {
                let bench = match &mut bench {
                    Some(bench) => bench,
                    none => none.insert(Bench::build()?),
                };
                measure(bench)
            }
        };
        figures.extend(measured.with_context(|| format!("group {}", group.name))?);
    }
    figure::print(&figures);
    if let Some(path) = &options.json {
        fs::write(path, figure::json(&figures)?).with_context(|| path.display().to_string())?;
    }
    let missed: Vec<&str> = figures
        .iter()
        .filter(|f| f.misses())
        .map(|f| f.id.as_str())
        .collect();
    if options.check && !missed.is_empty() {
        bail!("targets missed: {}", missed.join(", "));
    }
    Ok(())
}
