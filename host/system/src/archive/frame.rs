//! How recordings and snapshots begin.

use super::error::ArchiveError;
use super::origin::Origin;
use std::path::Path;

/// The first bytes of both kinds.
pub const MAGIC: &[u8; 8] = b"MAQUETTE";
/// The newest format, of both kinds.
const FORMAT: u16 = 1;
/// A header is a system file and some names.
const MOST_HEADER: usize = 8 << 20;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Recording,
    Snapshot,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Snapshot => "snapshot",
        }
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Recording => b'R',
            Self::Snapshot => b'S',
        }
    }
}

/// The bytes that a file of this kind and origin begins with.
pub(super) fn head(kind: Kind, origin: &Origin) -> Vec<u8> {
    let header = origin.to_json();
    let mut head = Vec::with_capacity(header.len() + 15);
    head.extend_from_slice(MAGIC);
    head.push(kind.letter());
    head.extend_from_slice(&FORMAT.to_le_bytes());
    let len = u32::try_from(header.len()).unwrap_or(u32::MAX);
    head.extend_from_slice(&len.to_le_bytes());
    head.extend_from_slice(header.as_bytes());
    head
}

/// Takes the head apart; returns the origin and the rest.
pub(super) fn take<'a>(
    path: &Path,
    kind: Kind,
    bytes: &'a [u8],
) -> Result<(Origin, &'a [u8]), ArchiveError> {
    let owned = || path.to_path_buf();
    let cut = |place| ArchiveError::Cut {
        path: owned(),
        bytes: bytes.len() as u64,
        place,
    };
    let foreign = || ArchiveError::Foreign {
        path: owned(),
        expected: kind.name(),
    };
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
        let begins = !bytes.is_empty() && MAGIC.starts_with(bytes);
        return Err(if begins {
            cut("first bytes")
        } else {
            foreign()
        });
    };
    if magic != MAGIC {
        return Err(foreign());
    }
    let (&letter, rest) = rest.split_first().ok_or_else(|| cut("first bytes"))?;
    let found = [Kind::Recording, Kind::Snapshot]
        .into_iter()
        .find(|k| k.letter() == letter)
        .ok_or_else(foreign)?;
    if found != kind {
        return Err(ArchiveError::Other {
            path: owned(),
            found: found.name(),
            expected: kind.name(),
        });
    }
    let (format, rest) = rest.split_first_chunk().ok_or_else(|| cut("header"))?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(ArchiveError::Newer {
            path: owned(),
            found: format,
            known: FORMAT,
        });
    }
    let (len, rest) = rest.split_first_chunk().ok_or_else(|| cut("header"))?;
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    let damaged = |what: String| ArchiveError::Damaged {
        path: owned(),
        what,
    };
    if len > MOST_HEADER {
        return Err(damaged(format!("its header claims {len} bytes")));
    }
    let (header, body) = rest.split_at_checked(len).ok_or_else(|| cut("header"))?;
    let origin = Origin::from_json(header)
        .map_err(|error| damaged(format!("its header cannot be read ({error})")))?;
    Ok((origin, body))
}
