//! Dependencies point down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

/// What each crate of `host/` may depend on (ARCHITECTURE.md §3); `protocols` stands for all of them.
const HOST: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("trace", &["model"]),
    ("sim", &["trace", "model"]),
    ("devices", &["sim", "trace", "model", "protocols"]),
    ("virtio", &["pci", "sim", "trace", "model", "protocols"]),
    ("pci", &["sim", "trace", "model", "protocols"]),
    ("network", &["sim", "trace", "model", "protocols"]),
    (
        "rim",
        &[
            "network",
            "devices",
            "virtio",
            "pci",
            "sim",
            "trace",
            "model",
            "protocols",
        ],
    ),
    ("rv64", &["model", "trace"]),
    ("kvm", &["model", "trace"]),
    (
        "machine",
        &[
            "rv64",
            "kvm",
            "devices",
            "virtio",
            "pci",
            "network",
            "rim",
            "sim",
            "trace",
            "model",
            "protocols",
        ],
    ),
    (
        "serve",
        &[
            "devices",
            "virtio",
            "pci",
            "network",
            "rim",
            "sim",
            "trace",
            "model",
            "protocols",
        ],
    ),
    (
        "system",
        &[
            "machine",
            "serve",
            "rv64",
            "kvm",
            "devices",
            "virtio",
            "pci",
            "network",
            "rim",
            "sim",
            "trace",
            "model",
            "protocols",
        ],
    ),
    ("compose", &["protocols"]),
    (
        "cli",
        &[
            "system",
            "compose",
            "machine",
            "serve",
            "rv64",
            "kvm",
            "devices",
            "virtio",
            "pci",
            "network",
            "rim",
            "sim",
            "trace",
            "model",
            "protocols",
        ],
    ),
];

/// Checks every manifest. Dependencies of tests (`[dev-dependencies]`) may point anywhere.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let crates = crates(root)?;
    for (name, folder) in &crates {
        let path = Path::new(folder).join("Cargo.toml");
        let text =
            fs::read_to_string(root.join(&path)).with_context(|| path.display().to_string())?;
        let manifest: toml::Table =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        for dependency in ours(&manifest) {
            let Some(lower) = crates.get(&dependency) else {
                continue;
            };
            if !may(folder, lower) {
                let line = line_of(&text, &dependency);
                let text = format!("{name} ({folder}) may not know {dependency} ({lower})");
                findings.push(Finding::new(&path, line, "floors", text));
            }
        }
    }
    Ok(findings)
}

/// Every crate by its package name, with its folder.
pub fn crates(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for floor in [
        "protocols",
        "host",
        "guest",
        "guest/kaal",
        "guest/semperos",
        "tests",
        ".",
    ] {
        let Ok(entries) = fs::read_dir(root.join(floor)) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(text) = fs::read_to_string(entry.path().join("Cargo.toml")) else {
                continue;
            };
            let manifest: toml::Table =
                toml::from_str(&text).with_context(|| entry.path().display().to_string())?;
            if let Some(name) = manifest
                .get("package")
                .and_then(|p| p.get("name"))
                .and_then(|n| n.as_str())
            {
                let folder = Path::new(floor).join(entry.file_name());
                let folder = folder.strip_prefix(".").unwrap_or(&folder);
                found.insert(name.to_owned(), folder.display().to_string());
            }
        }
    }
    Ok(found)
}

/// The `maquette-…` crates that a manifest needs outside its tests, of any target.
fn ours(manifest: &toml::Table) -> Vec<String> {
    let mut tables: Vec<&toml::Table> = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table));
    }
    let sections = tables
        .iter()
        .flat_map(|table| ["dependencies", "build-dependencies"].map(|key| table.get(key)));
    let names = sections
        .flatten()
        .filter_map(toml::Value::as_table)
        .flat_map(toml::Table::keys);
    names
        .filter(|name| name.starts_with("maquette-"))
        .cloned()
        .collect()
}

/// Whether the crate in one folder may know the crate in another.
fn may(upper: &str, lower: &str) -> bool {
    let (floor, name) = upper.split_once('/').unwrap_or((upper, ""));
    let (below, below_name) = lower.split_once('/').unwrap_or((lower, ""));
    match floor {
        "protocols" => false,
        "host" => {
            let key = if below == "protocols" {
                "protocols"
            } else {
                below_name
            };
            let allowed = HOST
                .iter()
                .find(|(host, _)| *host == name)
                .map_or(&[][..], |(_, allowed)| *allowed);
            ["protocols", "host"].contains(&below) && allowed.contains(&key)
        }
        "guest" => ["guest", "protocols"].contains(&below),
        // The chores may know the tests' library and nothing of the product.
        "xtask" => below == "tests",
        // What fuzzers feed knows what they feed it to; the tests' library knows nothing.
        "tests" => name == "fuzz" && ["host", "protocols"].contains(&below),
        _ => true,
    }
}

fn line_of(text: &str, dependency: &str) -> usize {
    text.lines()
        .position(|line| line.starts_with(dependency))
        .map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::{HOST, may, ours};

    #[test]
    fn floors_allow_down_and_forbid_up_and_sideways() {
        assert!(may("host/virtio", "protocols/virtio"));
        assert!(may("host/machine", "host/rim"));
        assert!(!may("host/model", "protocols/virtio"));
        assert!(!may("host/sim", "host/machine"));
        assert!(!may("host/rv64", "host/devices"));
        assert!(!may("host/devices", "host/virtio"));
        assert!(!may("protocols/virtio", "host/model"));
        assert!(!may("guest/demos", "host/model"));
        assert!(!may("host/unknown", "host/model"));
        assert!(may("tests/fuzz", "host/system"));
        assert!(!may("tests", "host/model"));
    }

    #[test]
    fn no_floor_allows_a_cycle() {
        for (upper, allowed) in HOST {
            for lower in *allowed {
                let (up, low) = (format!("host/{upper}"), format!("host/{lower}"));
                assert!(!may(&low, &up), "{up} and {low} may know each other");
            }
        }
    }

    #[test]
    fn only_dependencies_outside_tests_count() {
        let text = "[dependencies]\nmaquette-a = {}\nserde = '1'\n[dev-dependencies]\nmaquette-b = {}\n\
                    [target.'cfg(unix)'.dependencies]\nmaquette-c = {}";
        let manifest: toml::Table = toml::from_str(text).expect("valid");
        assert_eq!(ours(&manifest), ["maquette-a", "maquette-c"]);
    }
}
