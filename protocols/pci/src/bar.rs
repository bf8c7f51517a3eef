//! Base address registers (PCI 3.0 §6.2.5.1).

use crate::header;

/// Base address registers of a type 0 header.
pub const COUNT: u8 = 6;
/// Set in a register for I/O ports.
pub const IO: u32 = 1 << 0;
/// Set in a register whose upper half is the next one.
pub const WIDE: u32 = 0b10 << 1;
/// Set where reads have no side effects.
pub const PREFETCHABLE: u32 = 1 << 3;
/// The bits of a memory register that hold no address.
pub const FLAGS: u32 = 0xf;
/// The smallest memory that a register can describe.
pub const LEAST_BYTES: u64 = 16;

/// Offset of base address register `index`, 0 to 5.
#[must_use]
pub const fn offset(index: u8) -> u16 {
    header::BASE_ADDRESS + 4 * index as u16
}
