//! `cargo xtask rows`: which acceptance rows are proved by a test.
//!
//! Rows are listed in `tests/rows/<spec>.toml`. A test proves row `rv_07` by being called
//! `rv_07_…`, anywhere in the workspace. For each row with a test `tests/rows/faults.toml` lists a fault
//! that the test must notice.

mod faults;
mod program;
mod prove;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use maquette_tests::places;
use serde::Deserialize;

use crate::checkout;
use crate::tidy::sources;
use program::Program;

/// What to do with the rows.
#[derive(clap::Args)]
pub struct Options {
    /// Plant the listed faults of so many rows, one at a time in a clone, and demand that tests fail
    #[arg(long, value_name = "N")]
    prove: Option<usize>,
    /// Which rows are drawn; the commit decides if it is not given
    #[arg(long, requires = "prove")]
    seed: Option<u64>,
    /// Plant the fault of this row
    #[arg(long, value_name = "ID", conflicts_with = "prove")]
    row: Vec<String>,
}

/// One file of rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// The prefix of its rows.
    spec: String,
    /// What the rows are about.
    title: String,
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    /// What is true of the product.
    says: String,
    /// How a test can show it.
    proof: String,
    /// Why no test is expected yet.
    deferred: Option<String>,
}

/// A test's name and the program that it is compiled into.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Test {
    name: String,
    program: Program,
}

/// The tests found, by the row that their name begins with.
type Tests = BTreeMap<String, Vec<Test>>;

pub fn command(options: &Options) -> Result<()> {
    let state = State::gather()?;
    if options.prove.is_some() || !options.row.is_empty() {
        return prove::command(&state.cases(options)?);
    }
    state.print();
    let complaints = state.faults()?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    let missing = state.missing();
    if !missing.is_empty() {
        bail!("no test proves {}", missing.join(", "));
    }
    if !state.strays.is_empty() {
        bail!(
            "tests are named after rows that do not exist: {}",
            state.strays.join(", ")
        );
    }
    if !complaints.is_empty() {
        bail!("{} complaints about {}", complaints.len(), faults::LIST);
    }
    Ok(())
}

/// All rows and all tests.
pub struct State {
    specs: Vec<Spec>,
    tests: Tests,
    strays: Vec<String>,
}

impl State {
    pub fn gather() -> Result<Self> {
        let specs = load(&places::workspace().join("tests/rows"))?;
        let mut names = Vec::new();
        for path in sources::rust_files(&places::workspace())? {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let tests = test_names(&text);
            if !tests.is_empty() {
                let program = Program::of(&path)?;
                let test = |name| Test {
                    name,
                    program: program.clone(),
                };
                names.extend(tests.into_iter().map(test));
            }
        }
        let (tests, strays) = sort(&specs, names);
        Ok(Self {
            specs,
            tests,
            strays,
        })
    }

    /// The rows that should have a test and have none.
    pub fn missing(&self) -> Vec<&str> {
        let rows = self.specs.iter().flat_map(|spec| &spec.row);
        let open = rows.filter(|row| row.deferred.is_none() && !self.tests.contains_key(&row.id));
        open.map(|row| row.id.as_str()).collect()
    }

    /// What is wrong with the list of faults.
    fn faults(&self) -> Result<Vec<String>> {
        let root = places::workspace();
        let rows = self.specs.iter().flat_map(|spec| &spec.row);
        let rows: Vec<&str> = rows.map(|row| row.id.as_str()).collect();
        let tested: Vec<&str> = self.tests.keys().map(String::as_str).collect();
        Ok(faults::complaints(
            &faults::load(&root)?,
            &root,
            &rows,
            &tested,
        ))
    }

    /// The rows to prove, drawn or named.
    fn cases(&self, options: &Options) -> Result<Vec<prove::Case>> {
        let faults = faults::load(&places::workspace())?;
        let proved = faults
            .into_iter()
            .filter(|fault| self.tests.contains_key(&fault.row));
        let chosen = match options.prove {
            Some(count) => {
                let seed = options.seed.map_or_else(seed_of_commit, Ok)?;
                println!("prove: {count} rows, --seed {seed}");
                prove::draw(proved.collect(), count, seed)
            }
            None => proved
                .filter(|fault| options.row.contains(&fault.row))
                .collect(),
        };
        let unknown = |id: &&String| !chosen.iter().any(|fault| fault.row == **id);
        if let Some(id) = options.row.iter().find(unknown) {
            bail!("{id} is no row with a test and a fault in {}", faults::LIST);
        }
        let case = |fault: faults::Fault| {
            let programs = self.tests[&fault.row]
                .iter()
                .map(|test| test.program.clone());
            let programs: BTreeSet<Program> = programs.collect();
            prove::Case { fault, programs }
        };
        Ok(chosen.into_iter().map(case).collect())
    }

