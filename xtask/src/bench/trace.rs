//! What a trace costs, in instructions of the host: those can be counted on a busy machine.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use maquette_tests::places;
use serde_json::Value;

use super::Bench;
use super::figure::{Figure, Target};
use crate::process;

/// Harts, paging, interrupts, DMA and firmware calls, in a short run.
const FILE: &str = "systems/demo.toml";

/// What one question whether there is a trace takes: a load, a test and a branch, and room for the registers
/// that they cost.
const QUESTION: f64 = 6.0;

const LIMIT: Duration = Duration::from_secs(600);

pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let there = Command::new("valgrind").arg("--version").output();
    if !there.is_ok_and(|done| done.status.success()) {
        eprintln!("bench: trace: valgrind is not there; `apt-get install valgrind` brings it");
        return Ok(Vec::new());
    }
    let folder = places::workspace().join("target/bench");
    fs::create_dir_all(&folder)?;
    let stats = folder.join("trace-stats.json");
    let off = instructions(bench, &[Path::new("--stats"), &stats])?;
    let file = folder.join("demo.perfetto-trace");
    let on = instructions(bench, &[Path::new("--trace"), &file])?;
    let text = fs::read_to_string(&stats).with_context(|| stats.display().to_string())?;
    let share = 100.0 * QUESTION * questions(&serde_json::from_str(&text)?)? / off;
    Ok(vec![
        Figure::new("trace.off.cost", share, "%").target(Target::AtMost(2.0)),
        Figure::new("trace.on.ratio", on / off, "times").target(Target::AtMost(2.0)),
    ])
}

/// How often a run asks at most whether there is a trace: twice for each exit and event, and once more for
/// each return to a hart.
fn questions(stats: &Value) -> Result<f64> {
    let number = |pointer: &str| {
        let value = stats.pointer(pointer).and_then(Value::as_f64);
        value.with_context(|| format!("no `{pointer}` in the statistics"))
    };
    let mut exits = number("/engine/events")?;
    for name in ["mmio_exits", "sbi_calls", "wfi_exits", "pause_exits"] {
        exits += number(&format!("/machine/{name}"))?;
    }
    Ok(3.0 * exits + 2.0 * number("/events/interrupt")?)
}

/// Instructions that the host executes for a run.
fn instructions(bench: &Bench, arguments: &[&Path]) -> Result<f64> {
    let run = bench.run(FILE);
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(run.get_program()).args(run.get_args());
    command.args(arguments).current_dir(places::workspace());
    let done = process::captured(&mut command, LIMIT, |_| {})?;
    let line = done
        .text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, count) = line.context("valgrind counted nothing")?;
    count.trim().parse().context("a number of instructions")
}
