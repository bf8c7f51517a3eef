//! PHOLD on two engines, on one thread, by turns: `cargo xtask bench sim` runs it and makes the figures.
//!
//! Prints how many seconds each run took.
//!
//! # Invariants
//!
//! * Both engines deliver the same number of events to each node, or there is nothing to print.
//! * What is measured is the run and not the building of a system.
//! * The peer's model is written as its documentation shows delayed outputs, and runs on one thread.
//!
//! # Not here
//!
//! Figures and targets: `xtask` makes them.
#[path = "../../host/sim/tests/phold/model.rs"]
mod model;
mod nexosim_phold;

use anyhow::{Result, ensure};
use maquette_model::SimTime;
use maquette_sim::NoRim;
use model::{DEFAULT, Phold, STEP};
use std::time::Instant;

/// How often each engine is measured.
const TURNS: usize = 7;
/// Events that are received in a run.
const EVENTS: u64 = 1_000_000;

/// One engine's run: seconds, and events received by each node.
pub struct Run {
    pub seconds: f64,
    pub received: Vec<u64>,
}

fn ours(phold: Phold, steps: u64) -> Result<Run> {
    let mut serial = phold.build()?;
    let end = SimTime::from_ps(STEP.as_ps() * steps + 1);
    let begin = Instant::now();
    serial.run(end, &mut NoRim);
    let seconds = begin.elapsed().as_secs_f64();
    let received = model::received(&serial);
    Ok(Run { seconds, received })
}

fn measure(phold: Phold) -> Result<serde_json::Value> {
    let begins = (0..phold.nodes())
        .filter(|&node| phold.begins(node))
        .count() as u64;
    let steps = EVENTS / begins;
    let (mut own, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (a, b) = (ours(phold, steps)?, nexosim_phold::run(phold, steps)?);
        let total: u64 = a.received.iter().sum();
        ensure!(
            total == EVENTS,
            "{total} events were received, not {EVENTS}"
        );
        ensure!(
            a.received == b.received,
            "the engines delivered differently"
        );
        own.push(a.seconds);
        peer.push(b.seconds);
    }
    Ok(serde_json::json!({ "own": own, "peer": peer }))
}

fn main() -> Result<()> {
    let dense = Phold {
        sparse: 1,
        ..DEFAULT
    };
    let measured = serde_json::json!({
        "events": EVENTS,
        "default": measure(DEFAULT)?,
        "dense": measure(dense)?,
    });
    println!("{measured}");
    Ok(())
}
