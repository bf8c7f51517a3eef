//! The device's end: sends requests, matches answers, gives up in time, connects again (docs/virtio-sst.md §4).
//!
//! Ids on the wire are this end's own, so that a guest that numbers badly cannot confuse answers; the
//! guest's id is put back. Each request ends exactly once: answered, timed out, or lost with the
//! connection.

use super::backoff::Backoff;
use super::frame::{Frame, StreamError};
use super::history::{Ended, History};
use super::message::{Request, Response};
use super::stream::Stream;
use crate::layout::{DEVICE_TIMEOUT_MS, Event, QUEUE_DEPTH, RESPONSE_SIZE, kind, status};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// Whether to ask for the framed stream.
    pub hello: bool,
    /// Requests on the wire of a raw stream at a time; an original server wants 1.
    pub raw_depth: usize,
    /// After this a request ends with TIMEOUT.
    pub timeout: Duration,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            hello: true,
            raw_depth: 1,
            timeout: Duration::from_millis(DEVICE_TIMEOUT_MS),
        }
    }
}

/// The request is not taken; answer it with this status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no connection: NO_DEVICE.
    NoDevice,
    /// [`QUEUE_DEPTH`] requests are in flight: BUSY.
    Busy,
}

/// Which request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestToken(u64);

/// What a client reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A request ended; the time is the peer's, 0 if it gave none.
    Done(RequestToken, Response, u64),
    /// An event for the guest.
    Event(Event, u64),
    /// The peer will send nothing with an earlier time, in picoseconds.
    Promise(u64),
}

/// What a client has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCounters {
    /// Requests taken.
    pub requests: u64,
    /// Requests that the peer answered in time.
    pub responses: u64,
    /// Requests that timed out.
    pub timeouts: u64,
    /// Requests lost with a connection.
    pub lost: u64,
    /// Answers that came after their request had timed out.
    pub late: u64,
    /// Answers to requests that were answered already.
    pub duplicates: u64,
    /// Answers to requests that never were.
    pub unknown: u64,
    /// Connections made.
    pub connections: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    /// The hello is out.
    Asking {
        hello: u64,
    },
    Raw,
    Framed,
}

#[derive(Debug)]
struct Flight {
    id: u64,
    /// The guest's, put back into the answer.
    guest_id: u64,
    user_data: u64,
    deadline: Duration,
    /// Not yet on the wire.
    unsent: Option<(Request, u64)>,
}

/// A connection's state, over all its losses. Bytes and times go in, bytes and reports come out.
#[derive(Debug)]
pub struct Client {
    settings: ClientSettings,
    link: Link,
    backoff: Backoff,
    stream: Stream,
    /// In the order of their deadlines.
    flights: VecDeque<Flight>,
    history: History,
    next_id: u64,
    output: Vec<u8>,
    reports: VecDeque<Report>,
    counters: ClientCounters,
}

