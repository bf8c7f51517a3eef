//! What a run came to: how it ended for each machine, and the report.

use super::drive::Driven;
use crate::build::{Seat, System};
use crate::console::Console;
use crate::description::Description;
use crate::report::{HostTimes, MachineReport, Report};
use crate::verdict::{Ending, Reason, Unmet, Verdict, gravest, judge};
use maquette_machine::{Machine, Status};
use maquette_model::SimTime;
use maquette_rim::{Ended, Output, Outside, output_failure};
use maquette_sim::Outcome;
use maquette_trace::TraceHash;

/// The virtual time within which all machines should have ended.
pub(super) fn expected_within(d: &Description) -> Option<SimTime> {
    d.machines.iter().filter_map(|m| m.expect.time).min()
}

/// How it ended for one machine.
pub(super) fn ending(
    system: &System,
    seat: &Seat,
    d: &Description,
    drive: &Driven,
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
    if drive.saved_and_stopped {
        return Ending::Saved;
    }
    if let Some(how) = &drive.recorded_end {
        return Ending::Recorded(how.clone());
    }
    match (status, drive.outcome) {
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
        (_, Outcome::Interrupted | Outcome::Aborted | Outcome::Paused) => interrupted(rim, output),
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
        Some(Ended::Debugger) => Ending::Killed,
        Some(Ended::Terminal) => Ending::TerminalGone,
        Some(Ended::HostTime) => Ending::HostTimeLimit,
        Some(Ended::Output) => Ending::Host(output_failure(output)),
        Some(Ended::Host) => Ending::Host("the host refuses to wait for input".to_owned()),
        None => Ending::Host("the run stopped for no known reason".to_owned()),
    }
}

/// What the host failed at beside how the run ended: its last lines may have reached nobody.
pub(super) fn host_failure(endings: &[Ending], output: &Output) -> Option<Reason> {
    let told = |e: &Ending| matches!(e, Ending::Host(_) | Ending::TerminalGone);
    let untold = output.has_failed() && !endings.iter().any(told);
    untold.then(|| Reason::new(Verdict::HostFailure, output_failure(output)))
}

/// The virtual time of a run's end. A run that was cut has come to that time, whatever happened last.
fn time_reached(system: &System, endings: &[Ending]) -> SimTime {
    let machines = system.machines.iter();
    let machines = machines.filter_map(|seat| system.serial.get::<Machine>(seat.machine));
    let cut = endings.iter().any(Ending::is_a_cut);
    let cut_at = cut.then(|| system.serial.now());
    let times = machines.map(|machine| machine.statistics().time);
    times.chain(cut_at).max().unwrap_or(SimTime::ZERO)
}

pub(super) fn report(
    system: &System,
    d: &Description,
    endings: Vec<Ending>,
    failures: Vec<Reason>,
    hash: Option<TraceHash>,
    host_times: HostTimes,
) -> Report {
    let endings_cut = endings.iter().any(Ending::is_from_outside);
    let time = time_reached(system, &endings);
    let several = system.machines.len() > 1;
    let mut worst = None;
    let mut reasons = failures;
    let mut machines = Vec::new();
    for ((seat, described), ending) in system.machines.iter().zip(&d.machines).zip(endings) {
        let machine = system.serial.get::<Machine>(seat.machine);
        let console = system.serial.get::<Console>(seat.console);
        let statistics = machine.map(Machine::statistics).unwrap_or_default();
        // A guest that was never let run has left nothing undone.
        let began = statistics.instructions() > 0 || !ending.is_from_outside();
        let console_began = console.filter(|_| began);
        let unmet = Unmet {
            console: console_began.and_then(Console::still_expected),
            script: console_began.and_then(Console::script_waits_for),
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
            host_date: seat.host_date,
            console_bytes: console.map_or((0, 0), Console::bytes),
            statistics,
        });
    }
    Report {
        machines,
        time,
        cut_at: endings_cut.then(|| system.serial.now()),
        level: system.serial.trace().level(),
        counts: system.serial.trace().counts(),
        engine: system.serial.statistics(),
        hash,
        verdict: gravest(&mut reasons),
        reasons,
        ending: worst.map_or(Ending::CutShort, |(_, ending)| ending),
        host_times,
    }
}
