//! What all transports have in common: negotiation, queues, interrupts (virtio 1.3 §2, §3).

mod inspect;
mod queues;
mod saved;

pub(crate) use queues::{Area, QueueChange};

use crate::{ConfigAccess, Queue, QueueCx, VirtioDevice};
use maquette_model::{Cx, Event, Width};
use maquette_virtio_protocol::pci::NO_VECTOR;
use maquette_virtio_protocol::{DeviceStatus, Features, InterruptStatus};

/// The features that every device offers, behind any transport.
pub(crate) const TRANSPORT_FEATURES: Features = Features::VERSION_1
    .union(Features::INDIRECT_DESC)
    .union(Features::EVENT_IDX);

/// What the driver set through registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct State {
    pub(crate) status: DeviceStatus,
    pub(crate) device_features_sel: u32,
    pub(crate) driver_features_sel: u32,
    pub(crate) driver_features: Features,
    pub(crate) queue_sel: u32,
    pub(crate) interrupt: InterruptStatus,
    pub(crate) generation: u32,
    /// Level of the interrupt line.
    raised: bool,
}

/// Which messages the driver wants, where the transport has any ([`NO_VECTOR`] is none).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Vectors {
    pub(crate) config: u16,
    /// One for each queue, or no entries where the transport has a line only.
    pub(crate) queues: Vec<u16>,
}

impl Vectors {
    fn reset(&mut self) {
        self.config = NO_VECTOR;
        self.queues.fill(NO_VECTOR);
    }
}

/// A device with its queues, behind whatever registers.
pub(crate) struct Transport<D> {
    pub(crate) device: D,
    pub(crate) queues: Vec<Queue>,
    pub(crate) state: State,
    pub(crate) vectors: Vectors,
}

impl<D: VirtioDevice> Transport<D> {
    pub(crate) fn new(device: D) -> Self {
        let queues = device.queue_sizes().iter().map(|&max| Queue::new(max));
        let queues = queues.collect();
        let vectors = Vectors {
            config: NO_VECTOR,
            queues: Vec::new(),
        };
        Self {
            device,
            queues,
            state: State::default(),
            vectors,
        }
    }

    /// Lets the driver choose queues of up to `max` entries, whatever the device suggests.
    pub(crate) fn set_queue_size(&mut self, max: u16) {
        for queue in &mut self.queues {
            *queue = Queue::new(max);
        }
    }

