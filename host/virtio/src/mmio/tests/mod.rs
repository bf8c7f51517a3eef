//! The transport: negotiation, queue set-up, interrupts, and drivers that misbehave.

mod hostile;

use super::*;
use crate::Rng;
use crate::testing::{DATA, Driver, RAM, areas};
use crate::transport::TRANSPORT_FEATURES;
use maquette_model::BusError;
use maquette_model::testing::{Seen, TestHost, conformance};
use maquette_virtio_protocol::queue as layout;
use maquette_virtio_protocol::{DeviceStatus, Features};

const OK: DeviceStatus = DeviceStatus::DRIVER_OK;

fn cold() -> Driver<Rng> {
    Driver::cold(Rng::new(1))
}

fn ready() -> Driver<Rng> {
    Driver::ready(Rng::new(1))
}

maquette_model::conformance!(empty_slot, || EmptySlot, EmptySlot::SIZE);

#[test]
fn empty_slot_shows_device_zero() {
    let mut h = TestHost::new();
    let mut read = |off| EmptySlot.read(&mut Cx::new(&mut h), Region(0), off, Width::B4);
    assert_eq!(read(mmio::MAGIC_VALUE), Access::Done(0x7472_6976));
    assert_eq!(read(mmio::VERSION), Access::Done(2));
    assert_eq!(read(mmio::DEVICE_ID), Access::Done(0));
    assert_eq!(read(mmio::QUEUE_SIZE_MAX), Access::Done(0));
}

#[test]
fn identification_is_that_of_a_modern_device() {
    let mut d = cold();
    assert_eq!(d.read(mmio::MAGIC_VALUE), 0x7472_6976);
    assert_eq!(d.read(mmio::VERSION), 2);
    assert_eq!(d.read(mmio::DEVICE_ID), 4);
    assert_eq!(d.offered(), TRANSPORT_FEATURES);
    d.write(mmio::DEVICE_FEATURES_SEL, 2);
    assert_eq!(d.read(mmio::DEVICE_FEATURES), 0);
    d.write(mmio::SHM_SEL, 0);
    assert_eq!(d.read(mmio::SHM_LEN_LOW), u32::MAX);
    assert_eq!(d.read(mmio::SHM_BASE_HIGH), u32::MAX);
}

#[test]
fn control_registers_take_aligned_words_only() {
    let mut d = cold();
    for (off, w) in [
        (0, Width::B1),
        (0, Width::B2),
        (0, Width::B8),
        (2, Width::B4),
        (0x101, Width::B2),
    ] {
        let answer = d.mmio.read(&mut Cx::new(&mut d.host), Region(0), off, w);
        assert_eq!(answer, Access::Fault(BusError::Width), "{off:#x} {w:?}");
    }
}

#[test]
fn features_are_refused_unless_offered_and_modern() {
    let accepted = |features| {
        let mut d = cold();
        d.negotiate(features);
        d.status().contains(DeviceStatus::FEATURES_OK)
    };
    assert!(accepted(TRANSPORT_FEATURES));
    assert!(accepted(Features::VERSION_1));
    assert!(!accepted(Features::empty()), "a legacy driver");
    assert!(!accepted(Features::VERSION_1 | Features::RING_PACKED));
    assert!(!accepted(
        Features::VERSION_1 | Features::from_bits_retain(1)
    ));
}

#[test]
fn features_are_fixed_after_features_ok() {
    let mut d = cold();
    d.negotiate(Features::VERSION_1);
    d.write(mmio::DRIVER_FEATURES_SEL, 0);
    d.write(mmio::DRIVER_FEATURES, u32::MAX);
    assert_eq!(d.mmio.transport.state.driver_features, Features::VERSION_1);
    assert_eq!(d.host.guest_errors().len(), 1);
}

#[test]
fn status_bits_stay_and_driver_ok_needs_features_ok() {
    let mut d = cold();
    d.write(mmio::STATUS, 3);
    d.write(mmio::STATUS, 1);
    assert_eq!(d.status().bits(), 3, "a bit cannot be cleared");
    d.add_status(OK);
    assert!(!d.status().contains(OK));
    d.add_status(DeviceStatus::FAILED);
    assert_eq!(d.status().bits(), 0x83);
    d.write(mmio::STATUS, 0xff | 64);
    assert!(!d.broken(), "that bit is the device's");
    d.write(mmio::STATUS, 0);
    assert_eq!(d.status().bits(), 0);
}

