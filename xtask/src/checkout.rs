//! Clones of this checkout in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use maquette_tests::places;

use crate::process;

const PREFIX: &str = "maquette-scratch-";

/// What a program under `cargo xtask` inherits and a shell would not have set.
const INHERITED: [&str; 10] = [
    "CARGO",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "MAQUETTE_BIN",
    "MAQUETTE_EFFORT",
    "MAQUETTE_ROUND",
    "RUSTUP_TOOLCHAIN",
    "RUST_RECURSION_COUNT",
];

/// A folder that is removed again, whatever happens; one that a killed run has left is removed by
/// the next.
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// An empty folder outside the checkout, since cargo looks upward for workspaces.
    pub fn new() -> Result<Self> {
        let base = std::env::temp_dir();
        remove_left(&base, Path::new("/proc"));
        let folder = base.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self { folder })
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Clones the committed state of this checkout.
    pub fn clone_checkout(&self) -> Result<PathBuf> {
        let source = places::workspace();
        let uncommitted = git(&source, &["status", "--porcelain"])?;
        if !uncommitted.trim().is_empty() {
            eprintln!(
                "note: a clone holds what is committed; this checkout has changes beyond that"
            );
        }
        let into = self.folder.join("checkout");
        process::run(
            Command::new("git")
                .args(["clone", "--quiet"])
                .arg(&source)
                .arg(&into),
        )?;
        Ok(into)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the folders of processes that are no more.
fn remove_left(base: &Path, processes: &Path) {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if owner.is_some_and(|process| !processes.join(process).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A line as one would type it into a shell in a checkout, with its `maquette` at hand.
pub fn shell(line: &str, checkout: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(checkout)
        .stdin(Stdio::null());
    for name in INHERITED {
        command.env_remove(name);
    }
    let target = if checkout == places::workspace() {
        places::target()
    } else {
        command.env_remove("CARGO_TARGET_DIR");
        checkout.join("target")
    };
    let mut path = vec![target.join("release")];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    if let Ok(path) = std::env::join_paths(path) {
        command.env("PATH", path);
    }
    command
}

/// What git says about a checkout.
pub fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    process::output(command.arg("-C").arg(folder).args(arguments))
}

/// The commit of this checkout, with a mark if there are changes beyond it.
pub fn commit() -> Result<String> {
    let folder = places::workspace();
    let commit = git(&folder, &["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&folder, &["status", "--porcelain", "--untracked-files=no"])?;
    if commit.trim().is_empty() {
        bail!("{} is no git checkout", folder.display());
    }
    let mark = if changed.trim().is_empty() { "" } else { "+" };
    Ok(format!("{}{mark}", commit.trim()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PREFIX, remove_left};

    #[test]
    fn folders_of_dead_processes_are_removed_and_no_others() {
        let (base, processes) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let made = |name: &str| {
            let path = base.path().join(name);
            fs::create_dir(&path).expect("made");
            path
        };
        let (dead, alive, other) = (
            made(&format!("{PREFIX}12")),
            made(&format!("{PREFIX}13")),
            made("maquette-13"),
        );
        fs::create_dir(processes.path().join("13")).expect("made");
        remove_left(base.path(), processes.path());
        assert!(!dead.exists() && alive.exists() && other.exists());
    }
}
