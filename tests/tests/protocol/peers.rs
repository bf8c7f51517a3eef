//! Both ends against each other, and against a hostile one, through a connection that cuts bytes
//! anywhere, loses it, and a server that answers late, twice, out of order or not at all.

use maquette_virtio_sst_protocol::layout::{PAYLOAD_SIZE, RequestHeader, kind, status};
use maquette_virtio_sst_protocol::peer::{
    Client, ClientSettings, FRAMING, Frame, FrameHeader, Framing, MAGIC, Refused, Report, Request,
    RequestToken, Response, Server, Ticket,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn echo(id: u64, text: &[u8]) -> Request {
    let header = RequestHeader {
        kind: kind::ECHO,
        flags: 0,
        request_id: id,
        user_data: id ^ 0xFFFF,
    };
    Request {
        header,
        payload: text.to_vec(),
    }
}

fn echoed(request: &Request) -> Response {
    let mut response = request.answer(status::OK);
    response.payload.clone_from(&request.payload);
    response
}

/// Carries what the ends have to say to each other, in portions of `step` bytes.
fn carry(client: &mut Client, server: &mut Server, step: usize) {
    loop {
        let (out, back) = (client.take_output(), server.take_output());
        if out.is_empty() && back.is_empty() {
            return;
        }
        for part in out.chunks(step) {
            server.received(part);
        }
        for part in back.chunks(step) {
            client.received(part).expect("a stream");
        }
        while let Some((ticket, request, time)) = server.next_request().expect("a stream") {
            server.answer(ticket, echoed(&request), time);
        }
    }
}

fn done(client: &mut Client) -> Vec<Response> {
    let mut all = Vec::new();
    while let Some(report) = client.next_report() {
        if let Report::Done(_, response, _) = report {
            all.push(response);
        }
    }
    all
}

#[test]
fn sst_f07_ends_that_know_hello_speak_in_frames_in_portions_of_any_size() {
    for step in [1, 7, 4103, 4104, 5000, 100_000] {
        let (mut client, mut server) = (Client::new(ClientSettings::default()), Server::default());
        client.connected();
        for id in 0..5 {
            client
                .submit(Duration::ZERO, echo(id, b"text"), 17)
                .expect("room");
        }
        carry(&mut client, &mut server, step);
        let answers = done(&mut client);
        let ids: Vec<u64> = answers.iter().map(|a| a.header.request_id).collect();
        assert_eq!(ids, [0, 1, 2, 3, 4]);
        assert!(answers.iter().all(|a| a.payload == b"text"));
        assert_eq!(server.framing(), Framing::Framed);
    }
}

#[test]
fn sst_f08_server_sends_an_original_client_nothing_but_answers_of_one_size() {
    let mut server = Server::default();
    let request = echo(9, b"x").to_raw();
    let two = [request.clone(), request.clone()].concat();
    server.received(&two[..4103]);
    assert_eq!(server.next_request(), Ok(None));
    assert!(server.take_output().is_empty());
    server.received(&two[4103..]);
    let mut tickets: Vec<(Ticket, Request)> = Vec::new();
    while let Some((ticket, request, _)) = server.next_request().expect("raw") {
        tickets.push((ticket, request));
    }
    // Answered in the order of the requests, whichever is done first.
    let (last, request) = tickets.pop().expect("two");
    server.answer(last, echoed(&request), 0);
    assert!(server.take_output().is_empty());
    let (first, request) = tickets.pop().expect("one");
    server.answer(first, echoed(&request), 0);
    server.answer(first, echoed(&request), 0);
    assert_eq!(server.take_output().len(), 2 * 4112);
    assert_eq!(server.framing(), Framing::Raw);
}

/// What the original does: an unknown kind is INVALID, one request after the other.
fn original_server(bytes: &mut Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    while bytes.len() >= 4104 {
        let request = Request::from_bytes(&bytes[..4104]);
        bytes.drain(..4104);
        let response = if request.header.kind == kind::ECHO {
            echoed(&request)
        } else {
            request.answer(status::INVALID)
        };
        out.extend(response.to_raw());
    }
    out
}

#[test]
fn sst_17_hello_to_an_original_server_leaves_the_stream_raw_with_one_request_at_a_time() {
    let mut client = Client::new(ClientSettings::default());
    client.connected();
    for id in 10..13 {
        client
            .submit(Duration::ZERO, echo(id, b"raw"), 0)
            .expect("room");
    }
    let (mut inbox, mut most) = (Vec::new(), 0);
    loop {
        let out = client.take_output();
        if out.is_empty() {
            break;
        }
        most = most.max(out.len());
        inbox.extend(out);
        client.received(&original_server(&mut inbox)).expect("raw");
    }
    assert_eq!(most, 4104);
    let ids: Vec<u64> = done(&mut client)
        .iter()
        .map(|a| a.header.request_id)
        .collect();
    assert_eq!(ids, [10, 11, 12]);
}

#[test]
fn sst_f10_request_times_out_and_its_late_and_doubled_answers_are_counted() {
    let settings = ClientSettings {
        hello: false,
        ..ClientSettings::default()
    };
    let mut client = Client::new(settings);
    assert_eq!(
        client.submit(Duration::ZERO, echo(1, b""), 0),
        Err(Refused::NoDevice)
    );
    client.connected();
    client.submit(SECOND, echo(1, b"one"), 0).expect("room");
    let sent = Request::from_bytes(&client.take_output());
    assert_eq!(client.wake_at(), Some(6 * SECOND));
    client.tick(6 * SECOND - Duration::from_nanos(1));
    assert!(client.next_report().is_none());
    client.tick(6 * SECOND);
    assert_eq!(done(&mut client)[0].header.status, status::TIMEOUT);
    client.received(&echoed(&sent).to_raw()).expect("raw");

    client.submit(7 * SECOND, echo(2, b"two"), 0).expect("room");
    let sent = Request::from_bytes(&client.take_output());
    let mut wrong = echoed(&sent);
    wrong.header.request_id = 77;
    client.received(&wrong.to_raw()).expect("raw");
    client.received(&echoed(&sent).to_raw()).expect("raw");
    client.received(&echoed(&sent).to_raw()).expect("raw");
    let answers = done(&mut client);
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].header.request_id, &answers[0].payload[..]),
        (2, &b"two"[..])
    );
    let counted = client.counters();
    assert_eq!(
        (counted.late, counted.unknown, counted.duplicates),
        (1, 1, 1)
    );
}

