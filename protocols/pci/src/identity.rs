//! The numbers by which a driver knows its device.

/// What a function says of itself (PCI 3.0 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Who made the function.
    pub vendor: u16,
    /// Which of the vendor's devices it is.
    pub device: u16,
    /// Which revision of it.
    pub revision: u8,
    /// What kind of device it is.
    pub class: ClassCode,
    /// Who made the board that it is on.
    pub subsystem_vendor: u16,
    /// Which of that vendor's boards it is.
    pub subsystem: u16,
}

/// Base class, sub-class and programming interface (PCI 3.0 appendix D).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClassCode {
    /// Base class.
    pub base: u8,
    /// Sub-class.
    pub sub: u8,
    /// Programming interface.
    pub interface: u8,
}

impl ClassCode {
    /// A class without programming interfaces.
    #[must_use]
    pub const fn new(base: u8, sub: u8) -> Self {
        let interface = 0;
        Self {
            base,
            sub,
            interface,
        }
    }

    /// A SCSI controller, which is what virtio disks call themselves.
    pub const SCSI: Self = Self::new(0x01, 0x00);
    /// An Ethernet controller.
    pub const ETHERNET: Self = Self::new(0x02, 0x00);
    /// A host bridge.
    pub const HOST_BRIDGE: Self = Self::new(0x06, 0x00);
    /// Another communication controller than those with a number.
    pub const COMMUNICATION: Self = Self::new(0x07, 0x80);
    /// A device that fits no class.
    pub const OTHER: Self = Self::new(0xff, 0x00);
}
