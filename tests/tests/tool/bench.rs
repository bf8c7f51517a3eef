//! A folder of its own for each test, with the files of a system in it.

use maquette_tests::Finished;
use maquette_tests::child::Limit;
use maquette_tests::tool::Tool;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that is gone when the test is over.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// An empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder for the test"),
        }
    }

    /// A folder with `x.toml`, which boots `kernel` in M-mode; `more` is the rest of the file.
    pub fn with(kernel: &[u8], more: &str) -> Self {
        let bench = Self::new();
        bench.put("guest.elf", kernel);
        bench.put(
            "x.toml",
            format!("[boot]\nmode = \"bare\"\nkernel = \"guest.elf\"\n{more}").as_bytes(),
        );
        bench
    }

    /// The path of a file here.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file of the test");
        path
    }

    /// Names of all files here.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).expect("the folder of the test");
        let mut names: Vec<String> = entries
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// `maquette <verb> x.toml`, to be run here.
    pub fn tool(&self, verb: &str) -> Tool {
        Tool::new(verb)
            .arg("x.toml")
            .folder(self.folder())
            .limit(Limit::seconds(120))
    }

    /// Runs `x.toml`.
    pub fn run(&self) -> Finished {
        self.tool("run").finish()
    }
}

/// Asserts that the tool refused with exit code 1 and said all of `words`, without a panic.
#[track_caller]
pub fn refused(done: &Finished, words: &[&str]) {
    done.expect_code(1);
    says(done, words);
    assert!(
        done.stderr.contains("remedy: "),
        "no remedy in {}",
        done.describe()
    );
}

/// Asserts that standard error holds all of `words`, and that nothing panicked.
#[track_caller]
pub fn says(done: &Finished, words: &[&str]) {
    for word in words {
        assert!(
            done.stderr.contains(word),
            "no {word:?} in {}",
            done.describe()
        );
    }
    assert!(!done.stderr.contains("panicked"), "{}", done.describe());
}
