//! virtio-sst: work for a simulated accelerator.
//!
//! The device answers NOOP, ECHO and GET_INFO itself. All other requests go, as frames of
//! `protocols/virtio-sst`, over the device's link to a model of the accelerator, and the guest runs on meanwhile.
//! Each request ends once: with the model's answer, with TIMEOUT, or by a reset.

mod flights;
mod inspect;
mod snapshot;

use crate::{Chain, ConfigAccess, QueueCx, QueueError, VirtioDevice, read_config};
use flights::{Flight, Flights};
use maquette_model::{Cx, Event, Message, PortId, SimTime, TimerId};
use maquette_virtio_protocol::{DeviceId, Features};
use maquette_virtio_sst_protocol::layout::{
    self, Config, InfoAnswer, MemoryView, PAYLOAD_SIZE, QUEUE_DEPTH, REQUEST_SIZE, RESPONSE_SIZE,
    RequestHeader, ResponseHeader, VERSION, feature, kind, queue, status,
};
use maquette_virtio_sst_protocol::peer::{Frame, Request, Response};
use std::collections::VecDeque;

/// Descriptors in each queue, if nothing else is asked for.
pub const SST_QUEUE_DEPTH: u16 = QUEUE_DEPTH;

/// Where the model is: each frame is one [`Message::Bytes`].
const PORT: PortId = PortId(0);
/// Events that wait for buffers of the driver.
const EVENTS: usize = 128;
/// The timer of the oldest request.
const DEADLINE: u32 = 0;

/// What is counted, under these names in the statistics.
mod counter {
    pub(super) const REQUESTS: &str = "requests";
    pub(super) const RESPONSES: &str = "responses";
    pub(super) const EVENTS: &str = "events";
    pub(super) const EVENTS_DROPPED: &str = "events_dropped";
    pub(super) const TIMEOUTS: &str = "timeouts";
    pub(super) const STRAY_ANSWERS: &str = "stray_answers";
}

/// What a device is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SstSettings {
    /// The type number that it goes by, one of [`layout::device_type`] or another.
    pub type_number: u32,
    /// What it calls itself in its configuration space.
    pub device_id: u32,
    /// Request queues, 1 to [`queue::MAX_REQUEST_QUEUES`].
    pub request_queues: u16,
    /// A model is linked.
    pub connected: bool,
    /// After this a request ends with TIMEOUT.
    pub timeout: SimTime,
    /// What GET_INFO tells of the model.
    pub max_compute_units: u64,
    /// What GET_INFO tells of the model, in bytes.
    pub memory_size: u64,
}

impl Default for SstSettings {
    fn default() -> Self {
        Self {
            type_number: layout::device_type::MMIO,
            device_id: 0,
            request_queues: 1,
            connected: true,
            timeout: SimTime::from_ms(layout::DEVICE_TIMEOUT_MS),
            max_compute_units: layout::MAX_COMPUTE_UNITS,
            memory_size: layout::MEMORY_SIZE,
        }
    }
}

/// A virtio-sst device.
#[derive(Debug)]
pub struct Sst {
    settings: SstSettings,
    queue_sizes: Vec<u16>,
    negotiated: Features,
    flights: Flights,
    /// Runs while requests are in flight, at the oldest one's deadline.
    timer: Option<TimerId>,
    events: VecDeque<layout::Event>,
    /// Events were lost since the last that waits.
    overflow: bool,
    chain: Chain,
    buffer: Vec<u8>,
}

impl Sst {
    /// A device. Its model is reached over port 0, if one is said to be there.
    #[must_use]
    pub fn new(settings: SstSettings) -> Self {
        let extra = settings
            .request_queues
            .clamp(1, queue::MAX_REQUEST_QUEUES)
            .saturating_sub(1);
        let count = queue::BASE_COUNT.saturating_add(extra);
        Self {
            settings,
            queue_sizes: vec![QUEUE_DEPTH; usize::from(count)],
            negotiated: Features::empty(),
            flights: Flights::default(),
            timer: None,
            events: VecDeque::new(),
            overflow: false,
            chain: Chain::default(),
            buffer: Vec::new(),
        }
    }

