//! Lengths and names of files.

use super::Finding;
use super::reach;
use super::sources::Source;

const WARN_LINES: usize = 800;
const MOST_LINES: usize = 1500;
const VAGUE: [&str; 6] = ["utils", "util", "common", "misc", "helpers", "helper"];

/// Beginnings of paths that mean something to their owner only.
const PRIVATE: [&str; 3] = [
    concat!("/home", "/"),
    concat!("/root", "/"),
    concat!("/work", "/"),
];
/// What clippy watches where hostile input arrives.
const CHECKS: [&str; 2] = [
    "clippy::indexing_slicing",
    "clippy::cast_possible_truncation",
];
/// What a reference to a document looks like.
const CITATIONS: [&str; 9] = [
    "§",
    "chapter",
    "specification",
    "Specification",
    "data sheet",
    "manual",
    "guide,",
    "psABI",
    "Table ",
];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let length = source.lines.len();
    if length >= MOST_LINES {
        let text = format!("{length} lines; split the file (under {MOST_LINES})");
        findings.push(Finding::new(&source.path, length, "length", text));
    } else if length >= WARN_LINES {
        let text = format!("{length} lines; files should stay under {WARN_LINES}");
        findings.push(Finding::new(&source.path, length, "length", text).warning());
    }
    let mut names = source
        .path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    if let Some(name) = names.find(|name| VAGUE.contains(&name.trim_end_matches(".rs"))) {
        let text = format!("`{name}` says nothing; name the module after what is in it");
        findings.push(Finding::new(&source.path, 1, "name", text));
    }
    if let Some(text) = mute_opening(source) {
        findings.push(Finding::new(&source.path, 1, "opening", text));
    }
    if source.path.ends_with("src/lib.rs") && reach::is_checked(&source.package()) {
        let lacks = |lint: &&&str| !source.lines.iter().any(|line| line.contains(**lint));
        for lint in CHECKS.iter().filter(lacks) {
            let text = format!("the crate does not `warn({lint})`");
            findings.push(Finding::new(&source.path, 1, "index", text));
        }
    }
    if let Some(line) = uncited(source) {
        let text = "registers or a format without the document and section that specify them";
        findings.push(Finding::new(&source.path, line, "source", text));
    }
    for (number, line) in source.lines.iter().enumerate() {
        if let Some(place) = PRIVATE.iter().find(|place| line.contains(&***place)) {
            let text = format!("`{place}` is on one computer only");
            findings.push(Finding::new(&source.path, number + 1, "place", text));
        }
    }
    findings
}

/// What the opening of a crate lacks.
fn mute_opening(source: &Source) -> Option<String> {
    let roots = ["src/lib.rs", "src/main.rs"];
    if !roots.iter().any(|end| source.path.ends_with(end)) {
        return None;
    }
    let shebang = source
        .lines
        .first()
        .is_some_and(|line| line.starts_with("#!"));
    let comments = source
        .lines
        .iter()
        .take_while(|line| line.starts_with("//"));
    let opening: Vec<&String> = comments.filter(|line| line.starts_with("//!")).collect();
    let has = |words: &[&str]| {
        let heading = |line: &&&String| line.starts_with("//! # ");
        let mut headings = opening.iter().filter(heading);
        headings.any(|line| words.iter().any(|word| line.ends_with(word)))
    };
    let lacking = if opening.is_empty() && !shebang {
        "does not open with `//!`: purpose, invariants, what is not here"
    } else if opening.is_empty() || source.package().starts_with("fuzz") {
        return None;
    } else if !has(&["Invariants"]) {
        "does not tell its invariants (`//! # Invariants`)"
    } else if !has(&["Not here", "What is not here"]) {
        "does not tell what is not in it (`//! # What is not here`)"
    } else {
        return None;
    };
    Some(format!("the crate {lacking}"))
}

/// The line of a register table, or the beginning of a protocol's file, where no document is cited.
fn uncited(source: &Source) -> Option<usize> {
    if source.test {
        return None;
    }
    let package = source.package();
    let devices = ["host/devices", "host/virtio"].map(std::path::Path::new);
    let table = |line: &String| line.contains("const REGISTERS");
    let line = if package.starts_with("protocols") {
        1
    } else if devices.contains(&package.as_path()) {
        source.lines.iter().position(table)? + 1
    } else {
        return None;
    };
    let mut comments = source.lines.iter().filter(|line| line.contains("//"));
    let cited = comments.any(|line| CITATIONS.iter().any(|word| line.contains(word)));
    (!cited).then_some(line)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::check;
    use crate::tidy::sources::Source;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, bool)> {
        let source = Source::parse(Path::new(path), text, false).expect("valid");
        check(&source)
            .into_iter()
            .map(|finding| (finding.rule, finding.warning))
            .collect()
    }

    #[test]
    fn long_files_warn_then_fail() {
        let lines = |count: usize| "\n".repeat(count);
        assert_eq!(rules("host/a/src/b.rs", &lines(799)), []);
        assert_eq!(rules("host/a/src/b.rs", &lines(800)), [("length", true)]);
        assert_eq!(rules("host/a/src/b.rs", &lines(1500)), [("length", false)]);
    }

    #[test]
    fn vague_names_and_mute_crates_are_found() {
        assert_eq!(rules("host/a/src/utils.rs", ""), [("name", false)]);
        assert_eq!(rules("host/common/src/b.rs", ""), [("name", false)]);
        assert_eq!(rules("host/a/src/lib.rs", "mod b;"), [("opening", false)]);
        let half = "//! What it is.\n//! # Invariants\nmod b;";
        assert_eq!(rules("host/a/src/lib.rs", half), [("opening", false)]);
        let whole = "//! What it is.\n//! # Invariants\n//! # Not here\nmod b;";
        assert_eq!(rules("host/a/src/lib.rs", whole), []);
    }

    #[test]
    fn crates_that_hostile_input_reaches_are_watched() {
        let told = "//! A.\n//! # Invariants\n//! # Not here\n";
        let watched = told.to_owned()
            + "#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]\n";
        let root = "host/sim/src/lib.rs";
        assert_eq!(rules(root, told), [("index", false); 2]);
        assert_eq!(rules(root, &watched), []);
        assert_eq!(rules("host/cli/src/lib.rs", told), []);
    }

    #[test]
    fn registers_and_formats_without_a_document_are_found() {
        let bare = "const REGISTERS: [u8; 1] = [0];";
        let cited = format!("/// UART (16550D data sheet).\n{bare}");
        assert_eq!(rules("host/devices/src/a.rs", bare), [("source", false)]);
        assert_eq!(rules("host/devices/src/a.rs", &cited), []);
        assert_eq!(rules("host/devices/src/b.rs", "const A: u8 = 1;"), []);
        assert_eq!(rules("protocols/a/src/b.rs", ""), [("source", false)]);
        assert_eq!(rules("protocols/a/src/b.rs", "// virtio 1.3 §5.2"), []);
    }

    #[test]
    fn paths_of_one_computer_are_found() {
        let text = format!("const A: &str = \"{}me\";", super::PRIVATE[0]);
        assert_eq!(rules("xtask/src/a.rs", &text), [("place", false)]);
        assert_eq!(rules("xtask/src/a.rs", "const A: &str = \"/nowhere\";"), []);
    }
}
