use super::*;
use crate::conformance::virtio_conformance;
use crate::testing::{DATA, Driver};

virtio_conformance!(rng, Rng::new(1), rules::FILL);

#[test]
fn rng_fills_buffers_from_the_seed() {
    let bytes = |seed| {
        let mut d = Driver::ready(Rng::new(seed));
        assert_eq!(d.exchange(0, &[(DATA, 100, true)]), [(0, 100)]);
        assert!(d.host.level(0));
        d.bytes(DATA, 100)
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
    assert!(bytes(7).iter().any(|&b| b != bytes(7)[0]));
}

#[test]
fn rng_goes_on_from_one_request_to_the_next() {
    let mut d = Driver::ready(Rng::new(7));
    d.exchange(0, &[(DATA, 8, true)]);
    let first = d.bytes(DATA, 8);
    d.exchange(0, &[(DATA, 8, true)]);
    assert_ne!(d.bytes(DATA, 8), first);
}

#[test]
fn rng_fills_part_of_a_large_buffer_and_touches_nothing_else() {
    let mut d = Driver::ready(Rng::new(7));
    let used = d.exchange(0, &[(DATA, 4000, true), (DATA + 0x2000, 4000, true)]);
    assert_eq!(used, [(0, 4096)]);
    assert_eq!(d.bytes(DATA + 0x2000 + 96, 16), [0; 16]);
    assert_ne!(d.bytes(DATA + 0x2000 + 80, 16), [0; 16]);
}

#[test]
fn rng_request_without_room_breaks_the_device() {
    let mut d = Driver::ready(Rng::new(7));
    assert_eq!(d.exchange(0, &[(DATA, 8, false)]), []);
    assert!(d.broken());
}
