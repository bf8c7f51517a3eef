//! The built `maquette` binary.

use std::path::PathBuf;

use anyhow::Result;
use maquette_tests::places;

use crate::process;
use crate::toolchain::Toolchain;

/// Builds the tool as users run it, and says where it is.
pub fn build() -> Result<PathBuf> {
    let mut cargo = Toolchain::pinned()?.cargo();
    cargo
        .args(["build", "--release", "--package", "maquette-cli"])
        .current_dir(places::workspace());
    process::run(&mut cargo)?;
    Ok(places::target().join("release/maquette"))
}
