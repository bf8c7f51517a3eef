//! `cargo xtask evidence NAME`: runs what `docs/evidence/NAME.toml` lists, and writes what came of it
//! to `docs/evidence/NAME.md`.

mod clean;
mod machine;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use maquette_tests::places;
use serde::Deserialize;

use crate::checkout::{self, Scratch};
use crate::process;
use clean::Private;

/// A command that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    title: String,
    command: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// As typed into a shell at the top of the checkout.
    run: String,
    /// In a fresh clone, not here.
    #[serde(default)]
    clone: bool,
    /// How many lines of the end are shown.
    lines: usize,
}

/// What became of an entry.
struct Outcome {
    code: Option<i32>,
    took: Duration,
    /// The end of its output, cleaned.
    tail: Vec<String>,
}

pub fn command(name: Option<&str>) -> Result<()> {
    let folder = places::workspace().join("docs/evidence");
    let Some(name) = name else {
        for name in names(&folder)? {
            println!("{name}");
        }
        return Ok(());
    };
    let list = load(&folder, name)?;
    let commit = checkout::commit()?;
    let scratch = list
        .command
        .iter()
        .any(|entry| entry.clone)
        .then(Scratch::new);
    let scratch = scratch.transpose()?;
    let clone = scratch.as_ref().map(Scratch::clone_checkout).transpose()?;
    let outcomes = run_all(&list, &places::workspace(), clone.as_deref())?;
    let path = folder.join(format!("{name}.md"));
    let text = document(name, &list, &commit, &machine::describe(), &outcomes);
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("evidence: written to docs/evidence/{name}.md");
    verdict(&list, &outcomes)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn load(folder: &Path, name: &str) -> Result<List> {
    let path = folder.join(format!("{name}.toml"));
    let Ok(text) = fs::read_to_string(&path) else {
        bail!(
            "there is no docs/evidence/{name}.toml; there are {}",
            names(folder)?.join(", ")
        );
    };
    toml::from_str(&text).with_context(|| path.display().to_string())
}

/// Runs all, also after one that fails: what failed is evidence too.
fn run_all(list: &List, here: &Path, clone: Option<&Path>) -> Result<Vec<Outcome>> {
    let private = Private::here(clone);
    let mut outcomes = Vec::new();
    for entry in &list.command {
        eprintln!("\nevidence: {}", entry.run);
        let folder: PathBuf = match clone {
            Some(clone) if entry.clone => clone.to_path_buf(),
            _ => here.to_path_buf(),
        };
        let mut command = checkout::shell(&entry.run, &folder);
        let captured = process::captured(&mut command, LIMIT, |line| eprintln!("{line}"))?;
        let lines: Vec<String> = captured
            .text
            .lines()
            .map(|line| private.clean(line))
            .collect();
        let from = lines.len().saturating_sub(entry.lines);
        outcomes.push(Outcome {
            code: captured.status.and_then(|status| status.code()),
            took: captured.took,
            tail: lines[from..].to_vec(),
        });
    }
    Ok(outcomes)
}

fn document(name: &str, list: &List, commit: &str, machine: &str, outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "# Evidence: {}\n\n\
         Written by `cargo xtask evidence {name}` at commit {commit}: what was run, what it ended with, how long it\n\
         took, and its last lines.\n\n\
         Machine: {machine}.\n",
        list.title
    );
    for (entry, outcome) in list.command.iter().zip(outcomes) {
        let place = if entry.clone { " in a fresh clone" } else { "" };
        let seconds = outcome.took.as_secs_f64();
        let end = ended(outcome);
        text += &format!("\n## `{}`{place}: {end}, {seconds:.1} s\n", entry.run);
        if !outcome.tail.is_empty() {
            let fence = fence(&outcome.tail);
            text += &format!("\n{fence}text\n{}\n{fence}\n", outcome.tail.join("\n"));
        }
    }
    text
}

/// Longer than any in the text.
fn fence(lines: &[String]) -> String {
    let ticks = |line: &String| line.chars().take_while(|c| *c == '`').count();
    "`".repeat(lines.iter().map(ticks).max().unwrap_or(0).max(2) + 1)
}

fn ended(outcome: &Outcome) -> String {
    match outcome.code {
        Some(code) => format!("exit {code}"),
        None => "killed by a signal or at its limit".to_owned(),
    }
}

fn verdict(list: &List, outcomes: &[Outcome]) -> Result<()> {
    let pairs = list.command.iter().zip(outcomes);
    let failed: Vec<String> = pairs
        .filter(|(_, outcome)| outcome.code != Some(0))
        .map(|(entry, outcome)| format!("`{}` ({})", entry.run, ended(outcome)))
        .collect();
    if !failed.is_empty() {
        bail!("not all went well: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Entry, List, document, load, names, run_all, verdict};
    use maquette_tests::places;

    fn list(commands: &[&str]) -> List {
        let entry = |run: &&str| Entry {
            run: (*run).to_owned(),
            clone: false,
            lines: 2,
        };
        List {
            title: "a thing".into(),
            command: commands.iter().map(entry).collect(),
        }
    }

    #[test]
    fn rv_36_evidence_shows_exit_code_and_end_also_of_what_fails() {
        let list = list(&[
            "printf '1\\n2\\n3\\n'",
            "echo no >&2; exit 7",
            "true",
            "kill -9 $$",
        ]);
        let outcomes = run_all(&list, &places::workspace(), None).expect("run");
        let text = document("x", &list, "c0ffee", "a machine", &outcomes);
        assert!(text.starts_with(
            "# Evidence: a thing\n\nWritten by `cargo xtask evidence x` at commit c0ffee"
        ));
        assert!(
            text.contains("`: exit 0, ") && text.contains("\n```text\n2\n3\n```\n"),
            "{text}"
        );
        assert!(
            text.contains("exit 7`: exit 7, ") && text.contains("```text\nno\n```"),
            "{text}"
        );
        assert!(text.contains("## `true`: exit 0, "), "{text}");
        assert!(text.contains("`kill -9 $$`: killed"), "{text}");
        let error = verdict(&list, &outcomes)
            .expect_err("two failed")
            .to_string();
        assert!(
            error.contains("(exit 7)") && error.contains("kill -9"),
            "{error}"
        );
        assert!(!error.contains("printf"), "{error}");
    }

    #[test]
    fn rv_36_evidence_names_no_place_of_the_machine() {
        let list = list(&["pwd", "echo $HOME/a; cat /proc/sys/kernel/hostname"]);
        let outcomes = run_all(&list, &places::workspace(), None).expect("run");
        assert_eq!(outcomes[0].tail, ["<root>"]);
        assert_eq!(outcomes[1].tail[0], "~/a");
        let text = document("x", &list, "c", "m", &outcomes);
        let root = places::workspace();
        assert!(!text.contains(&*root.to_string_lossy()), "{text}");
    }

    #[test]
    fn every_list_of_this_checkout_is_readable() {
        let folder = places::workspace().join("docs/evidence");
        let names = names(&folder).expect("lists");
        assert!(names.contains(&"machine".to_owned()));
        for name in names {
            assert!(!load(&folder, &name).expect("a list").command.is_empty());
        }
    }
}