#[test]
fn queue_registers_are_those_of_the_selected_queue() {
    let mut d = cold();
    d.negotiate(Features::VERSION_1);
    d.write(mmio::QUEUE_SEL, 1);
    assert_eq!(d.read(mmio::QUEUE_SIZE_MAX), 0, "there is no queue 1");
    d.write(mmio::QUEUE_READY, 1);
    assert_eq!(d.read(mmio::QUEUE_READY), 0);
    d.write(mmio::QUEUE_SEL, 0);
    assert_eq!(d.read(mmio::QUEUE_SIZE_MAX), 64);
    d.set_up(0, [0x1_2345_6780, RAM + 2, RAM + 4]);
    assert_eq!(d.read(mmio::QUEUE_READY), 1);
    let at = d.mmio.transport.queues[0].areas();
    assert_eq!(
        (at.desc.0, at.avail.0, at.used.0),
        (0x1_2345_6780, RAM + 2, RAM + 4)
    );
    let before = d.mmio.transport.queues[0].clone();
    d.write(mmio::QUEUE_SIZE, 8);
    d.write(mmio::QUEUE_DESC_LOW, 0);
    assert_eq!(d.mmio.transport.queues[0], before, "fixed while ready");
    d.write(mmio::QUEUE_READY, 0);
    assert_eq!(d.read(mmio::QUEUE_READY), 0);
}

#[test]
fn queue_size_that_is_asked_for_bounds_what_the_driver_may_choose() {
    for max in [1, 2, 1024, layout::MAX_SIZE] {
        let mut d = Driver::cold(Rng::new(1));
        d.mmio = VirtioMmio::new(Rng::new(1)).with_queue_size(max);
        d.negotiate(Features::VERSION_1);
        d.write(mmio::QUEUE_SEL, 0);
        assert_eq!(d.read(mmio::QUEUE_SIZE_MAX), u32::from(max));
        d.write(mmio::QUEUE_SIZE, u32::from(max) * 2);
        assert_eq!(d.mmio.transport.queues[0].size(), max);
        d.write(mmio::STATUS, 0);
        assert_eq!(
            d.read(mmio::QUEUE_SIZE_MAX),
            u32::from(max),
            "after a reset"
        );
    }
}

#[test]
fn queue_that_cannot_be_is_not_ready() {
    let mut d = cold();
    d.negotiate(Features::VERSION_1);
    for size in [0, 3, 128, 0x1_0010, u32::MAX] {
        d.write(mmio::QUEUE_SIZE, size);
        assert_eq!(d.mmio.transport.queues[0].size(), 64, "{size}");
    }
    for bad in [
        [RAM + 8, RAM, RAM],
        [RAM, RAM + 1, RAM],
        [RAM, RAM, RAM + 2],
        [u64::MAX - 15, RAM, RAM],
    ] {
        d.set_up(0, bad);
        assert_eq!(d.read(mmio::QUEUE_READY), 0, "{bad:x?}");
    }
}

#[test]
fn notification_before_driver_ok_consumes_nothing() {
    let mut d = cold();
    d.negotiate(Features::VERSION_1);
    d.set_up(0, areas(0));
    assert_eq!(d.exchange(0, &[(DATA, 8, true)]), []);
    assert_eq!(d.host.guest_errors().len(), 1);
    d.add_status(OK);
    d.kick(0);
    assert_eq!(d.used(0), [(0, 8)]);
    for queue in [1, 0xffff, 0x1_0000] {
        d.write(mmio::QUEUE_NOTIFY, queue);
    }
    assert_eq!(d.host.guest_errors().len(), 4);
}

