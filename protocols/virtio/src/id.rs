//! Device type numbers.

/// What kind of device answers (virtio 1.3 §5, table of device IDs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceId(pub u32);

impl DeviceId {
    /// No device behind this transport; a driver ignores it (virtio 1.3 §4.2.3.1).
    pub const NONE: Self = Self(0);
    /// Network card (virtio 1.3 §5.1).
    pub const NETWORK: Self = Self(1);
    /// Block device (virtio 1.3 §5.2).
    pub const BLOCK: Self = Self(2);
    /// Console (virtio 1.3 §5.3).
    pub const CONSOLE: Self = Self(3);
    /// Entropy source (virtio 1.3 §5.4).
    pub const ENTROPY: Self = Self(4);
}
