//! EFI zboot: a PE file whose payload is a packed kernel (Linux, drivers/firmware/efi/libstub/zboot-header.S).
//!
//! The EFI program in it, which would unpack the kernel, is not run.

use super::bytes::{range_in, u32_at};
use super::image::{Image, load_plain};
use super::unpack::{Compression, unpack};
use super::{ImageError, pe, recognise};
use std::borrow::Cow;

const MAGIC: (usize, &[u8]) = (4, b"zimg");
const PAYLOAD_OFFSET: usize = 8;
const PAYLOAD_SIZE: usize = 12;
/// The name of the compression, ended by a zero byte, in at most 32 bytes.
const COMPRESSION: (usize, usize) = (24, 32);
/// Bytes in the header.
const HEADER: usize = 64;

/// Whether the file says that it is a zboot image.
pub(super) fn is_zboot(file: &[u8]) -> bool {
    file.starts_with(b"MZ") && file.get(MAGIC.0..).is_some_and(|r| r.starts_with(MAGIC.1))
}

/// Unpacks a zboot image to at most `limit` bytes and takes the kernel in it apart.
pub(super) fn load(file: &[u8], limit: u64) -> Result<Image<'_>, ImageError> {
    let len = file.len() as u64;
    let truncated = |part: &str, needed| ImageError::Truncated {
        part: part.to_owned(),
        needed,
        len,
    };
    if file.len() < HEADER {
        return Err(truncated("the header of the zboot image", HEADER as u64));
    }
    if let Some(needed) = pe::file_length(file)?
        && needed > len
    {
        return Err(truncated("the zboot image with its sections", needed));
    }
    let field = |at| u64::from(u32_at(file, at).unwrap_or(0));
    let (offset, size) = (field(PAYLOAD_OFFSET), field(PAYLOAD_SIZE));
    if offset < HEADER as u64 {
        return Err(ImageError::Damaged {
            field: "the payload's offset in the zboot header".to_owned(),
            value: offset,
            why: "inside the header itself",
        });
    }
    let packed = range_in(file, offset, size)
        .and_then(|r| file.get(r))
        .ok_or_else(|| truncated("the payload of the zboot image", offset + size))?;
    let compression = compression(file)?;
    let bytes = unpack(compression, packed, limit)?;
    inner(bytes).map_err(|e| ImageError::Payload(Box::new(e)))
}

fn compression(file: &[u8]) -> Result<Compression, ImageError> {
    let field = file
        .get(COMPRESSION.0..COMPRESSION.0 + COMPRESSION.1)
        .unwrap_or(&[]);
    let name = field.split(|&b| b == 0).next().unwrap_or(&[]);
    Compression::from_name(name).ok_or_else(|| ImageError::Compression {
        name: name.escape_ascii().to_string(),
    })
}

/// Takes the unpacked kernel apart and gives the image its bytes to own.
fn inner(bytes: Vec<u8>) -> Result<Image<'static>, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    let Some(image) = load_plain(&bytes)? else {
        return Err(recognise::refuse(&bytes));
    };
    let (kind, base, segments, entry) = (image.kind, image.base, image.segments, image.entry);
    Ok(Image {
        bytes: Cow::Owned(bytes),
        kind,
        base,
        segments,
        entry,
    })
}
