//! What a scheduler knows besides the components themselves, so that a component can be called with
//! all of it borrowed.

use crate::heap::Heap;
use crate::link::{ComponentId, End, WiringError};
use crate::queue::{EventId, EventQueue, Key, Priority, Source};
use crate::reach::{Reach, reach};
use crate::rim::Input;
use crate::serial::Statistics;
use crate::{Port, SimEvent};
use maquette_model::{Message, PortId, SimTime};
use maquette_trace::payload::{self, Direction};
use maquette_trace::{Kind, Level, PathId, Trace};

/// A request to stop takes effect this much later everywhere, which bounds how far unlinked
/// components run apart, delivers what is under way, and makes the end of a run exact.
pub const STOP_NOTICE: SimTime = SimTime::from_us(100);

/// The source of what comes from outside.
const OUTSIDE: Source = Source(u32::MAX);

/// The far end of a link.
#[derive(Clone, Copy)]
struct Peer {
    end: End,
    latency: SimTime,
}

struct Socket {
    port: Port,
    peer: Option<Peer>,
}

/// What the scheduler keeps per component.
pub(crate) struct Part {
    pub(crate) path: String,
    pub(crate) trace_path: PathId,
    sockets: Vec<Socket>,
    /// Events for this component.
    queue: EventQueue<SimEvent>,
    /// Numbers the events that this component causes.
    next_seq: u64,
    /// Who can affect this component sooner than [`STOP_NOTICE`].
    reach: Vec<Reach>,
}

impl Part {
    fn socket(&self, port: PortId) -> Option<&Socket> {
        self.sockets.iter().find(|s| s.port.id == port)
    }
}

pub(crate) struct Engine {
    pub(crate) parts: Vec<Part>,
    /// The first event of each component.
    heads: Heap<Key>,
    pub(crate) trace: Trace,
    pub(crate) statistics: Statistics,
    pub(crate) started: bool,
    /// No event at or after this time happens in this run.
    pub(crate) limit: SimTime,
    /// The same because a component asked for it; with the time of the request.
    pub(crate) stop: Option<SimTime>,
    /// No component has passed this time on the ground that the rim would stay silent.
    pub(crate) rim_promise: SimTime,
    outside_seq: u64,
}

