use super::*;
use maquette_model::{Reader, Snapshot, Writer};
use maquette_sim::{Link, NoRim, Serial};
use maquette_virtio_sst_protocol::layout::{PAYLOAD_SIZE, RequestHeader};

const US: SimTime = SimTime::from_us(1);

/// Sends requests at given times and keeps what comes back.
struct Client {
    path: String,
    plan: Vec<(SimTime, Message)>,
    heard: Vec<(SimTime, Frame)>,
}

impl Component for Client {
    fn path(&self) -> &str {
        &self.path
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "accelerator")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        for (n, (at, _)) in self.plan.iter().enumerate() {
            cx.wake_at(*at, u32::try_from(n).unwrap());
        }
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { tag } => {
                let (at, message) = &self.plan[usize::try_from(tag).unwrap()];
                cx.send(PortId(0), message.clone(), *at);
            }
            SimEvent::Message { msg, .. } => {
                let Message::Bytes(bytes) = msg else { panic!() };
                let (frame, time) = Frame::from_message(&bytes).expect("a frame");
                assert_eq!(SimTime::from_ps(time).saturating_add(US), cx.now());
                self.heard.push((SimTime::from_ps(time), frame));
            }
        }
    }
}

fn request(kind: u32, id: u64, payload: &[u8]) -> Request {
    let header = RequestHeader {
        kind,
        flags: 0,
        request_id: id,
        user_data: !id,
    };
    Request {
        header,
        payload: payload.to_vec(),
    }
}

fn compute(units: u64) -> Request {
    let view = ComputeView {
        units,
        ..ComputeView::default()
    };
    request(kind::COMPUTE, units, &view.encode())
}

fn memory(kind: u32, address: u64, size: u32, data: &[u8]) -> Request {
    let view = MemoryView {
        address,
        size,
        reserved: 0,
    };
    request(kind, address, &[&view.encode(), data].concat())
}

fn configure(parameter: u32, value: u64) -> Request {
    let view = ConfigureView {
        parameter,
        reserved: 0,
        value,
    };
    request(kind::CONFIGURE, value, &view.encode())
}

fn settings() -> AcceleratorSettings {
    AcceleratorSettings::new("accelerator0".to_owned())
}

type Plan = Vec<(SimTime, Request)>;

/// What each client hears, and when it was sent.
fn run(settings: AcceleratorSettings, plans: Vec<Plan>) -> Vec<Vec<(SimTime, Frame)>> {
    let framed = |(n, (at, request)): (u64, (SimTime, Request))| {
        (at, Message::Bytes(Frame::Request(n, request).encode(0)))
    };
    let plans = plans
        .into_iter()
        .map(|plan| (0u64..).zip(plan).map(framed).collect())
        .collect();
    run_messages(settings, plans).0
}

type Messages = Vec<(SimTime, Message)>;

fn run_messages(
    mut settings: AcceleratorSettings,
    plans: Vec<Messages>,
) -> (Vec<Vec<(SimTime, Frame)>>, Counters) {
    settings.clients = u16::try_from(plans.len()).unwrap();
    let mut serial = Serial::default();
    let accelerator = serial.add(Box::new(Accelerator::new(settings))).unwrap();
    let clients: Vec<_> = plans
        .into_iter()
        .enumerate()
        .map(|(n, plan)| {
            let client = Client {
                path: format!("client{n}"),
                plan,
                heard: Vec::new(),
            };
            let id = serial.add(Box::new(client)).unwrap();
            let port = Accelerator::client(u16::try_from(n).unwrap());
            let (a, b, latency) = ((id, PortId(0)), (accelerator, port), US);
            serial.link(Link { a, b, latency }).unwrap();
            id
        })
        .collect();
    serial.run(SimTime::from_ms(10_000), &mut NoRim);
    let counters = serial.get::<Accelerator>(accelerator).unwrap().counters;
    let heard = clients
        .into_iter()
        .map(|id| std::mem::take(&mut serial.get_mut::<Client>(id).unwrap().heard))
        .collect();
    (heard, counters)
}

/// What one client hears that asks one after the other, without the times.
fn ask(requests: Vec<Request>) -> Vec<Response> {
    let plan = requests
        .into_iter()
        .zip(1u64..)
        .map(|(request, n)| (SimTime::from_ms(n), request));
    let heard = run(settings(), vec![plan.collect()]).remove(0);
    heard
        .into_iter()
        .map(|(_, frame)| response(frame))
        .collect()
}

fn response(frame: Frame) -> Response {
    match frame {
        Frame::Response(_, response) => response,
        other => panic!("{other:?}"),
    }
}

