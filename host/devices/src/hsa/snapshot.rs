//! A queue's saved state.

use super::{Counters, HsaQueue};
use maquette_hsa_protocol::PACKET_SIZE;
use maquette_model::{LoadError, Reader, Snapshot, Writer};
use maquette_sim::WakeId;

impl Snapshot for HsaQueue {
    fn kind(&self) -> &'static str {
        "hsa-queue"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.u64(self.packets.len() as u64);
        for packet in &self.packets {
            w.raw(packet);
        }
        w.u64(self.given.len() as u64);
        for handle in &self.given {
            w.u64(*handle);
        }
        w.bool(self.wake.is_some());
        if let Some(wake) = self.wake {
            wake.save(w);
        }
        let c = self.counters;
        for counter in [c.kernels, c.work_items, c.refused, c.busy_cycles] {
            w.u64(counter);
        }
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.packets.clear();
        for _ in 0..r.u64()? {
            let (field, value) = ("packet", 0);
            let packet = r.raw(PACKET_SIZE)?.try_into();
            let packet = packet.map_err(|_| LoadError::Value { field, value })?;
            self.packets.push_back(packet);
        }
        self.given.clear();
        for _ in 0..r.u64()? {
            self.given.insert(r.u64()?);
        }
        let works = r.bool("wake")?;
        self.wake = works.then(|| WakeId::load(r)).transpose()?;
        self.counters = Counters {
            kernels: r.u64()?,
            work_items: r.u64()?,
            refused: r.u64()?,
            busy_cycles: r.u64()?,
        };
        Ok(())
    }
}
