//! `cargo xtask fresh`: what somebody sees who has just cloned the repository.

mod readme;
mod rustup;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::checkout::{Scratch, shell};
use crate::process;

/// SPECIFICATION.md promises this for the demo, on two cores.
const DEMO: &str = "cargo xtask demo";
const DEMO_LIMIT: Duration = Duration::from_secs(240);
/// The long one.
const TEST: &str = "cargo xtask test";

/// How much of README.md to try.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Leave out `cargo xtask test`
    #[arg(long)]
    pub quick: bool,
}

/// Runs the commands of README.md in a clone, with a toolchain that lacks the guests' targets (the
/// demo must add them).
pub fn command(options: &Options) -> Result<()> {
    let scratch = Scratch::new()?;
    let checkout = scratch.clone_checkout()?;
    eprintln!("fresh: copying the toolchain, without the guests' targets");
    let rustup = rustup::without_targets(&scratch.path().join("rustup"))?;
    let text = fs::read_to_string(checkout.join("README.md")).context("README.md")?;
    let mut account = Vec::new();
    for line in readme::commands(&text) {
        if options.quick && line == TEST {
            continue;
        }
        eprintln!("\nfresh: {line}");
        let begin = Instant::now();
        let mut command = shell(&line, &checkout);
        if let Some(home) = &rustup {
            command.env("RUSTUP_HOME", home);
        }
        process::run(&mut command)
            .with_context(|| format!("`{line}`, which README.md names, failed in a fresh clone"))?;
        account.push((line, begin.elapsed()));
    }
    println!();
    for (line, took) in &account {
        println!("fresh: {:7.1} s  {line}", took.as_secs_f64());
    }
    judge(&account)
}

fn judge(account: &[(String, Duration)]) -> Result<()> {
    let Some((_, took)) = account.iter().find(|(line, _)| line == DEMO) else {
        bail!("README.md does not name `{DEMO}`");
    };
    if *took > DEMO_LIMIT {
        bail!(
            "the demo took {:.0} s in a fresh clone and may take {} s (was the machine busy?)",
            took.as_secs_f64(),
            DEMO_LIMIT.as_secs()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DEMO, judge};

    #[test]
    fn demo_over_its_limit_or_missing_is_an_error() {
        let account = |seconds| vec![(DEMO.to_owned(), Duration::from_secs(seconds))];
        assert!(judge(&account(240)).is_ok());
        assert!(judge(&account(241)).is_err());
        assert!(judge(&[]).is_err());
    }
}
