//! OpenSBI's generic firmware for riscv64.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::apt::Apt;
use super::{Recipe, Resolved};
use crate::progress::Progress;

const PACKAGE: &str = "opensbi";

pub(super) const RECIPE: Recipe = Recipe {
    name: "opensbi",
    arch: "riscv64",
    suites: &["trixie"],
    revision: 1,
    resolve,
    build,
};

fn resolve(apt: &Apt) -> Result<Resolved> {
    let package = apt.newest(PACKAGE, None)?.package()?;
    Ok(Resolved {
        version: package.version.clone(),
        via: PACKAGE,
        packages: vec![package],
    })
}

fn build(unpacked: &Path, part: &Path, _say: &Progress) -> Result<()> {
    let from = unpacked.join("usr/lib/riscv64-linux-gnu/opensbi/generic");
    for name in [
        "fw_dynamic.bin",
        "fw_dynamic.elf",
        "fw_jump.bin",
        "fw_jump.elf",
    ] {
        let path = from.join(name);
        fs::copy(&path, part.join(name)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
