//! Drives a system to its end in pieces, stopping on the way for checkpoints and a snapshot. Where a run
//! is cut is not observable.

use super::SnapshotOrder;
use crate::archive::{ArchiveError, Origin, Record, Recorder, SnapshotPlace, write_snapshot};
use crate::build::System;
use crate::causes::with_causes;
use crate::description::Description;
use crate::units;
use crate::verdict::{Reason, Verdict};
use maquette_model::SimTime;
use maquette_sim::{Outcome, Rim};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tracing::info;

/// Between two checkpoints of a recording.
const CHECKPOINT_EVERY: SimTime = SimTime::from_ms(100);

/// When to take a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moment {
    /// At a virtual time.
    Time(SimTime),
    /// When a console has shown a text.
    Text(String),
}

impl Moment {
    /// What is said of a run in which it never came.
    pub(super) fn missed(&self) -> String {
        match self {
            Self::Time(at) => format!("the run ended before {}", units::show_time(*at)),
            Self::Text(text) => format!("no console showed {text:?}"),
        }
    }

    /// What to do about that.
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::Time(_) => "name an earlier time; the report of a run says when it ended",
            Self::Text(_) => "name a text as the guest prints it, letter by letter",
        }
    }
}

/// What becomes of the run's checkpoints.
pub(super) enum Log<'a> {
    /// Nothing.
    Off,
    /// They are recorded.
    Write(&'a RefCell<Recorder>),
    /// They are compared with these, which are left.
    Compare(VecDeque<(SimTime, [u8; 32])>),
}

impl Log<'_> {
    /// Compares with what a recording knows.
    pub(super) fn compare(records: &[Record]) -> Self {
        let checkpoints = records.iter().filter_map(|record| match record {
            Record::Checkpoint { at, hash } => Some((*at, *hash)),
            _ => None,
        });
        Self::Compare(checkpoints.collect())
    }

    fn next(&self, now: SimTime) -> SimTime {
        match self {
            Self::Off => SimTime::MAX,
            Self::Write(_) => {
                let every = CHECKPOINT_EVERY.as_ps();
                SimTime::from_ps((now.as_ps() / every + 1).saturating_mul(every))
            }
            Self::Compare(left) => left.front().map_or(SimTime::MAX, |(at, _)| *at),
        }
    }
}

/// What a run is to come to.
pub(super) struct Course<'a> {
    pub(super) description: &'a Description,
    pub(super) origin: Option<&'a Origin>,
    pub(super) end: SimTime,
    pub(super) snapshot: Option<&'a SnapshotOrder>,
    /// Where the snapshot goes.
    pub(super) place: Option<SnapshotPlace>,
    pub(super) log: Log<'a>,
}

/// What a run has come to.
pub(super) struct Driven {
    pub(super) outcome: Outcome,
    /// The snapshot is written, and nothing more was wanted.
    pub(super) saved_and_stopped: bool,
    /// How long the snapshot took on the host's clock.
    pub(super) saved_in: Option<Duration>,
    /// A replay has come to where the recorded run was ended from outside: how that was.
    pub(super) recorded_end: Option<String>,
    /// What failed beside the guest.
    pub(super) failures: Vec<Reason>,
}

impl Driven {
    /// It has come to this, and to nothing else.
    const fn to(outcome: Outcome) -> Self {
        Self {
            outcome,
            saved_and_stopped: false,
            saved_in: None,
            recorded_end: None,
            failures: Vec::new(),
        }
    }
}

/// Runs to the end with `rim`.
pub(super) fn drive(system: &mut System, rim: &mut dyn Rim, course: Course<'_>) -> Driven {
    drive_by(system, course, |system, until| {
        system.serial.run(until, rim)
    })
}

/// Runs to the end; `run` runs up to a time, or until something else ends that.
pub(super) fn drive_by(
    system: &mut System,
    mut course: Course<'_>,
    mut run: impl FnMut(&mut System, SimTime) -> Outcome,
) -> Driven {
    let mut driven = Driven::to(Outcome::Idle);
    if let Some(SnapshotOrder {
        when: Moment::Text(text),
        ..
    }) = course.snapshot
    {
        system.each_console(|console| console.watch_for(text));
    }
    loop {
        let save_at = course.save_at();
        let check_at = course.log.next(system.serial.now());
        let until = course.end.min(save_at).min(check_at);
        driven.outcome = run(system, until);
        let reached = driven.outcome == Outcome::Limit;
        if reached && until == check_at {
            course.checkpoint(system, until, &mut driven);
        }
        let noticed = driven.outcome == Outcome::Stopped && course.is_text_shown(system);
        if noticed || (reached && until == save_at) {
            let order = course.snapshot.take();
            course.save(system, &mut driven);
            if order.is_some_and(|order| order.stop) {
                driven.saved_and_stopped = true;
                return driven;
            }
        } else if !reached || until >= course.end {
            break;
        }
        if reached && until >= course.end {
            break;
        }
    }
    if let Some(order) = course.snapshot {
        driven.failures.push(not_taken(order));
    }
    driven
}

impl Course<'_> {
    fn save_at(&self) -> SimTime {
        match self.snapshot.map(|order| &order.when) {
            Some(Moment::Time(at)) => *at,
            _ => SimTime::MAX,
        }
    }

    /// Whether the run stopped for the text of the snapshot, and nothing else.
    fn is_text_shown(&self, system: &mut System) -> bool {
        let mut shown = false;
        system.each_console(|console| shown |= console.take_noticed());
        let mut offended = false;
        system.each_console(|console| offended |= console.offence().is_some());
        self.snapshot.is_some() && shown && !offended
    }

    fn checkpoint(&mut self, system: &System, at: SimTime, driven: &mut Driven) {
        let hash = *system.serial.trace().finish().as_bytes();
        match &mut self.log {
            Log::Off => {}
            Log::Write(recorder) => recorder.borrow_mut().add(&Record::Checkpoint { at, hash }),
            Log::Compare(left) => {
                let expected = left.pop_front();
                if expected.is_some_and(|(_, expected)| expected != hash) {
                    // One difference makes all that follows differ.
                    left.clear();
                    let before = at.saturating_sub(CHECKPOINT_EVERY);
                    let text = format!(
                        "the replay differs from the recording; they were equal at {} and are not at {}",
                        units::show_time(before),
                        units::show_time(at)
                    );
                    driven.failures.push(host(text));
                }
            }
        }
    }

    fn save(&mut self, system: &mut System, driven: &mut Driven) {
        let (Some(place), Some(origin)) = (self.place.take(), self.origin) else {
            return;
        };
        let began = Instant::now();
        let written = || -> Result<(), ArchiveError> {
            let origin = origin.with_images_of(self.description)?;
            let sections = system.serial.save()?;
            write_snapshot(place, &origin, &sections)
        };
        match written() {
            Ok(()) => {
                info!("the snapshot is written");
                driven.saved_in = Some(began.elapsed());
            }
            Err(error) => {
                let remedy = error.remedy();
                driven
                    .failures
                    .push(host(with_causes(&error)).with_remedy(remedy));
            }
        }
    }
}

fn not_taken(order: &SnapshotOrder) -> Reason {
    let (missed, remedy) = (order.when.missed(), order.when.remedy());
    let text = format!("there is no snapshot: {missed}");
    Reason::new(Verdict::GuestFailure, text).with_remedy(remedy)
}

/// A failure of the host.
pub(super) fn host(text: impl Into<String>) -> Reason {
    Reason::new(Verdict::HostFailure, text)
}
