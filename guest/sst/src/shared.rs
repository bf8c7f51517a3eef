//! The memory that driver and device share.

use core::sync::atomic::{AtomicU64, Ordering};

use maquette_virtio_sst_protocol::layout::{
    Event, REQUEST_SIZE, RESPONSE_SIZE, RequestHeader, ResponseHeader,
};

use crate::queue::Rings;

/// Requests that can be in flight.
pub const SLOTS: usize = 64;
/// Buffers for events.
pub(crate) const EVENTS: usize = 16;

const REQUEST_WORDS: usize = REQUEST_SIZE / 8;
const RESPONSE_WORDS: usize = RESPONSE_SIZE / 8;
const EVENT_WORDS: usize = Event::SIZE / 8;

/// Everything that driver and device share.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Shared {
    pub(crate) requests: Rings,
    pub(crate) events: Rings,
    pub(crate) slots: [Slot; SLOTS],
    pub(crate) event_buffers: [EventBuffer; EVENTS],
}

/// A request and room for its answer.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Slot {
    pub(crate) request: [AtomicU64; REQUEST_WORDS],
    pub(crate) response: [AtomicU64; RESPONSE_WORDS],
}

/// Room for an event.
#[derive(Debug)]
#[repr(C, align(8))]
pub(crate) struct EventBuffer(pub(crate) [AtomicU64; EVENT_WORDS]);

impl Shared {
    /// All zeros.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "used to initialise a static"
    )]
    pub const ZERO: Self = Self {
        requests: Rings::ZERO,
        events: Rings::ZERO,
        slots: [const {
            Slot {
                request: [const { AtomicU64::new(0) }; REQUEST_WORDS],
                response: [const { AtomicU64::new(0) }; RESPONSE_WORDS],
            }
        }; SLOTS],
        event_buffers: [const { EventBuffer([const { AtomicU64::new(0) }; EVENT_WORDS]) }; EVENTS],
    };
}

impl Slot {
    /// Writes a request whose payload begins with `parts`, one after the other; zeros follow up to the end of
    /// what this slot held before.
    pub(crate) fn fill(&self, header: &RequestHeader, parts: &[&[u8]]) {
        let header = header.encode();
        let payload = parts.iter().copied().flatten();
        let mut bytes = header.iter().chain(payload).copied();
        for word in &self.request {
            let mut next = [0; 8];
            let mut ended = true;
            for (byte, from) in next.iter_mut().zip(bytes.by_ref()) {
                *byte = from;
                ended = false;
            }
            // Beyond the payload a slot is zero, once it has been so.
            if ended && word.load(Ordering::Relaxed) == 0 {
                break;
            }
            word.store(u64::from_le_bytes(next), Ordering::Relaxed);
        }
        for word in &self.response {
            word.store(u64::MAX, Ordering::Relaxed);
        }
    }

    /// The beginning of the answer.
    #[must_use]
    pub fn response(&self) -> ResponseHeader {
        let mut bytes = [0; ResponseHeader::SIZE];
        self.read(0, &mut bytes);
        ResponseHeader::decode(&bytes)
    }

    /// Fills `into` with the answer's payload from byte `at` on; what is beyond its end is zero.
    pub fn payload(&self, at: usize, into: &mut [u8]) {
        self.read(ResponseHeader::SIZE + at, into);
    }

    fn read(&self, at: usize, into: &mut [u8]) {
        for (n, byte) in into.iter_mut().enumerate() {
            let place = at + n;
            let word = self.response.get(place / 8);
            let word = word.map_or(0, |word| word.load(Ordering::Acquire));
            let [first, ..] = (word >> (8 * (place % 8))).to_le_bytes();
            *byte = first;
        }
    }
}

impl EventBuffer {
    pub(crate) fn read(&self) -> Event {
        let mut bytes = [0; Event::SIZE];
        for (to, word) in bytes.chunks_exact_mut(8).zip(&self.0) {
            to.copy_from_slice(&word.load(Ordering::Acquire).to_le_bytes());
        }
        Event::decode(&bytes)
    }
}
