//! The registers of the selected queue.

use super::Transport;
use crate::queue::Areas;
use crate::{Queue, VirtioDevice};
use maquette_model::{Cx, Iova};

/// Which area of a queue an address is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Area {
    /// Descriptors.
    Desc,
    /// Available ring.
    Driver,
    /// Used ring.
    Device,
}

/// What a driver may change of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum QueueChange {
    /// How many entries it has.
    Size(u32),
    /// Whether the device has it: 0 or 1.
    Ready(u32),
    /// Half of an area's address.
    Half { area: Area, high: bool, word: u32 },
}

impl<D> Transport<D> {
    /// The queue that is selected, if it exists.
    pub(crate) fn selected(&self) -> Option<&Queue> {
        let index = usize::try_from(self.state.queue_sel).ok()?;
        self.queues.get(index)
    }
}

impl<D: VirtioDevice> Transport<D> {
    /// Changes the selected queue.
    pub(crate) fn change_queue(&mut self, cx: &mut Cx<'_>, change: QueueChange) {
        let selected = self.state.queue_sel;
        let features = self.state.driver_features;
        let index = usize::try_from(selected).unwrap_or(usize::MAX);
        let Some(queue) = self.queues.get_mut(index) else {
            cx.guest_error("virtio: queue does not exist", selected.into());
            return;
        };
        match change {
            QueueChange::Ready(v) => {
                queue.set_features(features);
                if v > 1 || !queue.set_ready(v == 1) {
                    cx.guest_error("virtio: queue cannot be made ready", v.into());
                }
            }
            QueueChange::Size(v) | QueueChange::Half { word: v, .. } if queue.ready() => {
                // Virtio 1.3 §4.1.4.3.2, §4.2.2.2: not while the device has it.
                cx.guest_error("virtio: change of a queue that is ready", v.into());
            }
            QueueChange::Size(v) => {
                let legal = u16::try_from(v).is_ok_and(|size| queue.set_size(size));
                if !legal {
                    cx.guest_error("virtio: queue size", v.into());
                }
            }
            QueueChange::Half { area, high, word } => {
                let mut areas = queue.areas();
                let place = place(&mut areas, area);
                *place = with_half(*place, high, word);
                queue.set_areas(areas);
            }
        }
    }
}

const fn place(areas: &mut Areas, area: Area) -> &mut Iova {
    match area {
        Area::Desc => &mut areas.desc,
        Area::Driver => &mut areas.avail,
        Area::Device => &mut areas.used,
    }
}

/// `addr` with its upper or lower half replaced.
const fn with_half(addr: Iova, high: bool, word: u32) -> Iova {
    if high {
        Iova(addr.0 & 0xffff_ffff | (word as u64) << 32)
    } else {
        Iova(addr.0 >> 32 << 32 | word as u64)
    }
}
