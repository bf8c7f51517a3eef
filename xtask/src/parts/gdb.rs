//! GDB for every architecture out of Debian 13, run in place.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::apt::Apt;
use super::{Recipe, Resolved, launcher};
use crate::process;
use crate::progress::Progress;

const PACKAGE: &str = "gdb-multiarch";
const SUITE: &str = "trixie";

pub(super) const RECIPE: Recipe = Recipe {
    name: "gdb",
    arch: "amd64",
    suites: &[SUITE],
    revision: 1,
    resolve,
    build,
};

fn resolve(apt: &Apt) -> Result<Resolved> {
    Resolved::named(PACKAGE, apt.closure(&[PACKAGE], SUITE)?)
}

fn build(unpacked: &Path, part: &Path, say: &Progress) -> Result<()> {
    launcher::install(unpacked, part, &[PACKAGE], say)?;
    let known = process::output(Command::new(part.join("bin").join(PACKAGE)).args([
        "--batch",
        "--nx",
        "--eval-command=set architecture riscv:rv64",
        "--eval-command=show architecture",
    ]))?;
    if !known.contains("riscv:rv64") {
        bail!(
            "this gdb does not know riscv:rv64; it says: {}",
            known.trim()
        );
    }
    Ok(())
}
