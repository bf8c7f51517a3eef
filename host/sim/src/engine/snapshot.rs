//! The engine between two events as saved state.

use super::{Due, Engine};
use crate::heap::Heap;
use crate::queue::EventQueue;
use crate::serial::Statistics;
use maquette_model::{LoadError, Reader, SimTime, Snapshot, Writer};

/// Wiring is not saved: whoever
/// restores has built the same system.
impl Snapshot for Engine {
    fn kind(&self) -> &'static str {
        "engine"
    }

    /// Version 2 knows when the latest input arrives, version 3 has clocks.
    fn version(&self) -> u16 {
        3
    }

    fn oldest_version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.time(self.now);
        w.bool(self.stop.is_some());
        w.time(self.stop.unwrap_or(SimTime::ZERO));
        w.time(self.rim_promise);
        w.u32(self.ends_awaited);
        w.time(self.last_end);
        w.u64(self.outside_seq);
        w.time(self.last_input);
        let s = self.statistics;
        for count in [s.events, s.messages, s.inputs, s.unconnected] {
            w.u64(count);
        }
        w.u64(self.parts.len() as u64);
        for part in &self.parts {
            w.str(&part.path);
            w.u64(part.next_seq);
            part.queue.save(w, Due::save);
            part.save_clocks(w);
        }
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.now = r.time()?;
        let stopping = r.bool("stop")?;
        self.stop = Some(r.time()?).filter(|_| stopping);
        self.rim_promise = r.time()?;
        self.ends_awaited = r.u32()?;
        self.last_end = r.time()?;
        self.outside_seq = r.u64()?;
        self.last_input = match r.version() {
            Some(1) => SimTime::ZERO,
            _ => r.time()?,
        };
        let has_clocks = r.version().is_none_or(|version| version >= 3);
        if !has_clocks {
            // Said twice.
            self.ends_awaited = r.u32()?;
            self.last_end = r.time()?;
        }
        self.statistics = Statistics {
            events: r.u64()?,
            messages: r.u64()?,
            inputs: r.u64()?,
            unconnected: r.u64()?,
        };
        r.same("number of components", self.parts.len() as u64)?;
        self.heads = Heap::new();
        for (id, part) in (0..).zip(&mut self.parts) {
            if r.str("component")? != part.path {
                return Err(LoadError::Value {
                    field: "component",
                    value: id.into(),
                });
            }
            part.next_seq = r.u64()?;
            part.queue = EventQueue::load(r, Due::load)?;
            if has_clocks {
                part.load_clocks(r)?;
            } else {
                part.forget_ticks();
            }
            if let Some(key) = part.queue.first_key() {
                self.heads.set(id, key);
            }
        }
        Ok(())
    }
}
