//! The block device (virtio 1.3 §5.2).

mod backend;
mod inspect;
mod memory;
mod overlay;
mod pattern;
mod request;

pub use backend::{BlockBackend, BlockError, check};
pub use memory::MemoryDisk;
pub use overlay::Overlay;
pub use pattern::{Pattern, PatternDisk};

use crate::{Chain, ConfigAccess, QueueCx, QueueError, VirtioDevice, read_config};
use maquette_model::{Cx, Event, Iova, LoadError, Reader, SimTime, Snapshot, TimerId, Writer};
use maquette_virtio_protocol::blk::{
    Config, ID_BYTES, REQUEST_QUEUE, RequestStatus, SECTOR_SIZE, feature,
};
use maquette_virtio_protocol::{DeviceId, Features, queue};
use std::collections::VecDeque;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromZeros, IntoBytes};

/// Largest size of the request queue, if nothing else is asked for.
const QUEUE_SIZE: u16 = 256;
/// Most data bytes in a request: what bounds the work that one notification can ask for.
const REQUEST_BYTES: u64 = 16 << 20;
/// Most sectors in a discard or write-zeroes request.
const ZERO_SECTORS: u32 = 0x8000;
/// Bytes that are moved at a time between disk and guest.
const BUFFER: usize = 64 * 1024;

/// A request that is done but not yet returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Finished {
    head: u16,
    /// Data bytes written; the status byte follows them if they are all.
    written: u32,
    status: RequestStatus,
    /// Where the status byte goes.
    status_at: Iova,
}

/// A request that waits for its time.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    finished: Finished,
    timer: TimerId,
}

/// A virtio disk with one queue.
///
/// With a latency, a request's data moves when it is made and its completion comes that much later;
/// without, both happen in the notification.
pub struct Block {
    backend: Box<dyn BlockBackend>,
    serial: [u8; ID_BYTES],
    latency: SimTime,
    waiting: VecDeque<Waiting>,
    chain: Chain,
    buffer: Vec<u8>,
    /// A host failure was told to the user; the same one over and over helps nobody.
    complained: bool,
}

impl Block {
    /// A disk over `backend` that calls itself `serial` (cut to 20 bytes).
    #[must_use]
    pub fn new(backend: Box<dyn BlockBackend>, serial: &str, latency: SimTime) -> Self {
        let mut id = [0; ID_BYTES];
        for (to, from) in id.iter_mut().zip(serial.bytes()) {
            *to = from;
        }
        Self {
            backend,
            serial: id,
            latency,
            waiting: VecDeque::new(),
            chain: Chain::default(),
            buffer: vec![0; BUFFER],
            complained: false,
        }
    }

    /// The content of the disk.
    #[must_use]
    pub fn backend(&self) -> &dyn BlockBackend {
        &*self.backend
    }

    /// The content of the disk.
    pub fn backend_mut(&mut self) -> &mut dyn BlockBackend {
        &mut *self.backend
    }

    /// The configuration space over a queue of at most `queue_max` entries.
    fn configuration(&self, queue_max: u16) -> Config {
        let mut c = Config::new_zeroed();
        c.capacity = U64::new(self.backend.size() / SECTOR_SIZE);
        // A full queue less header and status; 0 segments would be no disk.
        c.seg_max = U32::new(u32::from(queue_max.saturating_sub(2).max(1)));
        c.blk_size = U32::new(512);
        if !self.backend.read_only() {
            c.max_discard_sectors = U32::new(ZERO_SECTORS);
            c.max_discard_seg = U32::new(1);
            c.discard_sector_alignment = U32::new(1);
            c.max_write_zeroes_sectors = U32::new(ZERO_SECTORS);
            c.max_write_zeroes_seg = U32::new(1);
            c.write_zeroes_may_unmap = 1;
        }
        c
    }

