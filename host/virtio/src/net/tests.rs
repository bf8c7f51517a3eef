use super::*;
use crate::conformance::{queue_conformance, virtio_conformance};
use crate::testing::{DATA, Driver};
use maquette_model::testing::Seen;
use maquette_model::{Device, ResetKind, Width};
use maquette_virtio_protocol::{DeviceStatus, mmio};

const MAC: [u8; 6] = [0x52, 0x54, 0, 1, 2, 3];

fn net() -> Net {
    Net::new(MAC, true)
}

fn arrive(d: &mut Driver<Net>, msg: Message) {
    let ev = Event::Message { port: PORT, msg };
    d.mmio.event(&mut Cx::new(&mut d.host), ev);
}

fn frame(len: usize, fill: u8) -> Vec<u8> {
    vec![fill; len]
}

fn counted(d: &Driver<Net>, what: &str) -> u64 {
    let more = |seen: &Seen| match seen {
        Seen::Counted(name, more) if *name == what => *more,
        _ => 0,
    };
    d.host.log.iter().map(more).sum()
}

fn sent(d: &Driver<Net>) -> Vec<Vec<u8>> {
    let bytes = |seen: &Seen| match seen {
        Seen::Sent(PORT, Message::Bytes(bytes)) => Some(bytes.clone()),
        _ => None,
    };
    d.host.log.iter().filter_map(bytes).collect()
}

/// Transmits `len` bytes at [`DATA`], the header included.
fn transmit(d: &mut Driver<Net>, len: u32) -> Vec<(u32, u32)> {
    d.exchange(TRANSMIT_QUEUE, &[(DATA, len, false)])
}

virtio_conformance!(net, Net::new(MAC, true), rules::SEND_FRAME);
queue_conformance!(receiving, Net::new(MAC, true), rules::RECEIVE_FRAME);

#[test]
fn configuration_holds_address_and_link() {
    for up in [false, true] {
        let mut d = Driver::cold(Net::new(MAC, up));
        let byte = |d: &mut Driver<Net>, i| d.read_as(mmio::CONFIG + i, Width::B1);
        let mac = [0, 1, 2, 3, 4, 5].map(|i| byte(&mut d, i));
        assert_eq!(mac, MAC.map(u64::from));
        assert_eq!(d.read_as(mmio::CONFIG + 6, Width::B2), u64::from(up));
        assert_eq!(d.read(mmio::DEVICE_ID), 1);
    }
}

#[test]
fn transmitted_frames_leave_without_their_header() {
    let mut d = Driver::ready(net());
    assert!(d.host.poke(DATA + 12, &frame(60, 0xab)));
    assert_eq!(transmit(&mut d, 72), [(0, 0)]);
    // Header and frame in pieces that have nothing to do with either.
    let pieces = [
        (DATA, 5, false),
        (DATA + 5, 20, false),
        (DATA + 25, 47, false),
    ];
    assert_eq!(d.exchange(TRANSMIT_QUEUE, &pieces), [(1, 0)]);
    assert_eq!(sent(&d), [frame(60, 0xab), frame(60, 0xab)]);
    assert!(d.host.level(0));
}

