//! The device's side of a split virtqueue (virtio 1.3 §2.7).

mod chain;
mod error;
mod inspect;
mod walk;

pub use chain::{Chain, Segment};
pub use error::QueueError;

use maquette_model::{Cx, Iova, LoadError, Reader, Writer};
use maquette_virtio_protocol::Features;
use maquette_virtio_protocol::queue as layout;
use maquette_virtio_protocol::queue::UsedElem;
use walk::{Rules, Table};
use zerocopy::IntoBytes;

/// The areas of a queue in guest memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Areas {
    /// Descriptor table.
    pub desc: Iova,
    /// Available ring: "driver area".
    pub avail: Iova,
    /// Used ring: "device area".
    pub used: Iova,
}

/// A split virtqueue: what the driver configured, and how far the device has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    max: u16,
    size: u16,
    ready: bool,
    areas: Areas,
    event_idx: bool,
    indirect: bool,
    /// The next available entry to take.
    next_avail: u16,
    /// The available index when it was last looked at.
    seen_avail: u16,
    /// The next used entry to fill.
    next_used: u16,
    /// The used index when an interrupt was last considered.
    signalled: u16,
}

impl Queue {
    /// A queue of at most `max` entries, not yet configured. An illegal `max` is lowered to the next
    /// legal one.
    #[must_use]
    pub fn new(max: u16) -> Self {
        let max = max.clamp(1, layout::MAX_SIZE);
        let max = 1 << max.ilog2();
        Self {
            max,
            size: max,
            ready: false,
            areas: Areas::default(),
            event_idx: false,
            indirect: false,
            next_avail: 0,
            seen_avail: 0,
            next_used: 0,
            signalled: 0,
        }
    }

    /// Back to the state after construction.
    pub fn reset(&mut self) {
        *self = Self::new(self.max);
    }

    /// The largest size that the driver may choose.
    #[must_use]
    pub const fn max(&self) -> u16 {
        self.max
    }

    /// The size that the driver chose.
    #[must_use]
    pub const fn size(&self) -> u16 {
        self.size
    }

    /// Whether the driver has handed the queue over.
    #[must_use]
    pub const fn ready(&self) -> bool {
        self.ready
    }

    /// Where the queue lies.
    #[must_use]
    pub const fn areas(&self) -> Areas {
        self.areas
    }

    /// Moves the queue; has no effect on a queue that is ready.
    pub const fn set_areas(&mut self, areas: Areas) {
        if !self.ready {
            self.areas = areas;
        }
    }

    /// Chooses the size; `false` if that is not possible now or ever.
    #[must_use]
    pub const fn set_size(&mut self, size: u16) -> bool {
        let legal = !self.ready && layout::is_legal_size(size) && size <= self.max;
        if legal {
            self.size = size;
        }
        legal
    }

    /// Takes over the negotiated features that concern queues.
    pub const fn set_features(&mut self, features: Features) {
        self.event_idx = features.contains(Features::EVENT_IDX);
        self.indirect = features.contains(Features::INDIRECT_DESC);
    }

    /// Hands the queue to the device or takes it back; `false` if the areas are not aligned as virtio
    /// 1.3 §2.7 demands or go past the end of the address space.
    #[must_use]
    pub fn set_ready(&mut self, ready: bool) -> bool {
        if ready == self.ready {
            return true;
        }
        let fits = |at: Iova, align: u64, bytes: u64| {
            at.0.is_multiple_of(align) && at.checked_add(bytes).is_some()
        };
        let Areas { desc, avail, used } = self.areas;
        let legal = fits(
            desc,
            layout::DESC_ALIGN,
            layout::desc_table_bytes(self.size),
        ) && fits(avail, layout::AVAIL_ALIGN, layout::avail_bytes(self.size))
            && fits(used, layout::USED_ALIGN, layout::used_bytes(self.size));
        if ready && !legal {
            return false;
        }
        self.ready = ready;
        (self.next_avail, self.seen_avail) = (0, 0);
        (self.next_used, self.signalled) = (0, 0);
        true
    }

    /// Takes the next available chain; `false` if there is none.
    ///
    /// With event indices an empty queue asks for a notification of the next chain.
    ///
    /// # Errors
    /// When the driver broke the rules; the queue is of no further use then.
    pub fn pop(&mut self, cx: &mut Cx<'_>, chain: &mut Chain) -> Result<bool, QueueError> {
        if !self.ready {
            return Ok(false);
        }
        if self.next_avail == self.seen_avail {
            self.look(cx)?;
            if self.next_avail == self.seen_avail {
                self.ask_for_notification(cx)?;
                return Ok(false);
            }
        }
        let entry = layout::avail_entry(self.size, self.next_avail);
        let head = self.read_u16(cx, self.areas.avail, entry)?;
        let table = Table {
            addr: self.areas.desc,
            size: self.size.into(),
        };
        let rules = Rules {
            limit: self.size,
            indirect: self.indirect,
        };
        walk::walk(cx, table, head, rules, chain)?;
        self.next_avail = self.next_avail.wrapping_add(1);
        Ok(true)
    }