impl Client {
    /// Not connected yet; it wants to be, at once.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        Self::with_first_id(settings, 1)
    }

    /// As [`Client::new`], with ids on the wire that begin at `first`.
    #[must_use]
    pub fn with_first_id(settings: ClientSettings, first: u64) -> Self {
        Self {
            settings,
            link: Link::Down,
            backoff: Backoff::default(),
            stream: Stream::default(),
            flights: VecDeque::new(),
            history: History::default(),
            next_id: first,
            output: Vec::new(),
            reports: VecDeque::new(),
            counters: ClientCounters::default(),
        }
    }

    /// The connection stands.
    pub fn connected(&mut self) {
        self.counters.connections += 1;
        self.backoff = Backoff::default();
        self.stream = Stream::default();
        self.output.clear();
        if self.settings.hello {
            let hello = self.fresh_id();
            self.output.extend(Request::hello(hello).to_raw());
            self.link = Link::Asking { hello };
        } else {
            self.link = Link::Raw;
        }
    }

    /// The connection is gone, or could not be made. Requests in flight end with NO_DEVICE.
    pub fn disconnected(&mut self, now: Duration) {
        self.link = Link::Down;
        self.output.clear();
        self.backoff.failed(now);
        while let Some(flight) = self.flights.pop_front() {
            self.counters.lost += 1;
            self.end(&flight, status::NO_DEVICE, Ended::Lost);
        }
    }

    /// Takes a request that was made at a simulated time.
    ///
    /// # Errors
    /// It is not taken, and its sender is told why.
    pub fn submit(
        &mut self,
        now: Duration,
        mut request: Request,
        time_ps: u64,
    ) -> Result<RequestToken, Refused> {
        if self.link == Link::Down {
            return Err(Refused::NoDevice);
        }
        if self.flights.len() >= usize::from(QUEUE_DEPTH) {
            return Err(Refused::Busy);
        }
        self.counters.requests += 1;
        let id = self.fresh_id();
        let guest_id = core::mem::replace(&mut request.header.request_id, id);
        self.flights.push_back(Flight {
            id,
            guest_id,
            user_data: request.header.user_data,
            deadline: now.saturating_add(self.settings.timeout),
            unsent: Some((request, time_ps)),
        });
        self.send();
        Ok(RequestToken(id))
    }

    /// Bytes have arrived.
    ///
    /// # Errors
    /// The stream cannot go on: close the connection and say [`Client::disconnected`].
    pub fn received(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.stream.push(bytes);
        loop {
            match self.link {
                Link::Down => return Ok(()),
                Link::Framed => match self.stream.frame()? {
                    None => return Ok(()),
                    Some((frame, time)) => self.framed(frame, time),
                },
                Link::Raw | Link::Asking { .. } => {
                    let Some(raw) = self.stream.raw(RESPONSE_SIZE) else {
                        return Ok(());
                    };
                    let response = Response::from_bytes(raw);
                    self.raw(response);
                }
            }
        }
    }

    /// Time has passed: ends requests whose deadline is over.
    pub fn tick(&mut self, now: Duration) {
        while let Some(flight) = self.flights.pop_front_if(|flight| flight.deadline <= now) {
            self.counters.timeouts += 1;
            self.end(&flight, status::TIMEOUT, Ended::TimedOut);
        }
        self.send();
    }

    /// When [`Client::tick`] or a try to connect is due; `None`: not before something else happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        if self.link == Link::Down {
            return Some(self.backoff.next_try());
        }
        self.flights.front().map(|flight| flight.deadline)
    }

    /// Whether to try to connect now.
    #[must_use]
    pub fn wants_connection(&self, now: Duration) -> bool {
        self.link == Link::Down && self.backoff.next_try() <= now
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link != Link::Down
    }

    /// What to send.
    #[must_use]
    pub fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    /// What has happened, the oldest first.
    pub fn next_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// What it has seen.
    #[must_use]
    pub const fn counters(&self) -> ClientCounters {
        self.counters
    }

    /// An id that no request in flight has, nor any whose late answer is still expected.
    fn fresh_id(&mut self) -> u64 {
        loop {
            let id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1);
            if !self.history.knows(id) && self.flights.iter().all(|flight| flight.id != id) {
                return id;
            }
        }
    }

    /// Puts on the wire what may go there.
    fn send(&mut self) {
        let depth = match self.link {
            Link::Down | Link::Asking { .. } => return,
            Link::Raw => self.settings.raw_depth,
            Link::Framed => usize::from(QUEUE_DEPTH),
        };
        for flight in self.flights.iter_mut().take(depth) {
            let Some((request, time)) = flight.unsent.take() else {
                continue;
            };
            if self.link == Link::Framed {
                let frame = Frame::Request(flight.id, request);
                self.output.extend(frame.encode(time));
            } else {
                self.output.extend(request.to_raw());
            }
        }
    }

    fn raw(&mut self, response: Response) {
        if let Link::Asking { hello } = self.link {
            let is_answer = response.header.request_id == hello;
            self.link = if is_answer && response.is_ok() {
                Link::Framed
            } else {
                Link::Raw
            };
            self.send();
            if is_answer {
                return;
            }
        }
        self.answered(response.header.request_id, response, 0);
    }

    fn framed(&mut self, frame: Frame, time: u64) {
        match frame {
            Frame::Response(id, response) => self.answered(id, response, time),
            Frame::Event(event) => self.reports.push_back(Report::Event(event, time)),
            Frame::Sync => self.reports.push_back(Report::Promise(time)),
            // A server asks for nothing.
            Frame::Request(..) => {}
        }
    }

    fn answered(&mut self, id: u64, mut response: Response, time: u64) {
        let place = self
            .flights
            .iter()
            .position(|flight| flight.id == id && flight.unsent.is_none());
        let Some(flight) = place.and_then(|place| self.flights.remove(place)) else {
            match self.history.of(id) {
                Some(Ended::Answered) => self.counters.duplicates += 1,
                Some(Ended::TimedOut | Ended::Lost) => self.counters.late += 1,
                None => self.counters.unknown += 1,
            }
            return;
        };
        self.counters.responses += 1;
        self.history.remember(id, Ended::Answered);
        response.header.request_id = flight.guest_id;
        response.header.user_data = flight.user_data;
        let token = RequestToken(id);
        self.reports.push_back(Report::Done(token, response, time));
        self.send();
    }

    fn end(&mut self, flight: &Flight, status: u32, how: Ended) {
        self.history.remember(flight.id, how);
        let mut request = Request::default();
        request.header.kind = kind::NOOP;
        request.header.request_id = flight.guest_id;
        request.header.user_data = flight.user_data;
        let token = RequestToken(flight.id);
        let response = request.answer(status);
        self.reports.push_back(Report::Done(token, response, 0));
    }
}