#[test]
fn sst_f26_ids_stay_unique_when_they_wrap() {
    let settings = ClientSettings {
        hello: false,
        raw_depth: 128,
        ..ClientSettings::default()
    };
    let mut client = Client::with_first_id(settings, u64::MAX - 2);
    client.connected();
    for id in 0..128 {
        client
            .submit(Duration::ZERO, echo(id, b""), 0)
            .expect("room");
    }
    assert_eq!(
        client.submit(Duration::ZERO, echo(0, b""), 0),
        Err(Refused::Busy)
    );
    let sent = client.take_output();
    let mut ids: Vec<u64> = sent
        .chunks(4104)
        .map(|raw| Request::from_bytes(raw).header.request_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 128);
}

#[test]
fn server_works_on_no_more_than_the_depth_and_asks_not_to_be_fed() {
    let mut server = Server::default();
    let raw = echo(0, b"").to_raw();
    for _ in 0..130 {
        server.received(&raw);
    }
    let mut tickets = Vec::new();
    while let Some((ticket, request, _)) = server.next_request().expect("raw") {
        tickets.push((ticket, request));
    }
    assert_eq!(tickets.len(), 128);
    assert!(!server.wants_input());
    let (ticket, request) = tickets.remove(0);
    server.answer(ticket, echoed(&request), 0);
    assert!(server.wants_input());
    assert!(server.next_request().expect("raw").is_some());
}

#[test]
fn stream_that_is_no_stream_of_frames_is_refused_with_what_was_found() {
    let mut server = Server::default();
    server.received(&Request::hello(1).to_raw());
    server.received(&[0x20; 32]);
    let error = server.next_request().expect_err("no frame");
    assert_eq!(
        error.to_string(),
        "a frame begins with 0x20202020 instead of 0x32545353"
    );
}

