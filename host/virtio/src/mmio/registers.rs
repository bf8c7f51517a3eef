//! The register block of the transport (virtio 1.3 §4.2.2, table 4.1).

use maquette_model::registers::{Register, find};
use maquette_model::{BusError, RegisterInfo, Role, Width};
use maquette_virtio_protocol::mmio;

/// Size of the region: control registers and configuration space, as on the `virt` board.
pub(super) const SIZE: u64 = 0x1000;

/// The control registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reg {
    Magic,
    Version,
    DeviceId,
    VendorId,
    DeviceFeatures,
    DeviceFeaturesSel,
    DriverFeatures,
    DriverFeaturesSel,
    QueueSel,
    QueueSizeMax,
    QueueSize,
    QueueReady,
    QueueNotify,
    InterruptStatus,
    InterruptAck,
    Status,
    QueueDescLow,
    QueueDescHigh,
    QueueDriverLow,
    QueueDriverHigh,
    QueueDeviceLow,
    QueueDeviceHigh,
    ShmSel,
    /// The four words that describe a shared memory region.
    Shm,
    QueueReset,
    ConfigGeneration,
}

const fn word(offset: u64, id: Reg) -> Register<Reg> {
    Register::one(offset, Width::B4, id)
}

const REGISTERS: [Register<Reg>; 26] = [
    word(mmio::QUEUE_NOTIFY, Reg::QueueNotify),
    word(mmio::INTERRUPT_STATUS, Reg::InterruptStatus),
    word(mmio::INTERRUPT_ACK, Reg::InterruptAck),
    word(mmio::MAGIC_VALUE, Reg::Magic),
    word(mmio::VERSION, Reg::Version),
    word(mmio::DEVICE_ID, Reg::DeviceId),
    word(mmio::VENDOR_ID, Reg::VendorId),
    word(mmio::DEVICE_FEATURES, Reg::DeviceFeatures),
    word(mmio::DEVICE_FEATURES_SEL, Reg::DeviceFeaturesSel),
    word(mmio::DRIVER_FEATURES, Reg::DriverFeatures),
    word(mmio::DRIVER_FEATURES_SEL, Reg::DriverFeaturesSel),
    word(mmio::QUEUE_SEL, Reg::QueueSel),
    word(mmio::QUEUE_SIZE_MAX, Reg::QueueSizeMax),
    word(mmio::QUEUE_SIZE, Reg::QueueSize),
    word(mmio::QUEUE_READY, Reg::QueueReady),
    word(mmio::STATUS, Reg::Status),
    word(mmio::QUEUE_DESC_LOW, Reg::QueueDescLow),
    word(mmio::QUEUE_DESC_HIGH, Reg::QueueDescHigh),
    word(mmio::QUEUE_DRIVER_LOW, Reg::QueueDriverLow),
    word(mmio::QUEUE_DRIVER_HIGH, Reg::QueueDriverHigh),
    word(mmio::QUEUE_DEVICE_LOW, Reg::QueueDeviceLow),
    word(mmio::QUEUE_DEVICE_HIGH, Reg::QueueDeviceHigh),
    word(mmio::SHM_SEL, Reg::ShmSel),
    Register::array(mmio::SHM_LEN_LOW, Width::B4, 4, 4, Reg::Shm),
    word(mmio::QUEUE_RESET, Reg::QueueReset),
    word(mmio::CONFIG_GENERATION, Reg::ConfigGeneration),
];

/// What an access is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A control register.
    Register(Reg),
    /// Space between the control registers.
    Reserved,
    /// Configuration space, from this offset of it on.
    Config(u64),
}

/// Finds what lies at `off`. Control registers are aligned words (virtio 1.3 §4.2.2.2); in the
/// configuration space every aligned width is answered.
pub(super) fn place(off: u64, w: Width) -> Result<Place, BusError> {
    if off >= SIZE {
        return Err(BusError::Unmapped);
    }
    if !off.is_multiple_of(w.bytes()) {
        return Err(BusError::Width);
    }
    if let Some(config) = off.checked_sub(mmio::CONFIG) {
        return Ok(Place::Config(config));
    }
    if w != Width::B4 {
        return Err(BusError::Width);
    }
    Ok(find(&REGISTERS, off).map_or(Place::Reserved, |hit| Place::Register(hit.id)))
}

/// The register at `off`, by the specification's name (virtio 1.3 §4.2.2, table 4.1).
pub(super) fn info(off: u64) -> Option<RegisterInfo> {
    if (mmio::CONFIG..SIZE).contains(&off) {
        return Some(RegisterInfo::plain("Config"));
    }
    let hit = find(&REGISTERS, off)?;
    let role = match hit.id {
        Reg::QueueNotify => Role::Doorbell,
        _ => Role::Plain,
    };
    let name = hit.id.name();
    Some(RegisterInfo { name, role })
}

impl Reg {
    const fn name(self) -> &'static str {
        match self {
            Self::Magic => "MagicValue",
            Self::Version => "Version",
            Self::DeviceId => "DeviceID",
            Self::VendorId => "VendorID",
            Self::DeviceFeatures => "DeviceFeatures",
            Self::DeviceFeaturesSel => "DeviceFeaturesSel",
            Self::DriverFeatures => "DriverFeatures",
            Self::DriverFeaturesSel => "DriverFeaturesSel",
            Self::QueueSel => "QueueSel",
            Self::QueueSizeMax => "QueueSizeMax",
            Self::QueueSize => "QueueSize",
            Self::QueueReady => "QueueReady",
            Self::QueueNotify => "QueueNotify",
            Self::InterruptStatus => "InterruptStatus",
            Self::InterruptAck => "InterruptACK",
            Self::Status => "Status",
            Self::QueueDescLow => "QueueDescLow",
            Self::QueueDescHigh => "QueueDescHigh",
            Self::QueueDriverLow => "QueueDriverLow",
            Self::QueueDriverHigh => "QueueDriverHigh",
            Self::QueueDeviceLow => "QueueDeviceLow",
            Self::QueueDeviceHigh => "QueueDeviceHigh",
            Self::ShmSel => "SHMSel",
            Self::Shm => "SHMLen/SHMBase",
            Self::QueueReset => "QueueReset",
            Self::ConfigGeneration => "ConfigGeneration",
        }
    }
}
