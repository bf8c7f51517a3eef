//! Running other programs: loudly, with an error that can be repeated by hand.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a command that shows its own output.
pub fn run(command: &mut Command) -> Result<()> {
    let line = describe(command);
    let status = command
        .status()
        .with_context(|| format!("`{line}` cannot be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command whose standard output matters only if it fails.
pub fn quiet(command: &mut Command) -> Result<()> {
    let line = describe(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let done = child
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("`{line}` cannot be run"))?;
    if !done.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&done.stdout));
        bail!("`{line}` failed ({})", done.status);
    }
    Ok(())
}

/// Runs a command for what it prints; what it complains about becomes the error.
pub fn output(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{line}` cannot be started"))?;
    if !done.status.success() {
        let complaint = String::from_utf8_lossy(&done.stderr);
        bail!(
            "`{line}` failed ({}):\n{}",
            done.status,
            complaint.trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Whether a program can be found.
pub fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path)
        .chain(usual)
        .any(|folder| folder.join(program).is_file())
}

/// The command as one would type it.
pub fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
