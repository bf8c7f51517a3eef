//! `cargo xtask rows --prove N`: whether the rows' tests notice when the product is wrong.
//!
//! In a clone of the committed state, the tests of some rows must pass; then each row's fault is
//! planted, alone, and some test of the row must fail. The clone and its target folder are kept, so
//! that each fault costs the build of what it changes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use maquette_tests::places;

use super::faults::Fault;
use super::program::Program;
use crate::process::{self, Captured};
use crate::toolchain::Toolchain;
use crate::{checkout, guests};

/// A test program that takes longer is stuck: with a fault in the product, that is a failure too.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// Builds of a busy machine.
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// A row and where its tests are.
pub struct Case {
    pub fault: Fault,
    pub programs: BTreeSet<Program>,
}

/// What a program's tests of a row came to.
#[derive(Debug, PartialEq, Eq)]
enum Colour {
    Green,
    /// The tests that failed.
    Red(Vec<String>),
    /// Something real was missing.
    Skipped,
    /// The program has none: it only holds the macro that makes them elsewhere.
    Absent,
}

/// Draws `count` of `all`, each at most once, the same for the same seed.
pub fn draw<T>(mut all: Vec<T>, count: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    let mut next = move || {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut drawn = Vec::new();
    while drawn.len() < count && !all.is_empty() {
        let at = next() % all.len() as u64;
        drawn.push(all.remove(at as usize));
    }
    drawn
}

/// Plants the faults, one after the other, and reports.
pub fn command(cases: &[Case]) -> Result<()> {
    let site = Site::prepare()?;
    println!("prove: without faults, at commit {}", checkout::commit()?);
    let programs: BTreeSet<&Program> = cases.iter().flat_map(|case| &case.programs).collect();
    site.build(programs.iter().copied())?;
    let mut shown = Vec::new();
    for case in cases {
        shown.push(site.sound(case)?);
    }
    let mut missed = Vec::new();
    for (case, sound) in cases.iter().zip(shown) {
        let Fault {
            row, file, reason, ..
        } = &case.fault;
        println!("prove: {row}: {reason} ({file})");
        match if sound {
            site.faulty(case)?
        } else {
            Colour::Skipped
        } {
            Colour::Red(tests) => println!("prove: {row}: noticed by {}", tests.join(", ")),
            Colour::Skipped | Colour::Absent => {
                println!("prove: {row}: NOT SHOWN, a real part is missing");
            }
            Colour::Green => {
                println!("prove: {row}: NOT NOTICED");
                missed.push(row.as_str());
            }
        }
    }
    if !missed.is_empty() {
        bail!("faults that no test noticed: {}", missed.join(", "));
    }
    Ok(())
}

/// The clone.
struct Site {
    checkout: PathBuf,
    target: PathBuf,
    toolchain: Toolchain,
}

impl Site {
    fn prepare() -> Result<Self> {
        let folder = places::target().join("prove");
        let site = Self {
            checkout: folder.join("checkout"),
            target: folder.join("target"),
            toolchain: Toolchain::pinned()?,
        };
        let source = places::workspace();
        let head = checkout::git(&source, &["rev-parse", "HEAD"])?;
        if !site.checkout.join(".git").exists() {
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
            let mut clone = Command::new("git");
            clone.args(["clone", "--quiet", "--no-checkout"]);
            process::run(clone.arg(&source).arg(&site.checkout))?;
        }
        checkout::git(&site.checkout, &["fetch", "--quiet", "origin", head.trim()])?;
        let to_head = ["checkout", "--quiet", "--force", "--detach", head.trim()];
        checkout::git(&site.checkout, &to_head)?;
        guests::build()?;
        let link = site.checkout.join("target/guests");
        if !link.exists() {
            fs::create_dir_all(site.checkout.join("target"))?;
            symlink(places::guests(), &link).context("a link to the guests")?;
        }
        Ok(site)
    }

    /// Whether the row's tests pass as things are; an error if they fail.
    fn sound(&self, case: &Case) -> Result<bool> {
        let (mut sound, mut ran) = (false, false);
        for program in &case.programs {
            let colour = self.run(program, &case.fault.row)?;
            ran |= colour != Colour::Absent;
            match colour {
                Colour::Green => sound = true,
                Colour::Skipped | Colour::Absent => {}
                Colour::Red(tests) => bail!(
                    "{} fails without a fault: {}",
                    case.fault.row,
                    tests.join(", ")
                ),
            }
        }
        if !ran {
            bail!("no test of {} was run", case.fault.row);
        }
        Ok(sound)
    }

    /// What the row's tests say to the fault. The first program that notices is enough.
    fn faulty(&self, case: &Case) -> Result<Colour> {
        let path = self.checkout.join(&case.fault.file);
        let planted = case.fault.planted(&self.checkout)?;
        let right = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        fs::write(&path, planted).with_context(|| path.display().to_string())?;
        let colour = self.colour(case);
        fs::write(&path, right).with_context(|| path.display().to_string())?;
        colour
    }

    fn colour(&self, case: &Case) -> Result<Colour> {
        let mut all = Colour::Skipped;
        for program in &case.programs {
            self.build([program].into_iter())
                .with_context(|| format!("the fault of {}", case.fault.row))?;
            match self.run(program, &case.fault.row)? {
                Colour::Red(tests) => return Ok(Colour::Red(tests)),
                Colour::Green => all = Colour::Green,
                Colour::Skipped | Colour::Absent => {}
            }
        }
        Ok(all)
    }

    fn build<'p>(&self, programs: impl Iterator<Item = &'p Program>) -> Result<()> {
        for program in programs {
            if program.end_to_end {
                self.cargo(&["build", "--release", "--package", "maquette-cli"])?;
            }
            let mut arguments = vec!["test", "--no-run", "--package", program.package.as_str()];
            arguments.extend(program.target.iter().map(String::as_str));
            self.cargo(&arguments)?;
        }
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut cargo = self.toolchain.cargo();
        cargo
            .args(arguments)
            .current_dir(&self.checkout)
            // The next fault changes another line of the same crates.
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_TARGET_DIR", &self.target)
            .env("MAQUETTE_BIN", self.target.join("release/maquette"))
            .env_remove(maquette_tests::skip::REQUIRE_REAL)
            .env_remove("CARGO_MANIFEST_DIR");
        cargo
    }

    fn cargo(&self, arguments: &[&str]) -> Result<()> {
        let mut cargo = self.command(arguments);
        let done = process::captured(&mut cargo, BUILD_LIMIT, |_| {})?;
        if !done.success() {
            eprintln!("{}", done.text);
            bail!("`{}` failed", process::describe(&cargo));
        }
        Ok(())
    }

    fn run(&self, program: &Program, row: &str) -> Result<Colour> {
        let skips = self.target.join("skips");
        if skips.exists() {
            fs::remove_dir_all(&skips).with_context(|| skips.display().to_string())?;
        }
        let mut arguments = vec!["test", "--package", program.package.as_str()];
        arguments.extend(program.target.iter().map(String::as_str));
        let filter = format!("{row}_");
        arguments.extend(["--", filter.as_str()]);
        let done = process::captured(&mut self.command(&arguments), LIMIT, |_| {})?;
        judge(&done, skips.exists(), row).with_context(|| done.text)
    }
}

