//! Which test program holds a test, by the place of its source.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One test program, as cargo is told to build it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// It drives the built tool: slow, so it comes last in the order.
    pub end_to_end: bool,
    pub package: String,
    /// `--lib`, `--bins`, or `--test` with a name.
    pub target: Vec<String>,
}

impl Program {
    /// The program that a source file is compiled into.
    pub fn of(file: &Path) -> Result<Self> {
        let folder = file
            .ancestors()
            .skip(1)
            .find(|folder| folder.join("Cargo.toml").is_file())
            .with_context(|| format!("{} is in no package", file.display()))?;
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        let table: toml::Table =
            toml::from_str(&text).with_context(|| manifest.display().to_string())?;
        let package = table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(toml::Value::as_str)
            .with_context(|| format!("{} names no package", manifest.display()))?;
        let inside = file.strip_prefix(folder).unwrap_or(file);
        Ok(Self {
            end_to_end: package == "maquette-tests",
            package: package.to_owned(),
            target: target(inside, folder.join("src/lib.rs").is_file()),
        })
    }
}

/// `tests/name.rs` and all below `tests/name/` are one program; what is in `src` is the library's, or
/// the program's where there is no library.
fn target(inside: &Path, library: bool) -> Vec<String> {
    let mut parts = inside
        .components()
        .map(|part| PathBuf::from(part.as_os_str()));
    match (parts.next(), parts.next()) {
        (Some(first), Some(second)) if first == Path::new("tests") => {
            let name = second.with_extension("").display().to_string();
            vec!["--test".to_owned(), name]
        }
        _ if library => vec!["--lib".to_owned()],
        _ => vec!["--bins".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Program, target};
    use maquette_tests::places;

    #[test]
    fn targets_follow_from_places() {
        assert_eq!(
            target(Path::new("tests/rv/inside/a.rs"), true),
            ["--test", "rv"]
        );
        assert_eq!(target(Path::new("tests/hash.rs"), true), ["--test", "hash"]);
        assert_eq!(target(Path::new("src/a/tests/b.rs"), true), ["--lib"]);
        assert_eq!(target(Path::new("src/main.rs"), false), ["--bins"]);
    }

    #[test]
    fn package_is_the_nearest_above_the_file() {
        let program = |file: &str| Program::of(&places::workspace().join(file)).expect("a program");
        let here = program("xtask/src/rows/program.rs");
        assert_eq!(
            (here.package.as_str(), here.end_to_end),
            ("maquette-xtask", false)
        );
        assert!(program("tests/tests/rv/main.rs").end_to_end);
    }
}
