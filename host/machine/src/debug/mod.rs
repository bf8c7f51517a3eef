//! Debugging a machine over GDB's remote serial protocol.
//!
//! ```text
//!  bytes in ─► Framer ─► Grammar ─► gdbstub ─► target: registers, memory, points, steps   ─► Machine
//!  bytes out ◄─────────────┴───────────┘         └─ monitor: what only this machine can tell
//! ```
//!
//! The protocol and its types live in here and nowhere else; who owns the connection hands over bytes.
//!
//! What the machine itself does for a debugger, stopping above all, is in `machine/debugging.rs`.
//!
//! # Invariants
//!
//! * No byte from outside makes anything here panic. What is no packet is skipped, what the protocol
//!   forbids is answered by an error, and neither the machine nor the connection is harmed by it.
//! * Looking changes nothing: neither accessed bits, nor devices, nor what a guest reads as time.
//! * The machine stands still while [`Debugger::state`] is [`State::Stopped`].

mod arch;
mod framer;
mod grammar;
mod monitor;
mod target;

use crate::Machine;
use crate::machine::debugging::{BreakKind, Stop, Why};
use core::convert::Infallible;
use framer::{Frame, Framer, framed};
use gdbstub::common::{Signal, Tid};
use gdbstub::conn::Connection;
use gdbstub::stub::state_machine::GdbStubStateMachine;
use gdbstub::stub::{BaseStopReason, DisconnectReason, GdbStub, MultiThreadStopReason};
use grammar::{Grammar, Refusal, Verdict};
use maquette_model::DebugStop;
use thiserror::Error;

/// The longest packet that is taken, and the longest that GDB is told to send.
pub const MOST_PACKET: usize = 16 * 1024;

/// How a debugger and its machine stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The machine waits for commands.
    Stopped,
    /// The machine is to run.
    Running,
    /// The debugger lets the machine go.
    Detached,
    /// The debugger wants the run to end.
    Killed,
}

/// Why a connection cannot go on.
#[derive(Debug, Error)]
pub enum Broken {
    /// What came in breaks the protocol.
    #[error("the debugger broke the protocol: {0}")]
    Protocol(String),
    /// The connection was used after its end.
    #[error("the debugger's connection was used after its end")]
    Over,
}

/// What is to be sent.
#[derive(Default)]
struct Outgoing(Vec<u8>);

impl Connection for Outgoing {
    type Error = Infallible;

