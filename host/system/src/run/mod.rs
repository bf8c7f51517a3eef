//! Runs a system to its end and says what happened: from its boot, from a snapshot, or again from a
//! recording.

mod conclude;
mod debug;
mod drive;
mod error;
mod files;
mod outlets;
mod prepare;
mod trace;

pub use debug::DebugOptions;
pub use drive::Moment;
pub use error::RunError;
pub use prepare::{Prepared, Warning};
pub use trace::TraceOrder;

use crate::archive::{ArchiveError, Origin, Record, Recorder, Recording, Replay, SnapshotPlace};
use crate::build::{System, build, build_unbooted};
use crate::causes::with_causes;
use crate::console::{Console, KEYBOARD};
use crate::description::Description;
use crate::open::Opened;
use crate::report::{HostTimes, Report};
use crate::units;
use crate::verdict::{Ending, Reason, Verdict};
use conclude::{ending, expected_within, host_failure, report};
use drive::{Course, Driven, Log, drive};
use maquette_machine::{Machine, Progress};
use maquette_model::{Sections, SimTime};
use maquette_network::Gateway;
use maquette_rim::{
    Keyboard, LiveLine, Output, Outside, Pace, RawMode, Signals, erase_live_line, has_person,
};
use maquette_sim::{Component as _, ComponentId, Input, Outcome, Rim, RimAction};
use maquette_trace::TraceHash;
use prepare::Start;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;
use trace::Tracing;
use tracing::{info, warn};

/// What the user wants of a run beyond what the system file says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// How fast; real with a person at the terminal or a user network that reaches outside, and
    /// virtual otherwise, if not said.
    pub pace: Option<Pace>,
    /// A person takes over: the file's script, limits and expectations are set aside.
    pub interactive: bool,
    /// Where to record what comes in from outside.
    pub record: Option<PathBuf>,
    /// A snapshot to take on the way.
    pub snapshot: Option<SnapshotOrder>,
    /// A trace to write.
    pub trace: Option<TraceOrder>,
    /// The file that the caller will write the statistics to.
    pub stats: Option<PathBuf>,
    /// Says at a terminal how far the run has come.
    pub live: bool,
}

/// A snapshot to take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotOrder {
    /// Where it goes.
    pub file: PathBuf,
    /// When it is taken.
    pub when: Moment,
    /// The run ends with it.
    pub stop: bool,
}

fn perform(mut opened: Opened, options: &Options, mut start: Start) -> Result<Report, RunError> {
    let host = |what| move |source| RunError::Host { what, source };
    check_person(&opened.description, options)?;
    let signals = Rc::new(Signals::listen().map_err(host("signal handlers"))?);
    let output = Output::standard(&signals);
    let mut system = begin(&mut opened, &mut start, options, &output)?;
    let resumed_in = start.took();
    let instructions_before = instructions(&system);
    let description = &opened.description;
    let replays = matches!(start, Start::Recording(_));
    let console = keyboard(description, &system).filter(|_| has_person() && !replays);
    let networks = outlets::of(&opened, &system, replays)?;
    // Who waits for the world should see as much time pass as the world does.
    let pace = options.pace.unwrap_or(match console {
        None if networks.is_empty() => Pace::Virtual,
        _ => Pace::Real,
    });
    let origin = origin(&opened, options)?;
    let place = snapshot_place(&system, options)?;
    let tracing = Tracing::begin(options.trace.as_ref(), description, &mut system)?;
    let recorder = recorder(options, origin.as_ref())?;
    let raw = match console {
        Some(_) => RawMode::enter().map_err(host("the terminal's raw mode"))?,
        None => None,
    };
    let keyboard = console.map(|to| Keyboard { to, port: KEYBOARD });
    let host_time = description.limits.host_time;
    info!(?pace, interactive = console.is_some(), "the run begins");
    let began = Instant::now();
    let rim = Outside::new(&signals, &output, pace, keyboard, host_time);
    let live = options.live.then(|| live_line(&mut system)).flatten();
    let mut rim = rim.with_networks(networks).with_live_line(live);
    let course = Course {
        description,
        origin: origin.as_ref(),
        end: last_moment(description),
        snapshot: options.snapshot.as_ref(),
        place,
        log: Log::Off,
    };
    let driven = fed(&mut system, &mut rim, course, &start, recorder.as_ref())?;
    flush(&mut system, &output);
    let host_time = began.elapsed();
    drop(raw);
    let endings: Vec<Ending> = (system.machines.iter())
        .map(|seat| ending(&system, seat, description, &driven, &rim, &output))
        .collect();
    info!(outcome = %driven.outcome, ?endings, "the run is over");
    let hash = (driven.outcome != Outcome::Aborted).then(|| system.serial.finish());
    let saved_in = driven.saved_in;
    let mut failures = driven.failures;
    failures.extend(host_failure(&endings, &output));
    let untraced = tracing.and_then(|tracing| tracing.finish(&mut system));
    failures.extend(untraced.map(drive::host));
    if let Some(recorder) = recorder {
        let cut_at = (driven.outcome == Outcome::Interrupted).then(|| system.serial.now());
        finish_recording(recorder.into_inner(), cut_at, hash, &endings, &mut failures);
    }
    if let Start::Recording(recording) = &start {
        compare_end(recording, hash, &mut failures);
    }
    let times = HostTimes {
        run: host_time,
        saved_in,
        resumed_in,
        instructions_before,
    };
    Ok(report(&system, description, endings, failures, hash, times))
}

