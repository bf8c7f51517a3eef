//! A virtio device at the level of its queues, and what its transport gives it.

use crate::{Chain, Queue, QueueError};
use maquette_model::{Cx, Event, Inspect, Snapshot, Width};
use maquette_virtio_protocol::pci::NO_VECTOR;
use maquette_virtio_protocol::{DeviceId, Features};

/// An access to the device's configuration space; naturally aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigAccess {
    /// Read; the answer is the value.
    Read {
        /// Offset in the configuration space.
        off: u64,
        /// How wide.
        width: Width,
    },
    /// Write; the answer is ignored.
    Write {
        /// Offset in the configuration space.
        off: u64,
        /// How wide.
        width: Width,
        /// What.
        value: u64,
    },
}

/// A device behind virtqueues. It knows neither its transport nor where its queues lie.
pub trait VirtioDevice: Snapshot + Inspect {
    /// What kind of device this is.
    fn id(&self) -> DeviceId;
    /// The features of the device type that it offers. The transport adds those of queues.
    fn features(&self) -> Features;
    /// The largest size of each queue, in the order of the device type's section, where nobody has
    /// asked the transport for another.
    fn queue_sizes(&self) -> &[u16];
    /// The driver is ready; these features were negotiated.
    fn activate(&mut self, cx: &mut QueueCx<'_, '_>, features: Features);
    /// Forgets everything the driver did, requests under way included, and cancels its timers.
    /// Idempotent.
    fn reset(&mut self, cx: &mut Cx<'_>);
    /// The driver says that a queue has new chains.
    fn kick(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16);
    /// A timer of the device's, or a message, has come due; also before the driver is ready.
    fn event(&mut self, cx: &mut QueueCx<'_, '_>, ev: Event);
    /// Answers an access to the configuration space; also before the driver is ready.
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64;
}

impl<T: VirtioDevice + ?Sized> VirtioDevice for Box<T> {
    fn id(&self) -> DeviceId {
        (**self).id()
    }
    fn features(&self) -> Features {
        (**self).features()
    }
    fn queue_sizes(&self) -> &[u16] {
        (**self).queue_sizes()
    }
    fn activate(&mut self, cx: &mut QueueCx<'_, '_>, features: Features) {
        (**self).activate(cx, features);
    }
    fn reset(&mut self, cx: &mut Cx<'_>) {
        (**self).reset(cx);
    }
    fn kick(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16) {
        (**self).kick(cx, queue);
    }
    fn event(&mut self, cx: &mut QueueCx<'_, '_>, ev: Event) {
        (**self).event(cx, ev);
    }
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64 {
        (**self).config(cx, access)
    }
}

/// Reads `width` bytes at `off` of a configuration structure; what lies past its end reads 0.
#[must_use]
pub fn read_config(bytes: &[u8], off: u64, width: Width) -> u64 {
    let start = usize::try_from(off).unwrap_or(usize::MAX);
    let rest = bytes.get(start..).unwrap_or_default();
    let len = usize::try_from(width.bytes()).unwrap_or(8);
    let mut value = [0; 8];
    for (to, from) in value.iter_mut().zip(rest.iter().take(len)) {
        *to = *from;
    }
    u64::from_le_bytes(value)
}

/// What a call of the device asks of its transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Effects {
    /// The device cannot go on without a reset.
    pub(crate) broken: bool,
    /// The configuration space changed.
    pub(crate) config_changed: bool,
    /// Chains taken in this call.
    popped: u32,
}

/// The surroundings of a virtio device during one call: its host, and its queues.
pub struct QueueCx<'a, 'h> {
    /// The host.
    pub cx: &'a mut Cx<'h>,
    queues: &'a mut [Queue],
    /// The driver is ready and nothing is broken.
    live: bool,
    pub(crate) effects: Effects,
}

impl<'a, 'h> QueueCx<'a, 'h> {
    /// The surroundings for one call. Queues are served only if `live`.
    pub fn new(cx: &'a mut Cx<'h>, queues: &'a mut [Queue], live: bool) -> Self {
        Self {
            cx,
            queues,
            live,
            effects: Effects::default(),
        }
    }

    /// Takes the next available chain of a queue; `false` if there is none, the queue is not ready, or
    /// the device is not live.
    pub fn pop(&mut self, queue: u16, chain: &mut Chain) -> bool {
        let Some(q) = self.queue(queue) else {
            return false;
        };
        let size = q.size();
        match self.with(queue, |q, cx| q.pop(cx, chain)) {
            Some(true) => {
                // Between two instructions of the guest a queue cannot hold more chains than
                // descriptors, unless the device itself is made to overwrite the ring.
                self.effects.popped += 1;
                if self.effects.popped > u32::from(size) {
                    self.fail(QueueError::Flood(size));
                }
                !self.effects.broken
            }
            Some(false) | None => false,
        }
    }

    /// Returns a chain to the driver, `len` bytes of it written from its first writable byte on.
    pub fn push(&mut self, queue: u16, head: u16, len: u32) {
        self.with(queue, |q, cx| q.push(cx, head, len));
    }

    /// The driver broke the rules: the device needs a reset (virtio 1.3 §2.1.2).
    pub fn fail(&mut self, error: QueueError) {
        let (what, value) = error.report();
        self.cx.guest_error(what, value);
        self.effects.broken = true;
        self.live = false;
    }

    /// The configuration space changed; the driver is told (virtio 1.3 §2.3).
    pub const fn config_changed(&mut self) {
        self.effects.config_changed = true;
    }

    /// Whether queues are served: the driver is ready and nothing is broken.
    #[must_use]
    pub const fn live(&self) -> bool {
        self.live
    }

    /// How many chains the driver may have outstanding in a queue.
    #[must_use]
    pub fn queue_size(&self, queue: u16) -> u16 {
        self.queues.get(usize::from(queue)).map_or(0, Queue::size)
    }

    /// The largest size that the driver may choose for a queue.
    #[must_use]
    pub fn queue_max(&self, queue: u16) -> u16 {
        self.queues.get(usize::from(queue)).map_or(0, Queue::max)
    }

    fn queue(&mut self, queue: u16) -> Option<&mut Queue> {
        if !self.live {
            return None;
        }
        self.queues.get_mut(usize::from(queue))
    }

    fn with<T>(
        &mut self,
        queue: u16,
        f: impl FnOnce(&mut Queue, &mut Cx<'_>) -> Result<T, QueueError>,
    ) -> Option<T> {
        if !self.live {
            return None;
        }
        let q = self.queues.get_mut(usize::from(queue))?;
        match f(q, self.cx) {
            Ok(v) => Some(v),
            Err(e) => {
                self.fail(e);
                None
            }
        }
    }

    /// Whether any queue deserves an interrupt for what the call returned; those that have a message send
    /// it.
    pub(crate) fn take_interrupt(&mut self, vectors: &[u16]) -> bool {
        let mut wanted = false;
        for i in 0..self.queues.len() {
            let queue = u16::try_from(i).unwrap_or(u16::MAX);
            let wants = self.with(queue, |q, cx| q.take_interrupt(cx));
            if wants != Some(true) {
                continue;
            }
            wanted = true;
            match vectors.get(i) {
                None | Some(&NO_VECTOR) => {}
                Some(&vector) => self.cx.msi(vector),
            }
        }
        wanted
    }
}
