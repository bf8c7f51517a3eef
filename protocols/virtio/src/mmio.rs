//! Registers of the memory-mapped transport, modern interface (virtio 1.3 §4.2.2, table 4.1).
//!
//! All control registers are 32 bits wide and are accessed as aligned 32-bit words (§4.2.2.2);
//! the configuration space follows at [`CONFIG`] and is accessed by the width of its fields.

/// `MagicValue` (R): reads [`MAGIC`].
pub const MAGIC_VALUE: u64 = 0x000;
/// `Version` (R): reads [`VERSION_MODERN`].
pub const VERSION: u64 = 0x004;
/// `DeviceID` (R): see [`crate::DeviceId`]; 0 means that nothing is plugged in.
pub const DEVICE_ID: u64 = 0x008;
/// `VendorID` (R).
pub const VENDOR_ID: u64 = 0x00c;
/// `DeviceFeatures` (R): the word that [`DEVICE_FEATURES_SEL`] selects.
pub const DEVICE_FEATURES: u64 = 0x010;
/// `DeviceFeaturesSel` (W).
pub const DEVICE_FEATURES_SEL: u64 = 0x014;
/// `DriverFeatures` (W): the word that [`DRIVER_FEATURES_SEL`] selects.
pub const DRIVER_FEATURES: u64 = 0x020;
/// `DriverFeaturesSel` (W).
pub const DRIVER_FEATURES_SEL: u64 = 0x024;
/// `QueueSel` (W): which queue the queue registers below mean.
pub const QUEUE_SEL: u64 = 0x030;
/// `QueueSizeMax` (R): largest size; 0 means that the queue does not exist.
pub const QUEUE_SIZE_MAX: u64 = 0x034;
/// `QueueSize` (W).
pub const QUEUE_SIZE: u64 = 0x038;
/// `QueueReady` (RW).
pub const QUEUE_READY: u64 = 0x044;
/// `QueueNotify` (W): index of the queue that has new buffers.
pub const QUEUE_NOTIFY: u64 = 0x050;
/// `InterruptStatus` (R): see [`crate::InterruptStatus`].
pub const INTERRUPT_STATUS: u64 = 0x060;
/// `InterruptACK` (W): clears the bits that are written as one.
pub const INTERRUPT_ACK: u64 = 0x064;
/// `Status` (RW): see [`crate::DeviceStatus`].
pub const STATUS: u64 = 0x070;
/// `QueueDescLow` (W): low word of the descriptor table's address.
pub const QUEUE_DESC_LOW: u64 = 0x080;
/// `QueueDescHigh` (W).
pub const QUEUE_DESC_HIGH: u64 = 0x084;
/// `QueueDriverLow` (W): low word of the available ring's address.
pub const QUEUE_DRIVER_LOW: u64 = 0x090;
/// `QueueDriverHigh` (W).
pub const QUEUE_DRIVER_HIGH: u64 = 0x094;
/// `QueueDeviceLow` (W): low word of the used ring's address.
pub const QUEUE_DEVICE_LOW: u64 = 0x0a0;
/// `QueueDeviceHigh` (W).
pub const QUEUE_DEVICE_HIGH: u64 = 0x0a4;
/// `SHMSel` (W): which shared memory region the four registers below mean.
pub const SHM_SEL: u64 = 0x0ac;
/// `SHMLenLow` (R): all ones in both words where the region does not exist.
pub const SHM_LEN_LOW: u64 = 0x0b0;
/// `SHMLenHigh` (R).
pub const SHM_LEN_HIGH: u64 = 0x0b4;
/// `SHMBaseLow` (R).
pub const SHM_BASE_LOW: u64 = 0x0b8;
/// `SHMBaseHigh` (R).
pub const SHM_BASE_HIGH: u64 = 0x0bc;
/// `QueueReset` (RW): with [`crate::Features::RING_RESET`] only.
pub const QUEUE_RESET: u64 = 0x0c0;
/// `ConfigGeneration` (R): changes whenever the configuration space has changed.
pub const CONFIG_GENERATION: u64 = 0x0fc;
/// First byte of the device-specific configuration space (RW).
pub const CONFIG: u64 = 0x100;

/// The value of [`MAGIC_VALUE`]: `virt` in little-endian ASCII.
pub const MAGIC: u32 = u32::from_le_bytes(*b"virt");
/// The value of [`VERSION`] for the modern interface; 1 is the legacy one.
pub const VERSION_MODERN: u32 = 2;

const _: () = assert!(MAGIC == 0x7472_6976);
