//! The common configuration structure (virtio 1.3 §4.1.4.3).

use super::VirtioPci;
use crate::VirtioDevice;
use crate::transport::{Area, QueueChange};
use maquette_model::registers::{Hit, Register, find};
use maquette_model::{Cx, Width};
use maquette_virtio_protocol::pci::{NO_VECTOR, common};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reg {
    DeviceFeatureSelect,
    DeviceFeature,
    DriverFeatureSelect,
    DriverFeature,
    ConfigVector,
    NumQueues,
    Status,
    Generation,
    QueueSelect,
    QueueSize,
    QueueVector,
    QueueEnable,
    QueueNotifyOff,
    /// An address, which takes whole accesses and halves.
    Address(Area),
    /// What belongs to features that are not offered.
    NotOffered,
}

const fn one(offset: u64, width: Width, id: Reg) -> Register<Reg> {
    Register::one(offset, width, id)
}

const REGISTERS: [Register<Reg>; 20] = [
    one(
        common::DEVICE_FEATURE_SELECT,
        Width::B4,
        Reg::DeviceFeatureSelect,
    ),
    one(common::DEVICE_FEATURE, Width::B4, Reg::DeviceFeature),
    one(
        common::DRIVER_FEATURE_SELECT,
        Width::B4,
        Reg::DriverFeatureSelect,
    ),
    one(common::DRIVER_FEATURE, Width::B4, Reg::DriverFeature),
    one(common::CONFIG_MSIX_VECTOR, Width::B2, Reg::ConfigVector),
    one(common::NUM_QUEUES, Width::B2, Reg::NumQueues),
    one(common::DEVICE_STATUS, Width::B1, Reg::Status),
    one(common::CONFIG_GENERATION, Width::B1, Reg::Generation),
    one(common::QUEUE_SELECT, Width::B2, Reg::QueueSelect),
    one(common::QUEUE_SIZE, Width::B2, Reg::QueueSize),
    one(common::QUEUE_MSIX_VECTOR, Width::B2, Reg::QueueVector),
    one(common::QUEUE_ENABLE, Width::B2, Reg::QueueEnable),
    one(common::QUEUE_NOTIFY_OFF, Width::B2, Reg::QueueNotifyOff),
    one(common::QUEUE_DESC, Width::B8, Reg::Address(Area::Desc)),
    one(common::QUEUE_DRIVER, Width::B8, Reg::Address(Area::Driver)),
    one(common::QUEUE_DEVICE, Width::B8, Reg::Address(Area::Device)),
    one(common::QUEUE_NOTIF_CONFIG_DATA, Width::B2, Reg::NotOffered),
    one(common::QUEUE_RESET, Width::B2, Reg::NotOffered),
    one(common::ADMIN_QUEUE_INDEX, Width::B2, Reg::NotOffered),
    one(common::ADMIN_QUEUE_NUM, Width::B2, Reg::NotOffered),
];

/// The specification's name of the register at an offset.
pub(super) fn name(off: u64) -> Option<&'static str> {
    Some(match find(&REGISTERS, off)?.id {
        Reg::DeviceFeatureSelect => "device_feature_select",
        Reg::DeviceFeature => "device_feature",
        Reg::DriverFeatureSelect => "driver_feature_select",
        Reg::DriverFeature => "driver_feature",
        Reg::ConfigVector => "config_msix_vector",
        Reg::NumQueues => "num_queues",
        Reg::Status => "device_status",
        Reg::Generation => "config_generation",
        Reg::QueueSelect => "queue_select",
        Reg::QueueSize => "queue_size",
        Reg::QueueVector => "queue_msix_vector",
        Reg::QueueEnable => "queue_enable",
        Reg::QueueNotifyOff => "queue_notify_off",
        Reg::Address(Area::Desc) => "queue_desc",
        Reg::Address(Area::Driver) => "queue_driver",
        Reg::Address(Area::Device) => "queue_device",
        Reg::NotOffered => "queue_reset",
    })
}

/// The register of an access: a driver takes each at its own width, and addresses in halves too (virtio 1.3
/// §4.1.3.1).
fn hit(off: u64, w: Width) -> Option<Hit<Reg>> {
    let hit = find(&REGISTERS, off)?;
    let half = matches!(hit.id, Reg::Address(_)) && w == Width::B4;
    (half || hit.byte == 0 && w == hit.width).then_some(hit)
}

