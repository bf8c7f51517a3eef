//! Checks that hold for every virtio device behind its transport; each device's tests instantiate them
//! with a request that it serves.

mod live;

pub(crate) use live::{
    line_is_driven_only_when_it_changes, requests_leave_equal_traces,
    reset_under_load_leaves_a_fresh_device, snapshot_under_load_goes_on_alike,
};

use crate::VirtioDevice;
use crate::testing::{Buffer, DATA, Driver, RAM, RAM_BYTES, areas};
use maquette_model::testing::conformance::saved;
use maquette_model::{Cx, Device, Event, Message, PortId, SimTime};
use maquette_virtio_protocol::{DeviceStatus, Features, mmio};

/// A request that means no harm, in zeroed memory.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) queue: u16,
    pub(crate) buffers: &'static [Buffer],
    /// Bytes that must arrive from outside for the request to be served; none if it is served anyhow.
    pub(crate) arriving: usize,
}

impl Sample {
    /// Makes the request and gives how many chains came back.
    fn serve<D: VirtioDevice>(self, d: &mut Driver<D>) -> usize {
        self.serve_with(d, self.buffers)
    }

    fn serve_with<D: VirtioDevice>(self, d: &mut Driver<D>, buffers: &[Buffer]) -> usize {
        let at_once = d.exchange(self.queue, buffers).len();
        self.arrive(d);
        d.run_for(SimTime::from_us(100));
        at_once + d.used(self.queue).len()
    }

    fn arrive<D: VirtioDevice>(self, d: &mut Driver<D>) {
        if self.arriving > 0 {
            let msg = Message::Bytes(vec![0x5a; self.arriving]);
            let port = PortId(0);
            let cx = &mut Cx::new(&mut d.host);
            d.mmio.event(cx, Event::Message { port, msg });
        }
    }
}

/// Every buffer in turn in MMIO, ROM, a hole, half past RAM, and at the end of all addresses.
pub(crate) fn dma_outside_ram_is_reported<D: VirtioDevice>(make: impl Fn() -> D, sample: Sample) {
    let end = RAM + RAM_BYTES as u64;
    for bad in [0x1000_0000, 0x1000, 0x4000_0000, end - 1, end, u64::MAX - 3] {
        for which in 0..sample.buffers.len() {
            let mut d = Driver::ready(make());
            let mut buffers = sample.buffers.to_vec();
            buffers[which].0 = bad;
            // One byte at the end of RAM lies in it.
            buffers[which].1 = buffers[which].1.max(2);
            sample.serve_with(&mut d, &buffers);
            let reported = !d.host.guest_errors().is_empty();
            assert!(reported, "buffer {which} at {bad:#x} was taken");
            let features = d.offered();
            d.start(features);
            assert_eq!(sample.serve(&mut d), 1, "after buffer {which} at {bad:#x}");
        }
    }
}

/// Rings in MMIO, ROM, a hole, half past RAM, and at the end of all addresses.
pub(crate) fn rings_outside_ram_are_reported<D: VirtioDevice>(
    make: impl Fn() -> D,
    sample: Sample,
) {
    let end = RAM + RAM_BYTES as u64;
    // A ring is met element by element: the first that is needed lies outside.
    let half = [end, end - 2, end - 4];
    for which in 0..3 {
        for bad in [
            0x1000_0000,
            0x1000,
            0x4000_0000,
            half[which],
            end,
            u64::MAX - 15,
        ] {
            let mut d = Driver::cold(make());
            let features = d.offered() - Features::EVENT_IDX;
            d.negotiate(features);
            let mut places = areas(sample.queue);
            d.add(sample.queue, sample.buffers);
            places[which] = bad;
            d.set_up(sample.queue, places);
            d.add_status(DeviceStatus::DRIVER_OK);
            d.kick(sample.queue);
            sample.arrive(&mut d);
            d.run_for(SimTime::from_us(100));
            let reported = !d.host.guest_errors().is_empty();
            assert!(reported, "ring {which} at {bad:#x} was taken");
            // Places past all addresses are refused before the queue is ready.
            assert!(d.broken() || d.read(mmio::QUEUE_READY) == 0);
            d.start(features);
            assert_eq!(sample.serve(&mut d), 1, "after ring {which} at {bad:#x}");
        }
    }
}

/// A reset with a request under way forgets it.
pub(crate) fn queue_reset_forgets_a_request<D: VirtioDevice>(make: impl Fn() -> D, sample: Sample) {
    let fresh = saved(&Driver::cold(make()).mmio);
    let mut d = Driver::ready(make());
    d.add(sample.queue, sample.buffers);
    d.kick(sample.queue);
    d.write(mmio::STATUS, 0);
    assert!(!d.host.level(0), "the line is high after a reset");
    assert_eq!(d.host.next_timer(), None, "a timer of an old request");
    assert!(saved(&d.mmio) == fresh, "the reset left something");
    let features = d.offered();
    d.start(features);
    assert_eq!(sample.serve(&mut d), 1);
    d.run_for(SimTime::from_ms(10));
    assert_eq!(d.used(sample.queue), [], "an old request came back");
}

/// Indices of the rings count to 65,535 and go on at 0.
pub(crate) fn used_index_wraps<D: VirtioDevice>(make: impl Fn() -> D, sample: Sample) {
    let mut d = Driver::ready(make());
    for round in 0..65_540 {
        assert_eq!(sample.serve(&mut d), 1, "round {round}");
        d.host.log.clear();
    }
    let idx = d.bytes(areas(sample.queue)[2] + 2, 2);
    assert_eq!(idx, 4_u16.to_le_bytes());
}

