//! The common part as saved state.

use super::{State, Transport};
use crate::VirtioDevice;
use maquette_model::{LoadError, Reader, Writer};
use maquette_virtio_protocol::{DeviceStatus, Features, InterruptStatus};

impl<D: VirtioDevice> Transport<D> {
    /// Appends everything but the vectors, which one transport alone has.
    pub(crate) fn save(&self, w: &mut Writer) {
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

    /// Replaces everything but the vectors.
    pub(crate) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
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
