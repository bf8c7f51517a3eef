//! The modern MMIO transport (virtio 1.3 §4.2).

mod empty;
mod inspect;
mod queues;
mod registers;

pub use empty::EmptySlot;

use crate::{ConfigAccess, Queue, QueueCx, VirtioDevice};
use maquette_model::{
    Access, Cx, Device, Event, LoadError, Reader, Region, RegisterInfo, ResetKind, Snapshot, Width,
    Writer,
};
use maquette_virtio_protocol::{DeviceStatus, Features, InterruptStatus, mmio};
use registers::{Place, Reg, place};

/// The value of `VendorID`.
const VENDOR: u32 = u32::from_le_bytes(*b"MAQT");

/// The features that every device behind this transport offers.
const TRANSPORT_FEATURES: Features = Features::VERSION_1
    .union(Features::INDIRECT_DESC)
    .union(Features::EVENT_IDX);

/// What the driver set through registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct State {
    status: DeviceStatus,
    device_features_sel: u32,
    driver_features_sel: u32,
    driver_features: Features,
    queue_sel: u32,
    interrupt: InterruptStatus,
    generation: u32,
    /// Level of the interrupt line.
    raised: bool,
}

/// A virtio device behind memory-mapped registers. Line 0 is its interrupt; links and timers are the
/// device's own.
pub struct VirtioMmio<D> {
    device: D,
    queues: Vec<Queue>,
    state: State,
}

impl<D> VirtioMmio<D> {
    /// Size of the register region.
    pub const SIZE: u64 = registers::SIZE;

    /// The device behind the registers.
    pub const fn device(&self) -> &D {
        &self.device
    }

    /// The device behind the registers.
    pub const fn device_mut(&mut self) -> &mut D {
        &mut self.device
    }
}

impl<D: VirtioDevice> VirtioMmio<D> {
    /// Puts a device behind registers.
    #[must_use]
    pub fn new(device: D) -> Self {
        let queues = device.queue_sizes().iter().map(|&max| Queue::new(max));
        let queues = queues.collect();
        Self {
            device,
            queues,
            state: State::default(),
        }
    }

    /// Lets the driver choose queues of up to `max` entries, whatever the device suggests.
    #[must_use]
    pub fn with_queue_size(mut self, max: u16) -> Self {
        for queue in &mut self.queues {
            *queue = Queue::new(max);
        }
        self
    }

    fn offered(&self) -> Features {
        self.device.features() | TRANSPORT_FEATURES
    }

    fn live(&self) -> bool {
        let status = self.state.status;
        status.contains(DeviceStatus::DRIVER_OK)
            && !status.contains(DeviceStatus::DEVICE_NEEDS_RESET)
    }

