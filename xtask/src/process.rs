//! Running other programs: loudly, with an error that can be repeated by hand.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

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

/// A command that has ended, or was killed because its time was over.
pub struct Captured {
    /// `None` if it was killed.
    pub status: Option<ExitStatus>,
    /// Both its outputs.
    pub text: String,
    pub took: Duration,
}

impl Captured {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs a command whose exit code and output are both of interest; `each` sees every line at once.
pub fn captured(
    command: &mut Command,
    limit: Duration,
    mut each: impl FnMut(&str),
) -> Result<Captured> {
    let line = describe(command);
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` cannot be started"))?;
    let mut text = String::new();
    let ended = follow(&mut child, begin + limit, |line| {
        each(&line);
        text.push_str(&line);
        text.push('\n');
    });
    let status = child.wait()?;
    Ok(Captured {
        status: ended.then_some(status),
        text,
        took: begin.elapsed(),
    })
}

/// Hands each line of both outputs to `each`; kills the child at `end` and says so by `false`.
pub fn follow(child: &mut Child, end: Instant, mut each: impl FnMut(String)) -> bool {
    let (tell, hear) = mpsc::channel();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::spawn({
        let tell = tell.clone();
        move || pass_on(out, &tell)
    });
    std::thread::spawn(move || pass_on(err, &tell));
    loop {
        match hear.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => each(line),
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                return false;
            }
        }
    }
}

fn pass_on(from: Option<impl Read>, tell: &mpsc::Sender<String>) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    while from
        .read_until(b'\n', &mut bytes)
        .is_ok_and(|length| length > 0)
    {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if tell.send(line).is_err() {
            return;
        }
    }
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
