//! Faults that rows must notice: `tests/rows/faults.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Where the list is, below the checkout.
pub const LIST: &str = "tests/rows/faults.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    fault: Vec<Fault>,
}

/// A line written wrongly.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub row: String,
    /// Below the checkout.
    pub file: String,
    /// The whole line without its indentation.
    pub line: String,
    /// What stands there instead.
    pub by: String,
    /// What is wrong then.
    pub reason: String,
}

/// The list of a checkout.
pub fn load(checkout: &Path) -> Result<Vec<Fault>> {
    let text = fs::read_to_string(checkout.join(LIST)).context(LIST)?;
    let list: List = toml::from_str(&text).context(LIST)?;
    Ok(list.fault)
}

impl Fault {
    /// The file's content with the fault in it.
    pub fn planted(&self, checkout: &Path) -> Result<String> {
        let text = fs::read_to_string(checkout.join(&self.file))
            .with_context(|| format!("{LIST}: {}: {}", self.row, self.file))?;
        self.replace(&text)
    }

    fn replace(&self, text: &str) -> Result<String> {
        let count = text.lines().filter(|line| line.trim() == self.line).count();
        if count != 1 {
            bail!(
                "{LIST}: {}: the line `{}` is in {} {count} times; list one that is there once",
                self.row,
                self.line,
                self.file
            );
        }
        if self.by == self.line {
            bail!("{LIST}: {}: the fault changes nothing", self.row);
        }
        let lines = text.lines().map(|line| {
            if line.trim() == self.line {
                line.replace(&self.line, &self.by)
            } else {
                line.to_owned()
            }
        });
        Ok(lines.map(|line| line + "\n").collect())
    }
}

/// What is wrong with a list: faults that cannot be planted, rows that are none, and rows with tests
/// but without a fault. `open` are the rows with tests.
pub fn complaints(
    faults: &[Fault],
    checkout: &Path,
    rows: &[&str],
    tested: &[&str],
) -> Vec<String> {
    let planted = faults.iter().map(|fault| fault.planted(checkout));
    let mut wrong: Vec<String> = planted
        .filter_map(|result| Some(format!("{:#}", result.err()?)))
        .collect();
    let known = |row: &&str| faults.iter().any(|fault| fault.row == **row);
    let strays = faults
        .iter()
        .filter(|fault| !rows.contains(&fault.row.as_str()));
    wrong.extend(strays.map(|fault| format!("{LIST}: there is no row {}", fault.row)));
    let bare = tested.iter().filter(|row| !known(row));
    wrong.extend(bare.map(|row| format!("{LIST}: no fault is listed for {row}")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::{Fault, complaints, load};
    use maquette_tests::places;

    fn fault(line: &str, by: &str) -> Fault {
        Fault {
            row: "rv_01".into(),
            file: "Cargo.toml".into(),
            line: line.into(),
            by: by.into(),
            reason: "r".into(),
        }
    }

    #[test]
    fn fault_replaces_its_line_and_keeps_the_indentation() {
        let text = "a();\n    b(); \n\tc();\n";
        let got = fault("b();", "x();").replace(text).expect("once");
        assert_eq!(got, "a();\n    x(); \n\tc();\n");
    }

    #[test]
    fn line_that_is_absent_or_twice_is_an_error_with_the_row() {
        for text in ["a();\nb()\n", "b();\n  b();\n", "b(); // and more\n"] {
            let error = fault("b();", "x();").replace(text).expect_err("not once");
            assert!(error.to_string().contains("rv_01"), "{error}");
        }
        assert!(fault("b();", "b();").replace("b();\n").is_err());
    }

    #[test]
    fn strays_and_rows_without_fault_are_told() {
        let root = places::workspace();
        let faults = [fault("[workspace]", "[x]")];
        let complaints = |rows: &[&str], tested: &[&str]| complaints(&faults, &root, rows, tested);
        assert_eq!(complaints(&["rv_01"], &["rv_01"]), [""; 0]);
        let all = complaints(&["rv_02"], &["rv_02"]);
        assert!(
            all[0].contains("no row rv_01") && all[1].contains("for rv_02"),
            "{all:?}"
        );
    }

    /// The code changes; the list must follow.
    #[test]
    fn rv_35_each_listed_line_is_in_its_file_once() {
        let root = places::workspace();
        let faults = load(&root).expect("the list");
        let lost: Vec<String> = faults
            .iter()
            .filter_map(|fault| Some(format!("{:#}", fault.planted(&root).err()?)))
            .collect();
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    }
}
