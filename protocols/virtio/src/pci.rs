//! The PCI transport (virtio 1.3 §4.1), modern interface.

use crate::DeviceId;
use zerocopy::byteorder::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The vendor number of all virtio functions (virtio 1.3 §4.1.2).
pub const VENDOR: u16 = 0x1af4;
/// The least revision of a function without the legacy interface (virtio 1.3 §4.1.2.1).
pub const REVISION: u8 = 1;
/// The least subsystem number of such a function (virtio 1.3 §4.1.2.1).
pub const SUBSYSTEM: u16 = 0x40;
/// "No vector": the value of a vector register that nothing is mapped to (virtio 1.3 §4.1.4.3).
pub const NO_VECTOR: u16 = 0xffff;
/// Bytes of the common configuration structure, the registers of queue resets and of administration
/// queues included.
pub const COMMON_BYTES: u32 = 0x40;

/// The device number of a function of this type (virtio 1.3 §4.1.2); `None` for types past the range.
#[must_use]
pub fn device_number(id: DeviceId) -> Option<u16> {
    u16::try_from(id.0).ok()?.checked_add(0x1040)
}

/// The common configuration structure (virtio 1.3 §4.1.4.3), byte offsets.
pub mod common {
    /// `device_feature_select` (32 bits, RW).
    pub const DEVICE_FEATURE_SELECT: u64 = 0x00;
    /// `device_feature` (32 bits, R): the word that is selected.
    pub const DEVICE_FEATURE: u64 = 0x04;
    /// `driver_feature_select` (32 bits, RW).
    pub const DRIVER_FEATURE_SELECT: u64 = 0x08;
    /// `driver_feature` (32 bits, RW): the word that is selected.
    pub const DRIVER_FEATURE: u64 = 0x0c;
    /// `config_msix_vector` (16 bits, RW).
    pub const CONFIG_MSIX_VECTOR: u64 = 0x10;
    /// `num_queues` (16 bits, R).
    pub const NUM_QUEUES: u64 = 0x12;
    /// `device_status` (8 bits, RW): see [`crate::DeviceStatus`].
    pub const DEVICE_STATUS: u64 = 0x14;
    /// `config_generation` (8 bits, R).
    pub const CONFIG_GENERATION: u64 = 0x15;
    /// `queue_select` (16 bits, RW): which queue the registers below mean.
    pub const QUEUE_SELECT: u64 = 0x16;
    /// `queue_size` (16 bits, RW): the largest at first; 0 where there is no such queue.
    pub const QUEUE_SIZE: u64 = 0x18;
    /// `queue_msix_vector` (16 bits, RW).
    pub const QUEUE_MSIX_VECTOR: u64 = 0x1a;
    /// `queue_enable` (16 bits, RW): a driver may write 1 only.
    pub const QUEUE_ENABLE: u64 = 0x1c;
    /// `queue_notify_off` (16 bits, R): where the queue is notified, in multiples of the multiplier.
    pub const QUEUE_NOTIFY_OFF: u64 = 0x1e;
    /// `queue_desc` (64 bits, RW): where the descriptors lie.
    pub const QUEUE_DESC: u64 = 0x20;
    /// `queue_driver` (64 bits, RW): where the available ring lies.
    pub const QUEUE_DRIVER: u64 = 0x28;
    /// `queue_device` (64 bits, RW): where the used ring lies.
    pub const QUEUE_DEVICE: u64 = 0x30;
    /// `queue_notif_config_data` (16 bits, R).
    pub const QUEUE_NOTIF_CONFIG_DATA: u64 = 0x38;
    /// `queue_reset` (16 bits, RW): with [`crate::Features::RING_RESET`] only.
    pub const QUEUE_RESET: u64 = 0x3a;
    /// `admin_queue_index` (16 bits, R): with [`crate::Features::ADMIN_VQ`] only.
    pub const ADMIN_QUEUE_INDEX: u64 = 0x3c;
    /// `admin_queue_num` (16 bits, R): with [`crate::Features::ADMIN_VQ`] only.
    pub const ADMIN_QUEUE_NUM: u64 = 0x3e;
}

/// What a capability of the transport points to (virtio 1.3 §4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Structure(pub u8);

impl Structure {
    /// The common configuration (virtio 1.3 §4.1.4.3).
    pub const COMMON: Self = Self(1);
    /// Notifications (virtio 1.3 §4.1.4.4).
    pub const NOTIFY: Self = Self(2);
    /// The interrupt status, one byte: see [`crate::InterruptStatus`]. Reading clears it (virtio 1.3
    /// §4.1.4.5).
    pub const ISR: Self = Self(3);
    /// The configuration of the device type (virtio 1.3 §4.1.4.6).
    pub const DEVICE: Self = Self(4);
    /// A window in configuration space onto all of them (virtio 1.3 §4.1.4.9).
    pub const WINDOW: Self = Self(5);
}

/// A capability of the transport behind its number, link and length (virtio 1.3 §4.1.4, `virtio_pci_cap`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub struct Place {
    /// What it points to: see [`Structure`].
    pub structure: u8,
    /// In which base address register.
    pub bar: u8,
    /// Tells several of one type apart.
    pub id: u8,
    /// 0.
    pub padding: [u8; 2],
    /// Where in the memory of that register.
    pub offset: U32,
    /// How many bytes.
    pub length: U32,
}

impl Place {
    /// A structure's place.
    #[must_use]
    pub const fn new(structure: Structure, bar: u8, offset: u32, length: u32) -> Self {
        Self {
            structure: structure.0,
            bar,
            id: 0,
            padding: [0; 2],
            offset: U32::new(offset),
            length: U32::new(length),
        }
    }
}

/// Offsets in a capability of the transport, from its first byte.
pub mod capability {
    /// `bar` (8 bits).
    pub const BAR: u16 = 4;
    /// `offset` (32 bits).
    pub const OFFSET: u16 = 8;
    /// `length` (32 bits).
    pub const LENGTH: u16 = 12;
    /// What follows a [`super::Place`]: the multiplier of notifications, or the data of the window
    /// (32 bits).
    pub const MORE: u16 = 16;
}

const _: () = assert!(size_of::<Place>() == 13);
