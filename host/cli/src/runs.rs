//! The verbs that run a system: `run`, `resume`, `replay`, `gdb`, `inspect`.

use crate::args::{
    GdbArgs, InspectArgs, MomentArgs, PaceArg, ReplayArgs, ReportArgs, ResumeArgs, RunArgs,
    SnapshotArgs, TraceArgs,
};
use crate::print::{self, complain};
use crate::stats::{self, Stats};
use crate::{HOST_FAILURE, set_up};
use maquette_rim::Pace;
use maquette_system::look::{self, Subject};
use maquette_system::{
    DebugOptions, EXIT_SETUP, Moment, Options, Prepared, Report, RunError, SnapshotOrder,
    TraceOrder, Verdict, Warning, clip, units, with_causes,
};
use std::path::PathBuf;

/// What a message is cut to.
const LONGEST_MESSAGE: usize = 600;

/// Runs a system file.
pub fn run(args: &RunArgs) -> u8 {
    let options = options(
        args.pace,
        args.interactive,
        args.record.clone(),
        &args.snapshot,
        &args.trace,
    );
    reported(&args.report, options, |options| {
        let opened = maquette_system::open(&args.file.file, &args.file.set)?;
        Prepared::boot(opened, options)
    })
}

/// Goes on from a snapshot.
pub fn resume(args: &ResumeArgs) -> u8 {
    let options = options(
        args.pace,
        args.interactive,
        None,
        &args.snapshot,
        &args.trace,
    );
    reported(&args.report, options, |options| {
        Prepared::resume(&args.file, args.root.as_deref(), options)
    })
}

/// Runs a recording again.
pub fn replay(args: &ReplayArgs) -> u8 {
    let options = Options {
        trace: traced(&args.trace),
        ..Options::default()
    };
    reported(&args.report, Ok(options), |options| {
        Prepared::replay(&args.file, args.root.as_deref(), options)
    })
}

/// Runs a system file under a debugger.
pub fn gdb(args: GdbArgs) -> u8 {
    let how = DebugOptions {
        listen: args.listen,
        machine: args.machine,
    };
    let options = options(None, false, None, &args.snapshot, &args.trace);
    reported(&args.report, options, |options| {
        let opened = maquette_system::open(&args.file.file, &args.file.set)?;
        Prepared::debug(opened, how, options)
    })
}

fn options(
    pace: Option<PaceArg>,
    interactive: bool,
    record: Option<PathBuf>,
    snapshot: &SnapshotArgs,
    trace: &TraceArgs,
) -> Result<Options, String> {
    Ok(Options {
        pace: pace.map(|pace| match pace {
            PaceArg::Virtual => Pace::Virtual,
            PaceArg::Real => Pace::Real,
        }),
        interactive,
        record,
        snapshot: order(snapshot)?,
        trace: traced(trace),
        ..Options::default()
    })
}

/// The trace that the arguments ask for.
fn traced(args: &TraceArgs) -> Option<TraceOrder> {
    args.trace.as_ref().map(|file| TraceOrder {
        file: file.clone(),
        symbols: args.symbols.clone(),
    })
}

/// The snapshot that the arguments ask for.
fn order(args: &SnapshotArgs) -> Result<Option<SnapshotOrder>, String> {
    let when = moment(&args.moment)?;
    let Some(file) = &args.snapshot else {
        return match when {
            None => Ok(None),
            Some(_) => Err("maquette: --at and --when name the moment of a snapshot\n  remedy: add --snapshot FILE\n".to_owned()),
        };
    };
    let Some(when) = when else {
        return Err(
            "maquette: --snapshot needs a moment\n  remedy: add --at 2s, or --when \"login:\"\n"
                .to_owned(),
        );
    };
    Ok(Some(SnapshotOrder {
        file: file.clone(),
        when,
        stop: args.stop,
    }))
}

/// The moment that the arguments name.
fn moment(args: &MomentArgs) -> Result<Option<Moment>, String> {
    match (&args.at, &args.when) {
        (Some(at), _) => match units::time(at) {
            Ok(time) => Ok(Some(Moment::Time(time))),
            Err(error) => Err(format!(
                "maquette: --at {at}: {error}\n  remedy: {}\n",
                error.remedy()
            )),
        },
        (None, Some(text)) if text.is_empty() => Err(
            "maquette: --when is empty\n  remedy: name a text that the guest prints, such as --when \"login:\"\n"
                .to_owned(),
        ),
        (None, Some(text)) => Ok(Some(Moment::Text(text.clone()))),
        (None, None) => Ok(None),
    }
}