impl Engine {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            parts: Vec::new(),
            heads: Heap::new(),
            trace,
            statistics: Statistics::default(),
            started: false,
            limit: SimTime::MAX,
            stop: None,
            rim_promise: SimTime::ZERO,
            outside_seq: 0,
        }
    }

    pub(crate) fn part(&self, id: u32) -> Option<&Part> {
        self.parts.get(id as usize)
    }

    pub(crate) fn add(&mut self, path: &str, ports: Vec<Port>) -> Result<ComponentId, WiringError> {
        let path = path.to_owned();
        if self.started {
            return Err(WiringError::Started { what: path });
        }
        if path.is_empty() {
            return Err(WiringError::EmptyPath);
        }
        if self.parts.iter().any(|p| p.path == path) {
            return Err(WiringError::SamePath { path });
        }
        for (i, port) in ports.iter().enumerate() {
            if ports.iter().skip(i + 1).any(|p| p.id == port.id) {
                let port = port.id.0;
                return Err(WiringError::SamePort { path, port });
            }
        }
        let id = match u32::try_from(self.parts.len()) {
            Ok(id) if Source(id) < OUTSIDE => id,
            _ => return Err(WiringError::TooMany { path }),
        };
        let trace_path = self.trace.path(&path);
        self.parts.push(Part {
            path,
            trace_path,
            sockets: (ports.into_iter())
                .map(|port| Socket { port, peer: None })
                .collect(),
            queue: EventQueue::new(),
            next_seq: 0,
            reach: Vec::new(),
        });
        Ok(ComponentId(id))
    }

    pub(crate) fn link(&mut self, link: crate::Link) -> Result<(), WiringError> {
        let crate::Link { a, b, latency } = link;
        if self.started {
            let what = format!("the link between {} and {}", self.show(a), self.show(b));
            return Err(WiringError::Started { what });
        }
        self.check_end(a, b)?;
        self.check_end(b, a)?;
        if a == b {
            return Err(WiringError::ToItself { end: self.show(a) });
        }
        if latency == SimTime::ZERO {
            let (a, b) = (self.show(a), self.show(b));
            return Err(WiringError::NoLatency { a, b });
        }
        self.plug(a, Peer { end: b, latency });
        self.plug(b, Peer { end: a, latency });
        Ok(())
    }

    fn check_end(&self, end: End, other: End) -> Result<(), WiringError> {
        let (shown, other) = (self.show(end), self.show(other));
        let Some(part) = self.part(end.0.0) else {
            return Err(WiringError::UnknownComponent { end: shown, other });
        };
        let Some(socket) = part.socket(end.1) else {
            let names: Vec<&str> = part.sockets.iter().map(|s| &*s.port.name).collect();
            let known = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            return Err(WiringError::UnknownPort {
                end: shown,
                other,
                known,
            });
        };
        if let Some(peer) = socket.peer {
            let present = self.show(peer.end);
            return Err(WiringError::PortInUse {
                end: shown,
                other,
                present,
            });
        }
        Ok(())
    }

    fn plug(&mut self, end: End, peer: Peer) {
        let part = self.parts.get_mut(end.0.0 as usize);
        let socket = part.and_then(|p| p.sockets.iter_mut().find(|s| s.port.id == end.1));
        if let Some(socket) = socket {
            socket.peer = Some(peer);
        }
    }

    /// `machine0:console`, with numbers where there are no names.
    fn show(&self, (component, port): End) -> String {
        match self.part(component.0) {
            None => format!("component {}:{}", component.0, port.0),
            Some(part) => match part.socket(port) {
                None => format!("{}:{}", part.path, port.0),
                Some(socket) => format!("{}:{}", part.path, socket.port.name),
            },
        }
    }

    /// Wiring is complete: finds out who can affect whom.
    pub(crate) fn settle_wiring(&mut self) {
        let count = self.parts.len();
        for me in 0..count {
            let Ok(id) = u32::try_from(me) else { break };
            let found = reach(id, count, STOP_NOTICE, |at, visit| {
                let sockets = self.part(at).map_or(&[][..], |p| &p.sockets);
                for peer in sockets.iter().filter_map(|s| s.peer) {
                    visit(peer.end.0.0, peer.latency);
                }
            });
            if let Some(part) = self.parts.get_mut(me) {
                part.reach = found;
            }
        }
    }

    /// When the next event of all happens, and to whom.
    pub(crate) fn first(&self) -> Option<(SimTime, u32)> {
        self.heads.first().map(|(key, id)| (key.time, id))
    }

    /// Takes the next event of component `id`.
    pub(crate) fn pop(&mut self, id: u32) -> Option<SimEvent> {
        let part = self.parts.get_mut(id as usize)?;
        let (_, event) = part.queue.pop()?;
        self.refresh(id);
        Some(event)
    }

    /// The time until which nobody can affect component `me`, which acts at `now`.
    pub(crate) fn horizon(&self, me: u32, now: SimTime) -> SimTime {
        let Some(part) = self.part(me) else {
            return now;
        };
        if !self.started {
            return now;
        }
        let mut horizon = self.end().min(self.rim_promise).min(part.queue.next_time());
        if let Some(key) = self.heads.first_besides(me) {
            horizon = horizon.min(key.time.saturating_add(STOP_NOTICE));
        }
        for near in &part.reach {
            if let Some(key) = self.heads.key(near.from) {
                horizon = horizon.min(key.time.saturating_add(near.distance));
            }
        }
        horizon
    }

    /// No event at or after this time happens.
    pub(crate) fn end(&self) -> SimTime {
        let stop = self
            .stop
            .map_or(SimTime::MAX, |at| at.saturating_add(STOP_NOTICE));
        self.limit.min(stop)
    }

    pub(crate) fn wake(&mut self, me: u32, time: SimTime, tag: u32) -> Option<EventId> {
        // Nothing happens at the end of time, so nothing needs to wait for it.
        if time == SimTime::MAX {
            return None;
        }
        let seq = self.number(me)?;
        let key = Key {
            time,
            priority: Priority::WAKE,
            source: Source(me),
            seq,
        };
        self.push(me, key, SimEvent::Wake { tag })
    }

    pub(crate) fn cancel(&mut self, me: u32, id: EventId) -> bool {
        let part = self.parts.get_mut(me as usize);
        let found = part.and_then(|p| p.queue.cancel(id)).is_some();
        if found {
            self.refresh(me);
        }
        found
    }

    pub(crate) fn send(&mut self, me: u32, port: PortId, msg: Message, at: SimTime) {
        let peer = self.part(me).and_then(|p| p.socket(port)?.peer);
        let (Some(peer), Some(seq)) = (peer, self.number(me)) else {
            self.statistics.unconnected += 1;
            return;
        };
        self.statistics.messages += 1;
        self.record(me, at, Direction::Write, port, &msg);
        let key = Key {
            time: at.saturating_add(peer.latency),
            priority: Priority::ARRIVAL,
            source: Source(me),
            seq,
        };
        let (ComponentId(to), port) = peer.end;
        self.push(to, key, SimEvent::Message { port, msg });
    }

    /// Delivers something from outside, not before any component's past.
    pub(crate) fn inject(&mut self, input: Input) {
        let Input { at, to, port, msg } = input;
        let known = self.part(to.0).is_some_and(|p| p.socket(port).is_some());
        if !known {
            self.statistics.unconnected += 1;
            return;
        }
        let time = at.max(self.rim_promise);
        self.statistics.inputs += 1;
        self.trace.weaken(Level::Replayable);
        self.record(to.0, time, Direction::Outside, port, &msg);
        let key = Key {
            time,
            priority: Priority::ARRIVAL,
            source: OUTSIDE,
            seq: self.outside_seq,
        };
        self.outside_seq += 1;
        self.push(to.0, key, SimEvent::Message { port, msg });
    }

    fn record(&mut self, who: u32, at: SimTime, way: Direction, port: PortId, msg: &Message) {
        let Some(part) = self.part(who) else { return };
        let path = part.trace_path;
        let word;
        let (form, content): (u8, &[u8]) = match msg {
            Message::Byte(byte) => (0, core::slice::from_ref(byte)),
            Message::Word(value) => {
                word = value.to_le_bytes();
                (1, &word)
            }
            Message::Bytes(bytes) => (2, bytes),
        };
        let head = payload::link(way, port, form);
        self.trace
            .record_parts(at, path, Kind::Link, &[&head, content]);
    }

    fn number(&mut self, me: u32) -> Option<u64> {
        let part = self.parts.get_mut(me as usize)?;
        let seq = part.next_seq;
        part.next_seq += 1;
        Some(seq)
    }

    fn push(&mut self, to: u32, key: Key, event: SimEvent) -> Option<EventId> {
        let part = self.parts.get_mut(to as usize)?;
        let id = part.queue.push_key(key, event);
        self.refresh(to);
        Some(id)
    }

    fn refresh(&mut self, id: u32) {
        match self.part(id).and_then(|p| p.queue.first_key()) {
            Some(key) => self.heads.set(id, key),
            None => {
                self.heads.remove(id);
            }
        }
    }
}