/// What may happen to a client, besides time.
#[derive(Clone, Debug)]
enum Step {
    Submit(Vec<u8>),
    /// The server answers one of what it holds.
    Answer(prop::sample::Index),
    /// And again.
    AnswerTwice(prop::sample::Index),
    Forget(prop::sample::Index),
    Nonsense,
    Wait(u16),
    Disconnect {
        /// After so many bytes of what was on the way.
        after: usize,
    },
    Connect,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Submit),
        5 => any::<prop::sample::Index>().prop_map(Step::Answer),
        1 => any::<prop::sample::Index>().prop_map(Step::AnswerTwice),
        1 => any::<prop::sample::Index>().prop_map(Step::Forget),
        1 => Just(Step::Nonsense),
        3 => (0u16..3000).prop_map(Step::Wait),
        1 => (0usize..9000).prop_map(|after| Step::Disconnect { after }),
        2 => Just(Step::Connect),
    ];
    prop::collection::vec(step, 1..120)
}

/// A client with a server that does as it is told, and what each request must come to.
struct Case {
    client: Client,
    server: Server,
    framed: bool,
    step: usize,
    now: Duration,
    next_id: u64,
    /// Taken and not ended, with what its answer must hold and when it ends.
    open: BTreeMap<RequestToken, (u64, Vec<u8>, Duration)>,
    held: Vec<(Ticket, Request)>,
    answered: Vec<Request>,
}

impl Case {
    fn new(framed: bool, step: usize) -> Self {
        let settings = ClientSettings {
            hello: framed,
            raw_depth: 3,
            timeout: 5 * SECOND,
        };
        Self {
            client: Client::new(settings),
            server: Server::default(),
            framed,
            step,
            now: Duration::ZERO,
            next_id: 0,
            open: BTreeMap::new(),
            held: Vec::new(),
            answered: Vec::new(),
        }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Submit(text) => self.submit(&text),
            Step::Answer(which) => self.answer(which, 1),
            Step::AnswerTwice(which) => self.answer(which, 2),
            Step::Forget(which) => {
                if self.framed && !self.held.is_empty() {
                    let place = which.index(self.held.len());
                    self.held.remove(place);
                }
            }
            Step::Nonsense => self.nonsense(),
            Step::Wait(ms) => self.now += Duration::from_millis(ms.into()),
            Step::Disconnect { after } => self.disconnect(after),
            Step::Connect => {
                if self.client.wants_connection(self.now) {
                    self.client.connected();
                    self.server = Server::default();
                    self.held.clear();
                }
            }
        }
        self.client.tick(self.now);
        self.pump();
        self.check();
    }

    fn submit(&mut self, text: &[u8]) {
        self.next_id += 1;
        let taken = self.client.submit(self.now, echo(self.next_id, text), 0);
        let expected = if !self.client.is_connected() {
            Some(Refused::NoDevice)
        } else if self.open.len() == 128 {
            Some(Refused::Busy)
        } else {
            None
        };
        assert_eq!(taken.err(), expected);
        if let Ok(token) = taken {
            let end = text
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            let what = (self.next_id, text[..end].to_vec(), self.now + 5 * SECOND);
            assert!(self.open.insert(token, what).is_none(), "a token twice");
        }
    }

    fn answer(&mut self, which: prop::sample::Index, times: usize) {
        if self.held.is_empty() {
            return;
        }
        let (ticket, request) = self.held.remove(which.index(self.held.len()));
        for _ in 0..times {
            self.server.answer(ticket, echoed(&request), 0);
        }
        self.answered.push(request);
    }

    /// Answers that nobody waits for: one given before, and one to no request at all.
    fn nonsense(&mut self) {
        self.pump();
        if !self.client.is_connected() || self.server.framing() == Framing::Undecided {
            return;
        }
        let mut stray = vec![echo(u64::MAX, b"stray")];
        stray.extend(self.answered.last().cloned());
        for request in stray {
            let response = echoed(&request);
            let bytes = if self.framed {
                Frame::Response(request.header.request_id, response).encode(0)
            } else {
                response.to_raw()
            };
            self.client.received(&bytes).expect("a stream");
        }
    }

    fn disconnect(&mut self, after: usize) {
        if !self.client.is_connected() {
            return;
        }
        let back = self.server.take_output();
        let arrived = &back[..after.min(back.len())];
        self.client.received(arrived).expect("a stream");
        self.check();
        self.client.disconnected(self.now);
        assert!(!self.client.wants_connection(self.now));
        for (token, status) in self.take_done() {
            assert_eq!(status, Some(status::NO_DEVICE));
            assert!(self.open.remove(&token).is_some());
        }
        assert!(
            self.open.is_empty(),
            "{:?} neither answered nor lost",
            self.open
        );
    }

    fn pump(&mut self) {
        loop {
            let (out, back) = (self.client.take_output(), self.server.take_output());
            for part in out.chunks(self.step) {
                self.server.received(part);
            }
            for part in back.chunks(self.step) {
                self.client.received(part).expect("a stream");
            }
            while let Some((ticket, request, _)) = self.server.next_request().expect("a stream") {
                self.held.push((ticket, request));
            }
            if out.is_empty() && back.is_empty() {
                return;
            }
        }
    }

    /// Tokens that ended, and their status unless it is a right answer.
    fn take_done(&mut self) -> Vec<(RequestToken, Option<u32>)> {
        let mut all = Vec::new();
        while let Some(report) = self.client.next_report() {
            let Report::Done(token, response, _) = report else {
                continue;
            };
            let (id, text, _) = self.open.get(&token).expect("an open request");
            assert_eq!(response.header.request_id, *id);
            assert_eq!(response.header.user_data, id ^ 0xFFFF);
            if response.is_ok() {
                assert_eq!(&response.payload, text);
            }
            let failed = (!response.is_ok()).then_some(response.header.status);
            all.push((token, failed));
        }
        all
    }

    /// What ended did so rightly, and what is overdue has ended.
    fn check(&mut self) {
        for (token, failed) in self.take_done() {
            let (_, _, deadline) = self.open.remove(&token).expect("an open request");
            match failed {
                None => {}
                Some(status::TIMEOUT) => assert!(deadline <= self.now),
                Some(other) => panic!("ended with {other}"),
            }
        }
        assert!(self.open.values().all(|(_, _, end)| *end > self.now));
    }
}

