//! What a device call may touch, and the one [`Host`] that devices see in a machine.
//!
//! DMA policy, tracing and hashing happen here and nowhere else. Effects on other parts (interrupt
//! inputs of harts, messages) are collected and carried out when the call has returned, so that a
//! device never runs inside another one's call.

use super::bus::Wiring;
use super::intx::SharedLines;
use super::stores::{Author, Stores};
use crate::diagnostics::Diagnostics;
use maquette_devices::Plic;
use maquette_model::{
    BusError, CpuLine, Cx, DmaError, Event, Host, Iova, Message, PhysAddr, PortId, PowerRequest,
    Ram, SimTime, TimerId, Token,
};
use maquette_sim::{EventId, EventQueue, Priority, Source};
use maquette_trace::payload::{self, Direction};
use maquette_trace::{Kind, Note, PathId, Trace};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Failures of the host that are kept for the report.
pub(super) const HOST_ERRORS_KEPT: usize = 16;

/// An event for a device of this machine.
pub(super) struct DeviceEvent {
    /// Index on the bus.
    pub(super) device: usize,
    pub(super) event: Event,
}

/// A change of a hart's interrupt input.
#[derive(Clone, Copy)]
pub(super) struct IrqChange {
    pub(super) hart: usize,
    pub(super) line: CpuLine,
    pub(super) level: bool,
}

/// Everything a device may reach.
pub(super) struct Core {
    pub(super) ram: Rc<Ram>,
    pub(super) events: EventQueue<DeviceEvent>,
    pub(super) plic: Plic,
    /// Lines of PCI functions.
    pub(super) shared: SharedLines,
    /// The largest time that any hart has read.
    pub(super) floor: SimTime,
    pub(super) irqs: Vec<IrqChange>,
    pub(super) outbox: Vec<(PortId, Message)>,
    pub(super) completions: Vec<(Token, Result<u64, BusError>)>,
    pub(super) power: Option<PowerRequest>,
    /// Mistakes of the guest that devices reported.
    pub(super) guest_errors: u64,
    /// The last of them, for the report.
    pub(super) last_guest_error: Option<(Cow<'static, str>, u64)>,
    /// What devices count of themselves, by their index on the bus.
    pub(super) counters: BTreeMap<(usize, Cow<'static, str>), u64>,
    /// Failures of the host that devices reported.
    pub(super) host_errors: Vec<String>,
    pub(super) dma_bytes: u64,
    pub(super) diagnostics: Diagnostics,
    /// A device has stored into RAM since the last settlement.
    pub(super) dma_wrote: bool,
    /// What was stored, for a debugger that watches.
    pub(super) stores: Stores,
}

impl Core {
    pub(super) fn new(ram: Rc<Ram>, harts: u8) -> Self {
        Self {
            ram,
            events: EventQueue::new(),
            plic: Plic::new(harts),
            shared: SharedLines::default(),
            floor: SimTime::ZERO,
            irqs: Vec::new(),
            outbox: Vec::new(),
            completions: Vec::new(),
            power: None,
            guest_errors: 0,
            last_guest_error: None,
            counters: BTreeMap::new(),
            host_errors: Vec::new(),
            dma_bytes: 0,
            diagnostics: Diagnostics::default(),
            dma_wrote: false,
            stores: Stores::default(),
        }
    }

    /// Drops what calls have left to be carried out.
    pub(super) fn forget_effects(&mut self) {
        self.irqs.clear();
        self.outbox.clear();
        self.completions.clear();
        self.power = None;
        self.dma_wrote = false;
        self.stores.forget();
    }
}

/// The machine as one device sees it during one call.
pub(super) struct DeviceHost<'a> {
    pub(super) core: &'a mut Core,
    pub(super) trace: &'a mut Trace,
    pub(super) wiring: &'a Wiring,
    /// Index on the bus.
    pub(super) device: usize,
    /// Local time of whoever caused the call.
    pub(super) now: SimTime,
}

impl DeviceHost<'_> {
    fn record_dma(&mut self, direction: Direction, a: Iova, content: &[u8]) {
        let head = payload::dma(direction, a, content.len() as u64);
        self.core.dma_bytes = self.core.dma_bytes.saturating_add(content.len() as u64);
        self.trace
            .record_parts(self.now, self.wiring.path, Kind::Dma, &[&head, content]);
    }
}

