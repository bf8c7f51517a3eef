//! What components measure while they run.

mod accumulator;
mod histogram;
mod table;

pub use accumulator::Accumulator;
pub use histogram::Histogram;
pub use table::{Row, StatisticsTable};

/// What is measured: the part of a statistic that never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantity {
    /// Its name within the component, for example `latency`.
    pub name: &'static str,
    /// What its numbers count, for example `ps`.
    pub unit: &'static str,
    /// What it means, in a sentence for people.
    pub about: &'static str,
}

/// What was measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Measured {
    /// What the numbers amount to.
    Accumulator(Accumulator),
    /// How the numbers are distributed.
    Histogram(Histogram),
}

impl Measured {
    /// What all the numbers amount to.
    #[must_use]
    pub const fn all(&self) -> &Accumulator {
        match self {
            Self::Accumulator(all) => all,
            Self::Histogram(histogram) => histogram.all(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Accumulator(_) => "accumulator",
            Self::Histogram(_) => "histogram",
        }
    }
}
