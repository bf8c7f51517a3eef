//! The simulator's end: takes requests, gives answers (docs/virtio-sst.md §4).
//!
//! The first word decides how the stream goes on: a hello makes it framed, anything else leaves it raw
//! for good. An original client is never sent a byte that it did not ask for.

use super::frame::{Frame, StreamError};
use super::message::{Request, Response};
use super::stream::Stream;
use crate::layout::{Event, QUEUE_DEPTH, REQUEST_SIZE, kind, status};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// How a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Nothing has arrived yet.
    Undecided,
    /// Messages of fixed sizes; answers in the order of their requests.
    Raw,
    /// Frames; answers in any order.
    Framed,
}

/// Which request an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// One connection's state. Bytes go in and out; nothing is sent or received here.
#[derive(Debug)]
pub struct Server {
    framing: Framing,
    stream: Stream,
    /// Requests in the order of their arrival, and answers that wait for those before them.
    open: VecDeque<Open>,
    next: u64,
    output: Vec<u8>,
    counters: ServerCounters,
}

#[derive(Debug)]
struct Open {
    ticket: Ticket,
    frame_id: u64,
    done: Option<Response>,
}

/// What a connection has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCounters {
    /// Requests that arrived, hellos not counted.
    pub requests: u64,
    /// Answers that were given.
    pub responses: u64,
    /// Events sent.
    pub events: u64,
    /// Events that a raw stream has no way to carry.
    pub events_dropped: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            framing: Framing::Undecided,
            stream: Stream::default(),
            open: VecDeque::new(),
            next: 0,
            output: Vec::new(),
            counters: ServerCounters::default(),
        }
    }
}

impl Server {
    /// Bytes have arrived.
    pub fn received(&mut self, bytes: &[u8]) {
        self.stream.push(bytes);
    }

    /// The next request, if one is complete, and the time its sender gave it (0 on a raw stream). None
    /// while [`QUEUE_DEPTH`] are unanswered: what comes after them waits.
    ///
    /// # Errors
    /// The stream cannot go on; close the connection.
    pub fn next_request(&mut self) -> Result<Option<(Ticket, Request, u64)>, StreamError> {
        if self.open.len() >= usize::from(QUEUE_DEPTH) {
            return Ok(None);
        }
        let Some((frame_id, request, time)) = self.arrived()? else {
            return Ok(None);
        };
        self.counters.requests += 1;
        Ok(Some((self.admit(frame_id), request, time)))
    }

    /// Whether to read from the connection: not while more waits than can be worked on.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.open.len() < usize::from(QUEUE_DEPTH) || self.stream.waiting() < REQUEST_SIZE
    }

    /// Answers a request at a simulated time. A ticket that is answered already is ignored.
    pub fn answer(&mut self, ticket: Ticket, response: Response, time_ps: u64) {
        let Some(open) = self.open.iter_mut().find(|open| open.ticket == ticket) else {
            return;
        };
        if open.done.is_some() {
            return;
        }
        self.counters.responses += 1;
        if self.framing == Framing::Framed {
            let frame = Frame::Response(open.frame_id, response);
            self.output.extend(frame.encode(time_ps));
            self.open.retain(|open| open.ticket != ticket);
            return;
        }
        open.done = Some(response);
        while let Some(response) = self.open.front_mut().and_then(|open| open.done.take()) {
            self.output.extend(response.to_raw());
            self.open.pop_front();
        }
    }

    /// Sends an event; a raw stream cannot carry any.
    pub fn event(&mut self, event: Event, time_ps: u64) {
        if self.framing == Framing::Framed {
            self.counters.events += 1;
            self.output.extend(Frame::Event(event).encode(time_ps));
        } else {
            self.counters.events_dropped += 1;
        }
    }

    /// What to send.
    #[must_use]
    pub fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    /// How the connection speaks.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// What it has seen.
    #[must_use]
    pub const fn counters(&self) -> ServerCounters {
        self.counters
    }

    fn admit(&mut self, frame_id: u64) -> Ticket {
        let ticket = Ticket(self.next);
        self.next = self.next.wrapping_add(1);
        self.open.push_back(Open {
            ticket,
            frame_id,
            done: None,
        });
        ticket
    }

    fn arrived(&mut self) -> Result<Option<(u64, Request, u64)>, StreamError> {
        if self.framing == Framing::Undecided && !self.decide() {
            return Ok(None);
        }
        if self.framing == Framing::Raw {
            let raw = self.stream.raw(REQUEST_SIZE).map(Request::from_bytes);
            return Ok(raw.map(|request| (0, request, 0)));
        }
        while let Some((frame, time)) = self.stream.frame()? {
            // A client has nothing else to say that asks for anything.
            if let Frame::Request(id, request) = frame {
                return Ok(Some((id, request, time)));
            }
        }
        Ok(None)
    }

    /// Whether the first message says how the stream goes on.
    fn decide(&mut self) -> bool {
        match self.stream.first_word() {
            None => return false,
            Some(kind::HELLO) => {
                let Some(hello) = self.stream.raw(REQUEST_SIZE).map(Request::from_bytes) else {
                    return false;
                };
                self.output.extend(hello.answer(status::OK).to_raw());
                self.framing = Framing::Framed;
            }
            Some(_) => self.framing = Framing::Raw,
        }
        true
    }
}
