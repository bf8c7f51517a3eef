//! What has been done so far, in a file that is complete after every slice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The account of one commit.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Work done on another commit proves nothing about this one.
    pub commit: String,
    pub activities: BTreeMap<String, Progress>,
    /// Slices that failed; they are tried again first.
    pub failures: Vec<Failure>,
}

/// How far an activity is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The first slice that has not been done; all before it have.
    pub next: u64,
    /// What these slices add up to, in the activity's unit.
    pub done: u64,
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub activity: String,
    pub slice: u64,
}

impl State {
    /// The state in a file, or a new one where there is none, or none of this commit.
    pub fn load(path: &Path, commit: &str) -> Result<Self> {
        let fresh = Self {
            commit: commit.to_owned(),
            ..Self::default()
        };
        let Ok(text) = fs::read_to_string(path) else {
            return Ok(fresh);
        };
        let state: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; --anew begins again", path.display()))?;
        if state.commit == commit {
            return Ok(state);
        }
        eprintln!(
            "soak: what was done is of commit {}; beginning anew for {commit}",
            state.commit
        );
        Ok(fresh)
    }

    /// Replaces the file at one stroke, so that an interruption leaves the old one or the new one.
    pub fn save(&self, path: &Path) -> Result<()> {
        let fresh = path.with_extension("new");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        fs::write(&fresh, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| fresh.display().to_string())?;
        fs::rename(&fresh, path).with_context(|| path.display().to_string())
    }

    pub fn of(&self, activity: &str) -> Progress {
        self.activities.get(activity).cloned().unwrap_or_default()
    }

    /// Notes a slice that has been done.
    pub fn note(&mut self, activity: &str, slice: u64, amount: u64, seconds: f64) {
        let entry = self.activities.entry(activity.to_owned()).or_default();
        if slice == entry.next {
            entry.next += 1;
            entry.done += amount;
        }
        entry.seconds += seconds;
    }

    /// Notes whether a slice passed; one that failed before and passes now is forgotten.
    pub fn judge(&mut self, activity: &str, slice: u64, ok: bool) {
        let this = Failure {
            activity: activity.to_owned(),
            slice,
        };
        self.failures.retain(|failure| *failure != this);
        if !ok {
            self.failures.push(this);
        }
    }
}
