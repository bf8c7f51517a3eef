//! A model of an accelerator: it does the work that virtio-sst devices send it, and takes time for it.
//!
//! The accelerator is a component of a simulation. Each of its ports serves one device over a link, so that
//! several machines can share it: it has one memory, one set of parameters and one unit that works. Frames and
//! requests are those of `protocols/virtio-sst`.
//!
//! Work begins at a clock edge. With [`Timing::Fixed`] a request waits until the one before is done; with
//! [`Timing::Pipelined`] only for the initiation interval; with [`Timing::Immediate`] answers name cycles that
//! nobody waits for.

mod inspect;
mod memory;
mod snapshot;

use maquette_model::{
    Frequency, Message, PortId, RestoreError, SaveError, Sections, SimTime, Tree,
};
use maquette_sim::{Component, Port, SimCx, SimEvent, WakeId};
use maquette_virtio_sst_protocol::layout::{
    self, ComputeAnswer, ComputeView, ConfigureView, MemoryView, TRANSFER_MAX, WRITE_DATA, event,
    kind, parameter, status,
};
use maquette_virtio_sst_protocol::peer::{Frame, Request, Response};
use memory::Memory;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How requests follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timing {
    /// An answer comes at once; its cycles are a number.
    Immediate,
    /// One after the other.
    #[default]
    Fixed,
    /// A request may begin so many cycles after the one before.
    Pipelined(u64),
}

/// What an accelerator is made from.
#[derive(Clone, Debug)]
pub struct AcceleratorSettings {
    /// Its path, unique in the system.
    pub path: String,
    /// Its clock.
    pub clock: Frequency,
    /// How requests follow each other.
    pub timing: Timing,
    /// Cycles of a unit of COMPUTE.
    pub cycles_per_unit: u64,
    /// The largest COMPUTE.
    pub max_compute_units: u64,
    /// Bytes of its memory.
    pub memory_size: u64,
    /// Cycles of a READ or WRITE.
    pub memory_cycles: u64,
    /// Tells each COMPUTE that is done by an event too.
    pub completion_events: bool,
    /// How many devices it serves.
    pub clients: u16,
}

impl AcceleratorSettings {
    /// The original's numbers, for one device.
    #[must_use]
    pub fn new(path: String) -> Self {
        Self {
            path,
            clock: Frequency::from_hz(1_000_000_000),
            timing: Timing::default(),
            cycles_per_unit: layout::CYCLES_PER_UNIT,
            max_compute_units: layout::MAX_COMPUTE_UNITS,
            memory_size: layout::MEMORY_SIZE,
            memory_cycles: layout::CYCLES_PER_UNIT,
            completion_events: false,
            clients: 1,
        }
    }
}

/// What an accelerator has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    requests: u64,
    refused: u64,
    units: u64,
    busy_cycles: u64,
    /// Messages that were no requests.
    strays: u64,
}

/// An answer that waits for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    client: PortId,
    id: u64,
    response: Response,
    /// An event that follows it.
    event: Option<layout::Event>,
}

/// A model of an accelerator.
#[derive(Debug)]
pub struct Accelerator {
    settings: AcceleratorSettings,
    memory: Memory,
    /// As CONFIGURE left them.
    cycles_per_unit: u64,
    timing: Timing,
    /// The cycle at which the next request may begin.
    free_at: u64,
    /// By time, and then in the order of the requests.
    waiting: BTreeMap<(SimTime, u64), Waiting>,
    order: u64,
    wake: Option<WakeId>,
    counters: Counters,
}

/// What a request comes to.
struct Outcome {
    cycles: u64,
    response: Response,
}

impl Accelerator {
    /// The port that serves the device of a number, from 0 on.
    #[must_use]
    pub const fn client(number: u16) -> PortId {
        PortId(number)
    }

    /// An accelerator that nobody has used.
    #[must_use]
    pub fn new(settings: AcceleratorSettings) -> Self {
        Self {
            memory: Memory::new(settings.memory_size),
            cycles_per_unit: settings.cycles_per_unit,
            timing: settings.timing,
            settings,
            free_at: 0,
            waiting: BTreeMap::new(),
            order: 0,
            wake: None,
            counters: Counters::default(),
        }
    }

    fn requested(&mut self, cx: &mut SimCx<'_>, client: PortId, id: u64, request: &Request) {
        let now = cx.now();
        if request.header.kind == kind::RESET {
            self.reset(now);
        }
        self.counters.requests += 1;
        let begin = self.next_edge(now);
        let outcome = match request.header.kind {
            kind::COMPUTE => self.compute(request, begin),
            kind::READ => self.read(request),
            kind::WRITE => self.write(request),
            kind::CONFIGURE => self.configure(request),
            kind::RESET | kind::NOOP => Some(Outcome::free(request)),
            _ => None,
        };
        let outcome = outcome.unwrap_or_else(|| {
            self.counters.refused += 1;
            Outcome {
                cycles: 0,
                response: request.answer(status::INVALID),
            }
        });
        let is_compute = request.header.kind == kind::COMPUTE && outcome.response.is_ok();
        let done = self.occupy(now, begin, outcome.cycles);
        let told = (is_compute && self.settings.completion_events).then(|| layout::Event {
            kind: event::COMPLETION,
            flags: 0,
            timestamp: done.as_ps() / 1000,
            data: request.header.request_id,
        });
        self.order = self.order.wrapping_add(1);
        let waiting = Waiting {
            client,
            id,
            response: outcome.response,
            event: told,
        };
        self.waiting.insert((done, self.order), waiting);
    }

