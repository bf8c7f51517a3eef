//! `cargo xtask soak`: the same tests, for longer.

use std::process::Command;

use anyhow::Result;
use maquette_tests::places;

use crate::toolchain::Toolchain;
use crate::{fresh, guests, host, parts, process};

/// How long is long.
#[derive(clap::Args)]
pub struct Options {
    /// How many times over each test does its work
    #[arg(long, default_value_t = 50)]
    effort: u32,
    /// Only tests whose name contains this
    filter: Option<String>,
}

/// Tests read their effort from the environment: `maquette_tests::effort()` for those that count
/// for themselves, `PROPTEST_CASES` for property tests.
pub fn command(options: &Options) -> Result<()> {
    for part in parts::Part::ALL {
        parts::ensure(part)?;
    }
    guests::build()?;
    let tool = host::build()?;
    let mut cargo: Command = Toolchain::pinned()?.cargo();
    cargo
        .args(["test", "--workspace", "--release", "--no-fail-fast"])
        .args(options.filter.as_deref())
        .current_dir(places::workspace())
        .env("MAQUETTE_BIN", tool)
        .env("MAQUETTE_EFFORT", options.effort.to_string())
        .env(
            "PROPTEST_CASES",
            options.effort.saturating_mul(256).to_string(),
        )
        .env(maquette_tests::skip::REQUIRE_REAL, "1");
    process::run(&mut cargo)?;
    if options.filter.is_none() {
        fresh::command()?;
    }
    Ok(())
}
