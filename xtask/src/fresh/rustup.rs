//! A toolchain without the guests' targets, as a newcomer has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::toolchain::Toolchain;

/// The parts of a toolchain that builds use; the rest is documentation.
const PARTS: [&str; 4] = ["bin", "etc", "lib", "libexec"];

/// Copies rustup's home with the pinned toolchain only, and takes the guests' targets out of the
/// copy: builds that go on beside this one keep theirs. `None` without rustup.
pub fn without_targets(into: &Path) -> Result<Option<PathBuf>> {
    if !process::exists("rustup") {
        return Ok(None);
    }
    let toolchain = Toolchain::pinned()?;
    let home =
        PathBuf::from(process::output(Command::new("rustup").args(["show", "home"]))?.trim());
    let sysroot = process::output(toolchain.rustc().args(["--print", "sysroot"]))?;
    let sysroot = Path::new(sysroot.trim());
    let name = sysroot.file_name().context("a toolchain has a name")?;
    let copy = into.join("toolchains").join(name);
    fs::create_dir_all(&copy).with_context(|| copy.display().to_string())?;
    fs::copy(home.join("settings.toml"), into.join("settings.toml"))
        .context("rustup's settings.toml")?;
    for part in PARTS.iter().filter(|part| sysroot.join(part).exists()) {
        let mut cp = Command::new("cp");
        cp.args(["-a", "--reflink=auto"]);
        process::run(cp.arg(sysroot.join(part)).arg(&copy))?;
    }
    link_other_name(&home, into, &copy, &toolchain)?;
    remove_targets(into, &toolchain)?;
    Ok(Some(into.to_path_buf()))
}

/// Where the pinned version is a link to another toolchain, the copy has the same link.
fn link_other_name(home: &Path, into: &Path, copy: &Path, toolchain: &Toolchain) -> Result<()> {
    let entries = fs::read_dir(home.join("toolchains")).context("rustup's toolchains")?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pinned = name.to_string_lossy().starts_with(&toolchain.channel);
        let place = into.join("toolchains").join(&name);
        if pinned && !place.exists() {
            std::os::unix::fs::symlink(copy, place).context("a link to the toolchain")?;
        }
    }
    Ok(())
}

fn remove_targets(home: &Path, toolchain: &Toolchain) -> Result<()> {
    let rustup = |verb: &str| {
        let mut command = Command::new("rustup");
        command
            .args(["target", verb, "--toolchain", &toolchain.channel])
            .env("RUSTUP_HOME", home)
            .env_remove("RUSTUP_TOOLCHAIN");
        command
    };
    let installed = process::output(rustup("list").arg("--installed"))?;
    let present: Vec<&String> = toolchain
        .targets
        .iter()
        .filter(|target| installed.lines().any(|line| line == *target))
        .collect();
    if present.is_empty() {
        return Ok(());
    }
    process::run(rustup("remove").args(present))
}
