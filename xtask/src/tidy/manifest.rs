//! What manifests say beside the floors.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Finding, floors, reach};

/// Crates that reach the host, or are seeded by it.
const REACHING: [&str; 12] = [
    "getrandom",
    "libc",
    "memmap2",
    "mio",
    "nix",
    "rand",
    "rustix",
    "signal-hook",
    "socket2",
    "tempfile",
    "tokio",
    "winapi",
];
/// RAM is anonymous memory, which only the host gives.
const MAY: [(&str, &str); 1] = [("host/model", "libc")];

pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    // The fuzz targets are a workspace of their own, of which the compiler runs a few lines.
    let ours = floors::crates(root)?.into_values();
    for folder in ours.filter(|folder| folder != "fuzz") {
        let path = Path::new(&folder).join("Cargo.toml");
        let text =
            fs::read_to_string(root.join(&path)).with_context(|| path.display().to_string())?;
        let manifest: toml::Table =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        let line = |word: &str| {
            let found = text.lines().position(|line| line.starts_with(word));
            found.map_or(1, |at| at + 1)
        };
        for (word, what) in complaints(&folder, &manifest) {
            findings.push(Finding::new(&path, line(&word), "manifest", what));
        }
    }
    Ok(findings)
}

/// Complaints, each with the word that its line begins with.
fn complaints(folder: &str, manifest: &toml::Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    if lints.and_then(toml::Value::as_bool) != Some(true) {
        let text = "`[lints] workspace = true` is missing".to_owned();
        found.push(("[package]".to_owned(), text));
    }
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies.into_iter().flat_map(toml::Table::keys);
    for name in names.filter(|name| REACHING.contains(&name.as_str())) {
        if reach::is_model(Path::new(folder)) && !MAY.contains(&(folder, name)) {
            let text = format!("{folder} is a model and {name} reaches the host; only `rim` may");
            found.push((name.clone(), text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::complaints;

    fn words(folder: &str, text: &str) -> Vec<String> {
        let manifest: toml::Table = toml::from_str(text).expect("valid");
        let all = complaints(folder, &manifest);
        all.into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn lints_of_the_workspace_are_wanted() {
        assert_eq!(words("xtask", "[lints]\nworkspace = true"), [""; 0]);
        assert_eq!(words("xtask", "[lints]\nworkspace = false"), ["[package]"]);
        assert_eq!(words("xtask", ""), ["[package]"]);
    }

    #[test]
    fn models_need_no_crate_that_reaches_the_host_outside_their_tests() {
        let with = |section: &str| {
            format!("[lints]\nworkspace = true\n[{section}]\nrand = '1'\nlibc = '1'")
        };
        assert_eq!(words("host/sim", &with("dependencies")), ["libc", "rand"]);
        assert_eq!(words("host/model", &with("dependencies")), ["rand"]);
        assert_eq!(words("host/sim", &with("dev-dependencies")), [""; 0]);
        assert_eq!(words("host/rim", &with("dependencies")), [""; 0]);
    }
}
