//! What a scheduler knows besides the components themselves, so that a component can be called with
//! all of it borrowed.

mod clocks;
mod due;
mod snapshot;
mod wiring;

use self::clocks::Clock;
pub(crate) use self::due::Due;
use crate::heap::Heap;
use crate::link::{ComponentId, End};
use crate::queue::{EventId, EventQueue, Key, Priority, Source};
use crate::reach::Reach;
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
    /// The ports that must be linked.
    required: Vec<PortId>,
    /// Events for this component.
    queue: EventQueue<Due>,
    /// Numbers the events that this component causes.
    next_seq: u64,
    clocks: Vec<Clock>,
    /// Who can affect this component sooner than [`STOP_NOTICE`].
    reach: Vec<Reach>,
}

impl Part {
    fn socket(&self, port: PortId) -> Option<&Socket> {
        // Most components number their ports from zero.
        match self.sockets.get(usize::from(port.0)) {
            Some(socket) if socket.port.id == port => Some(socket),
            _ => self.sockets.iter().find(|s| s.port.id == port),
        }
    }
}

pub(crate) struct Engine {
    pub(crate) parts: Vec<Part>,
    /// The first event of each component.
    heads: Heap<Key>,
    pub(crate) trace: Trace,
    pub(crate) statistics: Statistics,
    pub(crate) started: bool,
    /// The time of the last event.
    pub(crate) now: SimTime,
    /// No event at or after this time happens in this run.
    pub(crate) limit: SimTime,
    /// The time of the earliest request to stop.
    stop: Option<SimTime>,
    /// How many components must still come to their end before the run stops by itself.
    pub(crate) ends_awaited: u32,
    /// The latest end that a component has come to.
    last_end: SimTime,
    /// No component has passed this time: the soonest that input can arrive.
    rim_promise: SimTime,
    outside_seq: u64,
    /// When the latest input arrives.
    last_input: SimTime,
    /// How often the rim has asked for the end of this run.
    pub(crate) interruptions: u32,
    /// A component wants the run to pause.
    pub(crate) pausing: bool,
}

impl Engine {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            parts: Vec::new(),
            heads: Heap::new(),
            trace,
            statistics: Statistics::default(),
            started: false,
            now: SimTime::ZERO,
            limit: SimTime::MAX,
            stop: None,
            ends_awaited: 1,
            last_end: SimTime::ZERO,
            rim_promise: SimTime::ZERO,
            outside_seq: 0,
            last_input: SimTime::ZERO,
            interruptions: 0,
            pausing: false,
        }
    }

    pub(crate) fn part(&self, id: u32) -> Option<&Part> {
        self.parts.get(id as usize)
    }

    /// When the next event of all happens, and to whom.
    pub(crate) fn first(&self) -> Option<(SimTime, u32)> {
        self.heads.first().map(|(key, id)| (key.time, id))
    }

    /// Takes the next event of component `id`. What came from outside is recorded here, when it happens,
    /// so that the hash does not depend on how long before it was fed in.
    pub(crate) fn pop(&mut self, id: u32) -> Option<Due> {
        let part = self.parts.get_mut(id as usize)?;
        let (key, event) = part.queue.pop()?;
        if let Due::Tick { tag, cycle } = event {
            part.ticked(Source(id), key.time, tag, cycle);
        }
        self.refresh(id);
        if key.source == OUTSIDE
            && let Due::Event(SimEvent::Message { port, msg }) = &event
        {
            self.statistics.inputs = self.statistics.inputs.saturating_add(1);
            self.trace.weaken(Level::Replayable);
            self.record(id, key.time, Direction::Outside, *port, msg);
        }
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

    /// A component wants the run to stop for something that happened at `at`. The earliest request
    /// counts, whatever the order of asking.
    pub(crate) fn request_stop(&mut self, at: SimTime) {
        self.stop = Some(self.stop.map_or(at, |before| before.min(at)));
    }

    /// A component has come to its end at `at`; the last of those awaited stops the run, at the latest
    /// of all ends.
    pub(crate) fn component_ended(&mut self, at: SimTime) {
        self.last_end = self.last_end.max(at);
        self.ends_awaited = self.ends_awaited.saturating_sub(1);
        if self.ends_awaited == 0 {
            self.request_stop(self.last_end);
        }
    }

    pub(crate) const fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// The end was reached: takes the request to stop if that is why. One whose notice goes past the
    /// limit stays for the next piece of the run, so that pieces end where the whole would have.
    pub(crate) fn take_stop(&mut self) -> Option<SimTime> {
        self.rim_promise = self.rim_promise.min(self.end());
        let limit = self.limit;
        self.stop
            .take_if(|at| at.saturating_add(STOP_NOTICE) <= limit)
    }

    /// The limit was reached: all before it has happened, so no input can arrive there any more.
    pub(crate) fn pass_limit(&mut self) {
        self.rim_promise = self.rim_promise.max(self.limit);
    }

    /// The rim lets everyone go on at `now`, and will ask for nothing sooner than `window` later.
    pub(crate) fn promise(&mut self, now: SimTime, window: SimTime) {
        // At least a picosecond, so that everyone always gets on.
        let window = window.max(SimTime::from_ps(1));
        let until = now.saturating_add(window).min(self.end());
        // An earlier rim with a longer window may have let someone run further than this one.
        self.rim_promise = self.rim_promise.max(until);
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
        self.push(me, key, Due::Event(SimEvent::Wake { tag }))
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
            self.statistics.unconnected = self.statistics.unconnected.saturating_add(1);
            return;
        };
        self.statistics.messages = self.statistics.messages.saturating_add(1);
        self.record(me, at, Direction::Write, port, &msg);
        let key = Key {
            time: at.saturating_add(peer.latency),
            priority: Priority::ARRIVAL,
            source: Source(me),
            seq,
        };
        let (ComponentId(to), port) = peer.end;
        self.push(to, key, Due::Event(SimEvent::Message { port, msg }));
    }

    /// Delivers something from outside, not before any component's past; returns when, unless there is
    /// nobody to take it.
    pub(crate) fn inject(&mut self, input: Input) -> Option<SimTime> {
        let Input { at, to, port, msg } = input;
        let known = self.part(to.0).is_some_and(|p| p.socket(port).is_some());
        // In the order of feeding in: what is typed first arrives first.
        let time = at.max(self.rim_promise).max(self.last_input);
        if !known || time == SimTime::MAX {
            self.statistics.unconnected = self.statistics.unconnected.saturating_add(1);
            return None;
        }
        let key = Key {
            time,
            priority: Priority::ARRIVAL,
            source: OUTSIDE,
            seq: self.outside_seq,
        };
        self.outside_seq = self.outside_seq.wrapping_add(1);
        self.last_input = time;
        self.push(to.0, key, Due::Event(SimEvent::Message { port, msg }));
        Some(time)
    }

    /// The soonest time that no component has passed.
    pub(crate) fn soonest(&self) -> SimTime {
        self.now.max(self.rim_promise)
    }

    /// The rim wants the run to end: at the first time that nobody has passed. Says how often it has
    /// wanted that.
    pub(crate) fn wind_down(&mut self) -> u32 {
        if self.interruptions == 0 {
            self.limit = self.limit.min(self.rim_promise);
        }
        self.interruptions += 1;
        self.interruptions
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
        part.next_seq = part.next_seq.wrapping_add(1);
        Some(seq)
    }

    fn push(&mut self, to: u32, key: Key, event: Due) -> Option<EventId> {
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