impl Host for DeviceHost<'_> {
    fn now(&self) -> SimTime {
        self.now
    }

    fn guest_clock(&mut self) -> SimTime {
        self.core.floor = self.core.floor.max(self.now);
        self.core.floor
    }

    fn at(&mut self, t: SimTime, event: Event) -> TimerId {
        let source = Source(u32::try_from(self.device).unwrap_or(u32::MAX));
        let value = DeviceEvent {
            device: self.device,
            event,
        };
        let id = self
            .core
            .events
            .push(t.max(self.now), Priority::WAKE, source, value);
        TimerId(id.raw())
    }

    fn cancel(&mut self, id: TimerId) {
        self.core.events.cancel(EventId::from_raw(id.0));
    }

    fn line(&mut self, n: u8, level: bool) {
        match *self.wiring {
            Wiring {
                irq: Some(source),
                plic: plic_path,
                ..
            } => {
                let level = if self.wiring.shared {
                    match self.core.shared.drive(source, self.device, level) {
                        Some(level) => level,
                        None => return,
                    }
                } else {
                    level
                };
                let (now, path) = (self.now, self.wiring.path);
                self.trace.note(now, path, || Note::Line { source, level });
                if !level {
                    self.core.diagnostics.storms.fell(source);
                }
                let Core { plic, irqs, .. } = &mut *self.core;
                let mut host = PlicHost {
                    irqs,
                    trace: self.trace,
                    path: plic_path,
                    now: self.now,
                };
                plic.set_source(&mut Cx::new(&mut host), source, level);
            }
            Wiring {
                clint: true, path, ..
            } => {
                // Per hart: machine software interrupt, machine timer interrupt.
                let line = if n & 1 == 0 { MSI } else { MTI };
                push_irq(
                    &mut self.core.irqs,
                    self.trace,
                    path,
                    self.now,
                    (n, line),
                    level,
                );
            }
            Wiring { .. } => {}
        }
    }

    fn msi(&mut self, vector: u16) {
        self.guest_error("message interrupt on a machine without them", vector.into());
    }

    fn dma_read(&mut self, a: Iova, buf: &mut [u8]) -> Result<(), DmaError> {
        if !self.core.ram.read(PhysAddr(a.0), buf) {
            return Err(DmaError::NotRam {
                addr: a,
                len: buf.len() as u64,
            });
        }
        self.record_dma(Direction::Read, a, buf);
        Ok(())
    }

    fn dma_write(&mut self, a: Iova, buf: &[u8]) -> Result<(), DmaError> {
        if !self.core.ram.write(PhysAddr(a.0), buf) {
            return Err(DmaError::NotRam {
                addr: a,
                len: buf.len() as u64,
            });
        }
        self.core.dma_wrote = true;
        let by = Author::Device(self.device);
        self.core.stores.note(by, PhysAddr(a.0), buf.len());
        self.record_dma(Direction::Write, a, buf);
        Ok(())
    }

    fn send(&mut self, port: PortId, msg: Message) {
        let one;
        let bytes = match &msg {
            Message::Byte(b) => {
                one = [*b];
                &one[..]
            }
            Message::Bytes(bytes) => bytes,
            Message::Word(_) => &[],
        };
        if !bytes.is_empty() {
            self.trace
                .record(self.now, self.wiring.path, Kind::Console, bytes);
        }
        let port = PortId(self.wiring.port_base.0.saturating_add(port.0));
        self.core.outbox.push((port, msg));
    }

    fn complete(&mut self, t: Token, r: Result<u64, BusError>) {
        self.core.completions.push((t, r));
    }

    fn guest_error(&mut self, what: &'static str, value: u64) {
        let (now, path) = (self.now, self.wiring.path);
        self.trace.note(now, path, || Note::Mistake { what, value });
        self.core.guest_errors = self.core.guest_errors.saturating_add(1);
        self.core.last_guest_error = Some((Cow::Borrowed(what), value));
    }

    fn count(&mut self, what: &'static str, more: u64) {
        let counter = (self.device, Cow::Borrowed(what));
        let count = self.core.counters.entry(counter).or_default();
        *count = count.saturating_add(more);
    }

    fn host_error(&mut self, message: &str) {
        // A guest can repeat what causes them as often as it likes.
        if self.core.host_errors.len() < HOST_ERRORS_KEPT {
            self.core.host_errors.push(message.to_owned());
        }
    }

    fn power(&mut self, request: PowerRequest) {
        self.core.power = Some(request);
    }
}

