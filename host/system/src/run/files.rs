//! The files of one run: what it reads and what it writes. No file is two of them, or one output would
//! destroy the other, or what the run was made from.

use super::{Options, RunError};
use crate::description::Description;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// So many links the host follows (`ELOOP`).
const MOST_LINKS: usize = 40;

/// Everything that a run reads and writes, by what names it.
#[derive(Debug, Default)]
pub(super) struct Files<'a> {
    reads: Vec<(String, &'a Path)>,
    writes: Vec<(&'static str, &'a Path)>,
}

impl<'a> Files<'a> {
    /// The files that the system and the options name.
    pub(super) fn of(description: &'a Description, options: &'a Options) -> Self {
        let mut files = Self::default();
        for image in description.files() {
            files.read(format!("the file of `{}`", image.field), &image.path);
        }
        let trace = options.trace.as_ref();
        if let Some(symbols) = trace.and_then(|trace| trace.symbols.as_ref()) {
            files.read("the file of `--symbols`".to_owned(), symbols);
        }
        files.write("--stats", options.stats.as_deref());
        files.write("--record", options.record.as_deref());
        let snapshot = options.snapshot.as_ref();
        files.write("--snapshot", snapshot.map(|order| order.file.as_path()));
        files.write("--trace", trace.map(|trace| trace.file.as_path()));
        files
    }

    /// One more that is read.
    pub(super) fn read(&mut self, what: String, path: &'a Path) {
        self.reads.push((what, path));
    }

    /// One more that an option names for writing.
    pub(super) fn write(&mut self, option: &'static str, path: Option<&'a Path>) {
        self.writes.extend(path.map(|path| (option, path)));
    }

    /// That what is written is nothing else.
    ///
    /// # Errors
    /// Names both, for the first output that is something else too.
    pub(super) fn check(&self) -> Result<(), RunError> {
        let reads = self.reads.iter();
        let mut known: Vec<(String, Identity)> = reads
            .filter_map(|(what, path)| Some((what.clone(), Identity::of(path)?)))
            .collect();
        for (option, path) in &self.writes {
            let Some(identity) = Identity::of(path) else {
                continue;
            };
            if let Some((other, _)) = known.iter().find(|(_, known)| *known == identity) {
                return Err(RunError::SameFile {
                    option,
                    other: other.clone(),
                    path: path.to_path_buf(),
                });
            }
            known.push((format!("the file of `{option}`"), identity));
        }
        Ok(())
    }
}

/// What tells a file from others, under whatever name.
#[derive(PartialEq, Eq, Debug)]
enum Identity {
    /// It is there: its file system and its number in it.
    There(u64, u64),
    /// It is to be made.
    ToBe(PathBuf),
}

impl Identity {
    /// `None` for what is no file: a pipe or a device keeps nothing that could be lost.
    fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(meta) => meta.is_file().then(|| Self::There(meta.dev(), meta.ino())),
            Err(_) => Some(Self::ToBe(place_of(path))),
        }
    }
}

/// Where a file will be that is made by this name, links followed.
fn place_of(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn refusal(reads: &[&Path], writes: &[(&'static str, &Path)]) -> Option<String> {
        let mut files = Files::default();
        for path in reads {
            files.read("the system file".to_owned(), path);
        }
        for (option, path) in writes {
            files.write(option, Some(path));
        }
        files.check().err().map(|error| error.to_string())
    }

    #[test]
    fn one_file_under_two_names_is_one_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("there"), "").expect("a file");
        fs::hard_link(at("there"), at("hard")).expect("a link");
        symlink("there", at("soft")).expect("a link");
        symlink("to-be", at("dangling")).expect("a link");
        fs::create_dir(at("sub")).expect("a folder");
        for (first, second) in [
            ("there", "there"),
            ("there", "hard"),
            ("there", "soft"),
            ("to-be", "to-be"),
            ("to-be", "sub/../to-be"),
            ("to-be", "dangling"),
        ] {
            let (first, second) = (at(first), at(second));
            let both = [("--stats", &*first), ("--trace", &*second)];
            let words = refusal(&[], &both).expect("one file");
            assert!(
                words.starts_with("`--trace` names the file of `--stats`"),
                "{words}"
            );
            let words = refusal(&[&first], &[("--record", &second)]).expect("one file");
            assert!(
                words.starts_with("`--record` names the system file"),
                "{words}"
            );
        }
    }

    #[test]
    fn other_files_and_what_is_no_file_may_be_named_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").expect("a file");
        fs::write(at("b"), "").expect("a file");
        symlink("loop", at("loop")).expect("a link");
        let null = Path::new("/dev/null");
        assert_eq!(
            refusal(
                &[&at("a"), null],
                &[
                    ("--stats", &at("b")),
                    ("--trace", &at("c")),
                    ("--record", &at("loop"))
                ]
            ),
            None
        );
        assert_eq!(refusal(&[], &[("--stats", null), ("--trace", null)]), None);
    }
}
