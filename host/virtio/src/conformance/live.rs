//! Checks of a device that serves a driver. Accesses at random never bring a device up, so that its
//! requests, its DMA and its interrupts are met only here.

use super::Sample;
use crate::VirtioDevice;
use crate::testing::{Driver, RAM, RAM_BYTES};
use maquette_model::testing::Seen;
use maquette_model::testing::conformance::{Random, saved};
use maquette_model::{Cx, Device, Reader, ResetKind, SimTime, Snapshot};
use maquette_virtio_protocol::mmio;

/// Makes the request, if the queue has room for it.
fn request<D: VirtioDevice>(d: &mut Driver<D>, sample: Sample) {
    if d.has_room(sample.queue, sample.buffers) {
        d.add(sample.queue, sample.buffers);
        d.kick(sample.queue);
    }
}

/// One thing that a driver, the outside or time may do.
fn step<D: VirtioDevice>(d: &mut Driver<D>, sample: Sample, random: &mut Random) {
    match random.below(8) {
        0 | 1 => request(d, sample),
        2 | 3 if sample.arriving > 0 => sample.arrive(d),
        2 | 3 => request(d, sample),
        4 | 5 => d.run_for(SimTime::from_us(random.below(10))),
        6 => {
            d.used(sample.queue);
            let pending = d.read(mmio::INTERRUPT_STATUS);
            d.write(mmio::INTERRUPT_ACK, pending);
        }
        _ => {
            let off = mmio::CONFIG + 4 * random.below(24);
            let config = d.read(off);
            d.host.log.push(Seen::GuestError("(answer)", config.into()));
        }
    }
}

/// A device that has served a while, and its log.
fn under_load<D: VirtioDevice>(device: D, sample: Sample, random: &mut Random) -> Driver<D> {
    let mut d = Driver::ready(device);
    if random.below(2) == 0 {
        // Event indices too.
        let features = d.offered();
        d.start(features);
    }
    d.host.log.clear();
    d.host.log_dma = true;
    for _ in 0..10 + random.below(200) {
        step(&mut d, sample, random);
    }
    assert!(!d.broken(), "the driver breaks its own device");
    d
}

/// A reset of the board, at any moment and twice, leaves a fresh device that does nothing more.
pub(crate) fn reset_under_load_leaves_a_fresh_device<D: VirtioDevice>(
    make: impl Fn() -> D,
    sample: Sample,
) {
    let fresh = saved(&Driver::cold(make()).mmio);
    for seed in 0..40 {
        let mut d = under_load(make(), sample, &mut Random(seed));
        request(&mut d, sample);
        // More than all buffers take: some of it waits in the device.
        (0..seed).for_each(|_| sample.arrive(&mut d));
        assert!(saved(&d.mmio) != fresh);
        for kind in [ResetKind::Warm, ResetKind::Cold, ResetKind::Cold] {
            d.host.before_reset();
            d.mmio.reset(&mut Cx::new(&mut d.host), kind);
            assert!(saved(&d.mmio) == fresh, "seed {seed}: {kind:?} left state");
            assert_eq!(d.host.next_timer(), None, "seed {seed}: {kind:?}");
        }
        d.host.log.clear();
        let before = d.bytes(RAM, RAM_BYTES);
        d.run_for(SimTime::from_ms(10));
        assert_eq!(d.host.log, [], "seed {seed}: something went on");
        assert!(d.bytes(RAM, RAM_BYTES) == before, "seed {seed}");
        let features = d.offered();
        d.start(features);
        assert_eq!(sample.serve(&mut d), 1, "seed {seed}");
    }
}

/// A device that was saved and loaded while it served goes on like the one that was not.
pub(crate) fn snapshot_under_load_goes_on_alike<D: VirtioDevice>(
    make: impl Fn() -> D,
    sample: Sample,
) {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut one = under_load(make(), sample, &mut random);
        let bytes = saved(&one.mmio);
        let mut two = Driver::cold(make());
        let mut r = Reader::new(&bytes);
        let loaded = two.mmio.load(&mut r).and_then(|()| r.finish());
        assert_eq!(loaded, Ok(()), "seed {seed}");
        assert!(saved(&two.mmio) == bytes, "seed {seed}: saved again");
        two.copy_driver(&one);
        let mut again = random.clone();
        for i in 0..200 {
            step(&mut one, sample, &mut random);
            step(&mut two, sample, &mut again);
            assert_eq!(one.host.take_log(), two.host.take_log(), "seed {seed}, {i}");
            // The rings are soon overwritten.
            if i < 20 || i == 199 {
                let equal = one.host.peek(RAM, RAM_BYTES) == two.host.peek(RAM, RAM_BYTES);
                assert!(equal, "seed {seed}, {i}: memory differs");
            }
        }
        assert!(saved(&one.mmio) == saved(&two.mmio), "seed {seed}");
    }
}

/// Two devices that serve the same do the same: each access to memory, message and interrupt.
pub(crate) fn requests_leave_equal_traces<D: VirtioDevice>(make: impl Fn() -> D, sample: Sample) {
    let trace = |seed| {
        let mut d = under_load(make(), sample, &mut Random(seed));
        (d.host.take_log(), saved(&d.mmio), d.bytes(RAM, RAM_BYTES))
    };
    let mut stores = 0;
    for seed in 0..40 {
        let (log, state, memory) = trace(seed);
        let store = |seen: &&Seen| matches!(seen, Seen::DmaWrite(..));
        stores += log.iter().filter(store).count();
        assert!((log, state, memory) == trace(seed), "seed {seed}");
    }
    assert!(stores > 100, "memory was written {stores} times");
}

/// The line is driven only when its level changes, resets by the driver and by the board included.
pub(crate) fn line_is_driven_only_when_it_changes<D: VirtioDevice>(
    make: impl Fn() -> D,
    sample: Sample,
) {
    let mut changes = 0;
    for seed in 0..40 {
        let random = &mut Random(seed);
        let mut d = under_load(make(), sample, random);
        if random.below(2) == 0 {
            let features = d.offered();
            d.start(features);
        }
        let mut high = false;
        for seen in d.host.take_log() {
            if let Seen::Line(0, level) = seen {
                assert_ne!(level, high, "seed {seed}: the line has that level");
                high = level;
                changes += 1;
            }
        }
        assert_eq!(d.host.level(0), high);
        // Whoever resets the board has lowered the line.
        d.host.before_reset();
        d.mmio.reset(&mut Cx::new(&mut d.host), ResetKind::Warm);
        assert_eq!(d.host.log, [], "seed {seed}: driven in a reset");
    }
    assert!(changes > 100, "the line changed {changes} times");
}