    /// Reads the available index.
    fn look(&mut self, cx: &mut Cx<'_>) -> Result<(), QueueError> {
        let seen = self.read_u16(cx, self.areas.avail, layout::RING_IDX)?;
        let (waiting, size) = (seen.wrapping_sub(self.next_avail), self.size);
        if waiting > size {
            return Err(QueueError::AvailIndex { waiting, size });
        }
        self.seen_avail = seen;
        Ok(())
    }

    /// Virtio 1.3 §2.7.10: `avail_event` is the index whose entry deserves a notification.
    fn ask_for_notification(&self, cx: &mut Cx<'_>) -> Result<(), QueueError> {
        if self.event_idx {
            let at = layout::used_avail_event(self.size);
            self.write(cx, at, &self.next_avail.to_le_bytes())?;
        }
        Ok(())
    }

    /// Returns the chain that began at `head` to the driver, `len` bytes of it written. On a queue that
    /// was taken back meanwhile this does nothing.
    ///
    /// # Errors
    /// When the used ring does not lie in memory.
    pub fn push(&mut self, cx: &mut Cx<'_>, head: u16, len: u32) -> Result<(), QueueError> {
        if !self.ready {
            return Ok(());
        }
        let elem = UsedElem::new(head.into(), len);
        let entry = layout::used_entry(self.size, self.next_used);
        self.write(cx, entry, elem.as_bytes())?;
        self.next_used = self.next_used.wrapping_add(1);
        self.write(cx, layout::RING_IDX, &self.next_used.to_le_bytes())
    }

    /// Whether the chains returned since the last call deserve an interrupt (virtio 1.3 §2.7.7).
    ///
    /// # Errors
    /// When the available ring does not lie in memory.
    pub fn take_interrupt(&mut self, cx: &mut Cx<'_>) -> Result<bool, QueueError> {
        let (old, new) = (self.signalled, self.next_used);
        if old == new || !self.ready {
            return Ok(false);
        }
        self.signalled = new;
        if self.event_idx {
            let at = layout::avail_used_event(self.size);
            let event = self.read_u16(cx, self.areas.avail, at)?;
            return Ok(layout::needs_event(event, new, old));
        }
        let flags = self.read_u16(cx, self.areas.avail, layout::RING_FLAGS)?;
        Ok(flags & layout::AVAIL_NO_INTERRUPT == 0)
    }

    fn read_u16(&self, cx: &mut Cx<'_>, area: Iova, at: u64) -> Result<u16, QueueError> {
        let mut bytes = [0; 2];
        cx.dma_read(area.wrapping_add(at), &mut bytes)?;
        Ok(u16::from_le_bytes(bytes))
    }

    /// Writes into the used ring.
    fn write(&self, cx: &mut Cx<'_>, at: u64, bytes: &[u8]) -> Result<(), QueueError> {
        Ok(cx.dma_write(self.areas.used.wrapping_add(at), bytes)?)
    }

    /// Appends the queue's state.
    pub fn save(&self, w: &mut Writer) {
        w.u16(self.size);
        for flag in [self.ready, self.event_idx, self.indirect] {
            w.bool(flag);
        }
        for area in [self.areas.desc, self.areas.avail, self.areas.used] {
            w.u64(area.0);
        }
        for index in [
            self.next_avail,
            self.seen_avail,
            self.next_used,
            self.signalled,
        ] {
            w.u16(index);
        }
    }

    /// Replaces the queue's state.
    ///
    /// # Errors
    /// When the payload is no state of a queue of this maximum.
    pub fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut q = Self::new(self.max);
        let size = r.u16()?;
        if !q.set_size(size) {
            let (field, value) = ("queue size", size.into());
            return Err(LoadError::Value { field, value });
        }
        q.ready = r.bool("queue ready")?;
        q.event_idx = r.bool("event_idx")?;
        q.indirect = r.bool("indirect")?;
        q.areas = Areas {
            desc: Iova(r.u64()?),
            avail: Iova(r.u64()?),
            used: Iova(r.u64()?),
        };
        for index in [
            &mut q.next_avail,
            &mut q.seen_avail,
            &mut q.next_used,
            &mut q.signalled,
        ] {
            *index = r.u16()?;
        }
        *self = q;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