    fn offered(&self) -> u64 {
        let base = if self.settings.connected {
            feature::CONNECTED
        } else {
            feature::ALONE
        };
        let several = self.queue_sizes.len() > usize::from(queue::BASE_COUNT);
        base | if several { feature::MULTI_QUEUE } else { 0 }
    }

    fn configuration(&self) -> Config {
        let request_queues = self.queue_sizes.len() - usize::from(queue::BASE_COUNT) + 1;
        Config {
            version: VERSION,
            device_id: self.settings.device_id,
            features: self.offered(),
            max_queues: request_queues as u64,
        }
    }

    fn serve(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16) {
        let mut chain = std::mem::take(&mut self.chain);
        while cx.pop(queue, &mut chain) {
            if let Err(error) = self.take(cx, queue, &mut chain) {
                cx.fail(error);
            }
        }
        self.chain = chain;
        self.watch(cx.cx);
    }

    /// Takes one request, and answers it or sends it on.
    fn take(
        &mut self,
        cx: &mut QueueCx<'_, '_>,
        queue: u16,
        chain: &mut Chain,
    ) -> Result<(), QueueError> {
        cx.cx.count(counter::REQUESTS, 1);
        if chain.readable_len() < REQUEST_SIZE as u64 {
            cx.cx
                .guest_error("virtio-sst: length of a request", chain.readable_len());
            let answer = Request::default().answer(status::ERROR);
            return self.answer(cx, queue, chain, &answer);
        }
        let request = self.read(cx.cx, chain)?;
        match request.header.kind {
            kind::NOOP => self.answer(cx, queue, chain, &request.answer(status::OK)),
            kind::ECHO => {
                let mut answer = request.answer(status::OK);
                answer.payload = request.payload;
                self.answer(cx, queue, chain, &answer)
            }
            kind::GET_INFO => {
                let mut answer = request.answer(status::OK);
                answer.payload = self.information().encode().to_vec();
                self.answer(cx, queue, chain, &answer)
            }
            kind::COMPUTE | kind::READ | kind::WRITE | kind::CONFIGURE => {
                self.send_on(cx, queue, chain, request)
            }
            kind::RESET => {
                self.abort(cx)?;
                if self.settings.connected {
                    return self.send_on(cx, queue, chain, request);
                }
                self.answer(cx, queue, chain, &request.answer(status::OK))
            }
            _ => self.answer(cx, queue, chain, &request.answer(status::INVALID)),
        }
    }

    /// Reads the request, but only as much payload as its kind has.
    fn read(&mut self, cx: &mut Cx<'_>, chain: &Chain) -> Result<Request, QueueError> {
        let mut header = [0; RequestHeader::SIZE];
        chain.read(cx, 0, &mut header)?;
        let header = RequestHeader::decode(&header);
        let mut payload = vec![0; payload_begins_with(header.kind)];
        chain.read(cx, RequestHeader::SIZE as u64, &mut payload)?;
        if header.kind == kind::WRITE {
            let size = usize::try_from(MemoryView::decode(&payload).size).unwrap_or(usize::MAX);
            // A size that is too large is the model's to refuse.
            let begin = payload.len();
            payload.resize(begin.saturating_add(size).min(PAYLOAD_SIZE), 0);
            let data = payload.get_mut(begin..).unwrap_or_default();
            chain.read(cx, (RequestHeader::SIZE + begin) as u64, data)?;
        }
        Ok(Request { header, payload })
    }

    fn information(&self) -> InfoAnswer {
        InfoAnswer {
            version: VERSION,
            // Feature bits of a device type lie below bit 24.
            capabilities: u32::try_from(self.offered()).unwrap_or(u32::MAX),
            max_compute_units: self.settings.max_compute_units,
            memory_size: self.settings.memory_size,
        }
    }

