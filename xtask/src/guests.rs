//! `cargo xtask guests`: the programs that run inside machines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use maquette_tests::places;
use serde_json::Value;

use crate::process;
use crate::toolchain::Toolchain;

/// Takes several options that may hold spaces, parted by this.
const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";
const PARTS_FLAGS: &str = "\u{1f}";

/// The guests' workspace.
pub fn folder() -> PathBuf {
    places::workspace().join("guest")
}

/// Cargo in the guests' workspace, with its own products beside the host's.
pub fn cargo(toolchain: &Toolchain, verb: &str) -> Command {
    let mut command = toolchain.cargo();
    command
        .current_dir(folder())
        .arg(verb)
        .arg("--target-dir")
        .arg(places::target().join("guest"));
    command
}

/// Builds all guests and copies their ELF files to `target/guests`.
pub fn build() -> Result<Vec<PathBuf>> {
    let toolchain = Toolchain::pinned()?;
    toolchain.add_targets()?;
    let remaps = remaps(&packages(&toolchain)?);
    let mut command = cargo(&toolchain, "build");
    command.env(FLAGS, remaps.join(PARTS_FLAGS)).args([
        "--release",
        "--bins",
        "--message-format",
        "json-render-diagnostics",
    ]);
    let messages = captured(&mut command)?;
    let programs = executables(&messages);
    if programs.is_empty() {
        bail!("{} holds no guest program", folder().display());
    }
    let into = places::guests();
    fs::create_dir_all(&into).with_context(|| into.display().to_string())?;
    programs
        .iter()
        .map(|program| copy(program, &into))
        .collect()
}

/// What cargo knows of the guests' packages. Fetches them if need be.
fn packages(toolchain: &Toolchain) -> Result<Value> {
    let mut command = toolchain.cargo();
    command.current_dir(folder());
    command.args(["metadata", "--format-version", "1", "--locked"]);
    let printed = process::output(&mut command)?;
    serde_json::from_str(&printed).context("`cargo metadata` prints no JSON")
}

/// Options that keep this computer's folders out of the programs: panics name their source file, so
/// the guest's output, and with it the hash of its run, would tell where it was built.
fn remaps(packages: &Value) -> Vec<String> {
    let sources = packages["packages"].as_array().into_iter().flatten();
    let folders: BTreeSet<PathBuf> = sources
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| package["manifest_path"].as_str())
        .filter_map(|manifest| Path::new(manifest).ancestors().nth(2))
        .map(Path::to_path_buf)
        .collect();
    let crates = folders.iter().map(|folder| (folder.display(), "/crates"));
    let own = places::workspace();
    crates
        .chain([(own.display(), "/maquette")])
        .map(|(from, to)| format!("--remap-path-prefix={from}={to}"))
        .collect()
}

/// Runs cargo with its progress visible and its messages captured.
fn captured(command: &mut Command) -> Result<String> {
    let line = process::describe(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let done = child
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("`{line}` cannot be run"))?;
    if !done.status.success() {
        bail!("`{line}` in guest/ failed ({})", done.status);
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The executables that cargo reports, one JSON message per line.
fn executables(messages: &str) -> Vec<PathBuf> {
    let values = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values
        .filter_map(|value| value["executable"].as_str().map(PathBuf::from))
        .collect()
}

/// Replaces the copy at one stroke: a machine may be running the old one.
fn copy(program: &Path, into: &Path) -> Result<PathBuf> {
    let name = program.file_name().unwrap_or_default();
    let (place, fresh) = (
        into.join(name),
        into.join(format!(".{}", name.to_string_lossy())),
    );
    fs::copy(program, &fresh).with_context(|| program.display().to_string())?;
    fs::rename(&fresh, &place).with_context(|| place.display().to_string())?;
    Ok(place)
}

pub fn command() -> Result<()> {
    for program in build()? {
        println!("{}", program.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{executables, remaps};

    #[test]
    fn executables_are_taken_from_artifact_messages_only() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/x/hello"}
not json
{"reason":"build-finished","success":true}"#;
        assert_eq!(
            executables(messages),
            [std::path::PathBuf::from("/x/hello")]
        );
    }

    #[test]
    fn remaps_cover_each_folder_of_fetched_packages_and_the_workspace() {
        let packages = serde_json::json!({ "packages": [
            { "source": "registry", "manifest_path": "/a b/registry/one/fdt-0.4/Cargo.toml" },
            { "source": "registry", "manifest_path": "/a b/registry/one/bits-2/Cargo.toml" },
            { "source": null, "manifest_path": "/x/guest/rt/Cargo.toml" },
        ]});
        let own = maquette_tests::places::workspace();
        assert_eq!(
            remaps(&packages),
            [
                "--remap-path-prefix=/a b/registry/one=/crates".to_owned(),
                format!("--remap-path-prefix={}=/maquette", own.display()),
            ]
        );
    }
}
