//! The modern MMIO transport (virtio 1.3 §4.2).

mod empty;
mod inspect;
mod queues;
mod registers;

pub use empty::EmptySlot;

use crate::transport::Transport;
use crate::{ConfigAccess, VirtioDevice};
use maquette_model::{
    Access, Cx, Device, Event, LoadError, Reader, Region, RegisterInfo, ResetKind, Snapshot, Width,
    Writer,
};
use maquette_virtio_protocol::{InterruptStatus, mmio};
use registers::{Place, Reg, place};

/// The value of `VendorID`.
const VENDOR: u32 = u32::from_le_bytes(*b"MAQT");

/// A virtio device behind memory-mapped registers. Line 0 is its interrupt; links and timers are the
/// device's own.
pub struct VirtioMmio<D> {
    transport: Transport<D>,
}

impl<D> VirtioMmio<D> {
    /// Size of the register region.
    pub const SIZE: u64 = registers::SIZE;

    /// The device behind the registers.
    pub const fn device(&self) -> &D {
        &self.transport.device
    }

    /// The device behind the registers.
    pub const fn device_mut(&mut self) -> &mut D {
        &mut self.transport.device
    }
}

impl<D: VirtioDevice> VirtioMmio<D> {
    /// Puts a device behind registers.
    #[must_use]
    pub fn new(device: D) -> Self {
        let transport = Transport::new(device);
        Self { transport }
    }

    /// Lets the driver choose queues of up to `max` entries, whatever the device suggests.
    #[must_use]
    pub fn with_queue_size(mut self, max: u16) -> Self {
        self.transport.set_queue_size(max);
        self
    }

    fn load_register(&mut self, cx: &mut Cx<'_>, reg: Reg) -> u32 {
        let t = &self.transport;
        let s = &t.state;
        match reg {
            Reg::Magic => mmio::MAGIC,
            Reg::Version => mmio::VERSION_MODERN,
            Reg::DeviceId => t.device.id().0,
            Reg::VendorId => VENDOR,
            Reg::DeviceFeatures => t.offered().word(s.device_features_sel),
            Reg::QueueSizeMax => t.selected().map_or(0, |q| q.max().into()),
            Reg::QueueReady => t.selected().map_or(0, |q| q.ready().into()),
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
        let t = &mut self.transport;
        match reg {
            Reg::DeviceFeaturesSel => t.state.device_features_sel = v,
            Reg::DriverFeaturesSel => t.state.driver_features_sel = v,
            Reg::DriverFeatures => t.write_driver_features(cx, v),
            Reg::QueueSel => t.state.queue_sel = v,
            Reg::QueueNotify => t.notify(cx, v),
            Reg::InterruptAck => t.acknowledge(cx, InterruptStatus::from_bits_retain(v)),
            Reg::Status => t.write_status(cx, v),
            Reg::ShmSel => {}
            Reg::QueueReset if t.selected().is_some() => {
                cx.guest_error("virtio-mmio: queue reset was not offered", v.into());
            }
            _ => match queues::change(reg, v) {
                Some(change) => t.change_queue(cx, change),
                None => cx.guest_error("virtio-mmio: write to a read-only register", v.into()),
            },
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
                self.transport.config(cx, access, width)
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
                self.transport.config(cx, access, width);
            }
            Err(e) => return Access::Fault(e),
        }
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        self.transport.event(cx, ev);
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        self.transport.reset(cx);
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
        self.transport.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.transport.load(r)
    }
}

#[cfg(test)]
mod tests;
