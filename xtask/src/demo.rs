//! `cargo xtask demo`: from a fresh clone to a running machine.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use maquette_tests::{Part, places};

use crate::toolchain::Toolchain;
use crate::{guests, host, process};

const MAIN: &str = "systems/demo.toml";
const LINUX: &str = "systems/linux.toml";
const ACCELERATOR: &str = "systems/sst-bare.toml";

/// What was done, for the account at the end.
#[derive(Default)]
struct Account {
    steps: Vec<(String, Duration)>,
}

impl Account {
    fn step<T>(&mut self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\ndemo: {what}");
        let begin = Instant::now();
        let result = work().with_context(|| format!("the demo stopped at: {what}"))?;
        self.steps.push((what.to_owned(), begin.elapsed()));
        Ok(result)
    }
}

pub fn command() -> Result<()> {
    let begin = Instant::now();
    let mut account = Account::default();
    account.step("adding the guests' targets to the toolchain", || {
        Toolchain::pinned()?.add_targets()
    })?;
    account.step("building the guest programs", guests::build)?;
    let tool = account.step("building maquette", host::build)?;
    account.step(
        &format!("running {MAIN}: two harts in S-mode with a virtio disk"),
        || run(&tool, MAIN, &[]),
    )?;
    let linux = linux_is_here();
    if linux {
        account.step(
            &format!("running {LINUX}: Debian's own riscv64 kernel"),
            || run(&tool, LINUX, &[]),
        )?;
    }
    let (trace, report) = (artefact("sst.pftrace")?, artefact("sst.json")?);
    account.step(
        &format!("running {ACCELERATOR}: work for a modelled accelerator"),
        || {
            let files = ["--trace".as_ref(), trace.as_path()];
            let files = [files, ["--stats".as_ref(), report.as_path()]].concat();
            run(&tool, ACCELERATOR, &files)
        },
    )?;
    conclude(&account, begin.elapsed(), &tool, linux);
    println!("\nOf the accelerator's run:");
    println!("  {}  the trace, for ui.perfetto.dev", shown(&trace));
    println!("  {}     the report", shown(&report));
    Ok(())
}

fn linux_is_here() -> bool {
    Part::LinuxRiscv.find().is_ok() && places::workspace().join(LINUX).is_file()
}

/// A file that the demo leaves behind.
fn artefact(name: &str) -> Result<PathBuf> {
    let folder = places::target().join("demo");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder.join(name))
}

/// A path as it is written from the checkout.
fn shown(path: &Path) -> impl Display {
    path.strip_prefix(places::workspace())
        .unwrap_or(path)
        .display()
}

fn run(tool: &Path, file: &str, options: &[&Path]) -> Result<()> {
    if !places::workspace().join(file).is_file() {
        bail!("{file} is not in this checkout");
    }
    // The file scripts the console: nobody is asked to type.
    let mut command = Command::new(tool);
    process::run(
        command
            .args(["run", file])
            .args(options)
            .current_dir(places::workspace())
            .stdin(Stdio::null()),
    )
}

fn conclude(account: &Account, total: Duration, tool: &Path, linux: bool) {
    println!("\nWhat happened, in {:.0} s:", total.as_secs_f64());
    for (what, took) in &account.steps {
        println!("  {:6.1} s  {what}", took.as_secs_f64());
    }
    if !linux {
        println!("\nDebian's kernel is not in the cache, so Linux was not booted;");
        println!(
            "  cargo xtask real-parts linux-riscv   fetches it (from the machine's Debian archive)"
        );
    }
    let shown = shown(tool);
    let mut next = vec![
        (format!("{shown} list"), "the systems that are ready to run"),
        (format!("{shown} run {MAIN}"), "the same machine again"),
        (
            format!("{shown} run systems/sst-two-machines.toml"),
            "two machines that share an accelerator",
        ),
        (
            format!("{shown} info"),
            "the instruction set, boards and devices",
        ),
        ("cargo xtask test".to_owned(), "every check and test"),
    ];
    if linux {
        next.insert(2, (format!("{shown} run {LINUX}"), "Linux again"));
    }
    let width = next
        .iter()
        .map(|(command, _)| command.len())
        .max()
        .unwrap_or(0);
    println!("\nTo try next:");
    for (command, what) in next {
        println!("  {command:width$}  {what}");
    }
}
