use super::*;
use crate::conformance::{Sample, virtio_conformance};
use crate::testing::{Buffer, DATA, Driver, RAM, RAM_BYTES};
use maquette_model::testing::Seen;
use maquette_model::{Reader, Snapshot, Writer};
use maquette_virtio_protocol::mmio;
use maquette_virtio_sst_protocol::layout::{ComputeView, device_type};

/// A NOOP and its answer.
const NOOP: Sample = Sample {
    queue: 0,
    buffers: &[(DATA, 4104, false), (DATA + 0x2000, 4112, true)],
    arriving: 0,
};

virtio_conformance!(sst, Sst::new(SstSettings::default()), NOOP);

const SECOND: SimTime = SimTime::from_ms(1000);

/// The buffers of request number `n`.
fn buffers(n: u64) -> [Buffer; 2] {
    let at = DATA + n * 0x4000;
    [(at, 4104, false), (at + 0x2000, 4112, true)]
}

fn request(kind: u32, id: u64, payload: &[u8]) -> Request {
    let header = RequestHeader {
        kind,
        flags: 0,
        request_id: id,
        user_data: id ^ 0xABCD,
    };
    Request {
        header,
        payload: payload.to_vec(),
    }
}

fn compute(id: u64) -> Request {
    let work = ComputeView {
        units: 1000,
        ..ComputeView::default()
    };
    request(kind::COMPUTE, id, &work.encode())
}

fn device(settings: SstSettings) -> Driver<Sst> {
    Driver::ready(Sst::new(settings))
}

/// Makes a request in the buffers of number `n`.
fn submit(d: &mut Driver<Sst>, queue: u16, n: u64, request: &Request) {
    let [to, from] = buffers(n);
    assert!(d.host.poke(to.0, &request.to_raw()));
    assert!(d.host.poke(from.0, &[0xEE; 4112]));
    d.add(queue, &[to, from]);
    d.kick(queue);
}

fn answer(d: &Driver<Sst>, n: u64) -> Response {
    Response::from_bytes(&d.bytes(buffers(n)[1].0, 4112))
}

/// A request that is answered at once.
fn ask(d: &mut Driver<Sst>, request: &Request) -> Response {
    submit(d, 0, 0, request);
    let used = d.used(0);
    assert_eq!(used.len(), 1);
    assert_eq!(used[0].1, 4112);
    answer(d, 0)
}

