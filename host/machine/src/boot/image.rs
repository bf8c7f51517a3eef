//! A kernel image, taken apart: what to load and where to begin.

use super::{ImageError, elf, linux_image, recognise, zboot};
use std::borrow::Cow;
use std::ops::Range;

/// The largest kernel that a packed image may unpack to. A stock kernel has about 40 MB.
pub const MAX_UNPACKED: u64 = 512 << 20;

/// What an image is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageKind {
    /// An ELF executable.
    Elf,
    /// A Linux `Image`.
    Linux,
    /// A raw binary, which only firmware may be.
    Raw,
}

/// What an image's addresses count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// They are physical addresses.
    Absolute,
    /// From the start of RAM plus `offset`.
    Ram {
        /// The distance that the image's header asks for; `None` leaves it to the kind of boot.
        offset: Option<u64>,
    },
}

/// Part of an image that is loaded as one piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it goes, counted from the image's [`Base`].
    pub addr: u64,
    /// Bytes that it takes in RAM; those past the file's are zero. Never wraps with `addr`.
    pub mem_len: u64,
    /// Its bytes in the image; at most `mem_len`.
    pub file: Range<usize>,
}

/// An image that has been checked: its segments lie in its bytes and do not overlap or wrap, and its
/// entry point lies in one of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) kind: ImageKind,
    pub(super) base: Base,
    pub(super) segments: Vec<Segment>,
    pub(super) entry: u64,
}

impl Image<'_> {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> ImageKind {
        self.kind
    }

    /// What its addresses count from.
    #[must_use]
    pub const fn base(&self) -> Base {
        self.base
    }

    /// Its segments, by rising address; at least one.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Where it begins to run, counted from its base.
    #[must_use]
    pub const fn entry(&self) -> u64 {
        self.entry
    }

    /// The bytes of a segment that come from the file.
    #[must_use]
    pub fn data(&self, segment: &Segment) -> &[u8] {
        self.bytes.get(segment.file.clone()).unwrap_or(&[])
    }
}

/// Takes a kernel file apart.
///
/// # Errors
/// When the file is no kernel for this machine, truncated or damaged; the error says what it is and
/// what to do.
pub fn load(kernel: &[u8]) -> Result<Image<'_>, ImageError> {
    if kernel.is_empty() {
        return Err(ImageError::Empty);
    }
    if zboot::is_zboot(kernel) {
        return zboot::load(kernel, MAX_UNPACKED);
    }
    load_plain(kernel)?.ok_or_else(|| recognise::refuse(kernel))
}

/// Takes a file that is not packed apart; `None` if it is of no known kind.
pub(super) fn load_plain(kernel: &[u8]) -> Result<Option<Image<'_>>, ImageError> {
    if elf::is_elf(kernel) || elf::is_beginning(kernel) {
        return elf::load(kernel).map(Some);
    }
    if linux_image::is_image(kernel) {
        return linux_image::load(kernel).map(Some);
    }
    Ok(None)
}