    /// The first cycle at which work that arrives now can begin.
    fn next_edge(&self, now: SimTime) -> u64 {
        let ticks = self.settings.clock.ticks_at(now);
        let edge = if self.settings.clock.time_of(ticks) < now {
            ticks.saturating_add(1)
        } else {
            ticks
        };
        edge.max(self.free_at)
    }

    /// Takes the unit for so many cycles, and gives the time when they are over.
    fn occupy(&mut self, now: SimTime, begin: u64, cycles: u64) -> SimTime {
        self.counters.busy_cycles = self.counters.busy_cycles.saturating_add(cycles);
        let end = begin.saturating_add(cycles);
        match self.timing {
            Timing::Immediate => return now,
            Timing::Fixed => self.free_at = end,
            Timing::Pipelined(interval) => {
                self.free_at = begin.saturating_add(interval.min(cycles));
            }
        }
        self.settings.clock.time_of(end).max(now)
    }

    fn compute(&mut self, request: &Request, begin: u64) -> Option<Outcome> {
        let units = ComputeView::decode(&request.payload).units;
        if units > self.settings.max_compute_units {
            return None;
        }
        let cycles = units.checked_mul(self.cycles_per_unit)?;
        self.counters.units = self.counters.units.saturating_add(units);
        let mut response = request.answer(status::OK);
        response.header.result = cycles;
        let answer = ComputeAnswer {
            cycles,
            timestamp: begin,
        };
        response.payload = answer.encode().to_vec();
        Some(Outcome { cycles, response })
    }

    fn read(&self, request: &Request) -> Option<Outcome> {
        let (address, size) = self.range(request)?;
        let mut response = request.answer(status::OK);
        response.header.result = size as u64;
        response.payload = vec![0; size];
        self.memory.read(address, &mut response.payload);
        Some(Outcome {
            cycles: self.settings.memory_cycles,
            response,
        })
    }

    fn write(&mut self, request: &Request) -> Option<Outcome> {
        let (address, size) = self.range(request)?;
        let mut response = request.answer(status::OK);
        response.header.result = size as u64;
        let mut data: Vec<u8> = request
            .payload
            .iter()
            .skip(WRITE_DATA)
            .take(size)
            .copied()
            .collect();
        // Zeros at the end do not travel.
        data.resize(size, 0);
        self.memory.write(address, &mut data);
        Some(Outcome {
            cycles: self.settings.memory_cycles,
            response,
        })
    }

    /// Where a READ or WRITE goes, if that is in the memory.
    fn range(&self, request: &Request) -> Option<(u64, usize)> {
        let view = MemoryView::decode(&request.payload);
        let size = usize::try_from(view.size).ok()?;
        let fits = size <= TRANSFER_MAX && self.memory.holds(view.address, view.size.into());
        fits.then_some((view.address, size))
    }

    fn configure(&mut self, request: &Request) -> Option<Outcome> {
        let view = ConfigureView::decode(&request.payload);
        match view.parameter {
            parameter::CYCLES_PER_UNIT => self.cycles_per_unit = view.value,
            parameter::INITIATION_INTERVAL => {
                self.timing = match view.value {
                    0 => Timing::Fixed,
                    interval => Timing::Pipelined(interval),
                };
            }
            _ => return None,
        }
        let mut outcome = Outcome::free(request);
        outcome.response.header.result = view.value;
        Some(outcome)
    }

    /// As at the start, at once, for all clients. What the others wait for is aborted; the client that
    /// asked has given its own requests up already.
    fn reset(&mut self, now: SimTime) {
        self.memory.clear();
        self.cycles_per_unit = self.settings.cycles_per_unit;
        self.timing = self.settings.timing;
        self.free_at = 0;
        self.counters = Counters::default();
        for ((_, order), mut waiting) in std::mem::take(&mut self.waiting) {
            waiting.response.header.status = status::ERROR;
            waiting.response.payload.clear();
            waiting.event = None;
            self.waiting.insert((now, order), waiting);
        }
    }

    /// Sends what is due, and asks for the next wake.
    fn settle(&mut self, cx: &mut SimCx<'_>) {
        let now = cx.now();
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            let due = first.remove();
            let frames = [
                Some(Frame::Response(due.id, due.response)),
                due.event.map(Frame::Event),
            ];
            for frame in frames.into_iter().flatten() {
                let message = Message::Bytes(frame.encode(now.as_ps()));
                cx.send(due.client, message, now);
            }
        }
        if let Some(wake) = self.wake.take() {
            cx.cancel(wake);
        }
        let next = self.waiting.first_key_value();
        self.wake = next.map(|((at, _), _)| cx.wake_at(*at, 0));
    }
}

impl Outcome {
    /// Done, and it took no time.
    fn free(request: &Request) -> Self {
        Self {
            cycles: 0,
            response: request.answer(status::OK),
        }
    }
}

impl Component for Accelerator {
    fn path(&self) -> &str {
        &self.settings.path
    }

    fn ports(&self) -> Vec<Port> {
        let ports = 0..self.settings.clients;
        ports
            .map(|n| Port {
                id: Self::client(n),
                name: Cow::Owned(format!("client{n}")),
            })
            .collect()
    }

    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => self.wake = None,
            SimEvent::Message { port, msg } => {
                let frame = match &msg {
                    Message::Bytes(bytes) => Frame::from_message(bytes),
                    Message::Byte(_) | Message::Word(_) => None,
                };
                match frame {
                    Some((Frame::Request(id, request), _)) => {
                        self.requested(cx, port, id, &request);
                    }
                    _ => self.counters.strays += 1,
                }
            }
        }
        self.settle(cx);
    }

    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        to.put(&self.settings.path, self)
    }

    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let path = self.settings.path.clone();
        from.take(&path, self)
    }

    fn inspect(&self, tree: &mut Tree) {
        self.look(tree);
    }
}

#[cfg(test)]
mod tests;
