//! Virtual time in picoseconds, and rational clock rates.
//!
//! 3 GHz is no whole number of picoseconds, so a clock is a rate in hertz and conversions go through
//! 128-bit integers: no drift, however long a run is.

use crate::{LoadError, Reader, Writer};
use core::fmt;

/// Picoseconds in a second.
const PS_PER_S: u128 = 1_000_000_000_000;

/// A point in (or length of) virtual time, in picoseconds. Arithmetic saturates at [`SimTime::MAX`],
/// which means "never" (about 213 days).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(u64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Never.
    pub const MAX: Self = Self(u64::MAX);

    /// A time of so many picoseconds.
    #[must_use]
    pub const fn from_ps(ps: u64) -> Self {
        Self(ps)
    }

    /// A time of so many nanoseconds, saturating.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns.saturating_mul(1_000))
    }

    /// A time of so many microseconds, saturating.
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self(us.saturating_mul(1_000_000))
    }

    /// A time of so many milliseconds, saturating.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000_000_000))
    }

    /// The number of picoseconds.
    #[must_use]
    pub const fn as_ps(self) -> u64 {
        self.0
    }

    /// Seconds as a floating-point number, for people only.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown to people, never computed with"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// `self + other`, or [`SimTime::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`, or [`SimTime::ZERO`].
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::MAX {
            return f.write_str("never");
        }
        write!(f, "{:.9} s", self.as_secs_f64())
    }
}

impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ps", self.0)
    }
}

/// A clock rate as a fraction of hertz: `num / den` ticks a second, both at least 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frequency {
    num: u64,
    den: u64,
}

impl Frequency {
    /// A rate of whole hertz; 0 is taken as 1.
    #[must_use]
    pub const fn from_hz(hz: u64) -> Self {
        Self {
            num: if hz == 0 { 1 } else { hz },
            den: 1,
        }
    }

    /// This rate divided by `den` and multiplied by `num`: a CPI of 3/2 on a 1 GHz clock is
    /// `Frequency::from_hz(1_000_000_000).scaled(2, 3)` instructions a second. Zeros are taken as 1.
    #[must_use]
    pub const fn scaled(self, num: u64, den: u64) -> Self {
        let num = if num == 0 { 1 } else { num };
        let den = if den == 0 { 1 } else { den };
        Self {
            num: self.num.saturating_mul(num),
            den: self.den.saturating_mul(den),
        }
    }

    /// Ticks that have completed at `t`.
    #[must_use]
    pub const fn ticks_at(self, t: SimTime) -> u64 {
        let ticks = (t.0 as u128 * self.num as u128) / (self.den as u128 * PS_PER_S);
        saturate(ticks)
    }

    /// The earliest time at which `ticks` ticks have completed: `ticks_at(time_of(n)) == n` for rates
    /// up to 1 THz.
    #[must_use]
    pub const fn time_of(self, ticks: u64) -> SimTime {
        let Some(ps) = (ticks as u128).checked_mul(self.den as u128 * PS_PER_S) else {
            return SimTime::MAX;
        };
        SimTime(saturate(ps.div_ceil(self.num as u128)))
    }

    /// Appends the rate to saved state.
    pub fn save(self, w: &mut Writer) {
        w.u64(self.num);
        w.u64(self.den);
    }

    /// Takes a rate from saved state.
    ///
    /// # Errors
    /// When there is none, or it is no rate.
    pub fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let (num, den) = (r.u64()?, r.u64()?);
        if num == 0 || den == 0 {
            let field = "clock rate";
            return Err(LoadError::Value { field, value: 0 });
        }
        Ok(Self { num, den })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "compared with the maximum first"
)]
const fn saturate(v: u128) -> u64 {
    if v > u64::MAX as u128 {
        u64::MAX
    } else {
        v as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frequency_time_of_is_the_first_time_with_that_many_ticks(
            hz in 1u64..=1_000_000_000_000, ticks in 0u64..1_000_000_000,
        ) {
            let f = Frequency::from_hz(hz);
            let t = f.time_of(ticks);
            prop_assume!(t != SimTime::MAX);
            prop_assert_eq!(f.ticks_at(t), ticks);
            if t.as_ps() > 0 {
                prop_assert!(f.ticks_at(SimTime::from_ps(t.as_ps() - 1)) < ticks);
            }
        }
    }

    #[test]
    fn frequency_three_gigahertz_does_not_drift() {
        let f = Frequency::from_hz(3_000_000_000);
        assert_eq!(f.time_of(3_000_000_000).as_ps(), 1_000_000_000_000);
        assert_eq!(f.time_of(1).as_ps(), 334);
    }

    #[test]
    fn frequency_far_future_saturates_to_never() {
        assert_eq!(Frequency::from_hz(1).time_of(u64::MAX), SimTime::MAX);
    }
}
