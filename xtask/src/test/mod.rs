//! `cargo xtask test`: every check, in the order in which a failure is cheapest to learn of.
//!
//! All stages run even if one fails, so that one run tells everything; the exit code and the
//! account at the end say which failed.

pub mod binaries;
mod libtest;
mod report;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use maquette_tests::{places, skip};

use crate::toolchain::Toolchain;
use crate::{guests, host, parts, process, rows, tidy};
use report::{Report, Stage};

/// How strict to be, and where to leave the account.
#[derive(clap::Args)]
pub struct Options {
    /// Fetch missing real parts, and fail where a test would be skipped
    #[arg(long)]
    require_real: bool,
    /// Write what passed, failed and was skipped to this file, as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Run only the tests, and of them only those whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

type Work<'a> = Box<dyn Fn(&mut Report) -> Result<()> + 'a>;

pub fn command(options: &Options) -> Result<()> {
    let toolchain = Toolchain::pinned()?;
    let mut report = Report::default();
    for (name, work) in stages(options, &toolchain) {
        eprintln!("\n== {name}");
        let begin = Instant::now();
        let result = work(&mut report);
        if let Err(error) = &result {
            eprintln!("{name} failed: {error:#}");
        }
        report.stages.push(Stage {
            name,
            ok: result.is_ok(),
            seconds: begin.elapsed().as_secs_f64(),
        });
    }
    report.skipped = report::read_skips(&places::skips())?;
    report.print();
    if let Some(path) = &options.summary {
        let text = serde_json::to_string_pretty(&report.json())?;
        fs::write(path, text + "\n").with_context(|| path.display().to_string())?;
    }
    report.verdict()
}

fn stages<'a>(options: &'a Options, toolchain: &'a Toolchain) -> Vec<(&'static str, Work<'a>)> {
    let mut stages: Vec<(&'static str, Work<'a>)> = vec![(
        "toolchain",
        Box::new(|_| {
            toolchain
                .add_components()
                .and_then(|()| toolchain.add_targets())
        }),
    )];
    if options.only.is_none() {
        stages.push(("format", Box::new(|_| format(toolchain))));
        stages.push(("tidy", Box::new(|_| tidy::command(&[]))));
        stages.push(("lints", Box::new(|_| lints(toolchain))));
        stages.push(("documentation", Box::new(|_| documentation(toolchain))));
    }
    if options.require_real {
        stages.push(("real parts", Box::new(|_| real_parts())));
    }
    stages.push(("guests", Box::new(|_| guests::build().map(drop))));
    stages.push(("maquette", Box::new(|_| host::build().map(drop))));
    stages.push((
        "tests",
        Box::new(|report| tests(options, toolchain, report)),
    ));
    if options.only.is_none() {
        stages.push((
            "documentation tests",
            Box::new(|_| documentation_tests(toolchain)),
        ));
        stages.push(("rows", Box::new(note_rows)));
    }
    stages
}

fn format(toolchain: &Toolchain) -> Result<()> {
    for folder in [places::workspace(), guests::folder()] {
        process::run(
            toolchain
                .cargo()
                .args(["fmt", "--all", "--check"])
                .current_dir(folder),
        )?;
    }
    Ok(())
}

fn lints(toolchain: &Toolchain) -> Result<()> {
    let host = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ];
    process::run(
        toolchain
            .cargo()
            .args(host)
            .current_dir(places::workspace()),
    )?;
    // A bare-metal target has no test harness: programs and libraries only.
    process::run(guests::cargo(toolchain, "clippy").args([
        "--workspace",
        "--release",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documentation(toolchain: &Toolchain) -> Result<()> {
    let deny = ("RUSTDOCFLAGS", "-D warnings");
    let host = ["doc", "--workspace", "--no-deps", "--keep-going"];
    process::run(
        toolchain
            .cargo()
            .args(host)
            .current_dir(places::workspace())
            .env(deny.0, deny.1),
    )?;
    process::run(
        guests::cargo(toolchain, "doc")
            .args(["--workspace", "--no-deps"])
            .env(deny.0, deny.1),
    )
}

fn documentation_tests(toolchain: &Toolchain) -> Result<()> {
    let doc = ["test", "--workspace", "--doc", "--quiet"];
    process::quiet(toolchain.cargo().args(doc).current_dir(places::workspace()))
}

fn real_parts() -> Result<()> {
    for part in parts::Part::ALL {
        parts::ensure(part)?;
    }
    Ok(())
}

fn tests(options: &Options, toolchain: &Toolchain, report: &mut Report) -> Result<()> {
    let skips = places::skips();
    if skips.exists() {
        fs::remove_dir_all(&skips).with_context(|| skips.display().to_string())?;
    }
    let mut environment = vec![("MAQUETTE_BIN", places::tool().into_os_string())];
    if options.require_real {
        environment.push((skip::REQUIRE_REAL, "1".into()));
    }
    let binaries = binaries::build(toolchain)?;
    libtest::run_all(&binaries, &environment, options.only.as_deref(), report)
}

/// Rows without a test are told, and are the business of `cargo xtask rows`.
fn note_rows(report: &mut Report) -> Result<()> {
    report.open_rows = rows::State::gather()?
        .missing()
        .into_iter()
        .map(str::to_owned)
        .collect();
    Ok(())
}