/// Where the snapshot will be, if one is asked for: its moment is to come.
fn snapshot_place(system: &System, options: &Options) -> Result<Option<SnapshotPlace>, RunError> {
    let Some(order) = &options.snapshot else {
        return Ok(None);
    };
    let now = system.serial.now();
    match &order.when {
        Moment::Time(at) if *at < now => {
            return Err(RunError::PastMoment {
                at: units::show_time(*at),
                now: units::show_time(now),
            });
        }
        Moment::Time(_) | Moment::Text(_) => {}
    }
    Ok(Some(SnapshotPlace::prepare(&order.file)?))
}

/// Instructions of all machines so far.
fn instructions(system: &System) -> u64 {
    let machines = system.machines.iter();
    let machines = machines.filter_map(|seat| system.serial.get::<Machine>(seat.machine));
    machines.map(|m| m.statistics().instructions()).sum()
}

/// Begins a recording, if one is asked for: last, since it replaces an older one.
fn recorder(
    options: &Options,
    origin: Option<&Origin>,
) -> Result<Option<RefCell<Recorder>>, ArchiveError> {
    match (&options.record, origin) {
        (Some(path), Some(origin)) => Ok(Some(RefCell::new(Recorder::create(path, origin)?))),
        _ => Ok(None),
    }
}

/// Where what the run leaves behind comes from, if it is to leave anything.
fn origin(opened: &Opened, options: &Options) -> Result<Option<Origin>, ArchiveError> {
    let wanted = options.record.is_some() || options.snapshot.is_some();
    let origin = wanted.then(|| Origin::of(opened, options.interactive));
    origin.transpose()
}

/// A line about the machines, if there is a terminal for it.
fn live_line(system: &mut System) -> Option<LiveLine> {
    let progress = Rc::new(Progress::default());
    for seat in &system.machines {
        if let Some(machine) = system.serial.get_mut::<Machine>(seat.machine) {
            machine.show_progress(Rc::clone(&progress));
        }
    }
    LiveLine::at_terminal(Box::new(move || {
        (progress.instructions.get(), progress.exits.get())
    }))
}

/// Shows what the consoles and the output still hold.
fn flush(system: &mut System, output: &Output) {
    system.each_console(Console::flush);
    output.flush();
    erase_live_line();
}

fn check_person(description: &Description, options: &Options) -> Result<(), RunError> {
    if !options.interactive {
        return Ok(());
    }
    if !has_person() {
        return Err(RunError::NoTerminal);
    }
    match description.machines.len() {
        0 | 1 => Ok(()),
        count => Err(RunError::SeveralMachines(count)),
    }
}

/// The system at the start of the run.
fn begin(
    opened: &mut Opened,
    start: &mut Start,
    options: &Options,
    output: &Output,
) -> Result<System, RunError> {
    let Start::Snapshot { path, saved, .. } = start else {
        if options.interactive {
            opened.description.leave_to_a_person();
        }
        return Ok(build(opened, output.clone())?);
    };
    let sections = mem::take(&mut saved.sections);
    let mut system = restore(path, opened, sections, output.clone())?;
    tell_of_resets(&system);
    if options.interactive {
        // The script was part of what was saved, and is set aside only now.
        opened.description.leave_to_a_person();
        system.each_console(Console::leave_to_a_person);
    }
    Ok(system)
}

/// Connections that no snapshot can hold are lost to the guest, which is told by a reset.
fn tell_of_resets(system: &System) {
    let gateways = system.gateways.iter();
    for gateway in gateways.filter_map(|g| system.serial.get::<Gateway>(g.gateway)) {
        let count = gateway.connections_to_reset();
        if count > 0 {
            let path = gateway.path();
            warn!(
                "{path}: connections to the host that the snapshot cannot hold are reset: {count}"
            );
        }
    }
}

