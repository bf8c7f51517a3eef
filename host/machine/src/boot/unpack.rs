//! Unpacking, with a limit on what comes out and on the memory that a decoder takes.

use super::ImageError;
use core::fmt;
use std::io::{self, Read};

/// The largest window that a packed kernel may ask for. Linux packs with up to 128 MiB (`zstd -22`).
const MAX_WINDOW: u64 = 128 << 20;

/// How a payload is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The .xz format.
    Xz,
}

impl Compression {
    /// The compression with this name in a zboot header.
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"gzip" => Some(Self::Gzip),
            b"zstd" | b"zstd22" => Some(Self::Zstd),
            b"xz" | b"xzkern" => Some(Self::Xz),
            _ => None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        })
    }
}

/// Unpacks one stream to at most `limit` bytes. Bytes after the stream are ignored: zboot appends the
/// unpacked length there.
pub(super) fn unpack(
    compression: Compression,
    packed: &[u8],
    limit: u64,
) -> Result<Vec<u8>, ImageError> {
    let mut out = Vec::new();
    // One byte more than allowed shows that there is more.
    let room = limit.saturating_add(1);
    let result = match compression {
        Compression::Gzip => flate2::read::GzDecoder::new(packed)
            .take(room)
            .read_to_end(&mut out),
        Compression::Zstd => unzstd(packed, room, &mut out),
        Compression::Xz => {
            let window_kib = u32::try_from(MAX_WINDOW >> 10).unwrap_or(u32::MAX);
            // The decoder's own tables come on top of the window.
            let mem_kib = window_kib + 1024;
            lzma_rust2::XzReader::new_mem_limit(packed, false, mem_kib)
                .take(room)
                .read_to_end(&mut out)
        }
    };
    result.map_err(|source| ImageError::Unpack {
        compression,
        source,
    })?;
    if out.len() as u64 > limit {
        return Err(ImageError::Bomb { compression, limit });
    }
    Ok(out)
}

/// Unpacks zstd and compares the checksum, which the decoder leaves to its caller.
fn unzstd(packed: &[u8], room: u64, out: &mut Vec<u8>) -> io::Result<usize> {
    use ruzstd::decoding::StreamingDecoder;
    let mut decoder =
        StreamingDecoder::new_with_max_window_size(packed, MAX_WINDOW).map_err(io::Error::other)?;
    let n = decoder.by_ref().take(room).read_to_end(out)?;
    let frame = decoder.into_frame_decoder();
    let (said, is) = (
        frame.get_checksum_from_data(),
        frame.get_calculated_checksum(),
    );
    if (n as u64) < room && said.is_some() && said != is {
        return Err(io::Error::other("the checksum is wrong"));
    }
    Ok(n)
}
