//! `cargo xtask tidy`: the rules of the code base that no compiler checks.
//!
//! | Rule | What it holds |
//! |---|---|
//! | `floors` | dependencies point down the floors of ARCHITECTURE.md §3 |
//! | `length` | files under 1,500 lines (from 800 on: a warning), functions under 70, at most 6 arguments |
//! | `name` | no module called `utils`, `common`, `misc` or `helpers` |
//! | `opening` | every crate opens with what it is for, its invariants, and what is not in it |
//! | `stub` | no `todo!`, no `unimplemented!` |
//! | `suppression` | lints are silenced by `#[expect(…, reason = "…")]` only; no test is ignored |
//! | `safety` | a comment `SAFETY:` above each `unsafe` block and impl |
//! | `panic` | no `unwrap`, `expect`, `panic!`, `unreachable!` where a guest or a file can reach |
//! | `index` | crates that hostile input reaches have clippy watch indices and casts |
//! | `determinism` | models use no thread, socket, file, host clock or randomly seeded map |
//! | `waiting` | no test sleeps |
//! | `manifest` | every crate has the workspace's lints; a model needs no crate that reaches the host |
//! | `source` | files that lay out registers or formats say where that is specified |
//! | `error` | no message repeats the error that caused it |
//! | `default` | what a system file describes has no `Default`: defaults are in the schema alone |
//! | `test` | a test's name says more than one word, and not that it is a test |
//! | `conformance` | every device in `host/devices` and `host/virtio` passes the checks of all devices |
//! | `place` | nothing names a folder of somebody's computer |
//!
//! A place that must break `panic` says so as clippy wants to be told:
//! `#[expect(clippy::unwrap_used, reason = "…")]` on the statement or the function.

mod conformance;
mod floors;
mod items;
mod manifest;
mod reach;
mod shape;
pub mod sources;
mod syntax;

use std::path::PathBuf;

use anyhow::{Result, bail};
use maquette_tests::places;

use sources::Source;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: PathBuf,
    pub line: usize,
    pub rule: &'static str,
    pub text: String,
    /// Told, but not a failure.
    pub warning: bool,
}

impl Finding {
    fn new(
        path: &std::path::Path,
        line: usize,
        rule: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self {
            path: path.to_path_buf(),
            line,
            rule,
            text: text.into(),
            warning: false,
        }
    }

    fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

pub fn command(folders: &[PathBuf]) -> Result<()> {
    let root = places::workspace();
    let sources = sources::load(&root)?;
    let mut findings = floors::check(&root)?;
    findings.extend(manifest::check(&root)?);
    findings.extend(conformance::check(&sources));
    for source in &sources {
        findings.extend(check(source));
    }
    let here = |finding: &Finding| {
        folders.is_empty() || folders.iter().any(|f| finding.path.starts_with(f))
    };
    findings.retain(here);
    findings.sort();
    for Finding {
        path,
        line,
        rule,
        text,
        warning,
    } in &findings
    {
        let kind = if *warning { "warning" } else { "error" };
        println!("{}:{line}: {kind}: {rule}: {text}", path.display());
    }
    let errors = findings.iter().filter(|finding| !finding.warning).count();
    println!(
        "tidy: {} files, median {} lines, {errors} errors",
        sources.len(),
        median_length(&sources)
    );
    if errors > 0 {
        bail!("{errors} rules are broken");
    }
    Ok(())
}

fn check(source: &Source) -> Vec<Finding> {
    let mut findings = shape::check(source);
    findings.extend(syntax::check(source));
    findings.extend(items::check(source));
    findings
}

fn median_length(sources: &[Source]) -> usize {
    let mut lengths: Vec<usize> = sources.iter().map(|source| source.lines.len()).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}
