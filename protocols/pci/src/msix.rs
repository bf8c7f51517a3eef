//! Message-signalled interrupts with a table (PCI 3.0 §6.8.2).

use bitflags::bitflags;

/// Bytes of the capability.
pub const BYTES: u16 = 12;
/// `Message Control` (16 bits): see [`Control`].
pub const CONTROL: u16 = 2;
/// `Table Offset/Table BIR` (32 bits): the low three bits say in which base address register.
pub const TABLE: u16 = 4;
/// `PBA Offset/PBA BIR` (32 bits): the same for the pending bits.
pub const PENDING: u16 = 8;
/// The most entries that a table has.
pub const MAX_VECTORS: u16 = 2048;

bitflags! {
    /// What the driver wants of all vectors (PCI 3.0 §6.8.2.3). The low eleven bits hold the number of
    /// vectors less one.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Control: u16 {
        /// All vectors are masked.
        const MASK_ALL = 1 << 14;
        /// Messages are in use, and the pin is not.
        const ENABLE = 1 << 15;
        // The number of vectors is among the other bits.
        const _ = !0;
    }
}

/// Bytes of an entry of the table (PCI 3.0 §6.8.2.6): low and high word of the address, data, control.
pub const ENTRY_BYTES: u64 = 16;
/// Offset in an entry of the message's address (64 bits).
pub const ENTRY_ADDRESS: u64 = 0;
/// Offset in an entry of the message's data (32 bits).
pub const ENTRY_DATA: u64 = 8;
/// Offset in an entry of its control word (32 bits): bit 0 is [`ENTRY_MASKED`].
pub const ENTRY_CONTROL: u64 = 12;
/// The vector is masked: its state after a reset.
pub const ENTRY_MASKED: u32 = 1;