impl<D: VirtioDevice> VirtioPci<D> {
    pub(super) fn load_common(&mut self, cx: &mut Cx<'_>, off: u64, w: Width) -> u64 {
        let Some(hit) = hit(off, w) else {
            cx.guest_error("virtio-pci: read of no whole register", off);
            return 0;
        };
        let t = &self.transport;
        let s = &t.state;
        let value = match hit.id {
            Reg::DeviceFeatureSelect => s.device_features_sel.into(),
            Reg::DeviceFeature => t.offered().word(s.device_features_sel).into(),
            Reg::DriverFeatureSelect => s.driver_features_sel.into(),
            Reg::DriverFeature => s.driver_features.word(s.driver_features_sel).into(),
            Reg::ConfigVector => t.vectors.config.into(),
            Reg::NumQueues => t.queues.len() as u64,
            Reg::Status => s.status.bits().into(),
            Reg::Generation => s.generation.into(),
            Reg::QueueSelect => s.queue_sel.into(),
            // Virtio 1.3 §4.1.4.3.1: 0 where there is no such queue.
            Reg::QueueSize => t.selected().map_or(0, |q| q.size().into()),
            Reg::QueueVector => self.queue_vector().into(),
            Reg::QueueEnable => t.selected().map_or(0, |q| q.ready().into()),
            Reg::QueueNotifyOff => t.selected().map_or(0, |_| s.queue_sel.into()),
            Reg::Address(area) => {
                let areas = t.selected().map(crate::Queue::areas).unwrap_or_default();
                let whole = match area {
                    Area::Desc => areas.desc,
                    Area::Driver => areas.avail,
                    Area::Device => areas.used,
                };
                whole.0 >> (8 * hit.byte)
            }
            Reg::NotOffered => 0,
        };
        value & w.mask()
    }

    pub(super) fn store_common(&mut self, cx: &mut Cx<'_>, off: u64, w: Width, value: u64) {
        let Some(hit) = hit(off, w) else {
            cx.guest_error("virtio-pci: write to no whole register", off);
            return;
        };
        let [low, high] = words(value & w.mask());
        let vector = self.usable(low);
        let t = &mut self.transport;
        match hit.id {
            Reg::DeviceFeatureSelect => t.state.device_features_sel = low,
            Reg::DriverFeatureSelect => t.state.driver_features_sel = low,
            Reg::DriverFeature => t.write_driver_features(cx, low),
            Reg::ConfigVector => t.vectors.config = vector,
            Reg::Status => t.write_status(cx, low),
            Reg::QueueSelect => t.state.queue_sel = low,
            Reg::QueueSize => t.change_queue(cx, QueueChange::Size(low)),
            Reg::QueueVector => self.map_queue(cx, vector),
            // Virtio 1.3 §4.1.4.3.2: a driver does not write 0.
            Reg::QueueEnable if low == 0 => {
                cx.guest_error("virtio-pci: queue taken back", t.state.queue_sel.into());
            }
            Reg::QueueEnable => t.change_queue(cx, QueueChange::Ready(low)),
            Reg::Address(area) => {
                let upper = hit.byte != 0;
                let half = |high, word| QueueChange::Half { area, high, word };
                t.change_queue(cx, half(upper, low));
                if w == Width::B8 {
                    t.change_queue(cx, half(true, high));
                }
            }
            Reg::DeviceFeature
            | Reg::NumQueues
            | Reg::Generation
            | Reg::QueueNotifyOff
            | Reg::NotOffered => {
                cx.guest_error("virtio-pci: write to a read-only register", off);
            }
        }
    }

    /// The vector, if the function has it: a driver reads back whether it was mapped (virtio 1.3 §4.1.5.1.2.1).
    fn usable(&self, vector: u32) -> u16 {
        let vector = u16::try_from(vector).ok();
        let exists = vector.filter(|&v| v < self.vector_count());
        exists.unwrap_or(NO_VECTOR)
    }

    fn queue_index(&self) -> usize {
        usize::try_from(self.transport.state.queue_sel).unwrap_or(usize::MAX)
    }

    fn queue_vector(&self) -> u16 {
        let vector = self.transport.vectors.queues.get(self.queue_index());
        vector.copied().unwrap_or(NO_VECTOR)
    }

    fn map_queue(&mut self, cx: &mut Cx<'_>, vector: u16) {
        let index = self.queue_index();
        match self.transport.vectors.queues.get_mut(index) {
            Some(place) => *place = vector,
            None => cx.guest_error("virtio: queue does not exist", index as u64),
        }
    }
}

/// The lower and the upper half.
const fn words(value: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}