    /// Sends a request to the model.
    fn send_on(
        &mut self,
        cx: &mut QueueCx<'_, '_>,
        queue: u16,
        chain: &mut Chain,
        request: Request,
    ) -> Result<(), QueueError> {
        if !self.settings.connected {
            return self.answer(cx, queue, chain, &request.answer(status::NO_DEVICE));
        }
        let size = cx.queue_size(queue);
        if self.flights.of_queue(queue) >= usize::from(size) {
            // A head was made available again before it was returned.
            return Err(QueueError::Flood(size));
        }
        let now = cx.cx.now();
        let deadline = now.saturating_add(self.settings.timeout);
        let (header, spare) = (request.header, self.flights.spare_chain());
        let mut kept = std::mem::replace(chain, spare);
        kept.keep_writable();
        let id = self.flights.add(queue, &header, kept, deadline);
        let frame = Frame::Request(id, request).encode(now.as_ps());
        cx.cx.send(PORT, Message::Bytes(frame));
        Ok(())
    }

    /// Ends a request.
    fn answer(
        &mut self,
        cx: &mut QueueCx<'_, '_>,
        queue: u16,
        chain: &Chain,
        answer: &Response,
    ) -> Result<(), QueueError> {
        cx.cx.count(counter::RESPONSES, 1);
        let mut written = 0;
        if chain.writable_len() < RESPONSE_SIZE as u64 {
            cx.cx
                .guest_error("virtio-sst: room for an answer", chain.writable_len());
        } else {
            self.buffer.clear();
            self.buffer.extend_from_slice(&answer.header.encode());
            let payload = answer.payload.get(..PAYLOAD_SIZE);
            self.buffer
                .extend_from_slice(payload.unwrap_or(&answer.payload));
            self.buffer.resize(RESPONSE_SIZE, 0);
            chain.write(cx.cx, 0, &self.buffer)?;
            written = u32::try_from(RESPONSE_SIZE).unwrap_or(0);
        }
        cx.push(queue, chain.head(), written);
        Ok(())
    }

    /// Ends a request that was in flight.
    fn land(
        &mut self,
        cx: &mut QueueCx<'_, '_>,
        flight: Flight,
        mut answer: Response,
    ) -> Result<(), QueueError> {
        answer.header = ResponseHeader {
            reserved: 0,
            request_id: flight.request_id,
            user_data: flight.user_data,
            ..answer.header
        };
        let done = self.answer(cx, flight.queue, &flight.chain, &answer);
        self.flights.recycle(flight.chain);
        done
    }

    fn land_with(
        &mut self,
        cx: &mut QueueCx<'_, '_>,
        flight: Flight,
        status: u32,
    ) -> Result<(), QueueError> {
        let answer = Request::default().answer(status);
        self.land(cx, flight, answer)
    }

    /// Ends all requests in flight with ERROR: a RESET overtakes them.
    fn abort(&mut self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        while let Some(flight) = self.flights.take_oldest() {
            self.land_with(cx, flight, status::ERROR)?;
        }
        Ok(())
    }

    /// Ends the requests whose deadline is over.
    fn expire(&mut self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        let now = cx.cx.now();
        while let Some(flight) = self.flights.take_expired(now) {
            cx.cx.count(counter::TIMEOUTS, 1);
            self.land_with(cx, flight, status::TIMEOUT)?;
        }
        Ok(())
    }

