//! From files to a RAM that is ready to run: kernel images, the initial RAM disk, the device tree.
//!
//! ```text
//! firmware, kernel ─load─► Image ─┐
//! initrd bytes ───────────────────┼─place─► Placement ─┐
//! Board ──────device_tree─────────┴────────────────────┴─write─► Ram, Entry
//! ```
//!
//! [`prepare`] does all but the last step; [`Prepared::write`] does that one, as often as the machine
//! is reset.
//!
//! # What can be booted
//!
//! * ELF64 for little-endian RISC-V, linked at its final physical address, or position-independent
//!   and linked at 0;
//! * the Linux `Image` (Documentation/arch/riscv/boot-image-header.rst of Linux);
//! * an EFI zboot file (`vmlinuz.efi`) that holds one of these, packed with gzip, zstd or xz;
//! * as firmware below one of these: ELF as above, or a raw binary.
//!
//! # State at the entry
//!
//! Each hart that runs starts at [`Entry::pc`] with its number in `a0` and the address of the device
//! tree in `a1`, translation and interrupts off: in machine mode all harts at once, above the built-in
//! SBI only the boot hart, in supervisor mode (SBI 2.0 §9 and Linux' boot protocol). Firmware begins as a
//! bare-metal program does, and has the address of `struct fw_dynamic_info` in `a2`.
//!
//! # Invariants
//!
//! * No file, however damaged, makes anything here panic, loop for ever or allocate without bound.
//! * What is written to RAM never overlaps, and lies in RAM as a whole.
//!
//! # What is not here
//!
//! Reading files (the caller's, with the error that names the path), and the hart's registers.

mod bytes;
mod elf;
mod error;
mod firmware;
mod image;
mod linux_image;
mod pe;
mod placement;
mod prepare;
mod recognise;
mod unpack;
mod zboot;

pub use error::ImageError;
pub use firmware::{FirmwareError, FirmwarePlacement};
pub use image::{Base, Image, ImageKind, MAX_UNPACKED, Segment, load};
pub use placement::{PlaceError, Placement, place};
pub use prepare::{BootError, BootFiles, Entry, Prepared, prepare};
pub use unpack::Compression;

#[cfg(test)]
mod tests;
