//! `cargo xtask guests`: the programs that run inside machines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use maquette_tests::places;
use serde_json::Value;

use crate::process;
use crate::toolchain::Toolchain;

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
    let mut command = cargo(&toolchain, "build");
    command.args([
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
    use super::executables;

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
}
