//! The PCI Express capability (PCIe 5.0 §7.5.3), version 2, as far as endpoints without a link have it.

use bitflags::bitflags;

/// Bytes of the capability.
pub const BYTES: u16 = 0x3c;
/// `PCI Express Capabilities` (16 bits): version and kind of function.
pub const CAPABILITIES: u16 = 0x02;
/// `Device Capabilities` (32 bits): see [`DeviceCapabilities`].
pub const DEVICE_CAPABILITIES: u16 = 0x04;
/// `Device Control` (16 bits): see [`DeviceControl`].
pub const DEVICE_CONTROL: u16 = 0x08;

/// The value of [`CAPABILITIES`]: version 2, an endpoint that is integrated into the root complex.
pub const INTEGRATED_ENDPOINT: u16 = 9 << 4 | 2;

bitflags! {
    /// What a function can do (PCIe 5.0 §7.5.3.3).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct DeviceCapabilities: u32 {
        /// Errors are reported by role; every function says so.
        const ROLE_BASED_ERRORS = 1 << 15;
        /// The function can be reset alone.
        const FUNCTION_LEVEL_RESET = 1 << 28;
        // Other bits are legal although they have no name here.
        const _ = !0;
    }
}

bitflags! {
    /// What the driver wants of a function (PCIe 5.0 §7.5.3.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct DeviceControl: u16 {
        /// Corrected errors are reported.
        const CORRECTABLE = 1 << 0;
        /// Errors that are not fatal are reported.
        const NON_FATAL = 1 << 1;
        /// Fatal errors are reported.
        const FATAL = 1 << 2;
        /// Requests that are not supported are reported.
        const UNSUPPORTED = 1 << 3;
        /// Accesses may be reordered.
        const RELAXED_ORDERING = 1 << 4;
        /// Accesses may leave caches alone.
        const NO_SNOOP = 1 << 11;
        /// The most bytes of a read: 128 shifted by this.
        const MAX_READ_REQUEST = 0b111 << 12;
        /// Resets the function; reads as 0.
        const FUNCTION_LEVEL_RESET = 1 << 15;
        // A driver may write any value.
        const _ = !0;
    }
}

impl DeviceControl {
    /// The value after a reset: reordering and uncached accesses are allowed, reads have up to 512 bytes.
    pub const RESET: Self = Self::from_bits_retain(0x2810);
}