#[test]
fn received_frames_have_a_header_of_one_buffer() {
    let mut d = Driver::ready(net());
    d.add(RECEIVE_QUEUE, &[(DATA, 12, true), (DATA + 12, 1514, true)]);
    arrive(&mut d, Message::Bytes(frame(60, 7)));
    assert_eq!(d.used(RECEIVE_QUEUE), [(0, 72)]);
    assert_eq!(d.bytes(DATA, 12), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(d.bytes(DATA + 12, 61), [frame(60, 7), vec![0]].concat());
    assert!(d.host.level(0));
}

#[test]
fn frames_wait_for_buffers_in_order_up_to_the_limit() {
    let mut d = Driver::ready(net());
    for i in 0..BACKLOG + 3 {
        let [low, high, ..] = i.to_le_bytes();
        let mut bytes = frame(60, low);
        bytes[59] = high;
        arrive(&mut d, Message::Bytes(bytes));
    }
    assert_eq!(counted(&d, counter::RECEIVED_DROPPED), 3);
    for i in 0..BACKLOG {
        let used = d.exchange(RECEIVE_QUEUE, &[(DATA, 1526, true)]);
        assert_eq!(used.len(), 1, "{i}");
        let [low, high, ..] = i.to_le_bytes();
        assert_eq!(d.bytes(DATA + 70, 2), [low, high]);
    }
    assert_eq!(d.exchange(RECEIVE_QUEUE, &[(DATA, 1526, true)]), []);
    assert_eq!(counted(&d, counter::RECEIVED), BACKLOG as u64);
}

#[test]
fn rv_65_frames_that_are_too_short_or_too_long_are_dropped_and_counted() {
    let mut d = Driver::ready(net());
    d.add(RECEIVE_QUEUE, &[(DATA, 4096, true)]);
    for len in [0, 1, 13, 1515, 9000, 70_000] {
        arrive(&mut d, Message::Bytes(frame(len, 1)));
    }
    arrive(&mut d, Message::Byte(1));
    arrive(&mut d, Message::Word(1));
    assert_eq!(d.used(RECEIVE_QUEUE), []);
    assert_eq!(counted(&d, counter::RECEIVED_DROPPED), 8);
    arrive(&mut d, Message::Bytes(frame(14, 1)));
    assert_eq!(d.used(RECEIVE_QUEUE), [(0, 26)]);

    // The driver's: the chain comes back, the frame goes nowhere, the device lives.
    for len in [12, 25, 12 + 1515, 65_536] {
        assert_eq!(transmit(&mut d, len).len(), 1, "{len}");
    }
    assert_eq!(sent(&d), Vec::<Vec<u8>>::new());
    assert_eq!(counted(&d, counter::SENT_DROPPED), 4);
    assert!(!d.broken());
    for len in [26, 12 + 1514] {
        transmit(&mut d, len);
    }
    let lengths: Vec<usize> = sent(&d).iter().map(Vec::len).collect();
    assert_eq!(lengths, [14, 1514]);
}

#[test]
fn rv_60_chain_without_room_for_the_header_breaks_the_device() {
    for buffers in [[(DATA, 11, false)], [(DATA, 1526, true)]] {
        let mut d = Driver::ready(net());
        assert_eq!(d.exchange(TRANSMIT_QUEUE, &buffers), []);
        assert!(d.broken() && sent(&d).is_empty());
    }
    for buffers in [
        [(DATA, 11, true)],
        [(DATA, 71, true)],
        [(DATA, 1526, false)],
    ] {
        let mut d = Driver::ready(net());
        d.add(RECEIVE_QUEUE, &buffers);
        arrive(&mut d, Message::Bytes(frame(60, 1)));
        assert_eq!(d.used(RECEIVE_QUEUE), []);
        assert!(d.broken());
        // Nothing is held for a driver that is gone.
        arrive(&mut d, Message::Bytes(frame(60, 1)));
        assert_eq!(counted(&d, counter::RECEIVED_DROPPED), 1);
    }
}

#[test]
fn rv_60_offload_that_was_not_negotiated_is_refused() {
    let mut d = Driver::ready(net());
    for (at, value) in [(0, 1), (1, 1)] {
        assert!(d.host.poke(DATA + at, &[value]));
        assert_eq!(transmit(&mut d, 72).len(), 1);
        assert!(d.host.poke(DATA + at, &[0]));
    }
    assert_eq!(sent(&d), Vec::<Vec<u8>>::new());
    assert_eq!(d.host.guest_errors().len(), 2);
}

#[test]
fn rv_60_buffer_outside_memory_breaks_the_device() {
    let mut d = Driver::ready(net());
    d.exchange(TRANSMIT_QUEUE, &[(0x1000, 72, false)]);
    assert!(d.broken());
    let mut d = Driver::ready(net());
    d.add(RECEIVE_QUEUE, &[(0x1000, 1526, true)]);
    arrive(&mut d, Message::Bytes(frame(60, 1)));
    assert!(d.broken());
}

#[test]
fn rv_60_reset_with_frames_waiting_forgets_them_and_the_device_starts_anew() {
    let mut d = Driver::ready(net());
    arrive(&mut d, Message::Bytes(frame(60, 1)));
    let offered = d.offered();
    d.start(offered);
    assert_eq!(d.exchange(RECEIVE_QUEUE, &[(DATA, 1526, true)]), []);
    arrive(&mut d, Message::Bytes(frame(60, 2)));
    assert_eq!(d.used(RECEIVE_QUEUE), [(0, 72)]);
    d.mmio.reset(&mut Cx::new(&mut d.host), ResetKind::Warm);
    // Notifications of queues that are gone.
    for queue in 0..4 {
        d.write(mmio::QUEUE_NOTIFY, queue);
    }
    arrive(&mut d, Message::Bytes(frame(60, 3)));
    assert_eq!(d.read(mmio::STATUS), 0);
    assert_eq!(sent(&d), Vec::<Vec<u8>>::new());
}

#[test]
fn rv_60_notification_before_the_driver_is_ready_sends_nothing() {
    let mut d = Driver::cold(net());
    d.negotiate(Features::VERSION_1);
    for q in 0..2 {
        d.set_up(q, crate::testing::areas(q));
    }
    d.add(TRANSMIT_QUEUE, &[(DATA, 72, false)]);
    d.kick(TRANSMIT_QUEUE);
    assert_eq!(sent(&d), Vec::<Vec<u8>>::new());
    d.add_status(DeviceStatus::DRIVER_OK);
    d.kick(TRANSMIT_QUEUE);
    assert_eq!(sent(&d).len(), 1);
}
