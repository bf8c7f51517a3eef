//! The entropy device (virtio 1.3 §5.4), with a seed: equal seeds give equal runs.

mod xoshiro;

use crate::{Chain, ConfigAccess, QueueCx, QueueError, VirtioDevice};
use maquette_model::{Cx, Event, Inspect, LoadError, Reader, Snapshot, Tree, Writer};
use maquette_virtio_protocol::rng::REQUEST_QUEUE;
use maquette_virtio_protocol::{DeviceId, Features};
use xoshiro::Xoshiro;

/// Largest size of the request queue.
const QUEUE_SIZE: u16 = 64;
/// Most bytes that one request gets; the device may fill less than was offered (virtio 1.3 §5.4.6).
const BUFFER: usize = 4096;

/// A seeded entropy device.
#[derive(Debug)]
pub struct Rng {
    seed: u64,
    generator: Xoshiro,
    chain: Chain,
}

impl Rng {
    /// A device whose bytes follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            generator: Xoshiro::new(seed),
            chain: Chain::default(),
        }
    }

    fn fill(&mut self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        let room = usize::try_from(self.chain.writable_len()).unwrap_or(BUFFER);
        if room == 0 {
            return Err(QueueError::Short { missing: 1 });
        }
        let mut buffer = [0; BUFFER];
        let n = room.min(BUFFER);
        let part = buffer.get_mut(..n).unwrap_or_default();
        self.generator.fill(part);
        self.chain.write(cx.cx, 0, part)?;
        let n = u32::try_from(n).unwrap_or(0);
        cx.push(REQUEST_QUEUE, self.chain.head(), n);
        Ok(())
    }
}

impl Inspect for Rng {
    fn inspect(&self, tree: &mut Tree) {
        tree.hex("seed", self.seed);
    }
}

impl VirtioDevice for Rng {
    fn id(&self) -> DeviceId {
        DeviceId::ENTROPY
    }
    fn features(&self) -> Features {
        Features::empty()
    }
    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE]
    }
    fn activate(&mut self, _: &mut QueueCx<'_, '_>, _: Features) {}
    fn reset(&mut self, _: &mut Cx<'_>) {
        self.generator = Xoshiro::new(self.seed);
    }
    fn kick(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16) {
        if queue != REQUEST_QUEUE {
            return;
        }
        while cx.pop(REQUEST_QUEUE, &mut self.chain) {
            if let Err(e) = self.fill(cx) {
                cx.fail(e);
            }
        }
    }
    fn event(&mut self, _: &mut QueueCx<'_, '_>, _: Event) {}
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64 {
        if let ConfigAccess::Write { off, .. } = access {
            cx.cx
                .guest_error("virtio-rng: write to the configuration", off);
        }
        0
    }
}

impl Snapshot for Rng {
    fn kind(&self) -> &'static str {
        "virtio-rng"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        for word in self.generator.0 {
            w.u64(word);
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut state = [0; 4];
        for word in &mut state {
            *word = r.u64()?;
        }
        if state == [0; 4] {
            let (field, value) = ("generator", 0);
            return Err(LoadError::Value { field, value });
        }
        self.generator = Xoshiro(state);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
