//! Interrupts that the PLIC delivers and no hart takes.

use maquette_model::{LoadError, Reader, SimTime, Writer};
use std::collections::BTreeMap;
use std::fmt;

/// An external interrupt that a hart has not claimed after this time is lost: kernels leave them
/// waiting for milliseconds at most.
pub const LOST_AFTER: SimTime = SimTime::from_ms(100);

/// For which mode of a hart an interrupt is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mode {
    /// M-mode.
    Machine,
    /// S-mode.
    Supervisor,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "machine",
            Self::Supervisor => "supervisor",
        })
    }
}

/// An interrupt that a source requested, that the PLIC let through to a hart, and that was not claimed
/// for a while ([`LOST_AFTER`], if nobody says another), or, of a hart that waits for ever, at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// Whose.
    pub hart: usize,
    /// For which of its modes.
    pub mode: Mode,
    /// Since when.
    pub since: SimTime,
    /// How long; until the end of the run, if it was never claimed.
    pub lasted: SimTime,
    /// The hart's pc when it was claimed, or at the end.
    pub pc: u64,
    /// Why the hart did not take it, if that can be seen at the end of the run.
    pub why: Option<&'static str>,
    /// How often this has happened to this hart and mode.
    pub count: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) since: SimTime,
    pub(crate) lasted: SimTime,
    pub(crate) pc: u64,
    pub(crate) count: u64,
}

/// The PLIC's outputs to harts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    /// Those that are high, and since when.
    pub(crate) high: BTreeMap<(usize, Mode), SimTime>,
    /// What was claimed late: the worst.
    pub(crate) late: BTreeMap<(usize, Mode), Entry>,
}

impl Outputs {
    /// An output has changed at a time and the hart's pc.
    pub(super) fn changed(
        &mut self,
        to: (usize, Mode),
        level: bool,
        (now, pc): (SimTime, u64),
        after: SimTime,
    ) {
        if level {
            self.high.entry(to).or_insert(now);
        } else if let Some(since) = self.high.remove(&to) {
            let lasted = now.saturating_sub(since);
            if lasted >= after {
                self.taken_late(to, since, lasted, pc);
            }
        }
    }

    #[cold]
    fn taken_late(&mut self, to: (usize, Mode), since: SimTime, lasted: SimTime, pc: u64) {
        let fresh = Entry {
            since,
            lasted,
            pc,
            count: 0,
        };
        let entry = self.late.entry(to).or_insert(fresh);
        let count = entry.count + 1;
        if lasted > entry.lasted {
            *entry = fresh;
        }
        entry.count = count;
    }

    /// All outputs fall.
    pub(super) fn restart(&mut self, now: SimTime, after: SimTime) {
        for (to, since) in core::mem::take(&mut self.high) {
            let lasted = now.saturating_sub(since);
            if lasted >= after {
                self.taken_late(to, since, lasted, 0);
            }
        }
    }

    pub(super) fn save(&self, w: &mut Writer) {
        let to = |w: &mut Writer, (hart, mode): &(usize, Mode)| {
            w.u64(*hart as u64);
            w.bool(*mode == Mode::Supervisor);
        };
        w.u64(self.high.len() as u64);
        for (key, since) in &self.high {
            to(w, key);
            w.time(*since);
        }
        w.u64(self.late.len() as u64);
        for (key, entry) in &self.late {
            to(w, key);
            w.time(entry.since);
            w.time(entry.lasted);
            w.u64(entry.pc);
            w.u64(entry.count);
        }
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let to = |r: &mut Reader<'_>| -> Result<(usize, Mode), LoadError> {
            let hart = usize::try_from(r.u64()?).unwrap_or(usize::MAX);
            let mode = match r.bool("mode")? {
                true => Mode::Supervisor,
                false => Mode::Machine,
            };
            Ok((hart, mode))
        };
        let mut outputs = Self::default();
        for _ in 0..r.u64()? {
            let key = to(r)?;
            outputs.high.insert(key, r.time()?);
        }
        for _ in 0..r.u64()? {
            let key = to(r)?;
            let entry = Entry {
                since: r.time()?,
                lasted: r.time()?,
                pc: r.u64()?,
                count: r.u64()?,
            };
            outputs.late.insert(key, entry);
        }
        Ok(outputs)
    }
}
