//! QEMU 11 out of Debian 13's backports, run in place.
//!
//! The packages come with everything they depend on: see [`launcher`].

use std::path::Path;

use anyhow::Result;

use super::apt::Apt;
use super::{Recipe, Resolved, launcher};
use crate::progress::Progress;

const META: &str = "qemu-system-riscv";
const ROOTS: [&str; 4] = [META, "qemu-system-x86", "opensbi", "seabios"];
const PROGRAMS: [&str; 3] = ["qemu-system-riscv64", "qemu-system-x86_64", "qemu-img"];
const BACKPORTS: &str = "trixie-backports";

pub(super) const RECIPE: Recipe = Recipe {
    name: "qemu",
    arch: "amd64",
    suites: &["trixie", BACKPORTS],
    revision: 1,
    resolve,
    build,
};

fn resolve(apt: &Apt) -> Result<Resolved> {
    let mut roots = ROOTS.to_vec();
    roots.push("qemu-utils");
    Resolved::named(META, apt.closure(&roots, BACKPORTS)?)
}

fn build(unpacked: &Path, part: &Path, say: &Progress) -> Result<()> {
    launcher::install(unpacked, part, &PROGRAMS, say)
}