    fn write(&mut self, byte: u8) -> Result<(), Infallible> {
        self.0.push(byte);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

type Stub = GdbStubStateMachine<'static, Machine, Outgoing>;

/// One debugger's connection to a machine.
pub struct Debugger {
    /// Gone when the connection is over.
    stub: Option<Stub>,
    framer: Framer,
    grammar: Grammar,
    /// The debugger wants no acknowledgements.
    silent: bool,
    /// What a stub that is gone has left to be sent.
    last_words: Vec<u8>,
    state: State,
}

impl Debugger {
    /// A debugger has connected: the machine stands still from now on.
    ///
    /// # Errors
    /// When the protocol cannot begin.
    pub fn attach(machine: &mut Machine) -> Result<Self, Broken> {
        machine.attach();
        let stub = GdbStub::builder(Outgoing::default())
            // Room for the frame around a packet.
            .packet_buffer_size(MOST_PACKET + 4)
            .build()
            .map_err(|e| Broken::Protocol(e.to_string()))?
            .run_state_machine(machine)
            .map_err(|e| Broken::Protocol(e.to_string()))?;
        Ok(Self {
            stub: Some(stub),
            framer: Framer::default(),
            grammar: Grammar::default(),
            silent: false,
            last_words: Vec::new(),
            state: State::Stopped,
        })
    }

    /// How things stand.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What is to be sent to the debugger.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        core::mem::take(self.outgoing())
    }

    fn outgoing(&mut self) -> &mut Vec<u8> {
        match &mut self.stub {
            Some(Stub::Idle(s)) => &mut s.borrow_conn().0,
            Some(Stub::Running(s)) => &mut s.borrow_conn().0,
            Some(Stub::CtrlCInterrupt(s)) => &mut s.borrow_conn().0,
            Some(Stub::Disconnected(s)) => &mut s.borrow_conn().0,
            None => &mut self.last_words,
        }
    }

    /// Takes what the debugger sent.
    ///
    /// # Errors
    /// When that breaks the protocol. The connection is over then, and the machine free.
    pub fn receive(&mut self, machine: &mut Machine, bytes: &[u8]) -> Result<(), Broken> {
        for &byte in bytes {
            if matches!(self.state, State::Detached | State::Killed) {
                break;
            }
            let frame = self.framer.push(byte);
            let done = match frame {
                Frame::Nothing => Ok(()),
                Frame::Interrupt => self.interrupt(machine),
                // Nothing but an interrupt may come while the machine runs.
                _ if self.state == State::Running => Ok(()),
                Frame::Harmed => self.ask_again(),
                Frame::TooLong => self.refuse(Refusal::TooLong),
                Frame::Packet(packet) => self.packet(machine, &packet),
            };
            if done.is_err() {
                self.release(machine, State::Detached);
                return done;
            }
        }
        Ok(())
    }

    fn ask_again(&mut self) -> Result<(), Broken> {
        if !self.silent {
            self.outgoing().push(b'-');
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) -> Result<(), Broken> {
        self.answer(format!("E.{refusal}").as_bytes())
    }

    /// Answers a packet that the stub is not given.
    fn answer(&mut self, body: &[u8]) -> Result<(), Broken> {
        let ack: &[u8] = if self.silent { b"" } else { b"+" };
        let answer = [ack, &framed(body)].concat();
        self.outgoing().extend_from_slice(&answer);
        Ok(())
    }

    fn packet(&mut self, machine: &mut Machine, packet: &[u8]) -> Result<(), Broken> {
        let body = framer::body(packet).unwrap_or_default();
        match self.grammar.check(body, machine.hart_count()) {
            Ok(Verdict::Pass) => self.silent |= body == b"QStartNoAckMode",
            Ok(Verdict::Unknown) => return self.answer(b""),
            Err(refusal) => return self.refuse(refusal),
        }
        for &byte in packet {
            let stub = match self.stub.take() {
                Some(Stub::Idle(stub)) => stub,
                other => {
                    self.stub = other;
                    return Err(Broken::Over);
                }
            };
            let next = stub
                .incoming_data(machine, byte)
                .map_err(|e| Broken::Protocol(e.to_string()))?;
            self.enter(machine, next);
        }
        Ok(())
    }

    /// The debugger wants the machine to stop.
    fn interrupt(&mut self, machine: &mut Machine) -> Result<(), Broken> {
        let next = match self.stub.take() {
            Some(Stub::Running(stub)) => {
                let hart = machine.current_hart();
                let why = Why::Asked;
                let reason = reason(machine, Stop { hart, why });
                stub.report_stop(machine, reason)
                    .map_err(|e| Broken::Protocol(e.to_string()))?
            }
            other => {
                self.stub = other;
                return Ok(());
            }
        };
        self.enter(machine, next);
        Ok(())
    }

    /// Tells the debugger of the stop that the machine has come to, if it has.
    ///
    /// # Errors
    /// When the protocol cannot go on.
    pub fn report(&mut self, machine: &mut Machine) -> Result<(), Broken> {
        let Some(stop) = machine.debugging().and_then(|d| d.take_stop()) else {
            return Ok(());
        };
        if let Some(words) = machine.store_that_stopped() {
            // A stop has no place for words; what a program prints while it runs has.
            let digits: String = words.bytes().map(|b| format!("{b:02x}")).collect();
            let printed = framed(format!("O{digits}0a").as_bytes());
            self.outgoing().extend_from_slice(&printed);
        }
        let reason = reason(machine, stop);
        self.say(machine, reason)
    }

    /// Tells the debugger that the run has ended with this exit code.
    ///
    /// # Errors
    /// When the protocol cannot go on.
    pub fn report_end(&mut self, machine: &mut Machine, code: u8) -> Result<(), Broken> {
        self.say(machine, BaseStopReason::Exited(code))
    }

    fn say(
        &mut self,
        machine: &mut Machine,
        reason: MultiThreadStopReason<u64>,
    ) -> Result<(), Broken> {
        match self.stub.take() {
            Some(Stub::Running(stub)) => {
                let next = stub
                    .report_stop(machine, reason)
                    .map_err(|e| Broken::Protocol(e.to_string()))?;
                self.enter(machine, next);
            }
            other => self.stub = other,
        }
        Ok(())
    }

    /// The connection is gone: the machine goes on without breakpoints.
    pub fn lose(&mut self, machine: &mut Machine) {
        self.release(machine, State::Detached);
    }

    fn enter(&mut self, machine: &mut Machine, stub: Stub) {
        self.state = match &stub {
            Stub::Idle(_) => State::Stopped,
            Stub::Running(_) | Stub::CtrlCInterrupt(_) => State::Running,
            Stub::Disconnected(s) if s.get_reason() == DisconnectReason::Kill => State::Killed,
            Stub::Disconnected(_) => State::Detached,
        };
        self.stub = Some(stub);
        if matches!(self.state, State::Killed | State::Detached) {
            self.release(machine, self.state);
        }
    }

    fn release(&mut self, machine: &mut Machine, state: State) {
        machine.detach();
        self.last_words = self.take_outgoing();
        self.stub = None;
        self.state = state;
    }
}

/// The protocol's name of a hart: 0 means "any" there.
fn tid(hart: usize) -> Tid {
    Tid::MIN.saturating_add(hart)
}

fn reason(machine: &mut Machine, stop: Stop) -> MultiThreadStopReason<u64> {
    use gdbstub::target::ext::breakpoints::WatchKind as Protocol;
    use maquette_model::WatchKind;
    let tid = tid(stop.hart);
    let trap = |signal| BaseStopReason::SignalWithThread { tid, signal };
    match stop.why {
        Why::Breakpoint(at) => match machine.debugging().map(|d| d.break_kind(at)) {
            Some(BreakKind::Software) => BaseStopReason::SwBreak(tid),
            _ => BaseStopReason::HwBreak(tid),
        },
        Why::Met(DebugStop::Watchpoint { kind, addr }) => BaseStopReason::Watch {
            tid,
            kind: match kind {
                WatchKind::Read => Protocol::Read,
                WatchKind::Write => Protocol::Write,
                WatchKind::Access => Protocol::ReadWrite,
            },
            addr: addr.0,
        },
        Why::Met(DebugStop::Breakpoint | DebugStop::Trapped) | Why::Stepped => {
            trap(Signal::SIGTRAP)
        }
        Why::Asked => trap(Signal::SIGINT),
    }
}
