//! Numbers of which only what they amount to is kept.

use maquette_model::{LoadError, Reader, Writer};

/// Count, sum, extremes and spread of numbers, all in exact integers: the order of recording does not
/// matter, and two runs with equal values have equal statistics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accumulator {
    count: u64,
    sum: u128,
    /// `None` once the sum of squares was too large to be counted.
    squares: Option<u128>,
    min: u64,
    max: u64,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0,
            squares: Some(0),
            min: u64::MAX,
            max: 0,
        }
    }
}

impl Accumulator {
    /// Takes a number in.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let wide = u128::from(value);
        self.count = self.count.saturating_add(1);
        // 2^64 numbers of 64 bits fit.
        self.sum = self.sum.saturating_add(wide);
        self.squares = (self.squares).and_then(|squares| squares.checked_add(wide * wide));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many numbers were taken in.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    #[must_use]
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// The smallest, if there is any.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest, if there is any.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The mean, rounded once.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| ratio(self.sum, u128::from(self.count)))
    }

    /// The variance of the numbers as a whole population: exact until it is divided. `None` without
    /// numbers, and when their squares have become too large.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        let count = u128::from(self.count);
        let of_squares = self.squares?.checked_mul(count)?;
        let of_sum = self.sum.checked_mul(self.sum)?;
        // Never below zero: the mean of squares is at least the square of the mean.
        let spread = of_squares.saturating_sub(of_sum);
        (count > 0).then(|| ratio(spread, count * count))
    }

    /// Appends the statistic to saved state.
    pub fn save(&self, w: &mut Writer) {
        w.u64(self.count);
        w.raw(&self.sum.to_le_bytes());
        w.bool(self.squares.is_some());
        w.raw(&self.squares.unwrap_or(0).to_le_bytes());
        w.u64(self.min);
        w.u64(self.max);
    }

    /// Takes the statistic from saved state.
    ///
    /// # Errors
    /// When there is none.
    pub fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let (count, sum) = (r.u64()?, wide(r)?);
        let has_squares = r.bool("sum of squares")?;
        let squares = Some(wide(r)?).filter(|_| has_squares);
        let (min, max) = (r.u64()?, r.u64()?);
        Ok(Self {
            count,
            sum,
            squares,
            min,
            max,
        })
    }
}

fn wide(r: &mut Reader<'_>) -> Result<u128, LoadError> {
    let (low, high) = (r.u64()?, r.u64()?);
    Ok(u128::from(high) << 64 | u128::from(low))
}

/// The whole part keeps its digits where a division of two rounded numbers would lose some.
#[expect(
    clippy::cast_precision_loss,
    reason = "the result is rounded, not what it is made of"
)]
fn ratio(a: u128, b: u128) -> f64 {
    (a / b) as f64 + (a % b) as f64 / b as f64
}
