//! Start-up: the smallest machine, from the command to its end.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::figure::{Figure, Target, median};
use super::{Bench, usage};
use crate::process;

const FILE: &str = "systems/hello.toml";
const REPEATS: usize = 15;

pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let mut milliseconds = Vec::new();
    for _ in 0..REPEATS {
        let begin = Instant::now();
        process::output(&mut bench.run(FILE)).context("the smallest machine does not run")?;
        milliseconds.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(vec![
        Figure::new("hello.start_ms", median(milliseconds), "ms").target(Target::AtMost(50.0)),
        Figure::new("hello.memory_mib", memory(bench)?, "MiB").target(Target::AtMost(16.0)),
    ])
}

/// The tool's own memory. The guest touches little of its RAM, and what it touches is counted here
/// too, so this is an upper limit of what the machine takes beyond guest RAM.
///
/// The kernel keeps one maximum over all children, and builds have come before: so a child of this
/// program, which has no other children, looks at its own.
fn memory(bench: &Bench) -> Result<f64> {
    let me = std::env::current_exe()?;
    let mut command = std::process::Command::new(me);
    command
        .arg("largest-child")
        .arg(&bench.tool)
        .args(["run", FILE]);
    let text = process::output(command.current_dir(maquette_tests::places::workspace()))?;
    let bytes: f64 = text
        .lines()
        .last()
        .unwrap_or_default()
        .trim()
        .parse()
        .context("a number of bytes")?;
    if bytes == 0.0 {
        bail!("the kernel tells no memory of children");
    }
    Ok(bytes / (1 << 20) as f64)
}

/// The hidden verb behind [`memory`]: runs a command, prints the most memory it held.
pub fn largest_child(command: &[std::ffi::OsString]) -> Result<()> {
    let (program, arguments) = command.split_first().context("a command")?;
    process::output(std::process::Command::new(program).args(arguments))?;
    println!("{}", usage::largest_child()?);
    Ok(())
}
