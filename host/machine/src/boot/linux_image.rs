//! The Linux `Image` for RISC-V (Linux, Documentation/arch/riscv/boot-image-header.rst).

use super::bytes::u64_at;
use super::image::{Base, Image, ImageKind, Segment};
use super::{ImageError, pe};
use std::borrow::Cow;

/// Bytes in the header.
const HEADER: usize = 64;
const TEXT_OFFSET: usize = 8;
const IMAGE_SIZE: usize = 16;
const FLAGS: usize = 24;
/// The older magic number, eight bytes; the newer one has four.
const MAGIC: (usize, &[u8]) = (48, b"RISCV\0\0\0");
const MAGIC2: (usize, &[u8]) = (56, b"RSC\x05");
/// Flag bit 0: the kernel is big-endian.
const FLAG_BIG_ENDIAN: u64 = 1;

/// Whether the file carries either magic number.
pub(super) fn is_image(file: &[u8]) -> bool {
    [MAGIC, MAGIC2]
        .iter()
        .any(|(at, magic)| file.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
}

/// Takes an `Image` apart.
pub(super) fn load(file: &[u8]) -> Result<Image<'_>, ImageError> {
    let len = file.len() as u64;
    let too_short = || ImageError::Truncated {
        part: "the header of the Linux Image".to_owned(),
        needed: HEADER as u64,
        len,
    };
    if file.len() < HEADER {
        return Err(too_short());
    }
    let field = |at| u64_at(file, at).ok_or_else(too_short);
    let (text_offset, image_size, flags) = (field(TEXT_OFFSET)?, field(IMAGE_SIZE)?, field(FLAGS)?);
    if flags & FLAG_BIG_ENDIAN != 0 {
        return Err(damaged("flags", flags, "which marks a big-endian kernel"));
    }
    if !text_offset.is_multiple_of(0x1000) {
        return Err(damaged(
            "text_offset",
            text_offset,
            "no multiple of the page size",
        ));
    }
    if text_offset.checked_add(image_size).is_none() {
        return Err(damaged(
            "image_size",
            image_size,
            "past the end of the address space",
        ));
    }
    // A kernel with an EFI stub is a PE file as well, and only those headers tell how long the file
    // must be: image_size counts memory that is zero at first.
    if file.starts_with(b"MZ")
        && let Some(needed) = pe::file_length(file)?
        && needed > len
    {
        return Err(ImageError::Truncated {
            part: "the Linux Image with its sections".to_owned(),
            needed,
            len,
        });
    }
    Ok(Image {
        bytes: Cow::Borrowed(file),
        kind: ImageKind::Linux,
        base: Base::Ram {
            offset: Some(text_offset),
        },
        segments: vec![Segment {
            addr: 0,
            mem_len: image_size.max(len),
            file: 0..file.len(),
        }],
        entry: 0,
    })
}

fn damaged(field: &str, value: u64, why: &'static str) -> ImageError {
    ImageError::Damaged {
        field: format!("{field} of the Linux Image"),
        value,
        why,
    }
}
