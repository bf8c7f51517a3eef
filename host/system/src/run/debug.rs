//! Runs a system under a debugger: the debugger's turn and the machine's turn, one after the other.

use super::conclude::{ending, host_failure, report};
use super::drive::{self, Course, Log, drive_by};
use super::trace::Tracing;
use super::{Options, RunError, flush, last_moment, origin, outlets, snapshot_place};
use crate::build::{Seat, System, build};
use crate::open::Opened;
use crate::report::{HostTimes, Report};
use crate::verdict::Ending;
use maquette_machine::Machine;
use maquette_machine::debug::{Broken, Debugger, State};
use maquette_model::SimTime;
use maquette_rim::{DebugEvent, DebugPort, Debugged, Output, Outside, Pace, Signals, tell};
use maquette_sim::{ComponentId, Outcome};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

/// How a system is debugged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DebugOptions {
    /// Where to listen: `HOST:PORT` or `unix:PATH`.
    pub listen: String,
    /// Which machine; only a system of several needs to be told.
    pub machine: Option<String>,
}

impl DebugOptions {
    /// The socket in the file system that it listens at, if it does.
    pub(super) fn socket(&self) -> Option<&Path> {
        self.listen.strip_prefix("unix:").map(Path::new)
    }
}

/// Builds a system, waits for a debugger at the first instruction, and runs it as the debugger wants. No
/// keyboard, no limit of the host's time; everything else is as in [`crate::run()`].
///
/// # Errors
/// When the system cannot be built, has no such machine, or nobody can be listened for.
pub(super) fn debug(
    opened: &Opened,
    options: &Options,
    how: &DebugOptions,
) -> Result<Report, RunError> {
    let host = |what| move |source| RunError::Host { what, source };
    let signals = Rc::new(Signals::listen().map_err(host("signal handlers"))?);
    let output = Output::standard(&signals);
    let mut system = build(opened, output.clone())?;
    let seat = choose(&system, how.machine.as_deref())?;
    let machine = seat.machine;
    let mut port = DebugPort::listen(&how.listen, &signals)?;
    let origin = origin(opened, options)?;
    let place = snapshot_place(&system, options)?;
    let description = &opened.description;
    let tracing = Tracing::begin(options.trace.as_ref(), description, &mut system)?;
    tell(format_args!(
        "waiting for a debugger: target remote {}",
        port.address()
    ));
    let began = Instant::now();
    let networks = outlets::of(opened, &system, false)?;
    let rim = Outside::new(&signals, &output, Pace::Virtual, None, None);
    let mut rim = rim.with_networks(networks);
    let mut session = Session::with(machine);
    let course = Course {
        description,
        origin: origin.as_ref(),
        end: last_moment(description),
        snapshot: options.snapshot.as_ref(),
        place,
        log: Log::Off,
    };
    let driven = drive_by(&mut system, course, |system, until| {
        session.run(system, until, &mut port, &mut rim, &output)
    });
    flush(&mut system, &output);
    let took = began.elapsed();
    let endings: Vec<Ending> = (system.machines.iter())
        .map(|seat| ending(&system, seat, description, &driven, &rim, &output))
        .collect();
    let hash = (driven.outcome != Outcome::Aborted).then(|| system.serial.finish());
    let mut failures = driven.failures;
    failures.extend(host_failure(&endings, &output));
    let untraced = tracing.and_then(|tracing| tracing.finish(&mut system));
    failures.extend(untraced.map(drive::host));
    let times = HostTimes {
        run: took,
        saved_in: driven.saved_in,
        ..HostTimes::default()
    };
    let report = report(&system, description, endings, failures, hash, times);
    if let Some(machine) = system.serial.get_mut(machine) {
        session.end(machine, &mut port, report.exit_code(false));
    }
    Ok(report)
}