fn times(heard: &[(SimTime, Frame)]) -> Vec<u64> {
    heard.iter().map(|(at, _)| at.as_ps() / 1000).collect()
}

#[test]
fn sst_p05_compute_takes_its_cycles_one_after_the_other_from_a_clock_edge_on() {
    let mut slow = settings();
    // 3 GHz: a period is no whole number of picoseconds.
    slow.clock = Frequency::from_hz(3_000_000_000);
    let odd = SimTime::from_ps(1_000_100);
    let plan = vec![(odd, compute(1000)), (odd, compute(30)), (US, compute(0))];
    let heard = run(slow.clone(), vec![plan]).remove(0);
    // The one at 1 µs arrives first. The next begin at 2,000,100 ps, the edge after is tick 6001.
    let at = |tick| slow.clock.time_of(tick);
    let sent: Vec<SimTime> = heard.iter().map(|(at, _)| *at).collect();
    assert_eq!(sent, [at(6000), at(6001 + 100_000), at(6001 + 103_000)]);
    let answers: Vec<(u64, ComputeAnswer)> = heard
        .into_iter()
        .map(|(_, frame)| response(frame))
        .map(|r| (r.header.result, ComputeAnswer::decode(&r.payload)))
        .collect();
    let expected = [(0, 6000), (100_000, 6001), (3000, 106_001)];
    for ((result, answer), (cycles, timestamp)) in answers.into_iter().zip(expected) {
        assert_eq!(result, cycles);
        assert_eq!(answer, ComputeAnswer { cycles, timestamp });
    }
}

#[test]
fn sst_13_pipeline_takes_a_request_each_interval_and_instant_waits_for_nothing() {
    let plan = || vec![(US, compute(10)), (US, compute(10)), (US, compute(10))];
    let mut pipelined = settings();
    pipelined.timing = Timing::Pipelined(7);
    let heard = run(pipelined, vec![plan()]).remove(0);
    assert_eq!(times(&heard), [3000, 3007, 3014]);
    let mut instant = settings();
    instant.timing = Timing::Immediate;
    let heard = run(instant, vec![plan()]).remove(0);
    assert_eq!(times(&heard), [2000, 2000, 2000]);
    assert_eq!(response(heard[2].1.clone()).header.result, 1000);
}

#[test]
fn sst_p07_work_that_is_too_much_is_refused_and_never_wraps() {
    let answers = ask(vec![
        compute(1 << 63),
        compute(1_000_001),
        configure(parameter::CYCLES_PER_UNIT, u64::MAX),
        compute(2),
        compute(1_000),
    ]);
    let ended: Vec<u32> = answers.iter().map(|r| r.header.status).collect();
    let (ok, invalid) = (status::OK, status::INVALID);
    assert_eq!(ended, [invalid, invalid, ok, invalid, invalid]);
}

#[test]
fn sst_p06_no_work_takes_no_cycles() {
    let answers = ask(vec![compute(0)]);
    assert!(answers[0].is_ok());
    assert_eq!(answers[0].header.result, 0);
}

#[test]
fn sst_p08_what_is_written_is_read_back() {
    let data: Vec<u8> = (1..=64).collect();
    let answers = ask(vec![
        memory(kind::WRITE, 0x100, 64, &data),
        memory(kind::READ, 0xF0, 96, &[]),
        memory(kind::WRITE, 0x100, 4, &[]),
        memory(kind::READ, 0x100, 5, &[]),
    ]);
    assert!(answers.iter().all(Response::is_ok));
    assert_eq!(answers[0].header.result, 64);
    assert_eq!(answers[1].payload, [&[0; 16][..], &data].concat());
    // Data that is left out is zero.
    assert_eq!(answers[3].payload, [0, 0, 0, 0, 5]);
}

#[test]
fn sst_p09_nothing_beyond_the_memory_is_touched() {
    let end = layout::MEMORY_SIZE;
    let answers = ask(vec![
        memory(kind::WRITE, end - 4, 4, &[9, 9, 9, 9]),
        memory(kind::WRITE, end - 3, 4, &[7; 4]),
        memory(kind::WRITE, u64::MAX, 4, &[7; 4]),
        memory(kind::WRITE, 0, 4065, &[7; 4064]),
        memory(kind::READ, 0, 4065, &[]),
        memory(kind::READ, end - 4, 4, &[]),
        memory(kind::READ, 0, 4, &[]),
        memory(kind::READ, end, 0, &[]),
    ]);
    let ended: Vec<u32> = answers.iter().map(|r| r.header.status).collect();
    let (o, i) = (status::OK, status::INVALID);
    assert_eq!(ended, [o, i, i, i, i, o, o, o]);
    assert_eq!(answers[5].payload, [9; 4]);
    assert_eq!(answers[6].payload, []);
}

