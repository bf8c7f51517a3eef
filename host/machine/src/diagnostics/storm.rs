//! Interrupts that come again and again because nobody makes the device lower its line.

use super::Thresholds;
use maquette_model::{LoadError, Reader, SimTime, Writer};
use std::collections::BTreeMap;

/// So many claims of a source in a row, without progress, are a storm.
pub const STORM_CLAIMS: u64 = 1000;
/// They must come within this time: a handler that does nothing is back within a few microseconds.
pub const STORM_WINDOW: SimTime = SimTime::from_ms(10);

/// A source that was claimed over and over without progress: its line stayed high, or it fell and
/// rose although the guest touched no register of the device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Storm {
    /// The device's path.
    pub device: String,
    /// Its number at the PLIC.
    pub source: u32,
    /// Claims without progress, all storms of the source together.
    pub claims: u64,
    /// When the first began.
    pub since: SimTime,
    /// The hart and the pc of the claim at which it was noticed.
    pub at: (usize, u64),
}

/// The claims of one source since there was progress.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    since: SimTime,
    claims: u64,
    /// Since the last claim, the line has fallen.
    fell: bool,
    /// Since the last claim, the guest has accessed the device.
    accessed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) claims: u64,
    pub(crate) since: SimTime,
    pub(crate) at: (usize, u64),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Storms {
    streaks: BTreeMap<u32, Streak>,
    /// By source.
    pub(crate) known: BTreeMap<u32, Entry>,
}

impl Storms {
    /// The guest has accessed the device that drives `source`.
    pub(super) fn accessed(&mut self, source: u32) {
        if let Some(streak) = self.streaks.get_mut(&source) {
            streak.accessed = true;
        }
    }

    /// The line of `source` has fallen.
    pub(crate) fn fell(&mut self, source: u32) {
        if let Some(streak) = self.streaks.get_mut(&source) {
            streak.fell = true;
        }
    }

    /// A hart has claimed `source`.
    pub(super) fn claimed(
        &mut self,
        source: u32,
        now: SimTime,
        at: (usize, u64),
        from: &Thresholds,
    ) {
        let streak = self.streaks.entry(source).or_default();
        let progress = streak.fell && streak.accessed;
        if progress || now.saturating_sub(streak.since) > from.storm_window {
            *streak = Streak {
                since: now,
                ..Streak::default()
            };
        }
        streak.fell = false;
        streak.accessed = false;
        streak.claims += 1;
        if streak.claims < from.storm_claims {
            return;
        }
        let since = streak.since;
        let more = if streak.claims == from.storm_claims {
            from.storm_claims
        } else {
            1
        };
        let first = Entry {
            claims: 0,
            since,
            at,
        };
        self.known.entry(source).or_insert(first).claims += more;
    }

    pub(super) fn restart(&mut self) {
        self.streaks.clear();
    }

    pub(super) fn save(&self, w: &mut Writer) {
        w.u64(self.streaks.len() as u64);
        for (source, streak) in &self.streaks {
            w.u32(*source);
            w.time(streak.since);
            w.u64(streak.claims);
            w.bool(streak.fell);
            w.bool(streak.accessed);
        }
        w.u64(self.known.len() as u64);
        for (source, entry) in &self.known {
            w.u32(*source);
            w.u64(entry.claims);
            w.time(entry.since);
            w.u64(entry.at.0 as u64);
            w.u64(entry.at.1);
        }
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let mut storms = Self::default();
        for _ in 0..r.u64()? {
            let source = r.u32()?;
            let streak = Streak {
                since: r.time()?,
                claims: r.u64()?,
                fell: r.bool("fell")?,
                accessed: r.bool("accessed")?,
            };
            storms.streaks.insert(source, streak);
        }
        for _ in 0..r.u64()? {
            let source = r.u32()?;
            let (claims, since) = (r.u64()?, r.time()?);
            let hart = usize::try_from(r.u64()?).unwrap_or(usize::MAX);
            let at = (hart, r.u64()?);
            storms.known.insert(source, Entry { claims, since, at });
        }
        Ok(storms)
    }
}