/// Shows the state of a system.
pub fn inspect(args: &InspectArgs) -> u8 {
    let has_moment = args.moment.at.is_some() || args.moment.when.is_some();
    let subject = if look::is_snapshot(&args.file) {
        if has_moment || !args.set.is_empty() {
            complain(
                "maquette: --at, --when and --set are for system files; a snapshot is of one moment\n  remedy: leave them out, or name the system file\n",
            );
            return EXIT_SETUP;
        }
        let root = args.root.clone();
        Ok(Subject::Snapshot { root })
    } else {
        let overrides = args.set.clone();
        moment(&args.moment).map(|when| Subject::System { overrides, when })
    };
    let shown = match subject {
        Ok(subject) => match look::look(&args.file, &subject) {
            Ok(tree) if args.json => look::show_json(&tree, &args.paths)
                .map(|json| format!("{json:#}\n"))
                .map_err(|m| format!("maquette: {m}\n")),
            Ok(tree) => look::show(&tree, &args.paths, args.all)
                .map(with_what_is_hidden)
                .map_err(|m| format!("maquette: {m}\n")),
            Err(error) => return refuse(error),
        },
        Err(message) => Err(message),
    };
    match shown {
        Ok(text) => print::print(&text),
        Err(message) => {
            complain(&message);
            EXIT_SETUP
        }
    }
}

/// The lines; how many are left out is said elsewhere, where it is in nobody's way.
fn with_what_is_hidden(lines: look::Lines) -> String {
    if lines.hidden > 0 {
        let count = lines.hidden;
        complain(&format!(
            "maquette: {count} parts at rest are not shown; --all shows them\n"
        ));
    }
    lines.text
}

/// Prepares the run, makes the statistics' file, runs, and says what came of it.
fn reported(
    args: &ReportArgs,
    options: Result<Options, String>,
    prepare: impl FnOnce(Options) -> Result<Prepared, RunError>,
) -> u8 {
    let mut options = match options {
        Ok(options) => options,
        Err(message) => return wrong(&message),
    };
    options.live = !args.quiet;
    options.stats = args.stats.clone().filter(|path| stats::is_file(path));
    let prepared = match prepare(options) {
        Ok(prepared) => prepared,
        Err(error) => return refuse(error),
    };
    // The file is made before the run: hours of work are not lost to a mistyped name.
    let stats = match args.stats.as_deref().map(stats::create).transpose() {
        Ok(stats) => stats,
        Err(message) => return wrong(&message),
    };
    for Warning { text, remedy } in prepared.warnings() {
        complain(&format!("maquette: warning: {text}\n  remedy: {remedy}\n"));
    }
    match prepared.run() {
        Ok(report) => say(args, &report, stats),
        Err(error) => refuse(error),
    }
}

/// Wrong usage, said.
fn wrong(message: &str) -> u8 {
    complain(message);
    EXIT_SETUP
}

fn say(args: &ReportArgs, report: &Report, stats: Option<Stats>) -> u8 {
    complain(&report.complaint());
    if !args.quiet {
        complain(&report.to_string());
    }
    let written = stats.map_or(Ok(()), |s| s.write(&format!("{:#}\n", report.json())));
    if let Err(message) = &written {
        complain(message);
    }
    if written.is_err() || print::is_something_lost() {
        return report.verdict.max(Verdict::HostFailure).exit_code();
    }
    report.exit_code(args.guest_status)
}

fn refuse(error: RunError) -> u8 {
    let (class, code) = match error {
        RunError::Problems(problems) => return set_up(&problems),
        RunError::Host { .. } => ("host failure: ", HOST_FAILURE),
        _ => ("", EXIT_SETUP),
    };
    // Names in the message may come from a damaged file.
    let what = clip(&with_causes(&error), LONGEST_MESSAGE);
    let remedy = error.remedy();
    complain(&format!("maquette: {class}{what}\n  remedy: {remedy}\n"));
    code
}
