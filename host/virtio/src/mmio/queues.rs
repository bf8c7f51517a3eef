//! The registers of the selected queue (virtio 1.3 §4.2.3.2).

use super::registers::Reg;
use crate::transport::{Area, QueueChange};

/// What a write of `word` to a register changes of the selected queue; `None` if it is no such register.
pub(super) const fn change(reg: Reg, word: u32) -> Option<QueueChange> {
    let (area, high) = match reg {
        Reg::QueueSize => return Some(QueueChange::Size(word)),
        Reg::QueueReady => return Some(QueueChange::Ready(word)),
        Reg::QueueDescLow => (Area::Desc, false),
        Reg::QueueDescHigh => (Area::Desc, true),
        Reg::QueueDriverLow => (Area::Driver, false),
        Reg::QueueDriverHigh => (Area::Driver, true),
        Reg::QueueDeviceLow => (Area::Device, false),
        Reg::QueueDeviceHigh => (Area::Device, true),
        _ => return None,
    };
    Some(QueueChange::Half { area, high, word })
}