    fn print(&self) {
        for spec in &self.specs {
            println!("{}: {}", spec.spec, spec.title);
            for row in &spec.row {
                let tests = self.tests.get(&row.id).map_or(0, Vec::len);
                let state = match (&row.deferred, tests) {
                    (Some(reason), 0) => format!("deferred: {reason}"),
                    (None, 0) => format!("NO TEST ({})", row.proof),
                    (_, 1) => "1 test".to_owned(),
                    (_, count) => format!("{count} tests"),
                };
                println!("  {}  {}\n         {state}", row.id, row.says);
            }
        }
        let rows = self.specs.iter().map(|spec| spec.row.len()).sum::<usize>();
        println!(
            "{rows} rows, {} proved, {} without a test",
            self.tests.len(),
            self.missing().len()
        );
    }
}

fn load(folder: &Path) -> Result<Vec<Spec>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
            && !path.ends_with(faults::LIST)
    });
    paths.sort();
    let mut specs = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let spec: Spec = toml::from_str(&text).with_context(|| path.display().to_string())?;
        for row in &spec.row {
            if !row.id.starts_with(&format!("{}_", spec.spec)) {
                bail!(
                    "{}: the row {} does not begin with {}_",
                    path.display(),
                    row.id,
                    spec.spec
                );
            }
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// The names of test functions in a file, also of those inside macros such as `proptest!`.
fn test_names(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut names = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(rest) = line.strip_prefix("fn ") else {
            continue;
        };
        let above = lines[..number].iter().rev();
        let mut attributes =
            above.take_while(|line| line.starts_with('#') || line.starts_with("//"));
        if attributes.any(|line| *line == "#[test]") {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
        }
    }
    names
}

/// Ever new rows as the project goes on, and the same for everybody at one commit.
fn seed_of_commit() -> Result<u64> {
    let head = checkout::git(&places::workspace(), &["rev-parse", "HEAD"])?;
    let digits = head.get(..15).context("a commit has 40 digits")?;
    Ok(u64::from_str_radix(digits, 16)?)
}

fn sort(specs: &[Spec], all: Vec<Test>) -> (Tests, Vec<String>) {
    let (mut tests, mut strays) = (Tests::new(), Vec::new());
    for test in all {
        let mut words = test.name.splitn(3, '_');
        let (Some(spec), Some(number), Some(_)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let Some(spec) = specs.iter().find(|known| known.spec == spec) else {
            continue;
        };
        if !number.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let id = format!("{}_{number}", spec.spec);
        if spec.row.iter().any(|row| row.id == id) {
            tests.entry(id).or_default().push(test);
        } else {
            strays.push(test.name);
        }
    }
    (tests, strays)
}

#[cfg(test)]
mod tests {
    use super::{Program, Row, Spec, Test, sort, test_names};

    fn spec() -> Spec {
        let row = |id: &str| Row {
            id: id.into(),
            says: "s".into(),
            proof: "p".into(),
            deferred: None,
        };
        Spec {
            spec: "rv".into(),
            title: "t".into(),
            row: vec![row("rv_01"), row("rv_02")],
        }
    }

    #[test]
    fn names_of_tests_are_found_and_of_helpers_are_not() {
        let text = "#[test]\nfn rv_01_a() {}\nfn rv_02_helper() {}\n  #[test]\n  /// x\n  fn b(x in 0..9) {}";
        assert_eq!(test_names(text), ["rv_01_a", "b"]);
    }

    #[test]
    fn tests_are_sorted_to_rows_and_strays_are_told() {
        let names = [
            "rv_01_a",
            "rv_01_b",
            "rv_77_c",
            "rv_decoder_d",
            "other_01_e",
            "plain",
        ];
        let test = |name: &str| Test {
            name: name.into(),
            program: Program {
                end_to_end: false,
                package: "p".into(),
                target: vec!["--lib".into()],
            },
        };
        let (tests, strays) = sort(&[spec()], names.map(test).to_vec());
        assert_eq!(tests.len(), 1);
        assert_eq!(tests["rv_01"], ["rv_01_a", "rv_01_b"].map(test));
        assert_eq!(strays, ["rv_77_c"]);
    }
}
