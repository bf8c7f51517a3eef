//! Runs a system to its end and says what happened.

use crate::build::{Seat, System, build};
use crate::console::{Console, KEYBOARD};
use crate::description::Description;
use crate::open::Opened;
use crate::render::Problems;
use crate::report::{MachineReport, Report};
use crate::verdict::{Ending, Reason, Unmet, Verdict, gravest, judge};
use maquette_machine::{Machine, Status};
use maquette_model::SimTime;
use maquette_rim::{
    Ended, Keyboard, Output, Outside, Pace, RawMode, Signals, has_person, output_failure,
};
use maquette_sim::Outcome;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tracing::info;

/// Why there was no run.
#[derive(Debug, Error)]
pub enum RunError {
    /// The system cannot be built.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// An interactive run without a person.
    #[error("`--interactive` needs a terminal at standard input")]
    NoTerminal,
    /// An interactive run of several machines.
    #[error("`--interactive` is for a system of one machine, and this one has {0}")]
    SeveralMachines(usize),
    /// The host refuses what every run needs.
    #[error("the host refuses {what}")]
    Host {
        /// What.
        what: &'static str,
        /// Its words.
        #[source]
        source: io::Error,
    },
}

/// What the user wants of a run beyond what the system file says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How fast; real with a person at the terminal and virtual otherwise, if not said.
    pub pace: Option<Pace>,
    /// A person takes over: the file's script, limits and expectations are set aside.
    pub interactive: bool,
}

/// Builds and runs a system. What the guest prints goes to standard output; with a person at
/// standard input and no script, what is typed goes to the guest.
///
/// # Errors
/// When the system cannot be built or the host refuses signals or the terminal. Everything that goes
/// wrong later is in the report.
pub fn run(mut opened: Opened, options: Options) -> Result<Report, RunError> {
    let host = |what| move |source| RunError::Host { what, source };
    if options.interactive {
        if !has_person() {
            return Err(RunError::NoTerminal);
        }
        let count = opened.description.machines.len();
        if count > 1 {
            return Err(RunError::SeveralMachines(count));
        }
        opened.description.leave_to_a_person();
    }
    let signals = Rc::new(Signals::listen().map_err(host("signal handlers"))?);
    let output = Output::standard(&signals);
    let mut system = build(&opened, output.clone())?;
    let description = &opened.description;
    // Several machines would quarrel about the keyboard.
    let console = match (description.machines.as_slice(), system.machines.as_slice()) {
        ([described], [seat]) if described.console.script.is_empty() => Some(seat.console),
        _ => None,
    };
    let console = console.filter(|_| has_person());
    let interactive = console.is_some();
    let pace = options.pace.unwrap_or(if interactive {
        Pace::Real
    } else {
        Pace::Virtual
    });
    let raw = if interactive {
        RawMode::enter().map_err(host("the terminal's raw mode"))?
    } else {
        None
    };
    let keyboard = console.map(|to| Keyboard { to, port: KEYBOARD });
    let host_time = description.limits.host_time;
    info!(?pace, interactive, "the run begins");
    let began = Instant::now();
    let mut rim = Outside::new(&signals, &output, pace, keyboard, host_time);
    let outcome = system.serial.run(last_moment(description), &mut rim);
    for seat in &system.machines {
        if let Some(console) = system.serial.get_mut::<Console>(seat.console) {
            console.flush();
        }
    }
    output.flush();
    let host_time = began.elapsed();
    drop(raw);
    let endings: Vec<Ending> = (system.machines.iter())
        .map(|seat| ending(&system, seat, description, outcome, &rim, &output))
        .collect();
    info!(%outcome, ?endings, "the run is over");
    let failure = host_failure(&endings, &output);
    Ok(report(system, description, endings, failure, host_time))
}

fn last_moment(d: &Description) -> SimTime {
    let time = |t: Option<SimTime>| t.unwrap_or(SimTime::MAX);
    time(d.limits.time).min(time(expected_within(d)))
}

/// The virtual time within which all machines should have ended.
fn expected_within(d: &Description) -> Option<SimTime> {
    d.machines.iter().filter_map(|m| m.expect.time).min()
}

