//! `real-parts.lock`: which packages a part was built from, by version and checksum.
//!
//! The file is committed, so that every checkout builds the same parts while the archive still
//! has them. It names packages and suites, never a server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use maquette_tests::places;
use serde::Deserialize;

const HEADER: &str = "\
# What `cargo xtask real-parts` fetches: written by it, read by it, committed.
# A version that has left the archive is resolved anew through `via`, and this file changes.
";

/// One package of a part.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub size: u64,
    pub sha256: String,
}

impl Package {
    /// How apt is asked for exactly this version.
    pub fn pinned(&self) -> String {
        format!("{}={}", self.name, self.version)
    }
}

/// One part.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version that names its folder in the cache.
    pub version: String,
    /// Debian's name of the architecture of the packages.
    pub arch: String,
    /// The suites of the archive that the packages were found in.
    pub suites: Vec<String>,
    /// The package whose newest version decides, when this version has gone.
    pub via: String,
    pub packages: Vec<Package>,
}

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Lock {
    parts: BTreeMap<String, Entry>,
}

impl Lock {
    pub fn path() -> PathBuf {
        places::workspace().join("real-parts.lock")
    }

    /// Reads the file; a checkout without one starts empty.
    pub fn load() -> Result<Self> {
        let path = Self::path();
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text)
            .with_context(|| format!("{} is damaged; restore it from git", path.display()))
    }

    pub fn get(&self, part: &str) -> Option<&Entry> {
        self.parts.get(part)
    }

    /// Replaces one part's entry and writes the file.
    pub fn put(&mut self, part: &str, entry: Entry) -> Result<()> {
        self.parts.insert(part.to_owned(), entry);
        let path = Self::path();
        fs::write(&path, self.render()).with_context(|| path.display().to_string())
    }

    /// One line per package, so that a change of one version is a change of one line.
    fn render(&self) -> String {
        let mut text = HEADER.to_owned();
        for (name, entry) in &self.parts {
            let Entry {
                version,
                arch,
                suites,
                via,
                packages,
            } = entry;
            let _ = write!(
                text,
                "\n[{name}]\nversion = {version:?}\narch = {arch:?}\nsuites = {suites:?}\nvia = {via:?}\npackages = [\n"
            );
            for Package {
                name,
                version,
                size,
                sha256,
            } in packages
            {
                let _ = writeln!(
                    text,
                    "    {{ name = {name:?}, version = {version:?}, size = {size}, sha256 = {sha256:?} }},"
                );
            }
            text.push_str("]\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Lock, Package};

    #[test]
    fn rendered_lock_reads_back_equal() {
        let package = Package {
            name: "a+b".into(),
            version: "1:2~3".into(),
            size: 7,
            sha256: "00".into(),
        };
        let entry = Entry {
            version: "2~3".into(),
            arch: "riscv64".into(),
            suites: vec!["sid".into()],
            via: "meta".into(),
            packages: vec![package],
        };
        let mut lock = Lock::default();
        lock.parts.insert("linux-riscv".into(), entry.clone());
        let back: Lock = toml::from_str(&lock.render()).expect("valid");
        assert_eq!(back.get("linux-riscv"), Some(&entry));
    }
}