/// The requests that went to the model.
fn sent(d: &mut Driver<Sst>) -> Vec<(u64, Request)> {
    let frames = d.host.take_log().into_iter().filter_map(|seen| match seen {
        Seen::Sent(PORT, Message::Bytes(bytes)) => Frame::from_message(&bytes),
        _ => None,
    });
    frames
        .map(|(frame, _)| match frame {
            Frame::Request(id, request) => (id, request),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn say(d: &mut Driver<Sst>, frame: &Frame) {
    let msg = Message::Bytes(frame.encode(0));
    let cx = &mut Cx::new(&mut d.host);
    maquette_model::Device::event(&mut d.mmio, cx, Event::Message { port: PORT, msg });
}

fn ok(request: &Request) -> Response {
    let mut response = request.answer(status::OK);
    response.header.result = 100_000;
    response
}

#[test]
fn sst_p02_noop_brings_the_numbers_back() {
    let mut d = device(SstSettings::default());
    let noop = ask(&mut d, &request(kind::NOOP, 7, &[]));
    assert_eq!(noop.header.user_data, 7 ^ 0xABCD);
    assert_eq!(noop, request(kind::NOOP, 7, &[]).answer(status::OK));
    assert_eq!(sent(&mut d), []);
}

#[test]
fn sst_p03_echo_brings_all_bytes_back() {
    let mut d = device(SstSettings::default());
    let text: Vec<u8> = (0..4080u32).map(|n| (n * 7 % 251) as u8 + 1).collect();
    let echo = ask(&mut d, &request(kind::ECHO, 8, &text));
    assert_eq!((echo.header.status, &echo.payload), (status::OK, &text));
}

#[test]
fn sst_p04_information_tells_what_is_offered() {
    let mut d = device(SstSettings::default());
    let info = ask(&mut d, &request(kind::GET_INFO, 9, &[]));
    let info = InfoAnswer::decode(&info.payload);
    assert_eq!(info.version, 0x0001_0000);
    assert_eq!(info.capabilities, 0x2F);
    assert_eq!(info.max_compute_units, 1_000_000);
    assert_eq!(info.memory_size, 256 << 20);
}

#[test]
fn sst_p13_unknown_kinds_are_invalid_and_the_device_goes_on() {
    let mut d = device(SstSettings::default());
    for kind in [8, kind::HELLO, u32::MAX] {
        let refused = ask(&mut d, &request(kind, 1, &[]));
        assert_eq!(refused.header.status, status::INVALID);
    }
    assert!(ask(&mut d, &request(kind::NOOP, 1, &[])).is_ok());
    assert_eq!(sent(&mut d), []);
}

#[test]
fn sst_p14_flags_are_ignored() {
    let mut d = device(SstSettings::default());
    let mut flagged = request(kind::NOOP, 1, &[]);
    flagged.header.flags = 1;
    assert!(ask(&mut d, &flagged).is_ok());
}

#[test]
fn sst_p15_a_hundred_thousand_requests_leave_nothing_behind() {
    let mut d = device(SstSettings::default());
    let noop = request(kind::NOOP, 1, &[]);
    let grown = |d: &Driver<Sst>| {
        let mut w = Writer::default();
        d.mmio.save(&mut w);
        w.into_bytes().len()
    };
    assert!(ask(&mut d, &noop).is_ok());
    let before = grown(&d);
    for _ in 1..100_000 {
        assert!(ask(&mut d, &noop).is_ok());
        d.host.log.clear();
    }
    assert_eq!(grown(&d), before);
}

#[test]
fn sst_f01_device_without_a_model_does_what_it_can_alone() {
    let mut d = device(SstSettings {
        connected: false,
        ..SstSettings::default()
    });
    assert_eq!(d.read(mmio::CONFIG + 8), 0x27);
    assert!(ask(&mut d, &request(kind::NOOP, 1, &[])).is_ok());
    assert!(ask(&mut d, &request(kind::RESET, 2, &[])).is_ok());
    for kind in [kind::COMPUTE, kind::READ, kind::WRITE, kind::CONFIGURE] {
        let refused = ask(&mut d, &request(kind, 3, &[]));
        assert_eq!(refused.header.status, status::NO_DEVICE);
        assert_eq!(refused.header.request_id, 3);
    }
}

#[test]
fn sst_p17_configuration_space_tells_the_features() {
    let mut d = device(SstSettings {
        device_id: 5,
        request_queues: 4,
        ..SstSettings::default()
    });
    assert_eq!(d.read(mmio::DEVICE_ID), device_type::MMIO);
    let config: Vec<u32> = (0..7).map(|n| d.read(mmio::CONFIG + 4 * n)).collect();
    assert_eq!(config, [0x0001_0000, 5, 0x3F, 0, 4, 0, 0]);
    d.write(mmio::CONFIG, 9);
    assert_eq!(d.read(mmio::CONFIG), 0x0001_0000);
    assert_eq!(d.offered().bits() & 0xFF_FFFF, 0x3F);
}

#[test]
fn model_answers_in_any_order_and_the_guests_numbers_come_back() {
    let mut d = device(SstSettings::default());
    // The driver numbers badly: all the same.
    for n in 0..3 {
        submit(&mut d, 0, n, &compute(4));
    }
    let requests = sent(&mut d);
    assert_eq!(requests.len(), 3);
    assert_eq!(d.used(0), []);
    for place in [2, 0, 1] {
        let (id, request) = &requests[place];
        let mut response = ok(request);
        response.header.result = place as u64;
        response.header.request_id = 99;
        say(&mut d, &Frame::Response(*id, response));
        assert_eq!(d.used(0).len(), 1);
        let answer = answer(&d, place as u64);
        assert_eq!(answer.header.request_id, 4);
        assert_eq!(answer.header.user_data, 4 ^ 0xABCD);
        assert_eq!(answer.header.result, place as u64);
    }
    assert!(d.host.level(0));
    assert_eq!(d.host.next_timer(), None, "a timer without requests");
}

#[test]
fn only_as_much_of_a_request_is_read_as_its_kind_has() {
    let mut d = device(SstSettings::default());
    let memory = MemoryView {
        address: 0x100,
        size: 64,
        reserved: 0,
    };
    let mut payload = memory.encode().to_vec();
    payload.extend([0x5A; 100]);
    submit(&mut d, 0, 0, &request(kind::WRITE, 1, &payload));
    submit(&mut d, 0, 1, &request(kind::READ, 1, &payload));
    let requests = sent(&mut d);
    assert_eq!(requests[0].1.payload, payload[..16 + 64]);
    assert_eq!(requests[1].1.payload, memory.encode()[..9]);
    // A size beyond the payload is the model's to refuse.
    let memory = MemoryView {
        size: u32::MAX,
        ..memory
    };
    submit(&mut d, 0, 2, &request(kind::WRITE, 1, &memory.encode()));
    assert_eq!(sent(&mut d)[0].1.payload, memory.encode()[..12]);
}

#[test]
fn sst_f04_request_times_out_after_five_seconds_and_its_late_answer_is_dropped() {
    let mut d = device(SstSettings::default());
    submit(&mut d, 0, 0, &compute(1));
    d.run_for(SECOND);
    submit(&mut d, 0, 1, &compute(2));
    let requests = sent(&mut d);
    d.run_for(SimTime::from_ms(3999));
    assert_eq!(d.used(0), []);
    d.run_for(SimTime::from_ms(1));
    assert_eq!(d.used(0).len(), 1);
    assert_eq!(answer(&d, 0).header.status, status::TIMEOUT);
    assert_eq!(answer(&d, 0).header.request_id, 1);

    say(&mut d, &Frame::Response(requests[0].0, ok(&requests[0].1)));
    say(&mut d, &Frame::Response(77, ok(&requests[1].1)));
    assert_eq!(d.used(0), []);
    for _ in 0..2 {
        say(&mut d, &Frame::Response(requests[1].0, ok(&requests[1].1)));
    }
    assert_eq!(d.used(0).len(), 1);
    assert_eq!(answer(&d, 1).header.request_id, 2);
    d.run_for(SimTime::from_ms(20_000));
    assert_eq!(d.used(0), []);
}

#[test]
fn reset_request_overtakes_those_in_flight() {
    let mut d = device(SstSettings::default());
    submit(&mut d, 0, 0, &compute(1));
    submit(&mut d, 0, 1, &request(kind::RESET, 2, &[]));
    let requests = sent(&mut d);
    assert_eq!(requests[1].1.header.kind, kind::RESET);
    assert_eq!(d.used(0).len(), 1);
    assert_eq!(answer(&d, 0).header.status, status::ERROR);
    say(&mut d, &Frame::Response(requests[0].0, ok(&requests[0].1)));
    assert_eq!(d.used(0), []);
    say(&mut d, &Frame::Response(requests[1].0, ok(&requests[1].1)));
    assert_eq!(d.used(0).len(), 1);
    assert!(answer(&d, 1).is_ok());
}

#[test]
fn sst_12_reset_of_the_device_forgets_requests_and_their_answers() {
    let mut d = device(SstSettings::default());
    submit(&mut d, 0, 0, &compute(1));
    let old = sent(&mut d);
    let features = d.offered();
    d.start(features - Features::EVENT_IDX);
    assert_eq!(d.host.next_timer(), None);
    submit(&mut d, 0, 1, &compute(2));
    let new = sent(&mut d);
    assert_ne!(old[0].0, new[0].0);
    let before = d.bytes(RAM, RAM_BYTES);
    say(&mut d, &Frame::Response(old[0].0, ok(&old[0].1)));
    assert!(d.bytes(RAM, RAM_BYTES) == before);
    say(&mut d, &Frame::Response(new[0].0, ok(&new[0].1)));
    assert_eq!(answer(&d, 1).header.request_id, 2);
}

#[test]
fn sst_f17_request_cut_short_is_an_error() {
    let mut d = device(SstSettings::default());
    let [to, from] = buffers(0);
    let used = d.exchange(0, &[(to.0, 4103, false), from]);
    assert_eq!(used[0].1, 4112);
    assert_eq!(answer(&d, 0).header.status, status::ERROR);
    assert_eq!(d.host.guest_errors(), ["virtio-sst: length of a request"]);
    assert!(!d.broken());
}

#[test]
fn sst_f18_answer_without_room_has_length_0() {
    let mut d = device(SstSettings::default());
    let [to, from] = buffers(0);
    assert!(d.host.poke(from.0, &[0xEE; 4112]));
    let used = d.exchange(0, &[to, (from.0, 4111, true)]);
    assert_eq!(used[0].1, 0);
    assert!(d.bytes(from.0, 4112).iter().all(|byte| *byte == 0xEE));
    let used = d.exchange(0, &[to]);
    assert_eq!(used[0].1, 0);
    assert_eq!(d.host.guest_errors().len(), 2);
    assert!(!d.broken());
}

#[test]
fn sst_f19_response_queue_is_not_served() {
    let mut d = device(SstSettings::default());
    assert_eq!(d.exchange(queue::RESPONSE, &[buffers(0)[1]]), []);
    assert_eq!(
        d.host.guest_errors(),
        ["virtio-sst: kick of the response queue"]
    );
}

#[test]
fn sst_11_requests_of_several_queues_come_back_on_their_own() {
    let mut d = device(SstSettings {
        request_queues: 4,
        ..SstSettings::default()
    });
    for (n, queue) in [0, 3, 4, 5].into_iter().enumerate() {
        submit(&mut d, queue, n as u64, &compute(n as u64));
    }
    for (n, (id, request)) in sent(&mut d).into_iter().enumerate().rev() {
        say(&mut d, &Frame::Response(id, ok(&request)));
        let came = [0, 3, 4, 5].map(|queue| d.used(queue).len());
        let mut expected = [0; 4];
        expected[n] = 1;
        assert_eq!(came, expected);
    }
}

fn notification(data: u64) -> Frame {
    Frame::Event(layout::Event {
        kind: layout::event::NOTIFICATION,
        flags: 0,
        timestamp: 17,
        data,
    })
}

#[test]
fn sst_f20_events_wait_for_buffers_and_the_first_after_a_loss_says_so() {
    let mut d = device(SstSettings::default());
    for data in 0..130 {
        say(&mut d, &notification(data));
    }
    let mut got = Vec::new();
    for _ in 0..128 {
        assert_eq!(
            d.exchange(queue::EVENT, &[(DATA, 24, true)])[0].1,
            24,
            "{got:?}"
        );
        got.push(layout::Event::decode(&d.bytes(DATA, 24)));
    }
    let numbers: Vec<u64> = got.iter().map(|event| event.data).collect();
    assert_eq!(numbers, (0..128).collect::<Vec<u64>>());
    assert!(got.iter().all(|event| event.flags == 0));
    // A buffer that waits, too small or not.
    assert_eq!(d.exchange(queue::EVENT, &[(DATA, 23, true)]), []);
    d.add(queue::EVENT, &[(DATA + 0x100, 24, true)]);
    d.kick(queue::EVENT);
    say(&mut d, &notification(130));
    let used: Vec<u32> = d.used(queue::EVENT).iter().map(|used| used.1).collect();
    assert_eq!(used, [0, 24]);
    let event = layout::Event::decode(&d.bytes(DATA + 0x100, 24));
    assert_eq!((event.data, event.flags), (130, layout::event::OVERFLOW));
}

#[test]
fn driver_that_did_not_ask_for_events_gets_none() {
    let mut d = device(SstSettings::default());
    d.start(Features::VERSION_1);
    d.add(queue::EVENT, &[(DATA, 24, true)]);
    say(&mut d, &notification(1));
    assert_eq!(d.used(queue::EVENT), []);
}

#[test]
fn sst_10_snapshot_with_requests_and_events_under_way_goes_on_alike() {
    let mut one = device(SstSettings::default());
    submit(&mut one, 0, 0, &compute(1));
    one.run_for(SECOND);
    submit(&mut one, 0, 1, &compute(2));
    say(&mut one, &notification(3));
    let requests = sent(&mut one);
    let mut w = Writer::default();
    one.mmio.save(&mut w);
    let bytes = w.into_bytes();
    let mut two = device(SstSettings::default());
    two.copy_driver(&one);
    let mut r = Reader::new(&bytes);
    two.mmio.load(&mut r).expect("its own state");
    r.finish().expect("all of it");

    for d in [&mut one, &mut two] {
        say(d, &Frame::Response(requests[1].0, ok(&requests[1].1)));
        assert_eq!(d.used(0).len(), 1);
        assert_eq!(answer(d, 1).header.request_id, 2);
        d.run_for(SimTime::from_ms(4000));
        assert_eq!(answer(d, 0).header.status, status::TIMEOUT);
        d.exchange(queue::EVENT, &[(DATA + 0x3F00, 24, true)]);
        assert_eq!(layout::Event::decode(&d.bytes(DATA + 0x3F00, 24)).data, 3);
    }
    assert!(one.bytes(RAM, RAM_BYTES) == two.bytes(RAM, RAM_BYTES));
}

#[test]
fn messages_that_are_no_frames_are_counted_and_dropped() {
    let mut d = device(SstSettings::default());
    submit(&mut d, 0, 0, &compute(1));
    let (id, request) = sent(&mut d).remove(0);
    let good = Frame::Response(id, ok(&request)).encode(0);
    let cut = [&good[..0], &good[..31], &good[..good.len() - 1]];
    for bytes in cut {
        let msg = Message::Bytes(bytes.to_vec());
        let cx = &mut Cx::new(&mut d.host);
        maquette_model::Device::event(&mut d.mmio, cx, Event::Message { port: PORT, msg });
    }
    say(&mut d, &Frame::Request(id, request));
    assert_eq!(d.used(0), []);
}