/// How it ended for one machine.
fn ending(
    system: &System,
    seat: &Seat,
    d: &Description,
    outcome: Outcome,
    rim: &Outside,
    output: &Output,
) -> Ending {
    let console = system.serial.get::<Console>(seat.console);
    if let Some(text) = console.and_then(Console::offence) {
        return Ending::Forbidden(text.to_owned());
    }
    // Also when the last line was the one that did not reach it.
    if output.has_lost_terminal() {
        return Ending::TerminalGone;
    }
    let status = system
        .serial
        .get::<Machine>(seat.machine)
        .map(|m| m.status().clone());
    match (status, outcome) {
        (Some(Status::PoweredOff), _) => Ending::PowerOff,
        (Some(Status::GuestFailed(code)), _) => Ending::Failure(code),
        (Some(Status::HartFailed { hart, pc, what }), _) => {
            Ending::HartFailure(format!("hart{hart} cannot go on at pc {pc:#x}: {what}"))
        }
        (Some(Status::RestartFailed(what)), _) => {
            Ending::HartFailure(format!("the machine cannot be restarted: {what}"))
        }
        (Some(Status::InstructionLimit), _) => {
            Ending::InstructionLimit(d.limits.instructions.unwrap_or(0))
        }
        (_, Outcome::Idle) => Ending::Deadlock(idle(system, seat)),
        (_, Outcome::Limit) => limit(d, system),
        // Another machine's console showed what it must not.
        (_, Outcome::Stopped) => Ending::CutShort,
        (_, Outcome::Interrupted | Outcome::Aborted) => interrupted(rim, output),
    }
}

fn idle(system: &System, seat: &Seat) -> String {
    let own = [seat.machine, seat.console].map(|id| system.serial.path(id));
    let reports = system.serial.idle_reports().into_iter();
    let reports: Vec<String> = reports
        .filter(|(path, _)| own.contains(&Some(path)))
        .map(|(path, what)| format!("{path}: {what}"))
        .collect();
    reports.join("; ")
}

fn limit(d: &Description, system: &System) -> Ending {
    let reached = system.serial.now();
    match (expected_within(d), d.limits.time) {
        (Some(t), limit) if t <= reached && limit.is_none_or(|l| t <= l) => Ending::Late(t),
        (_, Some(t)) if t <= reached => Ending::TimeLimit(t),
        _ => Ending::TimeLimit(reached),
    }
}

fn interrupted(rim: &Outside, output: &Output) -> Ending {
    match rim.ended() {
        Some(Ended::Signal(number)) => Ending::Signal(number),
        Some(Ended::Quit) => Ending::Quit,
        Some(Ended::Terminal) => Ending::TerminalGone,
        Some(Ended::HostTime) => Ending::HostTimeLimit,
        Some(Ended::Output) => Ending::Host(output_failure(output)),
        Some(Ended::Host) => Ending::Host("the host refuses to wait for input".to_owned()),
        None => Ending::Host("the run stopped for no known reason".to_owned()),
    }
}

/// What the host failed at beside how the run ended: its last lines may have reached nobody.
fn host_failure(endings: &[Ending], output: &Output) -> Option<Reason> {
    let told = |e: &Ending| matches!(e, Ending::Host(_) | Ending::TerminalGone);
    let untold = output.has_failed() && !endings.iter().any(told);
    untold.then(|| Reason {
        class: Verdict::HostFailure,
        text: output_failure(output),
    })
}

fn report(
    mut system: System,
    d: &Description,
    endings: Vec<Ending>,
    failure: Option<Reason>,
    host_time: Duration,
) -> Report {
    let exact = endings.iter().all(Ending::is_exact);
    let hash = exact.then(|| system.serial.finish());
    let several = system.machines.len() > 1;
    let mut worst = None;
    let mut reasons: Vec<Reason> = failure.into_iter().collect();
    let mut machines = Vec::new();
    for ((seat, described), ending) in system.machines.iter().zip(&d.machines).zip(endings) {
        let machine = system.serial.get::<Machine>(seat.machine);
        let console = system.serial.get::<Console>(seat.console);
        let unmet = Unmet {
            console: console.and_then(Console::still_expected),
            script: console.and_then(Console::script_waits_for),
            host_errors: machine.map_or(&[], |m| m.host_errors()),
        };
        let (verdict, mut own) = judge(&described.expect, &ending, unmet);
        let name = &seat.name;
        if several {
            for reason in &mut own {
                reason.text = format!("{name}: {}", reason.text);
            }
        }
        reasons.extend(own);
        if worst.as_ref().is_none_or(|(most, _)| verdict > *most) {
            worst = Some((verdict, ending.clone()));
        }
        machines.push(MachineReport {
            name: name.clone(),
            ending,
            console_bytes: console.map_or((0, 0), Console::bytes),
            statistics: machine.map(Machine::statistics).unwrap_or_default(),
        });
    }
    Report {
        machines,
        level: system.serial.trace().level(),
        counts: system.serial.trace().counts(),
        engine: system.serial.statistics(),
        hash,
        verdict: gravest(&mut reasons),
        reasons,
        ending: worst.map_or(Ending::CutShort, |(_, ending)| ending),
        host_time,
    }
}
