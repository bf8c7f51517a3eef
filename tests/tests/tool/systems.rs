//! Every system of `systems/` is a test: what a good run looks like is part of its file.

use maquette_tests::child::Limit;
use maquette_tests::places;
use maquette_tests::tool::{Tool, trace_hash};
use std::path::PathBuf;

/// All system files and their texts.
fn systems() -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(places::workspace().join("systems")).expect("the folder");
    let mut files: Vec<(PathBuf, String)> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| {
            (
                path.clone(),
                std::fs::read_to_string(&path).expect("a text"),
            )
        })
        .collect();
    files.sort();
    assert!(files.len() > 15, "{files:?}");
    files
}

#[test]
fn every_system_without_a_real_part_ends_as_its_file_expects() {
    for (path, text) in systems() {
        if text.contains("\"part:") {
            continue;
        }
        let done = Tool::run(&path).limit(Limit::seconds(300)).finish();
        assert_eq!(
            done.code(),
            Some(0),
            "{}: {}",
            path.display(),
            done.describe()
        );
    }
}

#[test]
fn every_system_says_what_it_shows_and_cannot_run_for_ever() {
    for (path, text) in systems() {
        let path = path.display();
        assert!(text.starts_with("description = \""), "{path}");
        assert!(text.contains("[limits]\ntime = \""), "{path}");
        // Its own, or that of one of its machines.
        assert!(text.contains("expect]\n"), "{path}");
    }
}

/// The guests are equal byte for byte wherever they are built, so the hash holds for every reader.
#[test]
fn readme_shows_what_the_main_run_prints_up_to_its_hash() {
    let readme = places::workspace().join("README.md");
    let readme = std::fs::read_to_string(readme).expect("README.md");
    let done = Tool::run("systems/demo.toml").finish();
    let shown: Vec<&str> = readme.lines().collect();
    let printed: Vec<&str> = done.stdout.trim_matches('\n').lines().collect();
    assert!(printed.len() > 15, "{}", done.describe());
    assert!(shown.windows(printed.len()).any(|part| part == printed));
    let hash = trace_hash(&done).expect("a hash");
    assert!(
        shown.contains(&format!("trace hash: {hash}").as_str()),
        "README.md shows another hash than {hash}"
    );
}
