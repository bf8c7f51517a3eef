//! A look at the state of a system: in a snapshot, or in a run that is stopped at a moment.

use crate::archive::{MAGIC, read_snapshot};
use crate::build::{System, build};
use crate::open::open;
use crate::run::{Moment, RunError, restore};
use crate::suggest::closest;
use maquette_model::{Node, Shown, SimTime, Tree, Value};
use maquette_rim::{Output, Outside, Pace, Signals};
use maquette_sim::Outcome;
use serde_json::Map;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A system file with overrides, run until a moment; its first one if none is given.
    System {
        /// `machine.harts=4`.
        overrides: Vec<String>,
        /// When to look.
        when: Option<Moment>,
    },
    /// A snapshot, whose files may be in another folder.
    Snapshot {
        /// That folder.
        root: Option<PathBuf>,
    },
}

/// The state of what is in `file`.
///
/// # Errors
/// When it cannot be opened or run, or the moment never comes.
pub fn look(file: &Path, subject: &Subject) -> Result<Tree, RunError> {
    let system = match subject {
        Subject::System { overrides, when } => stopped(file, overrides, when.as_ref())?,
        Subject::Snapshot { root } => restored(file, root.as_deref())?,
    };
    Ok(system.serial.inspect())
}

fn restored(file: &Path, root: Option<&Path>) -> Result<System, RunError> {
    let saved = read_snapshot(file)?;
    let opened = saved.origin.open(root)?;
    saved.origin.check(&opened, "snapshot")?;
    restore(file, &opened, saved.sections, Output::discarded())
}

fn stopped(file: &Path, overrides: &[String], when: Option<&Moment>) -> Result<System, RunError> {
    let opened = open(file, overrides)?;
    let output = Output::discarded();
    let mut system = build(&opened, output.clone())?;
    let signals = Signals::listen().map_err(|source| RunError::Host {
        what: "signal handlers",
        source,
    })?;
    let host_time = opened.description.limits.host_time;
    let mut rim = Outside::new(&Rc::new(signals), &output, Pace::Virtual, None, host_time);
    let until = match when {
        Some(Moment::Time(at)) => *at,
        Some(Moment::Text(text)) => {
            system.each_console(|console| console.watch_for(text));
            opened.description.limits.time.unwrap_or(SimTime::MAX)
        }
        None => SimTime::ZERO,
    };
    let outcome = system.serial.run(until, &mut rim);
    let reached = match when {
        Some(Moment::Text(_)) => {
            let mut noticed = false;
            system.each_console(|console| noticed |= console.take_noticed());
            noticed
        }
        Some(Moment::Time(_)) | None => outcome == Outcome::Limit,
    };
    match when {
        Some(moment) if !reached => Err(RunError::NoMoment {
            moment: moment.clone(),
        }),
        _ => Ok(system),
    }
}

/// A tree as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lines {
    /// A line for each value.
    pub text: String,
    /// How many parts at rest are left out.
    pub hidden: usize,
}

/// The part of a tree that `wanted` names, as a line for each value: a whole path, or names in the
/// middle of one (`hart0.csr`), so that the machine's name can be left out. Everything, if nothing is
/// wanted. Parts at rest are left out, unless they are named or `all` is wanted.
///
/// # Errors
/// When a name is nowhere; the message may have a similar one.
pub fn show(tree: &Tree, wanted: &[String], all: bool) -> Result<Lines, String> {
    let found = chosen(tree, wanted)?;
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let shown = if all {
        Shown {
            values: found,
            hidden: 0,
        }
    } else {
        tree.shown(&names)
    };
    let lines = shown.values.iter();
    Ok(Lines {
        text: lines
            .map(|(path, value)| format!("{path} = {value}\n"))
            .collect(),
        hidden: shown.hidden,
    })
}

/// The values that `wanted` names, in order; all, if nothing is wanted.
fn chosen<'a>(tree: &'a Tree, wanted: &[String]) -> Result<Vec<(String, &'a Value)>, String> {
    let mut values = tree.values();
    let mut shown = BTreeSet::new();
    for want in wanted {
        let found = tree.matching(want);
        shown.extend(found.iter().map(|(path, _)| path.clone()));
        if found.is_empty() {
            let names: Vec<&str> = values
                .iter()
                .flat_map(|(path, _)| path.split('.'))
                .collect();
            let last = want.rsplit('.').next().unwrap_or(want);
            let hint = closest(last, names)
                .map_or(String::new(), |name| format!("did you mean `{name}`? "));
            return Err(format!(
                "there is no `{want}` in this system\n  remedy: {hint}without a name all are shown"
            ));
        }
    }
    values.retain(|(path, _)| wanted.is_empty() || shown.contains(path));
    Ok(values)
}

/// Whether a file is a snapshot, or else a system file.
#[must_use]
pub fn is_snapshot(file: &Path) -> bool {
    if !file.is_file() {
        return false;
    }
    let mut first = [0; 8];
    let read = File::open(file).and_then(|mut f| f.read_exact(&mut first));
    read.is_ok() && &first == MAGIC
}

/// A tree for programs: numbers as numbers, registers and addresses as texts in hexadecimal digits,
/// times in picoseconds. What is wanted is named by whole paths.
///
/// # Errors
/// As [`show`].
pub fn show_json(tree: &Tree, wanted: &[String]) -> Result<serde_json::Value, String> {
    if wanted.is_empty() {
        return Ok(json(tree));
    }
    let found = chosen(tree, wanted)?.into_iter();
    let found = found.map(|(path, value)| (path, leaf(value)));
    Ok(serde_json::Value::Object(found.collect::<Map<_, _>>()))
}

fn leaf(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(n) => (*n).into(),
        Value::Flag(yes) => (*yes).into(),
        Value::Time(t) => t.as_ps().into(),
        Value::Hex(_) | Value::Text(_) => value.to_string().into(),
    }
}

fn json(tree: &Tree) -> serde_json::Value {
    let entries = tree.entries().map(|(name, node)| {
        let value = match node {
            Node::Branch(below) => json(below),
            Node::Value(value) => leaf(value),
        };
        (name.to_owned(), value)
    });
    serde_json::Value::Object(entries.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_middle_of_a_path_are_found_and_parts_of_names_are_not() {
        let mut tree = Tree::default();
        tree.branch("machine0.hart0.csr", |t| t.hex("mstatus", 8_u64));
        tree.branch("machine0.hart1.csr", |t| t.hex("mstatus", 0_u64));
        let shown = |want: &str| show(&tree, &[want.to_owned()], false).map(|lines| lines.text);
        let first = "machine0.hart0.csr.mstatus = 0x8\n";
        assert_eq!(shown("hart0.csr.mstatus").as_deref(), Ok(first));
        assert_eq!(shown("hart0").as_deref(), Ok(first));
        assert_eq!(shown("csr.mstatus").map(|s| s.lines().count()), Ok(2));
        let wrong = shown("hart0.csr.mstatsu").unwrap_err();
        assert!(wrong.contains("did you mean `mstatus`?"), "{wrong}");
        shown("hart").unwrap_err();
    }
}
