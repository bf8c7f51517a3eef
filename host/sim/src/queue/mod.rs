//! The event queue: what happens next, in an order that is the same on every host.

mod snapshot;

use crate::heap::Heap;
use maquette_model::SimTime;

/// Breaks ties between events at the same time; lower comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Priority(pub u8);

impl Priority {
    /// Things that arrive: they are seen by whoever acts at the same time.
    pub const ARRIVAL: Self = Self(0);
    /// Edges of clocks.
    pub const CLOCK: Self = Self(64);
    /// Things that a component planned for itself.
    pub const WAKE: Self = Self(128);
}

/// Who caused an event: breaks ties between events of equal time and priority. Sources are numbered
/// by the description of the system, never by the order in which things happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Source(pub u32);

/// An event's place in the total order: by time, then priority, then source, then the sequence
/// number that the source gave it when it sent it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// When it happens.
    pub time: SimTime,
    /// First tie-break.
    pub priority: Priority,
    /// Second tie-break.
    pub source: Source,
    /// Third tie-break; grows with every event of one source.
    pub seq: u64,
}

/// Names a queued event so that it can be cancelled. An id is not used again before its slot was
/// reused four billion times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventId(u64);

impl EventId {
    /// The id as a number, for example to carry it in a [`maquette_model::TimerId`].
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The id that [`EventId::raw`] gave. Any other number names no event, or by chance one.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    const fn new(slot: u32, generation: u32) -> Self {
        Self((generation as u64) << 32 | slot as u64)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "takes the two halves of the number apart"
    )]
    const fn parts(self) -> (u32, u32) {
        (self.0 as u32, (self.0 >> 32) as u32)
    }
}

/// A place for one event's content.
#[derive(Clone, Debug)]
struct Slot<T> {
    value: Option<T>,
    /// How often the slot was emptied: makes ids of past events invalid.
    generation: u32,
}

/// Events in total order.
///
/// Pushing, popping and cancelling take logarithmic time and allocate only while the queue grows
/// beyond its largest size so far. The order of popping depends on keys alone: events of different
/// sources may be pushed in any order.
///
/// ```
/// use maquette_model::SimTime;
/// use maquette_sim::{EventQueue, Priority, Source};
///
/// let mut queue = EventQueue::new();
/// let late = queue.push(SimTime::from_ns(9), Priority::WAKE, Source(0), "late");
/// queue.push(SimTime::from_ns(5), Priority::WAKE, Source(1), "second");
/// queue.push(SimTime::from_ns(5), Priority::WAKE, Source(0), "first");
/// assert_eq!(queue.cancel(late), Some("late"));
/// assert_eq!(queue.pop().map(|(_, v)| v), Some("first"));
/// assert_eq!(queue.pop().map(|(_, v)| v), Some("second"));
/// assert_eq!(queue.next_time(), SimTime::MAX);
/// ```
#[derive(Clone, Debug)]
pub struct EventQueue<T> {
    heap: Heap<Key>,
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    next_seq: u64,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> EventQueue<T> {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            heap: Heap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            next_seq: 0,
        }
    }

    /// How many events wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.heap.len() == 0
    }

    /// Adds an event, numbering it after all events pushed before.
    pub fn push(&mut self, time: SimTime, priority: Priority, source: Source, value: T) -> EventId {
        let seq = self.next_seq;
        let key = Key {
            time,
            priority,
            source,
            seq,
        };
        self.push_key(key, value)
    }

    /// Adds an event whose sender has numbered it: for events that wait in more than one queue.
    /// Two events with equal keys come out in an order that nobody promises.
    pub fn push_key(&mut self, key: Key, value: T) -> EventId {
        self.next_seq = self.next_seq.max(key.seq.saturating_add(1));
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(),
        };
        let mut generation = 0;
        if let Some(s) = self.slots.get_mut(slot as usize) {
            s.value = Some(value);
            generation = s.generation;
        }
        self.heap.set(slot, key);
        EventId::new(slot, generation)
    }

    /// The first event, left where it is.
    #[must_use]
    pub fn peek(&self) -> Option<(Key, &T)> {
        let (key, slot) = self.heap.first()?;
        let value = self.slots.get(slot as usize)?.value.as_ref()?;
        Some((key, value))
    }

    /// The time of the first event, [`SimTime::MAX`] if there is none.
    #[inline]
    #[must_use]
    pub fn next_time(&self) -> SimTime {
        self.heap.first().map_or(SimTime::MAX, |(key, _)| key.time)
    }

    /// The place of the first event in the order.
    #[must_use]
    pub(crate) fn first_key(&self) -> Option<Key> {
        self.heap.first().map(|(key, _)| key)
    }

    /// Takes the first event out.
    pub fn pop(&mut self) -> Option<(Key, T)> {
        let (key, slot) = self.heap.first()?;
        self.take(slot).map(|value| (key, value))
    }

    /// Takes the first event out if it happens at `now` or before.
    pub fn pop_due(&mut self, now: SimTime) -> Option<(Key, T)> {
        if self.next_time() <= now {
            self.pop()
        } else {
            None
        }
    }

    /// Takes an event out before its time. One that was popped or cancelled gives `None`.
    pub fn cancel(&mut self, id: EventId) -> Option<T> {
        let (slot, generation) = id.parts();
        if self.slots.get(slot as usize)?.generation != generation {
            return None;
        }
        self.take(slot)
    }

    /// Takes out all events of one source, and says how many: what a device's reset does to its
    /// timers.
    pub fn cancel_source(&mut self, source: Source) -> usize {
        let mut count = 0;
        // Few events wait and resets are rare: looking for one at a time needs no memory.
        loop {
            let found = self.heap.iter().find(|(key, _)| key.source == source);
            let Some((_, slot)) = found else { break };
            self.take(slot);
            count += 1;
        }
        count
    }

    /// All waiting events, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.heap
            .iter()
            .filter_map(|(key, slot)| Some((key, self.slots.get(slot as usize)?.value.as_ref()?)))
    }

    fn take(&mut self, slot: u32) -> Option<T> {
        let s = self.slots.get_mut(slot as usize)?;
        let value = s.value.take()?;
        s.generation = s.generation.wrapping_add(1);
        self.heap.remove(slot);
        self.free.push(slot);
        Some(value)
    }

    /// Makes one more slot, and room in the free list for all slots, so that popping never
    /// allocates.
    fn grow(&mut self) -> u32 {
        // Four billion waiting events do not fit into any host's memory.
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX - 1);
        self.slots.push(Slot {
            value: None,
            generation: 0,
        });
        self.free.reserve(self.slots.len());
        slot
    }
}