fn choose<'a>(system: &'a System, name: Option<&str>) -> Result<&'a Seat, RunError> {
    let machines = || system.machines.iter().map(|s| s.name.clone()).collect();
    match (name, system.machines.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(RunError::WhichMachine {
            machines: machines(),
        }),
        (Some(name), seats) => {
            let found = seats.iter().find(|s| s.name == name);
            found.ok_or_else(|| RunError::NoMachine {
                name: name.to_owned(),
                machines: machines(),
            })
        }
    }
}

/// The debuggers of one run.
struct Session {
    /// Which is debugged.
    machine: ComponentId,
    debugger: Option<Debugger>,
    /// One has been there: the machine need not wait for the first.
    met: bool,
}

impl Session {
    fn with(machine: ComponentId) -> Self {
        Self {
            machine,
            debugger: None,
            met: false,
        }
    }

    /// Runs up to a time, as the debugger wants.
    fn run(
        &mut self,
        system: &mut System,
        until: SimTime,
        port: &mut DebugPort,
        rim: &mut Outside,
        output: &Output,
    ) -> Outcome {
        loop {
            output.flush();
            if let Some(machine) = system.serial.get_mut(self.machine) {
                self.serve(machine, port, rim);
            }
            let mut outside = Debugged::new(rim, port);
            match system.serial.run(until, &mut outside) {
                Outcome::Paused => {}
                outcome => return outcome,
            }
        }
    }

    /// The debugger's turn: returns when the machine is to run.
    fn serve(&mut self, machine: &mut Machine, port: &mut DebugPort, rim: &mut Outside) {
        if let Some(debugger) = &mut self.debugger {
            let told = debugger.report(machine);
            self.follow(machine, port, rim, told);
        }
        loop {
            let stopped = self
                .debugger
                .as_ref()
                .is_some_and(|d| d.state() == State::Stopped);
            let event = if stopped || !self.met {
                Some(port.wait())
            } else {
                port.look()
            };
            let done = match (event, &mut self.debugger) {
                (None, _) => return,
                (Some(DebugEvent::Interrupted), _) => {
                    // The run ends; nothing may hold it up.
                    self.part(machine, port);
                    self.met = true;
                    return;
                }
                (Some(DebugEvent::Connected), _) => {
                    self.met = true;
                    Debugger::attach(machine).map(|d| self.debugger = Some(d))
                }
                (Some(DebugEvent::Gone), _) => {
                    tell("the debugger is gone; the machine goes on");
                    self.part(machine, port);
                    Ok(())
                }
                (Some(DebugEvent::Bytes(bytes)), Some(debugger)) => {
                    debugger.receive(machine, &bytes)
                }
                (Some(DebugEvent::Bytes(_)), None) => Ok(()),
            };
            self.follow(machine, port, rim, done);
        }
    }

    /// Sends what there is to say, and draws the consequences of what was said.
    fn follow(
        &mut self,
        machine: &mut Machine,
        port: &mut DebugPort,
        rim: &mut Outside,
        done: Result<(), Broken>,
    ) {
        if let Some(debugger) = &mut self.debugger {
            port.send(&debugger.take_outgoing());
        }
        if let Err(broken) = &done {
            tell(format_args!("{broken}; the machine goes on without it"));
            self.part(machine, port);
        }
        match self.debugger.as_ref().map(Debugger::state) {
            Some(State::Detached) => self.part(machine, port),
            Some(State::Killed) => {
                rim.kill();
                self.part(machine, port);
            }
            _ => {}
        }
    }

    /// The machine goes on without the debugger.
    fn part(&mut self, machine: &mut Machine, port: &mut DebugPort) {
        if let Some(mut debugger) = self.debugger.take() {
            debugger.lose(machine);
        }
        port.close();
    }

    /// The run is over.
    fn end(&mut self, machine: &mut Machine, port: &mut DebugPort, code: u8) {
        if let Some(debugger) = &mut self.debugger {
            // Who is told nothing sees the connection end.
            let _ = debugger.report_end(machine, code);
            port.send(&debugger.take_outgoing());
        }
        self.part(machine, port);
    }
}