#[test]
fn interrupt_stays_until_it_is_acknowledged() {
    let mut d = ready();
    d.exchange(0, &[(DATA, 8, true)]);
    d.exchange(0, &[(DATA, 8, true)]);
    assert!(d.host.level(0));
    assert_eq!(d.read(mmio::INTERRUPT_STATUS), 1);
    d.write(mmio::INTERRUPT_ACK, 2);
    assert!(d.host.level(0));
    d.write(mmio::INTERRUPT_ACK, 1);
    assert!(!d.host.level(0));
    let lines = d.host.log.iter().filter(|s| matches!(s, Seen::Line(..)));
    assert_eq!(lines.count(), 2, "driven on change only");
}

#[test]
fn event_index_limits_interrupts() {
    let mut d = cold();
    d.start(TRANSPORT_FEATURES);
    let used_event = areas(0)[1] + layout::avail_used_event(16);
    assert!(d.host.poke(used_event, &2_u16.to_le_bytes()));
    for (n, level) in [(1, false), (2, false), (3, true)] {
        d.exchange(0, &[(DATA, 8, true)]);
        assert_eq!(d.host.level(0), level, "after {n}");
    }
    let avail_event = areas(0)[2] + layout::used_avail_event(16);
    assert_eq!(
        d.bytes(avail_event, 2),
        3_u16.to_le_bytes(),
        "wants to hear of the next one"
    );
}

#[test]
fn indirect_chain_is_served_when_negotiated_and_breaks_the_device_when_not() {
    for (features, broken) in [(TRANSPORT_FEATURES, false), (Features::VERSION_1, true)] {
        let mut d = cold();
        d.start(features);
        let inner = layout::Desc::new(DATA, 8, layout::DescFlags::WRITE, 0);
        assert!(
            d.host
                .poke(DATA + 0x1000, zerocopy::IntoBytes::as_bytes(&inner))
        );
        let outer = layout::Desc::new(DATA + 0x1000, 16, layout::DescFlags::INDIRECT, 0);
        d.descriptor(0, 3, outer);
        d.offer(0, 3);
        d.kick(0);
        assert_eq!(d.broken(), broken);
        assert_eq!(d.used(0).len(), usize::from(!broken));
    }
}

#[test]
fn broken_device_says_so_and_recovers_by_reset() {
    let mut d = ready();
    assert_eq!(d.exchange(0, &[(0, 8, true)]), [], "not RAM");
    assert!(d.broken());
    assert_eq!(d.read(mmio::INTERRUPT_STATUS), 2, "virtio 1.3 §2.1.2");
    assert!(d.host.level(0));
    d.kick(0);
    assert_eq!(d.used(0), [], "nothing is served any more");
    d.write(mmio::STATUS, 0);
    assert!(!d.host.level(0) && !d.broken());
    d.start(Features::VERSION_1);
    assert_eq!(d.exchange(0, &[(DATA, 8, true)]), [(0, 8)]);
}

#[test]
fn write_only_and_read_only_registers_are_told_apart() {
    let mut d = cold();
    for off in [
        mmio::QUEUE_NOTIFY,
        mmio::QUEUE_SEL,
        mmio::INTERRUPT_ACK,
        mmio::QUEUE_DESC_LOW,
    ] {
        assert_eq!(d.read(off), 0);
    }
    for off in [
        mmio::MAGIC_VALUE,
        mmio::VERSION,
        mmio::INTERRUPT_STATUS,
        mmio::CONFIG_GENERATION,
    ] {
        d.write(off, 1);
    }
    d.write(mmio::QUEUE_RESET, 1);
    d.write(0x1c, 1);
    assert_eq!(d.host.guest_errors().len(), 10);
}

#[test]
fn saved_state_of_another_device_is_refused() {
    let bytes = conformance::saved(&VirtioMmio::new(crate::Console::new()));
    let mut rng = VirtioMmio::new(Rng::new(1));
    assert!(rng.load(&mut Reader::new(&bytes)).is_err());
}

#[test]
fn boxed_device_works_like_a_plain_one() {
    let boxed: Box<dyn VirtioDevice> = Box::new(Rng::new(1));
    let mut d = Driver::ready(boxed);
    assert_eq!(d.exchange(0, &[(DATA, 8, true)]), [(0, 8)]);
    let mut plain = ready();
    plain.exchange(0, &[(DATA, 8, true)]);
    assert_eq!(d.bytes(DATA, 8), plain.bytes(DATA, 8));
}
