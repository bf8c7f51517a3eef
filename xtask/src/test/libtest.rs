//! Running test programs and reading what they print.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::binaries::Binary;
use super::report::{Failure, Report};
use crate::process;
use crate::progress::Progress;

/// A test program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// How much of a failed program's output is shown.
const SHOWN_LINES: usize = 200;

/// Runs all test programs, one after the other; each uses all cores itself.
pub fn run_all(
    binaries: &[Binary],
    environment: &[(&str, OsString)],
    only: Option<&str>,
    report: &mut Report,
) -> Result<()> {
    let before = report.failed.len();
    let say = Progress::new("tests");
    for binary in binaries {
        let mut command = Command::new(&binary.program);
        command
            .current_dir(&binary.folder)
            .env("CARGO_MANIFEST_DIR", &binary.folder);
        command.env("CARGO_PKG_NAME", &binary.package);
        command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .args(only);
        run_one(binary, command, &say, report)?;
    }
    let failed = report.failed.len() - before;
    say.done(format!("{} passed, {failed} failed", report.passed));
    if failed > 0 {
        bail!("{failed} tests failed");
    }
    Ok(())
}

fn run_one(
    binary: &Binary,
    mut command: Command,
    say: &Progress,
    report: &mut Report,
) -> Result<()> {
    let name = format!("{} {}", binary.package, binary.target);
    let mut pending = list(&binary.program, &command).with_context(|| name.clone())?;
    if pending.is_empty() {
        return Ok(());
    }
    say.count(&name, pending.len() as u64);
    let total = pending.len();
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut output = Vec::new();
    let timed_out = !process::follow(&mut child, begin + LIMIT, |line| {
        if let Some(outcome) = outcome(&line) {
            pending.remove(outcome.test);
            match outcome.result {
                Outcome::Passed => report.passed += 1,
                Outcome::Ignored => report.ignored.push(format!("{name} {}", outcome.test)),
                Outcome::Failed => report
                    .failed
                    .push(Failure::new(binary, outcome.test, "failed")),
            }
            say.at((total - pending.len()) as u64);
        }
        output.push(line);
    });
    let status = child.wait()?;
    let why = if timed_out {
        "did not end in time"
    } else {
        "did not report: its program died"
    };
    let lost = pending.iter().map(|test| Failure::new(binary, test, why));
    report.failed.extend(lost);
    if !status.success() {
        show(&name, &output, say);
    }
    report.slowest.push((begin.elapsed(), name));
    Ok(())
}

/// The names of the tests that a call of a program would run.
fn list(program: &std::path::Path, call: &Command) -> Result<BTreeSet<String>> {
    let mut command = Command::new(program);
    command
        .args(call.get_args())
        .args(["--list", "--format", "terse"]);
    let text = process::output(&mut command)?;
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Ignored,
}

#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    test: &'a str,
    result: Outcome,
}

/// `test name … ok`, with ` - should panic` after the names of some.
fn outcome(line: &str) -> Option<Line<'_>> {
    let (test, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let result = match word {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        word if word.starts_with("ignored") => Outcome::Ignored,
        _ => return None,
    };
    Some(Line {
        test: test.trim_end_matches(" - should panic"),
        result,
    })
}

fn show(name: &str, output: &[String], say: &Progress) {
    let from = output
        .iter()
        .position(|line| line == "failures:")
        .unwrap_or(0);
    let lines = &output[from..];
    let from = lines.len().saturating_sub(SHOWN_LINES);
    say.say(format!("{name} failed:\n{}", lines[from..].join("\n")));
}

#[cfg(test)]
mod tests {
    use super::{Line, Outcome, outcome};

    #[test]
    fn outcome_lines_are_told_from_other_lines() {
        let line = |test, result| Some(Line { test, result });
        assert_eq!(outcome("test a::b ... ok"), line("a::b", Outcome::Passed));
        assert_eq!(
            outcome("test a - should panic ... ok"),
            line("a", Outcome::Passed)
        );
        assert_eq!(outcome("test a ... FAILED"), line("a", Outcome::Failed));
        assert_eq!(
            outcome("test a ... ignored, slow"),
            line("a", Outcome::Ignored)
        );
        assert_eq!(outcome("test result: ok. 3 passed"), None);
        assert_eq!(outcome("running 3 tests"), None);
    }
}
