//! The hart's clock and its counters: all are functions of the instructions retired.
//!
//! Nothing counts while the hart executes: a block adds its length to `retired` once, and a read
//! derives cycle, instret and time from it. A counter that is written or inhibited keeps an offset.

use maquette_model::{Frequency, SimTime};

/// `mcountinhibit` bit of the cycle counter.
pub const CY: u64 = 1;
/// `mcountinhibit` bit of the instruction counter.
pub const IR: u64 = 4;

/// One counter over a source that only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counter {
    /// While running: value = source + offset. While stopped: the value itself.
    offset: u64,
    stopped: bool,
}

impl Counter {
    /// The value when the source stands at `source`.
    #[must_use]
    pub const fn read(&self, source: u64) -> u64 {
        if self.stopped {
            self.offset
        } else {
            source.wrapping_add(self.offset)
        }
    }

    /// Sets the value; `next` is where the source stands after the writing instruction, which does
    /// not count itself (§3.1.10: the written value is what the next instruction reads).
    pub const fn write(&mut self, v: u64, next: u64) {
        self.offset = if self.stopped {
            v
        } else {
            v.wrapping_sub(next)
        };
    }

    /// Stops or starts counting; `next` as in [`Counter::write`].
    pub const fn inhibit(&mut self, stop: bool, next: u64) {
        if stop != self.stopped {
            let value = self.read(next);
            self.stopped = stop;
            self.write(value, next);
        }
    }

    /// The raw state, for snapshots.
    #[must_use]
    pub const fn raw(&self) -> (u64, bool) {
        (self.offset, self.stopped)
    }

    /// Rebuilds a counter from its raw state.
    #[must_use]
    pub const fn from_raw(offset: u64, stopped: bool) -> Self {
        Self { offset, stopped }
    }
}

/// Where the hart stands in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HartClock {
    /// Instructions a second: clock rate divided by CPI.
    rate: Frequency,
    /// Cycles an instruction, as a fraction.
    cpi: (u64, u64),
    /// Ticks of `time` a second.
    timebase: Frequency,
    /// Time spent idle, beyond what instructions took.
    idle: SimTime,
    /// The largest time that any hart of the machine has read.
    floor: SimTime,
}

impl HartClock {
    /// A clock of `hz`, with `cpi` cycles an instruction, and a `time` CSR of `timebase`.
    #[must_use]
    pub const fn new(hz: Frequency, cpi: (u64, u64), timebase: Frequency) -> Self {
        let (num, den) = (
            if cpi.0 == 0 { 1 } else { cpi.0 },
            if cpi.1 == 0 { 1 } else { cpi.1 },
        );
        Self {
            rate: hz.scaled(den, num),
            cpi: (num, den),
            timebase,
            idle: SimTime::ZERO,
            floor: SimTime::ZERO,
        }
    }

    /// The hart's time after `retired` instructions.
    #[must_use]
    pub const fn now(&self, retired: u64) -> SimTime {
        self.rate.time_of(retired).saturating_add(self.idle)
    }

    /// Cycles after `retired` instructions.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "counters wrap at 64 bits")]
    pub const fn cycles(&self, retired: u64) -> u64 {
        if self.cpi.0 == self.cpi.1 {
            return retired;
        }
        (retired as u128 * self.cpi.0 as u128 / self.cpi.1 as u128) as u64
    }

    /// Reads `time`: never less than what any hart has read before (ARCHITECTURE, "Time").
    pub fn read_time(&mut self, retired: u64) -> u64 {
        self.floor = self.floor.max(self.now(retired));
        self.timebase.ticks_at(self.floor)
    }

    /// What [`HartClock::read_time`] would give now.
    #[must_use]
    pub fn peek_time(&self, retired: u64) -> u64 {
        self.timebase.ticks_at(self.floor.max(self.now(retired)))
    }

    /// `time` as the timer comparator sees it: the hart's own, not the machine's floor.
    #[must_use]
    pub const fn own_ticks(&self, retired: u64) -> u64 {
        self.timebase.ticks_at(self.now(retired))
    }

    /// When `time` reaches `ticks`.
    #[must_use]
    pub const fn time_of_tick(&self, ticks: u64) -> SimTime {
        self.timebase.time_of(ticks)
    }

    /// The smallest number of further instructions after which `now >= t`.
    #[must_use]
    pub const fn instructions_until(&self, retired: u64, t: SimTime) -> u64 {
        if t.as_ps() == SimTime::MAX.as_ps() {
            return u64::MAX;
        }
        let busy = t.saturating_sub(self.idle);
        let mut total = self.rate.ticks_at(busy);
        if self.rate.time_of(total).as_ps() < busy.as_ps() {
            total += 1;
        }
        total.saturating_sub(retired)
    }

    /// Idles until `t`, if that is ahead.
    pub const fn skip_to(&mut self, retired: u64, t: SimTime) {
        let ahead = t.saturating_sub(self.now(retired));
        self.idle = self.idle.saturating_add(ahead);
    }

    /// The machine-wide floor of `time`.
    #[must_use]
    pub const fn floor(&self) -> SimTime {
        self.floor
    }

    /// Raises the floor to what other harts have read.
    pub fn raise_floor(&mut self, floor: SimTime) {
        self.floor = self.floor.max(floor);
    }

    /// Idle time and floor, for snapshots.
    #[must_use]
    pub const fn raw(&self) -> (SimTime, SimTime) {
        (self.idle, self.floor)
    }

    /// Puts back what [`HartClock::raw`] gave.
    pub const fn restore(&mut self, (idle, floor): (SimTime, SimTime)) {
        self.idle = idle;
        self.floor = floor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn clock_instructions_until_is_the_smallest_sufficient_number(
            num in 1u64..9, den in 1u64..9, hz in 1_000_000u64..4_000_000_000,
            retired in 0u64..1_000_000, ahead in 0u64..10_000_000, idle in 0u64..1_000_000,
        ) {
            let mut c = HartClock::new(Frequency::from_hz(hz), (num, den), Frequency::from_hz(10_000_000));
            c.skip_to(0, SimTime::from_ps(idle));
            let t = c.now(retired).saturating_add(SimTime::from_ps(ahead));
            let n = c.instructions_until(retired, t);
            prop_assert!(c.now(retired + n) >= t);
            if n > 0 {
                prop_assert!(c.now(retired + n - 1) < t);
            }
        }
    }

    #[test]
    fn counter_write_is_what_the_next_instruction_reads() {
        let mut c = Counter::default();
        c.write(100, 11);
        assert_eq!(c.read(11), 100);
        c.inhibit(true, 20);
        assert_eq!((c.read(20), c.read(99)), (109, 109));
        c.inhibit(false, 100);
        assert_eq!(c.read(101), 110);
    }
}