/// Bits of `mip` (privileged ISA §3.1.9).
const MSI: CpuLine = CpuLine(3);
const MTI: CpuLine = CpuLine(7);
const SEI: CpuLine = CpuLine(9);
const MEI: CpuLine = CpuLine(11);

/// What an interrupt input of a hart is called (privileged ISA §3.1.9).
pub(super) const fn input_name(line: CpuLine) -> &'static str {
    match line {
        MSI => "machine software",
        MTI => "machine timer",
        SEI => "supervisor external",
        MEI => "machine external",
        _ => "supervisor software",
    }
}

fn push_irq(
    irqs: &mut Vec<IrqChange>,
    trace: &mut Trace,
    path: PathId,
    now: SimTime,
    (n, line): (u8, CpuLine),
    level: bool,
) {
    trace.note(now, path, || Note::Label {
        name: input_name(line),
        hart: Some(u32::from(n / 2)),
    });
    trace.record(
        now,
        path,
        Kind::Interrupt,
        &payload::interrupt(n.into(), level),
    );
    irqs.push(IrqChange {
        hart: usize::from(n / 2),
        line,
        level,
    });
}

/// What the PLIC sees: it drives harts and nothing else.
pub(super) struct PlicHost<'a> {
    pub(super) irqs: &'a mut Vec<IrqChange>,
    pub(super) trace: &'a mut Trace,
    pub(super) path: PathId,
    pub(super) now: SimTime,
}

impl Host for PlicHost<'_> {
    fn now(&self) -> SimTime {
        self.now
    }
    fn guest_clock(&mut self) -> SimTime {
        self.now
    }
    fn at(&mut self, _t: SimTime, _ev: Event) -> TimerId {
        TimerId(u64::MAX)
    }
    fn cancel(&mut self, _id: TimerId) {}
    fn line(&mut self, n: u8, level: bool) {
        // Contexts alternate: machine, supervisor.
        let line = if n & 1 == 0 { MEI } else { SEI };
        push_irq(self.irqs, self.trace, self.path, self.now, (n, line), level);
    }
    fn msi(&mut self, _vector: u16) {}
    fn dma_read(&mut self, addr: Iova, buf: &mut [u8]) -> Result<(), DmaError> {
        Err(DmaError::NotRam {
            addr,
            len: buf.len() as u64,
        })
    }
    fn dma_write(&mut self, addr: Iova, buf: &[u8]) -> Result<(), DmaError> {
        Err(DmaError::NotRam {
            addr,
            len: buf.len() as u64,
        })
    }
    fn send(&mut self, _port: PortId, _msg: Message) {}
    fn complete(&mut self, _t: Token, _r: Result<u64, BusError>) {}
    fn guest_error(&mut self, _what: &'static str, _value: u64) {}
    fn power(&mut self, _request: PowerRequest) {}
}