/// A device that is reset, or whose driver is not ready yet, looks at no queue.
pub(crate) fn kick_during_reset_does_nothing<D: VirtioDevice>(
    make: impl Fn() -> D,
    sample: Sample,
) {
    for ready in [false, true] {
        let mut d = Driver::ready(make());
        let features = d.offered();
        d.negotiate(features);
        if ready {
            d.set_up(sample.queue, areas(sample.queue));
        }
        d.add(sample.queue, sample.buffers);
        let before = d.bytes(RAM, RAM_BYTES);
        let queues = [sample.queue, 0, 1, 7, u16::MAX];
        queues.iter().for_each(|&queue| d.kick(queue));
        sample.arrive(&mut d);
        d.run_for(SimTime::from_ms(10));
        assert_eq!(d.host.guest_errors().len(), queues.len());
        assert!(d.bytes(RAM, RAM_BYTES) == before, "memory was written");
        assert!(!d.host.level(0));
    }
}

/// A driver that wants no interrupts gets none; the line of others stays high until acknowledged.
pub(crate) fn line_is_low_while_masked<D: VirtioDevice>(make: impl Fn() -> D, sample: Sample) {
    // VIRTQ_AVAIL_F_NO_INTERRUPT (virtio 1.3 §2.7.6)
    const NO_INTERRUPT: u16 = 1;
    let mut d = Driver::ready(make());
    let flags = areas(sample.queue)[1];
    assert!(d.host.poke(flags, &NO_INTERRUPT.to_le_bytes()));
    assert_eq!(sample.serve(&mut d), 1);
    assert!(!d.host.level(0), "an interrupt that nobody wants");
    assert!(d.host.poke(flags, &[0, 0]));
    assert_eq!(sample.serve(&mut d), 1);
    assert!(d.host.level(0), "no interrupt");
    d.run_for(SimTime::from_ms(1));
    assert!(d.host.level(0), "the line fell by itself");
    let pending = d.read(mmio::INTERRUPT_STATUS);
    d.write(mmio::INTERRUPT_ACK, pending);
    assert!(!d.host.level(0), "the line stays after the acknowledgement");
}

/// Reads 512 bytes of a disk: header, data, status.
pub(crate) const READ_SECTOR: Sample = Sample {
    queue: 0,
    buffers: &[
        (DATA, 16, false),
        (DATA + 0x100, 512, true),
        (DATA + 0x400, 1, true),
    ],
    arriving: 0,
};
/// Fills 16 bytes at random.
pub(crate) const FILL: Sample = Sample {
    queue: 0,
    buffers: &[(DATA, 16, true)],
    arriving: 0,
};
/// Transmits four bytes of a console.
pub(crate) const TRANSMIT: Sample = Sample {
    queue: 1,
    buffers: &[(DATA, 4, false)],
    arriving: 0,
};
/// Receives four bytes at a console.
pub(crate) const RECEIVE: Sample = Sample {
    queue: 0,
    buffers: &[(DATA, 2, true), (DATA + 0x100, 2, true)],
    arriving: 4,
};
/// Sends a frame of 60 bytes behind its header.
pub(crate) const SEND_FRAME: Sample = Sample {
    queue: 1,
    buffers: &[(DATA, 12, false), (DATA + 0x100, 60, false)],
    arriving: 0,
};
/// Receives a frame of 60 bytes behind its header.
pub(crate) const RECEIVE_FRAME: Sample = Sample {
    queue: 0,
    buffers: &[(DATA, 12, true), (DATA + 0x100, 60, true)],
    arriving: 60,
};

/// The checks of registers and those of queues, one test each, in a module of the device's name.
macro_rules! virtio_conformance {
    ($device:ident, $make:expr, $sample:expr) => {
        maquette_model::conformance!(
            $device,
            || crate::VirtioMmio::new($make),
            crate::VirtioMmio::<crate::Rng>::SIZE
        );
        mod queues {
            use super::*;
            crate::conformance::queue_conformance!($device, $make, $sample);
        }
    };
}
pub(crate) use virtio_conformance;

/// The checks of queues alone, for another request of a device whose registers are checked already.
macro_rules! queue_conformance {
    ($device:ident, $make:expr, $sample:expr) => {
        mod $device {
            use super::*;
            use crate::conformance as rules;

            #[test]
            fn rv_54_dma_outside_ram_is_reported() {
                rules::dma_outside_ram_is_reported(|| $make, $sample);
            }
            #[test]
            fn rv_54_rings_outside_ram_are_reported() {
                rules::rings_outside_ram_are_reported(|| $make, $sample);
            }
            #[test]
            fn rv_54_queue_reset_forgets_a_request() {
                rules::queue_reset_forgets_a_request(|| $make, $sample);
            }
            #[test]
            fn rv_54_used_index_wraps() {
                rules::used_index_wraps(|| $make, $sample);
            }
            #[test]
            fn rv_54_kick_during_reset_does_nothing() {
                rules::kick_during_reset_does_nothing(|| $make, $sample);
            }
            #[test]
            fn rv_54_line_is_low_while_masked() {
                rules::line_is_low_while_masked(|| $make, $sample);
            }
            #[test]
            fn rv_54_reset_under_load_leaves_a_fresh_device() {
                rules::reset_under_load_leaves_a_fresh_device(|| $make, $sample);
            }
            #[test]
            fn rv_54_snapshot_under_load_goes_on_alike() {
                rules::snapshot_under_load_goes_on_alike(|| $make, $sample);
            }
            #[test]
            fn rv_54_requests_leave_equal_traces() {
                rules::requests_leave_equal_traces(|| $make, $sample);
            }
            #[test]
            fn rv_54_line_under_load_is_driven_only_when_it_changes() {
                rules::line_is_driven_only_when_it_changes(|| $make, $sample);
            }
        }
    };
}
pub(crate) use queue_conformance;
