//! Snapshots and recordings of Linux: how long they take, how large they are.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use maquette_tests::parts::by_name;
use maquette_tests::places;
use serde_json::Value;

use super::Bench;
use super::figure::{Figure, Target, median};
use crate::process;

const FILE: &str = "systems/linux.toml";
const REPEATS: usize = 3;

pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    if by_name::linux_riscv().is_err() {
        eprintln!("bench: snapshot: cargo xtask real-parts linux-riscv fetches Linux");
        return Ok(Vec::new());
    }
    let folder = places::workspace().join("target/bench");
    fs::create_dir_all(&folder)?;
    let (snapshot, recording) = (folder.join("linux.maqs"), folder.join("linux.maqr"));
    let stats = folder.join("snapshot-stats.json");
    let (mut saved, mut resumed) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let mut run = bench.run(FILE);
        run.args([
            "--set",
            "machine.memory=1GiB",
            "--when",
            "linux# ",
            "--stop",
        ]);
        run.arg("--snapshot").arg(&snapshot);
        saved.push(number(run, &stats, "/snapshot_seconds")? * 1e3);
        let mut run = Command::new(&bench.tool);
        run.arg("resume").arg(&snapshot);
        run.current_dir(places::workspace());
        resumed.push(number(run, &stats, "/resume_seconds")? * 1e3);
    }
    let mut run = bench.run(FILE);
    run.arg("--record").arg(&recording);
    let simulated = number(run, &stats, "/simulated_ps")? / 1e12;
    let size = |path: &Path| -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a size for people")]
        Ok(fs::metadata(path)?.len() as f64)
    };
    Ok(vec![
        Figure::new("snapshot.save_ms", median(saved), "ms").target(Target::AtMost(500.0)),
        Figure::new("snapshot.restore_ms", median(resumed), "ms").target(Target::AtMost(500.0)),
        Figure::new(
            "snapshot.size_mib",
            size(&snapshot)? / f64::from(1 << 20),
            "MiB",
        ),
        Figure::new(
            "record.linux_bytes_per_s",
            size(&recording)? / simulated,
            "B/s",
        )
        .target(Target::AtMost(100_000.0)),
    ])
}

/// A number in the statistics of a run.
fn number(mut run: Command, stats: &Path, pointer: &str) -> Result<f64> {
    process::output(run.arg("--quiet").arg("--stats").arg(stats))?;
    let text = fs::read_to_string(stats).with_context(|| stats.display().to_string())?;
    let json: Value = serde_json::from_str(&text)?;
    let value = json.pointer(pointer).and_then(Value::as_f64);
    value.with_context(|| format!("no `{pointer}` in the statistics"))
}
