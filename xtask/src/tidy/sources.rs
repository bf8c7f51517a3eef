//! The Rust files of this checkout, and which of them are tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::{Attribute, Item, Meta};

/// The folders that hold code of this project.
const FOLDERS: [&str; 8] = [
    "protocols",
    "host",
    "guest",
    "linux",
    "tests",
    "fuzz",
    "bench",
    "xtask",
];

/// One file, parsed.
pub struct Source {
    /// Relative to the checkout.
    pub path: PathBuf,
    pub lines: Vec<String>,
    pub syntax: syn::File,
    /// The whole file is compiled for tests only.
    pub test: bool,
}

impl Source {
    /// Parses one file; `path` is how it is called in findings.
    pub fn parse(path: &Path, text: &str, test: bool) -> Result<Self> {
        let syntax =
            syn::parse_file(text).with_context(|| format!("{} does not parse", path.display()))?;
        Ok(Self {
            path: path.to_path_buf(),
            lines: text.lines().map(str::to_owned).collect(),
            syntax,
            test,
        })
    }

    /// The crate's folder below the checkout: `host/sim`, `xtask`.
    pub fn package(&self) -> PathBuf {
        self.path
            .components()
            .take_while(|part| part.as_os_str() != "src")
            .collect()
    }
}

/// All files, each marked if it is a test.
pub fn load(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in rust_files(root)? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let path = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        let test = path.components().any(|part| {
            ["tests", "benches", "fuzz"]
                .iter()
                .any(|n| part.as_os_str() == *n)
        });
        // The library in tests/ is test code too: it may panic.
        sources.push(Source::parse(&path, &text, test)?);
    }
    let tests: BTreeSet<PathBuf> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        // A test module's own modules are in a folder of its name.
        source.test |= source
            .path
            .ancestors()
            .any(|path| tests.contains(&path.with_extension("rs")));
    }
    Ok(sources)
}

/// Every Rust file below the project's folders, in order of names.
pub fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            walk(&folder, &mut files).with_context(|| folder.display().to_string())?;
        }
    }
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != "target" {
                walk(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The files that `#[cfg(test)] mod name;` declares in this one.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let stem = source.path.file_stem().unwrap_or_default();
    let parent = source.path.parent().unwrap_or(Path::new(""));
    let folder = if ["mod", "lib", "main"].iter().any(|name| stem == *name) {
        parent.to_path_buf()
    } else {
        parent.join(stem)
    };
    let items = source.syntax.items.iter();
    let names = items.filter_map(|item| match item {
        Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => {
            Some(module.ident.to_string())
        }
        _ => None,
    });
    names.map(|name| folder.join(name + ".rs")).collect()
}

/// Whether attributes confine an item to tests: `#[test]`, or a `cfg` that mentions `test`.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test"
                || condition.starts_with("any (test")
                || condition.starts_with("all (test")
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Source, test_modules};

    fn parse(path: &str, text: &str) -> Source {
        Source::parse(Path::new(path), text, false).expect("valid")
    }

    #[test]
    fn modules_of_tests_are_found_beside_and_below() {
        let text = "#[cfg(test)] mod tests; mod real; #[cfg(test)] mod inline { }";
        assert_eq!(
            test_modules(&parse("a/src/lib.rs", text)),
            [PathBuf::from("a/src/tests.rs")]
        );
        assert_eq!(
            test_modules(&parse("a/src/x.rs", text)),
            [PathBuf::from("a/src/x/tests.rs")]
        );
    }

    #[test]
    fn package_is_the_folder_above_src() {
        assert_eq!(
            parse("host/sim/src/a/b.rs", "").package(),
            Path::new("host/sim")
        );
    }
}