    fn serve(&mut self, cx: &mut QueueCx<'_, '_>) {
        let mut chain = std::mem::take(&mut self.chain);
        while cx.pop(REQUEST_QUEUE, &mut chain) {
            match self.perform(cx.cx, &chain) {
                Ok(finished) => self.finish_later(cx, finished),
                Err(e) => cx.fail(e),
            }
        }
        self.chain = chain;
    }

    /// Returns a request now, or after the latency.
    fn finish_later(&mut self, cx: &mut QueueCx<'_, '_>, finished: Finished) {
        if self.latency == SimTime::ZERO {
            return finish(cx, finished);
        }
        let size = cx.queue_size(REQUEST_QUEUE);
        if self.waiting.len() >= usize::from(size) {
            // A head was made available again before it was returned.
            return cx.fail(QueueError::Flood(size));
        }
        let at = cx.cx.now().saturating_add(self.latency);
        let timer = cx.cx.at(at, Event::Timer { tag: 0, arg: 0 });
        self.waiting.push_back(Waiting { finished, timer });
    }
}

/// Writes the status byte and returns the chain. `written` counts from the first writable byte without
/// a gap, as virtio 1.3 §2.7.8.2 demands, so the status counts only behind complete data.
fn finish(cx: &mut QueueCx<'_, '_>, f: Finished) {
    match cx.cx.dma_write(f.status_at, &[f.status.0]) {
        Ok(()) => cx.push(REQUEST_QUEUE, f.head, f.written),
        Err(e) => cx.fail(e.into()),
    }
}

impl VirtioDevice for Block {
    fn id(&self) -> DeviceId {
        DeviceId::BLOCK
    }
    fn features(&self) -> Features {
        let always = feature::SEG_MAX | feature::BLK_SIZE | feature::FLUSH;
        if self.backend.read_only() {
            always | feature::RO
        } else {
            always | feature::DISCARD | feature::WRITE_ZEROES
        }
    }
    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE]
    }
    fn activate(&mut self, _: &mut QueueCx<'_, '_>, _: Features) {}
    fn reset(&mut self, cx: &mut Cx<'_>) {
        for w in self.waiting.drain(..) {
            cx.cancel(w.timer);
        }
    }
    fn kick(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16) {
        if queue == REQUEST_QUEUE {
            self.serve(cx);
        }
    }
    fn event(&mut self, cx: &mut QueueCx<'_, '_>, ev: Event) {
        // All wait equally long, so timers come due in the order of the queue.
        if matches!(ev, Event::Timer { .. })
            && let Some(w) = self.waiting.pop_front()
            && cx.live()
        {
            finish(cx, w.finished);
        }
    }
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64 {
        match access {
            ConfigAccess::Read { off, width } => {
                let configuration = self.configuration(cx.queue_max(REQUEST_QUEUE));
                read_config(configuration.as_bytes(), off, width)
            }
            ConfigAccess::Write { off, .. } => {
                cx.cx
                    .guest_error("virtio-blk: write to the configuration", off);
                0
            }
        }
    }
}

impl Snapshot for Block {
    fn kind(&self) -> &'static str {
        "virtio-blk"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.waiting.len() as u64);
        for Waiting { finished, timer } in &self.waiting {
            w.u16(finished.head);
            w.u32(finished.written);
            w.u8(finished.status.0);
            w.u64(finished.status_at.0);
            w.u64(timer.0);
        }
        self.backend.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.waiting.clear();
        let count = r.u64()?;
        if count > u64::from(queue::MAX_SIZE) {
            let (field, value) = ("waiting", count);
            return Err(LoadError::Value { field, value });
        }
        for _ in 0..count {
            self.waiting.push_back(Waiting {
                finished: Finished {
                    head: r.u16()?,
                    written: r.u32()?,
                    status: RequestStatus(r.u8()?),
                    status_at: Iova(r.u64()?),
                },
                timer: TimerId(r.u64()?),
            });
        }
        self.backend.load(r)
    }
}

#[cfg(test)]
mod overlay_tests;
#[cfg(test)]
mod tests;