/// The system at the moment of a snapshot.
pub(crate) fn restore(
    path: &Path,
    opened: &Opened,
    sections: Sections,
    output: Output,
) -> Result<System, RunError> {
    let mut system = build_unbooted(opened, output)?;
    let restored = system.serial.restore(sections);
    restored.map_err(|source| ArchiveError::Restore {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(system)
}

/// The console that a keyboard would be for: several machines would quarrel about it.
fn keyboard(description: &Description, system: &System) -> Option<ComponentId> {
    match (description.machines.as_slice(), system.machines.as_slice()) {
        ([described], [seat]) if described.console.script.is_empty() => Some(seat.console),
        _ => None,
    }
}

/// Drives the run with what feeds it: the outside, recorded if asked for, or a recording.
fn fed<'a>(
    system: &mut System,
    outside: &mut Outside,
    mut course: Course<'a>,
    start: &Start,
    recorder: Option<&'a RefCell<Recorder>>,
) -> Result<Driven, RunError> {
    if let Start::Recording(recording) = start {
        course.log = Log::compare(&recording.records);
        course.end = course.end.min(recording.end());
        let rim = Replay::new(&recording.records, &system.serial, outside);
        let mut rim = rim.map_err(|component| RunError::NoComponent { component })?;
        let mut driven = drive(system, &mut rim, course);
        if driven.outcome == Outcome::Limit && system.serial.now() >= recording.end() {
            driven.recorded_end = Some(recording.ending().to_owned());
        }
        return Ok(driven);
    }
    let Some(recorder) = recorder else {
        return Ok(drive(system, outside, course));
    };
    course.log = Log::Write(recorder);
    let mut rim = Recorded {
        outside,
        recorder,
        paths: system
            .serial
            .paths()
            .map(|(id, p)| (id, p.to_owned()))
            .collect(),
    };
    Ok(drive(system, &mut rim, course))
}

/// The outside, and a recording of what comes from it.
struct Recorded<'a> {
    outside: &'a mut Outside,
    recorder: &'a RefCell<Recorder>,
    paths: BTreeMap<ComponentId, String>,
}

impl Rim for Recorded<'_> {
    fn before(&mut self, t: SimTime) -> RimAction {
        self.outside.before(t)
    }
    fn idle(&mut self) -> RimAction {
        self.outside.idle()
    }
    fn window(&self) -> SimTime {
        self.outside.window()
    }
    fn accepted(&mut self, input: &Input) {
        self.outside.accepted(input);
        self.recorder.borrow_mut().add(&Record::Input {
            at: input.at,
            to: self.paths.get(&input.to).cloned().unwrap_or_default(),
            port: input.port,
            msg: input.msg.clone(),
        });
    }
}

fn last_moment(d: &Description) -> SimTime {
    let time = |t: Option<SimTime>| t.unwrap_or(SimTime::MAX);
    time(d.limits.time).min(time(expected_within(d)))
}

fn finish_recording(
    mut recorder: Recorder,
    cut_at: Option<SimTime>,
    hash: Option<TraceHash>,
    endings: &[Ending],
    failures: &mut Vec<Reason>,
) {
    let endings: Vec<String> = endings.iter().map(ToString::to_string).collect();
    recorder.add(&Record::End {
        cut_at,
        hash: hash.map(|h| *h.as_bytes()),
        ending: endings.join("; "),
    });
    if let Some(error) = recorder.take_failure() {
        let remedy = error.remedy();
        let text = format!("the recording is not complete: {}", with_causes(&error));
        failures.push(drive::host(text).with_remedy(remedy));
    }
}

/// Says how the end of a replay differs from the recorded one.
fn compare_end(recording: &Recording, hash: Option<TraceHash>, failures: &mut Vec<Reason>) {
    if recording.unfinished {
        let class = Verdict::GuestFailure;
        let text =
            "the recording ends before the run did: its process was killed, or the file was cut";
        failures.push(Reason::new(class, text).with_remedy(
            "copy it again from where it was made; if it ends there too, this is all that is known",
        ));
        return;
    }
    let Some(Record::End {
        hash: Some(recorded),
        ..
    }) = recording.records.last()
    else {
        return;
    };
    let same = hash.is_some_and(|h| h.as_bytes() == recorded);
    if !same && failures.is_empty() {
        let text = "the end of the replay differs from that of the recording, by its trace hash";
        failures.push(drive::host(text.to_owned()));
    }
}
