//! Numbers sorted into bins.

use super::Accumulator;
use maquette_model::{LoadError, Reader, Writer};

/// How many numbers fell into each of a fixed number of bins of one width, and what all numbers amount
/// to. Recording allocates nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    low: u64,
    width: u64,
    bins: Vec<u64>,
    below: u64,
    above: u64,
    all: Accumulator,
}

impl Histogram {
    /// Bins from `low` on, each `width` wide; a width of 0 is taken as 1.
    #[must_use]
    pub fn new(low: u64, width: u64, bins: usize) -> Self {
        Self {
            low,
            width: width.max(1),
            bins: vec![0; bins],
            below: 0,
            above: 0,
            all: Accumulator::default(),
        }
    }

    /// Takes a number in.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.all.record(value);
        let count = match value.checked_sub(self.low) {
            None => &mut self.below,
            Some(over) => {
                let bin = usize::try_from(over / self.width).ok();
                let found = bin.and_then(|bin| self.bins.get_mut(bin));
                found.unwrap_or(&mut self.above)
            }
        };
        *count = count.saturating_add(1);
    }

    /// Where the first bin begins.
    #[must_use]
    pub const fn low(&self) -> u64 {
        self.low
    }

    /// How wide each bin is.
    #[must_use]
    pub const fn width(&self) -> u64 {
        self.width
    }

    /// How many numbers fell into each bin.
    #[must_use]
    pub fn bins(&self) -> &[u64] {
        &self.bins
    }

    /// How many numbers were too small for the first bin.
    #[must_use]
    pub const fn below(&self) -> u64 {
        self.below
    }

    /// How many numbers were too large for the last bin.
    #[must_use]
    pub const fn above(&self) -> u64 {
        self.above
    }

    /// What all numbers amount to, those outside the bins too.
    #[must_use]
    pub const fn all(&self) -> &Accumulator {
        &self.all
    }

    /// Appends what was counted to saved state.
    pub fn save(&self, w: &mut Writer) {
        w.u64(self.low);
        w.u64(self.width);
        w.u64(self.bins.len() as u64);
        for count in self.bins.iter().chain([&self.below, &self.above]) {
            w.u64(*count);
        }
        self.all.save(w);
    }

    /// Takes what was counted from saved state, into a histogram with the same bins.
    ///
    /// # Errors
    /// When there is none, or its bins are others.
    pub fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        r.same("first bin", self.low)?;
        r.same("width of bins", self.width)?;
        r.same("number of bins", self.bins.len() as u64)?;
        for count in (self.bins.iter_mut()).chain([&mut self.below, &mut self.above]) {
            *count = r.u64()?;
        }
        self.all = Accumulator::load(r)?;
        Ok(())
    }
}
