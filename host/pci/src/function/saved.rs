//! A function as saved state: configuration space, the table, the device.

use super::Function;
use crate::PciDevice;
use maquette_model::{LoadError, Reader, Snapshot, Writer};

impl<D: PciDevice> Snapshot for Function<D> {
    fn kind(&self) -> &'static str {
        "pci-function"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        self.space.save(w);
        w.bool(self.wants_pin);
        w.bool(self.pin);
        self.table.save(w);
        w.str(self.device.kind());
        w.u64(self.device.version().into());
        self.device.save(w);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.space.load(r)?;
        self.wants_pin = r.bool("wants pin")?;
        self.pin = r.bool("pin")?;
        self.table.load(r)?;
        let kind = r.bytes()?;
        if kind != self.device.kind().as_bytes() {
            let (field, value) = ("device kind", kind.len() as u64);
            return Err(LoadError::Value { field, value });
        }
        r.same("device version", self.device.version().into())?;
        self.device.load(r)
    }
}