    pub(crate) fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        self.call(cx, |device, qcx| device.event(qcx, ev));
    }

    /// An access to the configuration of the device type.
    pub(crate) fn config(&mut self, cx: &mut Cx<'_>, access: ConfigAccess, width: Width) -> u64 {
        self.call(cx, |device, qcx| device.config(qcx, access)) & width.mask()
    }

    /// As the board resets it: whoever does that has lowered the line.
    pub(crate) fn reset(&mut self, cx: &mut Cx<'_>) {
        self.state.raised = false;
        self.state.interrupt = InterruptStatus::empty();
        self.start_over(cx);
    }

    pub(crate) fn acknowledge(&mut self, cx: &mut Cx<'_>, done: InterruptStatus) {
        self.state.interrupt &= !done;
        self.update(cx);
    }

    pub(crate) fn offered(&self) -> Features {
        self.device.features() | TRANSPORT_FEATURES
    }

    fn live(&self) -> bool {
        let status = self.state.status;
        status.contains(DeviceStatus::DRIVER_OK)
            && !status.contains(DeviceStatus::DEVICE_NEEDS_RESET)
    }

    /// Calls into the device and then does what the call asks for: interrupts, the status bit of a
    /// broken device, a new configuration generation.
    pub(crate) fn call<T>(
        &mut self,
        cx: &mut Cx<'_>,
        f: impl FnOnce(&mut D, &mut QueueCx<'_, '_>) -> T,
    ) -> T {
        let live = self.live();
        let mut qcx = QueueCx::new(cx, &mut self.queues, live);
        let result = f(&mut self.device, &mut qcx);
        let used = qcx.take_interrupt(&self.vectors.queues);
        let effects = qcx.effects;
        if used {
            self.state.interrupt |= InterruptStatus::USED_BUFFER;
        }
        if effects.broken {
            self.state.status |= DeviceStatus::DEVICE_NEEDS_RESET;
        }
        if effects.config_changed {
            self.state.generation = self.state.generation.wrapping_add(1);
        }
        // A live device that breaks must say so (virtio 1.3 §2.1.2).
        if effects.config_changed || (effects.broken && live) {
            self.state.interrupt |= InterruptStatus::CONFIG_CHANGE;
            if self.vectors.config != NO_VECTOR {
                cx.msi(self.vectors.config);
            }
        }
        self.update(cx);
        result
    }

    fn update(&mut self, cx: &mut Cx<'_>) {
        let raised = !self.state.interrupt.is_empty();
        if self.state.raised != raised {
            self.state.raised = raised;
            cx.line(0, raised);
        }
    }

    /// Everything back to the first state (virtio 1.3 §2.1), requests under way included.
    fn start_over(&mut self, cx: &mut Cx<'_>) {
        self.device.reset(cx);
        for queue in &mut self.queues {
            queue.reset();
        }
        self.vectors.reset();
        let raised = self.state.raised;
        self.state = State {
            raised,
            ..State::default()
        };
        self.update(cx);
    }

    pub(crate) fn write_status(&mut self, cx: &mut Cx<'_>, v: u32) {
        let old = self.state.status;
        let new = DeviceStatus::from_bits_retain(v & 0xff);
        if new.is_empty() {
            return self.start_over(cx);
        }
        let settable = !DeviceStatus::DEVICE_NEEDS_RESET;
        if !new.contains(old & settable) {
            // Virtio 1.3 §2.1.1: the driver must not clear a bit.
            cx.guest_error("virtio: status bit cleared", v.into());
        }
        let mut set = new & settable & !old;
        if set.contains(DeviceStatus::FEATURES_OK) && !self.features_are_acceptable() {
            cx.guest_error(
                "virtio: features refused",
                self.state.driver_features.bits(),
            );
            set.remove(DeviceStatus::FEATURES_OK);
        }
        let negotiated = (old | set).contains(DeviceStatus::FEATURES_OK);
        if set.contains(DeviceStatus::DRIVER_OK) && !negotiated {
            cx.guest_error("virtio: DRIVER_OK before FEATURES_OK", v.into());
            set.remove(DeviceStatus::DRIVER_OK);
        }
        self.state.status |= set;
        if set.contains(DeviceStatus::DRIVER_OK) {
            let features = self.state.driver_features;
            for queue in &mut self.queues {
                queue.set_features(features);
            }
            self.call(cx, |device, qcx| device.activate(qcx, features));
        }
    }

    /// Virtio 1.3 §2.2.2: a subset of what was offered; §6.1: the legacy interface is not supported.
    fn features_are_acceptable(&self) -> bool {
        let chosen = self.state.driver_features;
        self.offered().contains(chosen) && chosen.contains(Features::VERSION_1)
    }

    pub(crate) fn write_driver_features(&mut self, cx: &mut Cx<'_>, v: u32) {
        let s = &mut self.state;
        if s.status.contains(DeviceStatus::FEATURES_OK) {
            cx.guest_error("virtio: features changed after FEATURES_OK", v.into());
            return;
        }
        s.driver_features = s.driver_features.with_word(s.driver_features_sel, v);
    }

    pub(crate) fn notify(&mut self, cx: &mut Cx<'_>, queue: u32) {
        let exists = u16::try_from(queue).ok();
        let exists = exists.filter(|&q| self.queues.get(usize::from(q)).is_some_and(Queue::ready));
        match exists {
            Some(queue) if self.live() => self.call(cx, |device, qcx| device.kick(qcx, queue)),
            // Virtio 1.3 §2.1.2: nothing is consumed before DRIVER_OK.
            _ => cx.guest_error(
                "virtio: notification of a queue that is not live",
                queue.into(),
            ),
        }
    }
}
