//! How hard tests try, and with which seeds.

use std::ops::Range;

/// How many times over a test does its work.
pub const EFFORT: &str = "MAQUETTE_EFFORT";
/// How many times over it has been done before, with the seeds that belong to that.
pub const ROUND: &str = "MAQUETTE_ROUND";

/// How many times over a test should do its work: 1 in `cargo xtask test`, more where
/// `MAQUETTE_EFFORT` says so.
///
/// A test multiplies its number of cases by this, so that the quick run and the long run are one
/// test with two settings.
#[must_use]
pub fn effort() -> u32 {
    number(EFFORT, 1).max(1)
}

/// The rounds to do: `0..effort()`, or further ones where `MAQUETTE_ROUND` says that so many have
/// been done before. Equal rounds are equal work, whenever they are done.
#[must_use]
pub fn rounds() -> Range<u64> {
    let first = number(ROUND, 0);
    first..first + u64::from(effort())
}

/// The seeds of [`rounds`], for a test that uses `each` seeds in a round.
#[must_use]
pub fn seeds(each: u64) -> Range<u64> {
    let Range { start, end } = rounds();
    start * each..end * each
}

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
