//! An accelerator's saved state: its memory, its parameters, and the answers that wait.

use super::{Accelerator, Counters, Timing, Waiting};
use maquette_model::{LoadError, PortId, Reader, Snapshot, Writer};
use maquette_sim::WakeId;
use maquette_virtio_sst_protocol::layout::Event;
use maquette_virtio_sst_protocol::peer::Response;

impl Snapshot for Accelerator {
    fn kind(&self) -> &'static str {
        "accelerator"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        self.memory.save(w);
        w.u64(self.cycles_per_unit);
        let (form, interval) = match self.timing {
            Timing::Immediate => (0, 0),
            Timing::Fixed => (1, 0),
            Timing::Pipelined(interval) => (2, interval),
        };
        w.u8(form);
        w.u64(interval);
        w.u64(self.free_at);
        w.u64(self.order);
        w.u64(self.waiting.len() as u64);
        for ((at, order), waiting) in &self.waiting {
            w.time(*at);
            w.u64(*order);
            waiting.save(w);
        }
        w.bool(self.wake.is_some());
        if let Some(wake) = self.wake {
            wake.save(w);
        }
        for counter in self.counters.words() {
            w.u64(counter);
        }
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.memory.load(r)?;
        self.cycles_per_unit = r.u64()?;
        let (form, interval) = (r.u8()?, r.u64()?);
        self.timing = match form {
            0 => Timing::Immediate,
            1 => Timing::Fixed,
            2 => Timing::Pipelined(interval),
            _ => {
                let (field, value) = ("timing", form.into());
                return Err(LoadError::Value { field, value });
            }
        };
        self.free_at = r.u64()?;
        self.order = r.u64()?;
        self.waiting.clear();
        for _ in 0..r.u64()? {
            let key = (r.time()?, r.u64()?);
            self.waiting.insert(key, Waiting::load(r)?);
        }
        let waits = r.bool("wake")?;
        self.wake = waits.then(|| WakeId::load(r)).transpose()?;
        self.counters = Counters::load(r)?;
        Ok(())
    }
}

impl Waiting {
    fn save(&self, w: &mut Writer) {
        w.u16(self.client.0);
        w.u64(self.id);
        w.bytes(&self.response.to_raw());
        w.bool(self.event.is_some());
        w.raw(&self.event.unwrap_or_default().encode());
    }

    fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let client = PortId(r.u16()?);
        let id = r.u64()?;
        let response = Response::from_bytes(r.bytes()?);
        let has_event = r.bool("event")?;
        let event = Event::decode(r.raw(Event::SIZE)?);
        Ok(Self {
            client,
            id,
            response,
            event: has_event.then_some(event),
        })
    }
}

impl Counters {
    const fn words(&self) -> [u64; 5] {
        [
            self.requests,
            self.refused,
            self.units,
            self.busy_cycles,
            self.strays,
        ]
    }

    fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        Ok(Self {
            requests: r.u64()?,
            refused: r.u64()?,
            units: r.u64()?,
            busy_cycles: r.u64()?,
            strays: r.u64()?,
        })
    }
}
