//! As much of the PE format as tells how long a file must be (Microsoft PE and COFF specification).

use super::ImageError;
use super::bytes::{u16_at, u32_at};

/// Where the DOS header holds the offset of the PE header.
const PE_OFFSET: usize = 0x3c;
/// Bytes of the signature and the COFF header.
const COFF_HEADER: usize = 24;
/// Bytes of one entry of the section table.
const SECTION: usize = 40;

/// The length that the section table asks for, or `None` if there is no PE header.
pub(super) fn file_length(file: &[u8]) -> Result<Option<u64>, ImageError> {
    let Some(offset) = u32_at(file, PE_OFFSET) else {
        return Err(truncated(file, PE_OFFSET as u64 + 4));
    };
    if offset == 0 {
        return Ok(None);
    }
    let pe = usize::try_from(offset).unwrap_or(usize::MAX);
    let table_needs = u64::from(offset) + COFF_HEADER as u64;
    let Some(header) = file.get(pe..).and_then(|h| h.get(..COFF_HEADER)) else {
        return Err(truncated(file, table_needs));
    };
    if !header.starts_with(b"PE\0\0") {
        return Err(ImageError::Damaged {
            field: "the signature of the PE header".to_owned(),
            value: u64::from(u32_at(header, 0).unwrap_or(0)),
            why: "not `PE`",
        });
    }
    let sections = usize::from(u16_at(header, 6).unwrap_or(0));
    let optional = usize::from(u16_at(header, 20).unwrap_or(0));
    // No overflow: the header lies in the file, and the other terms are below 4 MiB.
    let table = pe + COFF_HEADER + optional;
    let table_end = table + sections * SECTION;
    let mut needed = table_end as u64;
    for section in 0..sections {
        let at = table + section * SECTION;
        let (Some(size), Some(start)) = (u32_at(file, at + 16), u32_at(file, at + 20)) else {
            return Err(truncated(file, needed));
        };
        needed = needed.max(u64::from(size) + u64::from(start));
    }
    Ok(Some(needed))
}

fn truncated(file: &[u8], needed: u64) -> ImageError {
    ImageError::Truncated {
        part: "the PE header".to_owned(),
        needed,
        len: file.len() as u64,
    }
}
