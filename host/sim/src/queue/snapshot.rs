//! An event queue as saved state.
//!
//! Slots and their generations are saved as they stand: whoever asked for an event holds its
//! [`EventId`](super::EventId), which must go on naming it.

use super::{EventQueue, Key, Priority, Slot, Source};
use crate::heap::Heap;
use maquette_model::{LoadError, Reader, Writer};

impl<T> EventQueue<T> {
    /// Appends the queue to saved state; `save` appends one event's content.
    pub fn save(&self, w: &mut Writer, save: impl Fn(&T, &mut Writer)) {
        w.u64(self.next_seq);
        w.u64(self.slots.len() as u64);
        for (i, slot) in (0..).zip(&self.slots) {
            w.u32(slot.generation);
            let key = self.heap.key(i).zip(slot.value.as_ref());
            w.bool(key.is_some());
            if let Some((key, value)) = key {
                save_key(&key, w);
                save(value, w);
            }
        }
        // The order in which slots are used again is that of ids to come.
        for slot in &self.free {
            w.u32(*slot);
        }
    }

    /// Takes a queue from saved state; `load` takes one event's content.
    ///
    /// # Errors
    /// When the state is no queue.
    pub fn load(
        r: &mut Reader<'_>,
        load: impl Fn(&mut Reader<'_>) -> Result<T, LoadError>,
    ) -> Result<Self, LoadError> {
        let mut queue = Self {
            next_seq: r.u64()?,
            ..Self::new()
        };
        let mut heap = Heap::new();
        let mut empty = 0_u32;
        let slots = r.u64()?;
        for slot in 0..slots {
            let slot = u32::try_from(slot).map_err(|_| wrong("slots", slots))?;
            let generation = r.u32()?;
            let mut value = None;
            if r.bool("event")? {
                heap.set(slot, load_key(r)?);
                value = Some(load(r)?);
            } else {
                empty += 1;
            }
            queue.slots.push(Slot { value, generation });
        }
        queue.free.reserve(queue.slots.len());
        let mut listed = vec![false; queue.slots.len()];
        for _ in 0..empty {
            let slot = r.u32()?;
            let at = slot as usize;
            let is_empty = queue.slots.get(at).is_some_and(|s| s.value.is_none());
            match listed.get_mut(at) {
                Some(seen) if is_empty && !*seen => *seen = true,
                _ => return Err(wrong("free slot", slot.into())),
            }
            queue.free.push(slot);
        }
        queue.heap = heap;
        Ok(queue)
    }
}

fn save_key(key: &Key, w: &mut Writer) {
    w.time(key.time);
    w.u8(key.priority.0);
    w.u32(key.source.0);
    w.u64(key.seq);
}

fn load_key(r: &mut Reader<'_>) -> Result<Key, LoadError> {
    Ok(Key {
        time: r.time()?,
        priority: Priority(r.u8()?),
        source: Source(r.u32()?),
        seq: r.u64()?,
    })
}

const fn wrong(field: &'static str, value: u64) -> LoadError {
    LoadError::Value { field, value }
}
