//! The list of capabilities (PCI 3.0 §6.7).

/// Offset in a capability of its number (8 bits).
pub const ID: u16 = 0;
/// Offset in a capability of the next one's place (8 bits); 0 ends the list.
pub const NEXT: u16 = 1;

/// Which capability it is (PCI 3.0 appendix H).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CapabilityId(pub u8);

impl CapabilityId {
    /// The vendor's own: the third byte is its length.
    pub const VENDOR: Self = Self(0x09);
    /// PCI Express: see [`crate::express`].
    pub const EXPRESS: Self = Self(0x10);
    /// Message-signalled interrupts with a table: see [`crate::msix`].
    pub const MSIX: Self = Self(0x11);
}
