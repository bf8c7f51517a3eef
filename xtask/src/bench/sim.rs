//! The event engine against another one for Rust: PHOLD as SST has it, on one thread.
//!
//! `bench/` is a workspace of its own, so that nothing else builds the peer.

use anyhow::{Context, Result};
use maquette_tests::places;
use serde::Deserialize;

use super::figure::{Figure, Target, median};
use crate::process;
use crate::toolchain::Toolchain;

const PEER: &str = "nexosim";

/// What the program in `bench/` prints: seconds of each run.
#[derive(Deserialize)]
struct Measured {
    events: f64,
    default: Runs,
    dense: Runs,
}

#[derive(Deserialize)]
struct Runs {
    own: Vec<f64>,
    peer: Vec<f64>,
}

pub fn measure() -> Result<Vec<Figure>> {
    let mut cargo = Toolchain::pinned()?.cargo();
    cargo
        .args(["run", "--quiet", "--release"])
        .args(["--manifest-path", "bench/Cargo.toml"])
        .arg("--target-dir")
        .arg(places::target().join("bench-peers"))
        .current_dir(places::workspace());
    let text = process::output(&mut cargo).context("PHOLD on both engines")?;
    let measured = serde_json::from_str(&text).with_context(|| text.clone())?;
    Ok(figures(&measured))
}

fn figures(measured: &Measured) -> Vec<Figure> {
    // Millions of events a second.
    let rate = |seconds: &[f64]| measured.events / median(seconds.to_vec()) / 1e6;
    let (own, peer) = (rate(&measured.default.own), rate(&measured.default.peer));
    let dense = (rate(&measured.dense.own), rate(&measured.dense.peer));
    vec![
        Figure::new("sim.phold.rate", own, "M/s").against(PEER, peer),
        Figure::new("sim.phold.vs_nexosim", own / peer, "times").target(Target::AtLeast(2.0)),
        Figure::new("sim.phold.dense_rate", dense.0, "M/s").against(PEER, dense.1),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Measured, figures};

    #[test]
    fn figures_rate_is_events_by_the_middle_run_and_misses_below_two() {
        let text = r#"{"events": 1000000, "default": {"own": [9.0, 0.5, 0.1], "peer": [0.75]},
                       "dense": {"own": [1.0], "peer": [2.0]}}"#;
        let measured: Measured = serde_json::from_str(text).expect("json");
        let figures = figures(&measured);
        let values: Vec<f64> = figures.iter().map(|figure| figure.value).collect();
        assert!((values[0] - 2.0).abs() < 1e-9);
        assert!((values[1] - 1.5).abs() < 1e-9);
        assert!(figures[1].misses());
    }
}