    /// Calls into the device and then does what the call asks for: interrupts, the status bit of a
    /// broken device, a new configuration generation.
    fn call<T>(&mut self, cx: &mut Cx<'_>, f: impl FnOnce(&mut D, &mut QueueCx<'_, '_>) -> T) -> T {
        let live = self.live();
        let mut qcx = QueueCx::new(cx, &mut self.queues, live);
        let result = f(&mut self.device, &mut qcx);
        let used = qcx.take_interrupt();
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

    /// Everything back to the first state (virtio 1.3 §2.1, §4.2.2.1), requests under way included.
    fn start_over(&mut self, cx: &mut Cx<'_>) {
        self.device.reset(cx);
        for queue in &mut self.queues {
            queue.reset();
        }
        let raised = self.state.raised;
        self.state = State {
            raised,
            ..State::default()
        };
        self.update(cx);
    }

    fn write_status(&mut self, cx: &mut Cx<'_>, v: u32) {
        let old = self.state.status;
        let new = DeviceStatus::from_bits_retain(v & 0xff);
        if new.is_empty() {
            return self.start_over(cx);
        }
        let settable = !DeviceStatus::DEVICE_NEEDS_RESET;
        if !new.contains(old & settable) {
            // Virtio 1.3 §2.1.1: the driver must not clear a bit.
            cx.guest_error("virtio-mmio: status bit cleared", v.into());
        }
        let mut set = new & settable & !old;
        if set.contains(DeviceStatus::FEATURES_OK) && !self.features_are_acceptable() {
            cx.guest_error(
                "virtio-mmio: features refused",
                self.state.driver_features.bits(),
            );
            set.remove(DeviceStatus::FEATURES_OK);
        }
        let negotiated = (old | set).contains(DeviceStatus::FEATURES_OK);
        if set.contains(DeviceStatus::DRIVER_OK) && !negotiated {
            cx.guest_error("virtio-mmio: DRIVER_OK before FEATURES_OK", v.into());
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

    fn write_driver_features(&mut self, cx: &mut Cx<'_>, v: u32) {
        let s = &mut self.state;
        if s.status.contains(DeviceStatus::FEATURES_OK) {
            cx.guest_error("virtio-mmio: features changed after FEATURES_OK", v.into());
            return;
        }
        s.driver_features = s.driver_features.with_word(s.driver_features_sel, v);
    }

    fn notify(&mut self, cx: &mut Cx<'_>, queue: u32) {
        let exists = u16::try_from(queue).ok();
        let exists = exists.filter(|&q| self.queues.get(usize::from(q)).is_some_and(Queue::ready));
        match exists {
            Some(queue) if self.live() => self.call(cx, |device, qcx| device.kick(qcx, queue)),
            // Virtio 1.3 §2.1.2: nothing is consumed before DRIVER_OK.
            _ => cx.guest_error(
                "virtio-mmio: notification of a queue that is not live",
                queue.into(),
            ),
        }
    }

    fn load_register(&mut self, cx: &mut Cx<'_>, reg: Reg) -> u32 {
        let s = &self.state;
        match reg {
            Reg::Magic => mmio::MAGIC,
            Reg::Version => mmio::VERSION_MODERN,
            Reg::DeviceId => self.device.id().0,
            Reg::VendorId => VENDOR,
            Reg::DeviceFeatures => self.offered().word(s.device_features_sel),
            Reg::QueueSizeMax => self.selected().map_or(0, |q| q.max().into()),
            Reg::QueueReady => self.selected().map_or(0, |q| q.ready().into()),
            Reg::InterruptStatus => s.interrupt.bits(),
            Reg::Status => s.status.bits(),
            Reg::ConfigGeneration => s.generation,
            // No region exists: length and base read as -1 (virtio 1.3 §4.2.2, SHMLenLow).
            Reg::Shm => u32::MAX,
            Reg::QueueReset => 0,
            _ => {
                cx.guest_error("virtio-mmio: read of a write-only register", 0);
                0
            }
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, reg: Reg, v: u32) {
        match reg {
            Reg::DeviceFeaturesSel => self.state.device_features_sel = v,
            Reg::DriverFeaturesSel => self.state.driver_features_sel = v,
            Reg::DriverFeatures => self.write_driver_features(cx, v),
            Reg::QueueSel => self.state.queue_sel = v,
            Reg::QueueNotify => self.notify(cx, v),
            Reg::InterruptAck => {
                self.state.interrupt &= !InterruptStatus::from_bits_retain(v);
                self.update(cx);
            }
            Reg::Status => self.write_status(cx, v),
            Reg::ShmSel => {}
            _ => {
                if !self.store_queue_register(cx, reg, v) {
                    cx.guest_error("virtio-mmio: write to a read-only register", v.into());
                }
            }
        }
    }
}

impl<D: VirtioDevice> Device for VirtioMmio<D> {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, width: Width) -> Access<u64> {
        let value = match place(off, width) {
            Ok(Place::Register(reg)) => self.load_register(cx, reg).into(),
            Ok(Place::Reserved) => 0,
            Ok(Place::Config(off)) => {
                let access = ConfigAccess::Read { off, width };
                self.call(cx, |device, qcx| device.config(qcx, access)) & width.mask()
            }
            Err(e) => return Access::Fault(e),
        };
        Access::Done(value)
    }

    fn write(
        &mut self,
        cx: &mut Cx<'_>,
        _: Region,
        off: u64,
        width: Width,
        value: u64,
    ) -> Access<()> {
        match place(off, width) {
            Ok(Place::Register(reg)) => {
                let word = u32::try_from(value & width.mask()).unwrap_or(0);
                self.store_register(cx, reg, word);
            }
            Ok(Place::Reserved) => cx.guest_error("virtio-mmio: write to a reserved offset", off),
            Ok(Place::Config(off)) => {
                let access = ConfigAccess::Write { off, width, value };
                self.call(cx, |device, qcx| device.config(qcx, access));
            }
            Err(e) => return Access::Fault(e),
        }
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        self.call(cx, |device, qcx| device.event(qcx, ev));
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        self.state.raised = false;
        self.state.interrupt = InterruptStatus::empty();
        self.start_over(cx);
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        registers::info(off)
    }
}

impl<D: VirtioDevice> Snapshot for VirtioMmio<D> {
    fn kind(&self) -> &'static str {
        "virtio-mmio"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        let s = &self.state;
        w.u32(s.status.bits());
        w.u32(s.device_features_sel);
        w.u32(s.driver_features_sel);
        w.u64(s.driver_features.bits());
        w.u32(s.queue_sel);
        w.u32(s.interrupt.bits());
        w.u32(s.generation);
        w.bool(s.raised);
        for queue in &self.queues {
            queue.save(w);
        }
        w.bytes(self.device.kind().as_bytes());
        w.u16(self.device.version());
        self.device.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.state = State {
            status: DeviceStatus::from_bits_retain(r.u32()?),
            device_features_sel: r.u32()?,
            driver_features_sel: r.u32()?,
            driver_features: Features::from_bits_retain(r.u64()?),
            queue_sel: r.u32()?,
            interrupt: InterruptStatus::from_bits_retain(r.u32()?),
            generation: r.u32()?,
            raised: r.bool("raised")?,
        };
        for queue in &mut self.queues {
            queue.load(r)?;
        }
        let kind = r.bytes()?;
        if kind != self.device.kind().as_bytes() {
            let (field, value) = ("device kind", kind.len() as u64);
            return Err(LoadError::Value { field, value });
        }
        let version = r.u16()?;
        if version != self.device.version() {
            let (field, value) = ("device version", version.into());
            return Err(LoadError::Value { field, value });
        }
        self.device.load(r)
    }
}

#[cfg(test)]
mod tests;