proptest! {
    #[test]
    fn sst_16_every_request_ends_once_and_rightly(
        steps in steps(),
        framed: bool,
        portion in 1usize..6000,
    ) {
        let mut case = Case::new(framed, portion);
        case.client.connected();
        case.pump();
        for step in steps {
            case.apply(step);
        }
    }

    #[test]
    fn sst_f09_no_bytes_panic_or_stall_either_end(bytes: Vec<u8>, hello: bool, raw in 0usize..3) {
        let mut server = Server::default();
        let mut client = Client::new(ClientSettings { hello, ..ClientSettings::default() });
        client.connected();
        if hello {
            server.received(&Request::hello(1).to_raw());
            let _ = client.received(&Request::hello(1).answer(status::OK).to_raw());
        }
        for _ in 0..=raw * 4104 / bytes.len().max(1) {
            server.received(&bytes);
            while let Ok(Some((ticket, request, _))) = server.next_request() {
                prop_assert!(request.payload.len() <= PAYLOAD_SIZE);
                server.answer(ticket, request.answer(status::INVALID), 0);
            }
            let _ = client.received(&bytes);
        }
        prop_assert!(client.next_report().is_none_or(|r| !matches!(r, Report::Done(..))));
    }

    #[test]
    fn sst_f09_frames_of_unknown_kinds_are_read_over(
        kind in 5u16..,
        body in prop::collection::vec(any::<u8>(), 0..2000),
        step in 1usize..3000,
    ) {
        let header = FrameHeader {
            magic: MAGIC,
            version: FRAMING,
            kind,
            length: u32::try_from(body.len()).expect("short"),
            ..FrameHeader::default()
        };
        let known = Frame::Request(7, echo(1, b"after")).encode(0);
        let mut server = Server::default();
        server.received(&Request::hello(1).to_raw());
        let all = [&header.encode()[..], &body, &known].concat();
        let mut found = None;
        for part in all.chunks(step) {
            server.received(part);
            prop_assert!(found.is_none());
            found = server.next_request().expect("frames");
        }
        prop_assert_eq!(found.map(|(_, request, _)| request.payload), Some(b"after".to_vec()));
    }

    #[test]
    fn frames_survive_the_wire(kind: u32, id: u64, payload in prop::collection::vec(any::<u8>(), 0..PAYLOAD_SIZE), time: u64) {
        let mut request = echo(id, &payload);
        request.header.kind = kind;
        let mut stream = maquette_virtio_sst_protocol::peer::Stream::default();
        stream.push(&Frame::Request(id, request.clone()).encode(time));
        let trimmed = Request::from_bytes(&request.to_raw());
        prop_assert_eq!(stream.frame(), Ok(Some((Frame::Request(id, trimmed), time))));
        prop_assert_eq!(stream.waiting(), 0);
    }
}