#[test]
fn sst_p10_unknown_parameter_is_invalid() {
    let answers = ask(vec![configure(99, 1), compute(1)]);
    assert_eq!(answers[0].header.status, status::INVALID);
    assert_eq!(answers[1].header.result, 100);
}

#[test]
fn sst_p11_parameter_counts_from_the_next_request_on() {
    let answers = ask(vec![
        compute(10),
        configure(parameter::CYCLES_PER_UNIT, 3),
        compute(10),
    ]);
    let results: Vec<u64> = answers.iter().map(|r| r.header.result).collect();
    assert_eq!(results, [1000, 3, 30]);
}

#[test]
fn sst_p12_reset_clears_memory_and_parameters() {
    let answers = ask(vec![
        configure(parameter::CYCLES_PER_UNIT, 3),
        memory(kind::WRITE, 0, 1, &[1]),
        request(kind::RESET, 0, &[]),
        compute(10),
        memory(kind::READ, 0, 1, &[]),
        request(kind::ECHO, 0, &[]),
    ]);
    assert!(answers[2].is_ok());
    assert_eq!(answers[3].header.result, 1000);
    assert_eq!(answers[4].payload, []);
    assert_eq!(answers[5].header.status, status::INVALID);
}

#[test]
fn sst_14_clients_share_one_unit_and_one_memory_and_a_reset_aborts_the_others() {
    let us = |n| SimTime::from_us(n);
    let first = vec![
        (us(1), compute(1000)),
        (us(2), memory(kind::WRITE, 0, 1, &[5])),
        (us(300), compute(100_000)),
    ];
    let second = vec![
        (us(3), memory(kind::READ, 0, 1, &[])),
        (us(400), request(kind::RESET, 0, &[])),
    ];
    let heard = run(settings(), vec![first, second]);
    assert_eq!(times(&heard[0])[..2], [102_000, 102_100]);
    assert_eq!(times(&heard[1]), [102_200, 401_000]);
    assert_eq!(response(heard[1][0].1.clone()).payload, [5]);
    let aborted = response(heard[0][2].1.clone());
    assert_eq!(aborted.header.status, status::ERROR);
}

#[test]
fn sst_15_completions_are_told_by_events_if_that_is_asked_for() {
    let mut telling = settings();
    telling.completion_events = true;
    let heard = run(telling, vec![vec![(US, compute(10))]]).remove(0);
    assert_eq!(heard.len(), 2);
    let Frame::Event(event) = &heard[1].1 else {
        panic!("{heard:?}")
    };
    assert_eq!((event.kind, event.data), (event::COMPLETION, 10));
    assert_eq!(event.timestamp, 3000);
}

#[test]
fn saved_state_is_taken_back_whole() {
    let mut one = Accelerator::new(settings());
    one.memory.write(5000, &mut [1, 2, 3]);
    one.timing = Timing::Pipelined(9);
    one.cycles_per_unit = 4;
    one.free_at = 77;
    one.counters.units = 5;
    let waiting = Waiting {
        client: PortId(0),
        id: 3,
        response: compute(1).answer(status::OK),
        event: Some(layout::Event {
            data: 6,
            ..layout::Event::default()
        }),
    };
    one.waiting.insert((US, 1), waiting);
    let bytes = |a: &Accelerator| {
        let mut w = Writer::default();
        Snapshot::save(a, &mut w);
        w.into_bytes()
    };
    let saved = bytes(&one);
    let mut two = Accelerator::new(settings());
    let mut r = Reader::new(&saved);
    Snapshot::load(&mut two, &mut r).unwrap();
    r.finish().unwrap();
    assert_eq!(bytes(&two), saved);
    assert_eq!(two.waiting, one.waiting);
    for cut in 0..saved.len() {
        let mut other = Accelerator::new(settings());
        let mut r = Reader::new(&saved[..cut]);
        let all = Snapshot::load(&mut other, &mut r).and_then(|()| r.finish());
        assert!(all.is_err(), "{cut} of {} bytes", saved.len());
    }
}

#[test]
fn messages_that_are_no_requests_are_counted() {
    let long = request(kind::ECHO, 0, &[1; PAYLOAD_SIZE]).to_raw();
    let told = [
        Message::Byte(1),
        Message::Bytes(Vec::new()),
        Message::Bytes(long),
    ];
    let plan = told.map(|message| (US, message)).to_vec();
    let (heard, counters) = run_messages(settings(), vec![plan]);
    assert_eq!(heard[0], []);
    assert_eq!((counters.strays, counters.requests), (3, 0));
}
