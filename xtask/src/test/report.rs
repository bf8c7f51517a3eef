//! The account of a test run, for people and for programs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::binaries::Binary;

/// One stage of the run.
#[derive(Debug, Serialize)]
pub struct Stage {
    pub name: &'static str,
    pub ok: bool,
    pub seconds: f64,
}

/// A test that failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    pub package: String,
    pub name: String,
    pub reason: String,
}

impl Failure {
    pub fn new(binary: &Binary, test: &str, reason: &str) -> Self {
        Self {
            package: binary.package.clone(),
            name: test.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// A test that could not run here, as `need!` recorded it.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Skip {
    pub package: String,
    pub name: String,
    pub reason: String,
}

/// Everything that happened.
#[derive(Debug, Default)]
pub struct Report {
    pub stages: Vec<Stage>,
    /// Tests that returned; those that were skipped are among them.
    pub passed: usize,
    pub failed: Vec<Failure>,
    pub skipped: Vec<Skip>,
    /// Tests switched off in the source, which this project does not do.
    pub ignored: Vec<String>,
    pub slowest: Vec<(Duration, String)>,
    pub open_rows: Vec<String>,
}

impl Report {
    fn really_passed(&self) -> usize {
        self.passed.saturating_sub(self.skipped.len())
    }

    pub fn json(&self) -> serde_json::Value {
        json!({
            "passed": self.really_passed(),
            "failed": self.failed,
            "skipped": self.skipped,
            "ignored": self.ignored,
            "rows_without_test": self.open_rows,
            "stages": self.stages,
        })
    }

    pub fn print(&self) {
        println!();
        for stage in &self.stages {
            println!(
                "{:>8.1} s  {:20} {}",
                stage.seconds,
                stage.name,
                if stage.ok { "ok" } else { "FAILED" }
            );
        }
        let mut slowest: Vec<_> = self.slowest.iter().collect();
        slowest.sort_by(|a, b| b.cmp(a));
        println!("\nslowest test programs:");
        for (took, name) in slowest.iter().take(5) {
            println!("{:>8.1} s  {name}", took.as_secs_f64());
        }
        for failure in &self.failed {
            println!(
                "failed:  {} {} ({})",
                failure.package, failure.name, failure.reason
            );
        }
        for test in &self.ignored {
            println!("ignored: {test}");
        }
        for skip in &self.skipped {
            println!("skipped: {} {}: {}", skip.package, skip.name, skip.reason);
        }
        if !self.open_rows.is_empty() {
            println!(
                "rows without a test: {} (cargo xtask rows)",
                self.open_rows.join(", ")
            );
        }
        let (passed, failed, skipped) =
            (self.really_passed(), self.failed.len(), self.skipped.len());
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    }

    /// Success only if every stage succeeded.
    pub fn verdict(&self) -> Result<()> {
        let failed: Vec<&str> = self
            .stages
            .iter()
            .filter(|stage| !stage.ok)
            .map(|stage| stage.name)
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

/// Reads what `need!` has recorded, one file per test.
pub fn read_skips(folder: &Path) -> Result<Vec<Skip>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut skips = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        skips
            .push(serde_json::from_str::<Skip>(&text).with_context(|| path.display().to_string())?);
    }
    skips.sort_by(|a, b| (&a.package, &a.name).cmp(&(&b.package, &b.name)));
    Ok(skips)
}

#[cfg(test)]
mod tests {
    use super::{Report, Skip, Stage, read_skips};

    fn skip() -> Skip {
        Skip {
            package: "p".into(),
            name: "t".into(),
            reason: "no qemu".into(),
        }
    }

    #[test]
    fn skipped_tests_do_not_count_as_passed() {
        let report = Report {
            passed: 3,
            skipped: vec![skip()],
            ..Report::default()
        };
        assert_eq!(report.json()["passed"], 2);
        assert_eq!(report.json()["skipped"][0]["reason"], "no qemu");
    }

    #[test]
    fn one_failed_stage_fails_the_run() {
        let stage = |ok| Stage {
            name: "lints",
            ok,
            seconds: 0.0,
        };
        let report = |ok| Report {
            stages: vec![stage(true), stage(ok)],
            ..Report::default()
        };
        assert!(report(true).verdict().is_ok());
        let error = report(false).verdict().expect_err("failed");
        assert!(error.to_string().contains("lints"));
    }

    #[test]
    fn recorded_skips_are_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = serde_json::to_string(&skip()).expect("json");
        std::fs::write(folder.path().join("p-t.json"), text).expect("written");
        assert_eq!(read_skips(folder.path()).expect("read"), [skip()]);
        assert_eq!(read_skips(&folder.path().join("absent")).expect("read"), []);
    }
}
