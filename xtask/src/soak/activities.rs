//! What a soak consists of.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use maquette_tests::{effort, skip};

use super::course::{Activity, Done};
use crate::process::{self, Captured};
use crate::test::binaries::Binary;

/// A slice that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Cases of a property test that leaves their number to its environment.
const CASES: u32 = 1024;

/// In the order of a listing; `properties` depends on the test programs there are.
pub fn all(workbench: &Workbench) -> Vec<Activity> {
    let activity = |name, unit, goal, last| Activity {
        name,
        unit,
        goal,
        last,
    };
    let programs = workbench.properties().len() as u64;
    vec![
        activity("programs", "instructions", 2_000_000, false),
        activity("legality", "words", 1_000_000, false),
        activity("hash", "series of runs", 10, false),
        activity("fuzz", "rounds of 1000 inputs a body", 100, false),
        activity("properties", "test programs", 10 * programs.max(1), false),
        activity("fresh", "clones", 1, true),
    ]
}

/// What slices are done with.
pub struct Workbench {
    pub binaries: Vec<Binary>,
    /// The built `maquette`.
    pub tool: PathBuf,
    /// Where the output of failed slices is kept.
    pub failures: PathBuf,
}

impl Workbench {
    /// Test programs whose work depends on seeds: those of the host's crates.
    fn properties(&self) -> Vec<&Binary> {
        let ours = |binary: &&Binary| {
            !["maquette-tests", "maquette-fuzz", "maquette-xtask"]
                .contains(&binary.package.as_str())
        };
        self.binaries.iter().filter(ours).collect()
    }

    fn binary(&self, package: &str, target: &str) -> Result<&Binary> {
        let mut binaries = self.binaries.iter();
        binaries
            .find(|binary| binary.package == package && binary.target == target)
            .with_context(|| format!("there is no test program {package} {target}"))
    }

    /// Does one slice. An error means that it could not be done at all.
    pub fn run(&self, activity: &Activity, slice: u64) -> Result<Done> {
        let end_to_end = |target| self.binary("maquette-tests", target);
        let mut command = match activity.name {
            "programs" => self.test(end_to_end("isa")?, slice, 1, &["rv_22_"]),
            "legality" => self.test(end_to_end("isa")?, slice, 1, &["legality::"]),
            "hash" => {
                let repeated = ["rv_09_runs_of_linux", "rv_09_ten_runs"];
                self.test(end_to_end("rv")?, slice, 1, &repeated)
            }
            "fuzz" => self.test(self.binary("maquette-fuzz", "seeded")?, slice * 4, 4, &[]),
            "properties" => {
                let programs = self.properties();
                let count = programs.len() as u64;
                let binary = programs[(slice % count) as usize];
                self.test(binary, slice / count + 1, 4, &[])
            }
            "fresh" => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["fresh", "--quick"]);
                command
            }
            other => bail!("there is no activity {other}"),
        };
        let captured = process::captured(&mut command, LIMIT, |_| {})?;
        let ok = captured.success();
        if !ok {
            self.keep(activity, slice, &captured)?;
        }
        Ok(Done {
            ok,
            amount: amount(activity.name, &captured.text),
            seconds: captured.took.as_secs_f64(),
        })
    }

    fn test(&self, binary: &Binary, round: u64, effort: u32, filter: &[&str]) -> Command {
        let mut command = Command::new(&binary.program);
        command
            .args(filter)
            .arg("--show-output")
            .current_dir(&binary.folder)
            .env("CARGO_MANIFEST_DIR", &binary.folder)
            .env("CARGO_PKG_NAME", &binary.package)
            .env("MAQUETTE_BIN", &self.tool)
            .env(skip::REQUIRE_REAL, "1")
            .env(effort::ROUND, round.to_string())
            .env(effort::EFFORT, effort.to_string())
            .env("PROPTEST_RNG_SEED", round.to_string())
            .env("PROPTEST_CASES", (effort * CASES).to_string());
        command
    }

    /// Shows and keeps what a failed slice printed: for `programs` that is the smallest program that
    /// shows the difference.
    fn keep(&self, activity: &Activity, slice: u64, captured: &Captured) -> Result<()> {
        std::fs::create_dir_all(&self.failures)?;
        let path = self.failures.join(format!("{}-{slice}.txt", activity.name));
        std::fs::write(&path, &captured.text).with_context(|| path.display().to_string())?;
        let from = captured.text.find("failures:").unwrap_or(0);
        let lines: Vec<&str> = captured.text[from..].lines().take(80).collect();
        eprintln!(
            "{}\nsoak: all of it is in {}",
            lines.join("\n"),
            path.display()
        );
        Ok(())
    }
}

/// How much a slice did. Tests that count say so: `round 3: 144000 instructions`.
fn amount(activity: &str, text: &str) -> u64 {
    let unit = match activity {
        "programs" => " instructions",
        "legality" => " words",
        "fuzz" => return 4,
        _ => return 1,
    };
    let counted = text.lines().filter_map(|line| {
        let (_, number) = line.strip_prefix("round ")?.split_once(": ")?;
        number.strip_suffix(unit)?.parse::<u64>().ok()
    });
    counted.sum()
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_are_what_the_tests_counted() {
        let text = "running 1 test\nround 7: 120000 instructions\nround 8: 3 instructions\nok";
        assert_eq!(amount("programs", text), 120_003);
        assert_eq!(amount("legality", "round 0: 1000000 words\n"), 1_000_000);
        assert_eq!(amount("hash", text), 1);
    }
}