/// What a run of tests came to.
fn judge(done: &Captured, skipped: bool, row: &str) -> Result<Colour> {
    if done.success() {
        let count = |line: &str| {
            line.strip_prefix("running ")?
                .split(' ')
                .next()?
                .parse::<u32>()
                .ok()
        };
        let ran: u32 = done.text.lines().filter_map(count).sum();
        return Ok(match (ran, skipped) {
            (0, _) => Colour::Absent,
            (_, true) => Colour::Skipped,
            (_, false) => Colour::Green,
        });
    }
    if done.status.is_none() {
        return Ok(Colour::Red(vec!["tests that do not end".to_owned()]));
    }
    let failed = done.text.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("test ")?.split_once(" ... FAILED")?;
        Some(name.to_owned())
    });
    let failed: Vec<String> = failed.collect();
    match (failed.is_empty(), done.text.contains("\nrunning ")) {
        (false, _) => Ok(Colour::Red(failed)),
        // It began and died: an abort, or memory that ran out.
        (true, true) => Ok(Colour::Red(vec!["a test program that died".to_owned()])),
        (true, false) => bail!("the tests of {row} did not begin"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::{Captured, Colour, draw, judge};

    fn done(code: Option<i32>, text: &str) -> Captured {
        Captured {
            status: code.map(|code| ExitStatus::from_raw(code << 8)),
            text: text.to_owned(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn rv_35_only_a_failed_test_is_a_fault_noticed() {
        let judged = |code, text, skipped| judge(&done(code, text), skipped, "rv_01");
        let passed = "running 2 tests\ntest rv_01_a ... ok\n";
        let failed = "\nrunning 2 tests\ntest rv_01_a ... FAILED\ntest rv_01_b ... ok\n";
        assert_eq!(judged(Some(0), passed, false).expect("ran"), Colour::Green);
        assert_eq!(judged(Some(0), passed, true).expect("ran"), Colour::Skipped);
        let red = |why: &str| Colour::Red(vec![why.to_owned()]);
        assert_eq!(
            judged(Some(101), failed, false).expect("ran"),
            red("rv_01_a")
        );
        assert_eq!(
            judged(None, passed, false).expect("ran"),
            red("tests that do not end")
        );
        let died = judged(Some(101), "x\nrunning 2 tests\n", false).expect("ran");
        assert_eq!(died, red("a test program that died"));
        let nothing = judged(Some(0), "running 0 tests\n", false).expect("ran");
        assert_eq!(nothing, Colour::Absent);
        assert!(judged(Some(101), "error: could not compile\n", false).is_err());
    }

    #[test]
    fn draws_are_without_repetition_and_follow_from_the_seed() {
        let all: Vec<u32> = (0..24).collect();
        let some = draw(all.clone(), 5, 7);
        assert_eq!(some, draw(all.clone(), 5, 7));
        assert_ne!(some, draw(all.clone(), 5, 8));
        let mut everything = draw(all.clone(), 99, 1);
        everything.sort_unstable();
        assert_eq!(everything, all);
    }
}
