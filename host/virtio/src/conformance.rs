//! Checks that hold for every virtio device behind its transport; each device's tests instantiate them
//! with a request that it serves.

use crate::VirtioDevice;
use crate::testing::{Buffer, DATA, Driver, RAM, RAM_BYTES, areas};
use maquette_model::SimTime;
use maquette_virtio_protocol::mmio;

/// A request that means no harm, in zeroed memory.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) queue: u16,
    pub(crate) buffers: &'static [Buffer],
}

impl Sample {
    /// Makes the request and gives how many chains came back.
    fn serve<D: VirtioDevice>(self, d: &mut Driver<D>) -> usize {
        self.serve_with(d, self.buffers)
    }

    fn serve_with<D: VirtioDevice>(self, d: &mut Driver<D>, buffers: &[Buffer]) -> usize {
        let at_once = d.exchange(self.queue, buffers).len();
        d.run_for(SimTime::from_us(100));
        at_once + d.used(self.queue).len()
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

/// A reset with a request under way forgets it.
pub(crate) fn queue_reset_forgets_a_request<D: VirtioDevice>(make: impl Fn() -> D, sample: Sample) {
    let mut d = Driver::ready(make());
    d.add(sample.queue, sample.buffers);
    d.kick(sample.queue);
    let features = d.offered();
    d.start(features);
    assert!(!d.host.level(0), "the line is high after a reset");
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

/// A device that is reset looks at no queue.
pub(crate) fn kick_during_reset_does_nothing<D: VirtioDevice>(
    make: impl Fn() -> D,
    sample: Sample,
) {
    let mut d = Driver::ready(make());
    d.write(mmio::STATUS, 0);
    d.add(sample.queue, sample.buffers);
    let before = d.bytes(RAM, RAM_BYTES);
    for queue in [sample.queue, 0, 1, 7, u16::MAX] {
        d.kick(queue);
    }
    d.run_for(SimTime::from_ms(10));
    assert!(d.bytes(RAM, RAM_BYTES) == before, "memory was written");
    assert!(!d.host.level(0));
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
};
/// Fills 16 bytes at random.
pub(crate) const FILL: Sample = Sample {
    queue: 0,
    buffers: &[(DATA, 16, true)],
};
/// Transmits four bytes of a console.
pub(crate) const TRANSMIT: Sample = Sample {
    queue: 1,
    buffers: &[(DATA, 4, false)],
};
/// Sends a frame of 60 bytes behind its header.
pub(crate) const SEND_FRAME: Sample = Sample {
    queue: 1,
    buffers: &[(DATA, 12, false), (DATA + 0x100, 60, false)],
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
            mod $device {
                use super::super::*;
                use crate::conformance as rules;

                #[test]
                fn rv_54_dma_outside_ram_is_reported() {
                    rules::dma_outside_ram_is_reported(|| $make, $sample);
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
            }
        }
    };
}
pub(crate) use virtio_conformance;
