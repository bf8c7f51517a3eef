//! The disassembler of the GNU binutils for riscv64, run in place.

use std::path::Path;

use anyhow::Result;

use super::apt::Apt;
use super::{Recipe, Resolved, launcher};
use crate::progress::Progress;

const PACKAGE: &str = "binutils-riscv64-linux-gnu";
const SUITE: &str = "trixie";

pub(super) const RECIPE: Recipe = Recipe {
    name: "objdump",
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
    launcher::install(unpacked, part, &["riscv64-linux-gnu-objdump"], say)
}
