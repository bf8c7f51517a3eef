//! Lengths and names of files.

use super::Finding;
use super::sources::Source;

const WARN_LINES: usize = 800;
const MOST_LINES: usize = 1500;
const VAGUE: [&str; 6] = ["utils", "util", "common", "misc", "helpers", "helper"];

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
    let crate_root = ["src/lib.rs", "src/main.rs"]
        .iter()
        .any(|end| source.path.ends_with(end));
    let documented = source
        .lines
        .iter()
        .take_while(|line| line.starts_with("//"))
        .any(|line| line.starts_with("//!"));
    if crate_root
        && !documented
        && !source
            .lines
            .first()
            .is_some_and(|line| line.starts_with("#!"))
    {
        let text = "the crate does not open with `//!`: purpose, invariants, what is not here";
        findings.push(Finding::new(&source.path, 1, "opening", text));
    }
    findings
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
        assert_eq!(rules("host/a/src/lib.rs", "//! What it is.\nmod b;"), []);
    }
}
