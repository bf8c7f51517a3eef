use super::*;
use crate::conformance::{queue_conformance, virtio_conformance};
use crate::testing::{DATA, Driver};
use maquette_model::Device;
use maquette_model::testing::Seen;
use maquette_virtio_protocol::mmio;

fn input(d: &mut Driver<Console>, msg: Message) {
    let ev = Event::Message { port: PORT, msg };
    d.mmio.event(&mut Cx::new(&mut d.host), ev);
}

virtio_conformance!(console, Console::new(), rules::TRANSMIT);
queue_conformance!(receiving, Console::new(), rules::RECEIVE);

#[test]
fn transmitted_bytes_are_sent() {
    let mut d = Driver::ready(Console::new());
    assert!(d.host.poke(DATA, b"hello, world"));
    let used = d.exchange(TRANSMIT_QUEUE, &[(DATA, 5, false), (DATA + 5, 7, false)]);
    assert_eq!(used, [(0, 0)]);
    assert_eq!(d.host.sent_bytes(PORT), b"hello, world");
    d.exchange(TRANSMIT_QUEUE, &[(DATA, 1, false)]);
    assert!(
        d.host.log.contains(&Seen::Sent(PORT, Message::Byte(b'h'))),
        "one byte needs no frame"
    );
}

#[test]
fn long_output_is_sent_in_order() {
    let mut d = Driver::ready(Console::new());
    let text: Vec<u8> = (0..10_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    assert!(d.host.poke(DATA, &text));
    d.exchange(TRANSMIT_QUEUE, &[(DATA, 10_000, false)]);
    assert_eq!(d.host.sent_bytes(PORT), text);
}

#[test]
fn output_of_more_than_a_mebibyte_at_once_is_refused() {
    let mut d = Driver::ready(Console::new());
    let used = d.exchange(TRANSMIT_QUEUE, &[(DATA, 1 << 20, false), (DATA, 1, false)]);
    assert_eq!(used, []);
    assert!(d.broken());
}

#[test]
fn input_waits_for_room_and_is_then_delivered_whole() {
    let mut d = Driver::ready(Console::new());
    input(&mut d, Message::Bytes(b"abcdef".to_vec()));
    input(&mut d, Message::Byte(b'g'));
    assert!(!d.host.level(0));
    let used = d.exchange(RECEIVE_QUEUE, &[(DATA, 4, true)]);
    assert_eq!(used, [(0, 4)]);
    let used = d.exchange(RECEIVE_QUEUE, &[(DATA + 4, 100, true)]);
    assert_eq!(used, [(1, 3)]);
    assert_eq!(d.bytes(DATA, 8), b"abcdefg\0");
    d.add(RECEIVE_QUEUE, &[(DATA, 4, true)]);
    d.kick(RECEIVE_QUEUE);
    assert_eq!(d.used(RECEIVE_QUEUE), []);
    input(&mut d, Message::Byte(b'!'));
    assert_eq!(d.used(RECEIVE_QUEUE), [(2, 1)]);
    assert!(d.host.level(0));
}

#[test]
fn input_before_the_driver_is_ready_is_kept() {
    let mut d = Driver::cold(Console::new());
    d.negotiate(Features::VERSION_1);
    input(&mut d, Message::Byte(b'x'));
    for q in 0..2 {
        d.set_up(q, crate::testing::areas(q));
    }
    d.add(RECEIVE_QUEUE, &[(DATA, 4, true)]);
    assert_eq!(d.used(RECEIVE_QUEUE), []);
    d.add_status(maquette_virtio_protocol::DeviceStatus::DRIVER_OK);
    assert_eq!(d.used(RECEIVE_QUEUE), [(0, 1)]);
    assert_eq!(d.bytes(DATA, 1), b"x");
}

#[test]
fn input_beyond_the_limit_and_of_other_ports_is_dropped() {
    let mut d = Driver::ready(Console::new());
    input(&mut d, Message::Bytes(vec![1; INPUT + 10]));
    input(&mut d, Message::Byte(2));
    let (port, msg) = (PortId(1), Message::Byte(3));
    d.mmio
        .event(&mut Cx::new(&mut d.host), Event::Message { port, msg });
    assert_eq!(d.mmio.device().input.len(), INPUT);
}

#[test]
fn emergency_write_needs_no_queue() {
    let mut d = Driver::cold(Console::new());
    d.write(mmio::CONFIG + 8, u32::from(b'!'));
    assert_eq!(d.host.sent_bytes(PORT), b"!");
    d.write(mmio::CONFIG, 1);
    assert_eq!(d.host.guest_errors().len(), 1);
}
