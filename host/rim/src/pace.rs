//! How virtual time and the host's clock go together.

use maquette_model::SimTime;
use std::time::{Duration, Instant};

/// How fast a run goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// As fast as the host can; waiting costs nothing.
    Virtual,
    /// Not faster than the host's clock: a guest that waits a second sleeps a second.
    Real,
}

/// A run that is further behind than this does not try to catch up: the guest would see its timers
/// race.
const HOPELESS: Duration = Duration::from_millis(50);

/// Maps virtual time to the host's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pace: Pace,
    /// The host's time that is virtual time zero.
    origin: Instant,
}

impl Clock {
    pub(crate) const fn new(pace: Pace, now: Instant) -> Self {
        Self { pace, origin: now }
    }

    /// How long to sleep until `t` may happen.
    pub(crate) fn wait(&mut self, t: SimTime, now: Instant) -> Duration {
        if self.pace == Pace::Virtual {
            return Duration::ZERO;
        }
        let due = self.origin.checked_add(duration(t));
        let Some(due) = due else {
            return Duration::MAX;
        };
        let late = now.saturating_duration_since(due);
        if late > HOPELESS {
            self.origin += late;
        }
        due.saturating_duration_since(now)
    }

    /// When something that comes from outside now should arrive, if the next event has to wait for so
    /// long. The engine takes the first possible time after it.
    ///
    /// A run that need not wait is behind the host's clock, perhaps by a lot: what comes in by that
    /// clock would lie in the run's far future, so it arrives at once.
    pub(crate) fn arrival(&self, wait: Duration, now: Instant) -> SimTime {
        if self.pace == Pace::Virtual || wait.is_zero() {
            return SimTime::ZERO;
        }
        let ns = now.saturating_duration_since(self.origin).as_nanos();
        SimTime::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

const fn duration(t: SimTime) -> Duration {
    Duration::from_nanos(t.as_ps() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn real_clock_waits_for_the_host_and_forgives_a_long_delay() {
        let start = Instant::now();
        let mut clock = Clock::new(Pace::Real, start);
        assert_eq!(clock.wait(SimTime::from_ms(10), start), 10 * MS);
        assert_eq!(clock.wait(SimTime::from_ms(10), start + 4 * MS), 6 * MS);
        // A little late: catches up.
        assert_eq!(
            clock.wait(SimTime::from_ms(10), start + 30 * MS),
            Duration::ZERO
        );
        assert_eq!(clock.wait(SimTime::from_ms(40), start + 30 * MS), 10 * MS);
        // Hopelessly late: goes on from here.
        assert_eq!(
            clock.wait(SimTime::from_ms(40), start + 1040 * MS),
            Duration::ZERO
        );
        assert_eq!(clock.wait(SimTime::from_ms(50), start + 1040 * MS), 10 * MS);
    }

    #[test]
    fn virtual_clock_never_waits() {
        let start = Instant::now();
        let mut clock = Clock::new(Pace::Virtual, start);
        assert_eq!(clock.wait(SimTime::MAX, start), Duration::ZERO);
        assert_eq!(clock.arrival(Duration::MAX, start + MS), SimTime::ZERO);
    }

    #[test]
    fn real_clock_delivers_by_the_host_unless_the_run_is_behind() {
        let start = Instant::now();
        let mut clock = Clock::new(Pace::Real, start);
        let now = start + 10 * MS;
        let wait = clock.wait(SimTime::from_ms(30), now);
        assert_eq!(clock.arrival(wait, now), SimTime::from_ms(10));
        let behind = clock.wait(SimTime::from_ms(1), now);
        assert_eq!(clock.arrival(behind, now), SimTime::ZERO);
    }
}
