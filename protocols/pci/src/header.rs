//! The type 0 configuration header (PCI 3.0 §6.1, figure 6-1).

use bitflags::bitflags;

/// `Vendor ID` (16 bits); [`NO_VENDOR`] where there is no function.
pub const VENDOR_ID: u16 = 0x00;
/// `Device ID` (16 bits).
pub const DEVICE_ID: u16 = 0x02;
/// `Command` (16 bits): see [`Command`].
pub const COMMAND: u16 = 0x04;
/// `Status` (16 bits): see [`Status`].
pub const STATUS: u16 = 0x06;
/// `Revision ID` (8 bits).
pub const REVISION_ID: u16 = 0x08;
/// `Class Code` (24 bits): programming interface, sub-class, base class.
pub const CLASS_CODE: u16 = 0x09;
/// `Cache Line Size` (8 bits): without effect in PCI Express (PCIe 5.0 §7.5.1.1.7).
pub const CACHE_LINE_SIZE: u16 = 0x0c;
/// `Header Type` (8 bits): 0 for the layout of this page.
pub const HEADER_TYPE: u16 = 0x0e;
/// The first of six `Base Address` registers (32 bits each): see [`crate::bar`].
pub const BASE_ADDRESS: u16 = 0x10;
/// `Subsystem Vendor ID` (16 bits).
pub const SUBSYSTEM_VENDOR_ID: u16 = 0x2c;
/// `Subsystem ID` (16 bits).
pub const SUBSYSTEM_ID: u16 = 0x2e;
/// `Expansion ROM Base Address` (32 bits).
pub const EXPANSION_ROM: u16 = 0x30;
/// `Capabilities Pointer` (8 bits): offset of the first capability.
pub const CAPABILITIES: u16 = 0x34;
/// `Interrupt Line` (8 bits): a note of the driver's to itself.
pub const INTERRUPT_LINE: u16 = 0x3c;
/// `Interrupt Pin` (8 bits): 1 to 4 for INTA# to INTD#, 0 for none.
pub const INTERRUPT_PIN: u16 = 0x3d;

/// First byte behind the header: capabilities lie from here on.
pub const END: u16 = 0x40;
/// Bytes of configuration space that a conventional function has (PCI 3.0 §6.1).
pub const CONVENTIONAL_BYTES: u16 = 0x100;
/// Bytes of configuration space that a PCI Express function has (PCIe 5.0 §7.2).
pub const EXPRESS_BYTES: u16 = 0x1000;
/// What [`VENDOR_ID`] reads where there is no function (PCI 3.0 §6.1).
pub const NO_VENDOR: u16 = 0xffff;

bitflags! {
    /// What a function may do (PCI 3.0 §6.2.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Command: u16 {
        /// It answers accesses to I/O ports.
        const IO = 1 << 0;
        /// It answers accesses to memory.
        const MEMORY = 1 << 1;
        /// It may access memory itself, messages included.
        const BUS_MASTER = 1 << 2;
        /// It acts on parity errors.
        const PARITY_ERROR = 1 << 6;
        /// It may report system errors.
        const SERR = 1 << 8;
        /// It may not assert its INTx# pin.
        const INTX_DISABLE = 1 << 10;
        // A driver may write any value.
        const _ = !0;
    }
}

bitflags! {
    /// What happened on the bus, and what a function has (PCI 3.0 §6.2.3).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Status: u16 {
        /// The function wants an interrupt, whether or not it may assert its pin.
        const INTERRUPT = 1 << 3;
        /// There is a list of capabilities.
        const CAPABILITIES = 1 << 4;
        // Other bits are legal although they have no name here.
        const _ = !0;
    }
}
