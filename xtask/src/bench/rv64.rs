//! The RISC-V CPU: kernels against QEMU, start-up, Linux, and what the engine's caches do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use maquette_tests::child::Limit;
use maquette_tests::guests::guest;
use maquette_tests::parts::by_name;
use maquette_tests::places;
use serde_json::Value;

use super::figure::{Figure, Target, median};
use super::{Bench, hello, linux};
use crate::process;

/// Kernels whose geometric mean is promised.
const COUNTED: [&str; 4] = ["alu", "branchy", "memory", "calls"];
/// One floating-point operation each, in both formats; the slowest is promised.
const FLOAT: [&str; 6] = [
    "fp-add",
    "fp-mul",
    "fp-fma",
    "fp-div",
    "fp-sqrt",
    "fp-convert",
];
/// Kernels that are only reported.
const REPORTED: [&str; 2] = ["sort", "fp"];
const REPEATS: usize = 3;
const LIMIT: Limit = Limit::seconds(120);

pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut logarithms = 0.0;
    let (mut slowest, mut slowest_float) = (f64::INFINITY, f64::INFINITY);
    for name in COUNTED.iter().chain(&FLOAT).chain(&REPORTED) {
        let figure = kernel(bench, name)?;
        if FLOAT.contains(name) {
            slowest_float = slowest_float.min(figure.value);
        }
        if COUNTED.contains(name) {
            logarithms += figure.value.ln();
            slowest = slowest.min(figure.value);
        }
        figures.push(figure);
    }
    let geomean = (logarithms / COUNTED.len() as f64).exp();
    let at_least = |id, value, limit| Figure::new(id, value, "MIPS").target(Target::AtLeast(limit));
    figures.push(at_least("rv64.interp.geomean_mips", geomean, 200.0));
    figures.push(at_least("rv64.interp.slowest_mips", slowest, 80.0));
    figures.push(at_least("rv64.interp.slowest_fp_mips", slowest_float, 80.0));
    figures.extend(hello::measure(bench)?);
    figures.extend(linux::measure(bench)?);
    figures.extend(caches(bench)?);
    Ok(figures)
}

/// One kernel, ours and QEMU's in turn.
fn kernel(bench: &Bench, name: &str) -> Result<Figure> {
    eprintln!("bench: rv64: {name}");
    let file = system(name)?;
    let elf = guest(&format!("bench-{name}"));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let stats = run(bench, &file)?;
        let number = |key: &str| {
            stats[key]
                .as_f64()
                .with_context(|| format!("`{key}` in the statistics"))
        };
        ours.push(number("mips")?);
        if let Some(qemu) = &bench.qemu {
            let begin = Instant::now();
            let done = qemu.virt().size(128, 1).bare(&elf).limit(LIMIT).finish();
            if done.code() != Some(0) {
                bail!("QEMU did not finish {}: {}", elf.display(), done.describe());
            }
            theirs.push(number("instructions")? / begin.elapsed().as_secs_f64() / 1e6);
        }
    }
    let figure = Figure::new(&format!("rv64.interp.{name}_mips"), median(ours), "MIPS");
    Ok(if theirs.is_empty() {
        figure
    } else {
        figure.against("qemu", median(theirs))
    })
}

/// A system for one kernel.
fn system(name: &str) -> Result<PathBuf> {
    let folder = places::workspace().join("target/bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.toml"));
    let text = format!(
        "description = \"benchmark kernel {name}\"\n\
         [machine]\nharts = 1\nmemory = \"128MiB\"\n\
         [boot]\nmode = \"bare\"\nkernel = \"guest:bench-{name}\"\n"
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// Runs a system and reads its statistics.
fn run(bench: &Bench, file: &Path) -> Result<Value> {
    let stats = places::workspace().join("target/bench/stats.json");
    let mut command: Command = bench.run(&file.to_string_lossy());
    command.arg("--stats").arg(&stats);
    process::output(&mut command)?;
    let text = fs::read_to_string(&stats).with_context(|| stats.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Exact counts of the engine over a boot of Linux.
fn caches(bench: &Bench) -> Result<Vec<Figure>> {
    if by_name::linux_riscv().is_err() {
        return Ok(Vec::new());
    }
    let stats = run(bench, Path::new("systems/linux.toml"))?;
    let hart = &stats["machine"]["harts"][0];
    let count = |key: &str| {
        hart[key]
            .as_f64()
            .with_context(|| format!("`{key}` of hart 0"))
    };
    let blocks = count("blocks")?;
    let share = |misses: f64, all: f64| 100.0 * (1.0 - misses / all);
    Ok(vec![
        Figure::new(
            "linux.insns_per_block",
            count("instructions")? / blocks,
            "insns",
        ),
        Figure::new(
            "linux.block_hits",
            share(count("block_front_misses")?, blocks),
            "%",
        ),
        Figure::new(
            "linux.fetch_tlb_hits",
            share(count("fetch_misses")?, blocks),
            "%",
        ),
        Figure::new(
            "linux.data_tlb_hits",
            share(count("data_misses")?, count("memory_ops")?),
            "%",
        ),
        Figure::new(
            "linux.mips",
            stats["mips"].as_f64().context("`mips`")?,
            "MIPS",
        ),
    ])
}
