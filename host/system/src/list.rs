//! The systems of a folder, one line each.

use crate::locate::{Places, file_fault};
use crate::open::parse;
use crate::problem::Fault;
use crate::render::clip;
use std::path::{Path, PathBuf};

/// A system file and what it shows.
#[derive(Debug)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// Its description, or why it has none.
    pub summary: String,
}

/// Most characters of a summary.
const MOST_SUMMARY: usize = 300;

/// Lists `*.toml` of a folder in the order of their names.
///
/// # Errors
/// When the folder cannot be read. A file in it that cannot is listed with the reason.
pub fn list(folder: &Path) -> Result<Vec<Listed>, Fault> {
    let entries = std::fs::read_dir(folder).map_err(|error| match file_fault(folder, &error) {
        Fault::File { path, .. } => Fault::File {
            what: format!("this folder cannot be read ({error})"),
            path,
            remedy: "name a folder that holds system files, for example `systems`".to_owned(),
        },
        other => other,
    })?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    Ok(paths.into_iter().map(listed).collect())
}

/// The list as lines for people.
#[must_use]
pub fn show(systems: &[Listed]) -> String {
    let name = |s: &Listed| s.path.display().to_string();
    let width = systems.iter().map(|s| name(s).len()).max().unwrap_or(0);
    systems
        .iter()
        .map(|s| format!("{:width$}  {}\n", name(s), clip(&s.summary, MOST_SUMMARY)))
        .collect()
}

fn listed(path: PathBuf) -> Listed {
    let text = crate::open::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let summary = match text {
        Err(fault) => format!("({fault})"),
        Ok(text) => summary(&path, &text),
    };
    Listed { path, summary }
}

/// A system whose guest is not built or whose part is not cached is still worth listing.
fn summary(path: &Path, text: &str) -> String {
    match parse(&path.display().to_string(), text, &[], &Places::of(path)) {
        Ok(opened) => opened
            .description
            .summary
            .unwrap_or_else(|| "(no description)".to_owned()),
        Err(problems) => {
            let first = problems.list.first();
            let reason = first.map_or_else(String::new, |p| p.fault.to_string());
            let own = toml::de::DeTable::parse(text).ok().and_then(|table| {
                let value = table.into_inner().remove("description")?.into_inner();
                value.as_str().map(str::to_owned)
            });
            match own {
                Some(own) => format!("{own} [not ready: {reason}]"),
                None => format!("[not ready: {reason}]"),
            }
        }
    }
}
