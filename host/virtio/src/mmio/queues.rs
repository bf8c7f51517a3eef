//! The registers of the selected queue (virtio 1.3 §4.2.3.2).

use super::VirtioMmio;
use super::registers::Reg;
use crate::queue::Areas;
use crate::{Queue, VirtioDevice};
use maquette_model::{Cx, Iova};

impl<D> VirtioMmio<D> {
    /// The queue that `QueueSel` names, if it exists.
    pub(super) fn selected(&self) -> Option<&Queue> {
        let index = usize::try_from(self.state.queue_sel).ok()?;
        self.queues.get(index)
    }
}

impl<D: VirtioDevice> VirtioMmio<D> {
    /// Writes a register of the selected queue; `false` if `reg` is none.
    pub(super) fn store_queue_register(&mut self, cx: &mut Cx<'_>, reg: Reg, v: u32) -> bool {
        if !is_queue_register(reg) {
            return false;
        }
        let selected = self.state.queue_sel;
        let features = self.state.driver_features;
        let index = usize::try_from(selected).unwrap_or(usize::MAX);
        let Some(queue) = self.queues.get_mut(index) else {
            cx.guest_error("virtio-mmio: queue does not exist", selected.into());
            return true;
        };
        match reg {
            Reg::QueueReady => {
                queue.set_features(features);
                if v > 1 || !queue.set_ready(v == 1) {
                    cx.guest_error("virtio-mmio: queue cannot be made ready", v.into());
                }
            }
            Reg::QueueReset => {
                cx.guest_error("virtio-mmio: queue reset was not offered", v.into());
            }
            _ if queue.ready() => {
                // Virtio 1.3 §4.2.2.2: not while QueueReady is set.
                cx.guest_error("virtio-mmio: change of a queue that is ready", v.into());
            }
            Reg::QueueSize => {
                let legal = u16::try_from(v).is_ok_and(|size| queue.set_size(size));
                if !legal {
                    cx.guest_error("virtio-mmio: queue size", v.into());
                }
            }
            _ => queue.set_areas(moved(queue.areas(), reg, v)),
        }
        true
    }
}

const fn is_queue_register(reg: Reg) -> bool {
    matches!(
        reg,
        Reg::QueueSize
            | Reg::QueueReady
            | Reg::QueueReset
            | Reg::QueueDescLow
            | Reg::QueueDescHigh
            | Reg::QueueDriverLow
            | Reg::QueueDriverHigh
            | Reg::QueueDeviceLow
            | Reg::QueueDeviceHigh
    )
}

/// `areas` with the half of an address replaced that `reg` holds.
const fn moved(mut areas: Areas, reg: Reg, v: u32) -> Areas {
    match reg {
        Reg::QueueDescLow => areas.desc = with_low(areas.desc, v),
        Reg::QueueDescHigh => areas.desc = with_high(areas.desc, v),
        Reg::QueueDriverLow => areas.avail = with_low(areas.avail, v),
        Reg::QueueDriverHigh => areas.avail = with_high(areas.avail, v),
        Reg::QueueDeviceLow => areas.used = with_low(areas.used, v),
        Reg::QueueDeviceHigh => areas.used = with_high(areas.used, v),
        _ => {}
    }
    areas
}

const fn with_low(addr: Iova, v: u32) -> Iova {
    Iova(addr.0 >> 32 << 32 | v as u64)
}

const fn with_high(addr: Iova, v: u32) -> Iova {
    Iova(addr.0 & 0xffff_ffff | (v as u64) << 32)
}