    /// Keeps the timer at the oldest deadline.
    fn watch(&mut self, cx: &mut Cx<'_>) {
        match (self.flights.deadline(), self.timer) {
            (None, Some(timer)) => {
                cx.cancel(timer);
                self.timer = None;
            }
            (Some(deadline), None) => {
                let timer = Event::Timer {
                    tag: DEADLINE,
                    arg: 0,
                };
                self.timer = Some(cx.at(deadline, timer));
            }
            // It may be early: then it looks, and is set again.
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// The model has something to say.
    fn heard(&mut self, cx: &mut QueueCx<'_, '_>, message: &[u8]) -> Result<(), QueueError> {
        match Frame::from_message(message) {
            Some((Frame::Response(id, answer), _)) => match self.flights.take(id) {
                Some(flight) => self.land(cx, flight, answer)?,
                None => cx.cx.count(counter::STRAY_ANSWERS, 1),
            },
            Some((Frame::Event(event), _)) => {
                self.enqueue(cx, event);
                self.deliver(cx)?;
            }
            Some((Frame::Request(..) | Frame::Sync, _)) | None => {
                cx.cx.count(counter::STRAY_ANSWERS, 1);
            }
        }
        Ok(())
    }

    /// Lets an event wait for a buffer. The newest is lost when too many do.
    fn enqueue(&mut self, cx: &mut QueueCx<'_, '_>, mut event: layout::Event) {
        let wanted = self.negotiated.bits() & feature::EVENTS != 0;
        if !wanted || self.events.len() >= EVENTS {
            self.overflow |= wanted;
            return cx.cx.count(counter::EVENTS_DROPPED, 1);
        }
        if std::mem::take(&mut self.overflow) {
            event.flags |= layout::event::OVERFLOW;
        }
        self.events.push_back(event);
    }

    /// Hands waiting events to the driver while it has buffers.
    fn deliver(&mut self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        while !self.events.is_empty() && cx.pop(queue::EVENT, &mut self.chain) {
            let room = self.chain.writable_len();
            if room < layout::Event::SIZE as u64 {
                cx.cx.guest_error("virtio-sst: room for an event", room);
                cx.push(queue::EVENT, self.chain.head(), 0);
                continue;
            }
            let Some(event) = self.events.pop_front() else {
                break;
            };
            self.chain.write(cx.cx, 0, &event.encode())?;
            let written = u32::try_from(layout::Event::SIZE).unwrap_or(0);
            cx.push(queue::EVENT, self.chain.head(), written);
            cx.cx.count(counter::EVENTS, 1);
        }
        Ok(())
    }
}

/// How much payload a request of a kind has at least.
const fn payload_begins_with(kind: u32) -> usize {
    match kind {
        kind::ECHO => PAYLOAD_SIZE,
        kind::COMPUTE | kind::READ | kind::WRITE | kind::CONFIGURE => MemoryView::SIZE,
        _ => 0,
    }
}

impl VirtioDevice for Sst {
    fn id(&self) -> DeviceId {
        DeviceId(self.settings.type_number)
    }
    fn features(&self) -> Features {
        Features::from_bits_retain(self.offered())
    }
    fn queue_sizes(&self) -> &[u16] {
        &self.queue_sizes
    }
    fn activate(&mut self, _: &mut QueueCx<'_, '_>, features: Features) {
        self.negotiated = features;
    }
    fn reset(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel(timer);
        }
        self.negotiated = Features::empty();
        self.flights.forget();
        self.events.clear();
        self.overflow = false;
    }
    fn kick(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16) {
        match queue {
            queue::RESPONSE => cx
                .cx
                .guest_error("virtio-sst: kick of the response queue", queue.into()),
            queue::EVENT => {
                if let Err(error) = self.deliver(cx) {
                    cx.fail(error);
                }
            }
            _ => self.serve(cx, queue),
        }
    }
    fn event(&mut self, cx: &mut QueueCx<'_, '_>, ev: Event) {
        let done = match ev {
            Event::Timer { .. } => {
                self.timer = None;
                self.expire(cx)
            }
            Event::Message {
                msg: Message::Bytes(message),
                ..
            } if cx.live() => self.heard(cx, &message),
            Event::Message { .. } => {
                cx.cx.count(counter::STRAY_ANSWERS, 1);
                Ok(())
            }
        };
        if let Err(error) = done {
            cx.fail(error);
        }
        self.watch(cx.cx);
    }
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64 {
        match access {
            ConfigAccess::Read { off, width } => {
                read_config(&self.configuration().encode(), off, width)
            }
            ConfigAccess::Write { off, .. } => {
                cx.cx
                    .guest_error("virtio-sst: write to the configuration", off);
                0
            }
        }
    }
}

#[cfg(test)]
mod tests;
