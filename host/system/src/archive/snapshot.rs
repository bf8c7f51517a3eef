//! Snapshots: the whole system at one time.

use super::error::ArchiveError;
use super::frame::{self, Kind};
use super::origin::Origin;
use super::place::{self, SnapshotPlace};
use maquette_model::{Section, Sections};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// The checksum at the end.
const CHECK: usize = blake3::OUT_LEN;

/// A snapshot, read.
#[derive(Debug)]
pub struct SavedSystem {
    /// What it was made from.
    pub origin: Origin,
    /// The state.
    pub sections: Sections,
}

/// Writes a snapshot. The file appears under its name when it is complete.
///
/// # Errors
/// When the host refuses; nothing is left behind then.
pub fn write(
    place: SnapshotPlace,
    origin: &Origin,
    sections: &Sections,
) -> Result<(), ArchiveError> {
    let SnapshotPlace { path, partial } = place;
    let written = write_all(partial.as_file(), origin, sections)
        .and_then(|()| Ok(partial.persist(&path).map(drop)?));
    written.map_err(|source| ArchiveError::File {
        verb: "write",
        path,
        source,
    })
}

fn write_all(file: &File, origin: &Origin, sections: &Sections) -> io::Result<()> {
    let mut out = Checked {
        file: BufWriter::with_capacity(1 << 20, file),
        hasher: blake3::Hasher::new(),
    };
    out.put(&frame::head(Kind::Snapshot, origin))?;
    out.put(&(sections.iter().count() as u64).to_le_bytes())?;
    for (path, section) in sections.iter() {
        out.text(path)?;
        out.text(&section.kind)?;
        out.put(&section.version.to_le_bytes())?;
        out.put(&(section.payload.len() as u64).to_le_bytes())?;
        out.put(&section.payload)?;
    }
    let check = *out.hasher.finalize().as_bytes();
    out.put(&check)?;
    out.file.flush()
}

/// A file that is hashed while it is written.
struct Checked<'a> {
    file: BufWriter<&'a File>,
    hasher: blake3::Hasher,
}

impl Checked<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.put(&(text.len() as u64).to_le_bytes())?;
        self.put(text.as_bytes())
    }
}

/// Reads a snapshot.
///
/// # Errors
/// When it cannot be read, is none, was made by a later program, was cut, or is damaged.
pub fn read(path: &Path) -> Result<SavedSystem, ArchiveError> {
    parse(path, &place::read(path)?)
}

/// Takes the bytes of a snapshot apart.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<SavedSystem, ArchiveError> {
    let (origin, body) = frame::take(path, Kind::Snapshot, bytes)?;
    let cut = |place| ArchiveError::Cut {
        path: path.to_path_buf(),
        bytes: bytes.len() as u64,
        place,
    };
    let damaged = |what: &str| ArchiveError::Damaged {
        path: path.to_path_buf(),
        what: what.to_owned(),
    };
    let mut body = Body(body);
    let mut sections = Sections::default();
    let count = body.number().ok_or_else(|| cut("table of parts"))?;
    for _ in 0..count {
        let (path, section) = body.section().ok_or_else(|| cut("state"))?;
        let (Ok(path), Ok(kind)) = (
            core::str::from_utf8(path),
            core::str::from_utf8(section.kind),
        ) else {
            return Err(damaged("a name is no text"));
        };
        let section = Section {
            kind: kind.to_owned(),
            version: section.version,
            payload: section.payload.to_vec(),
        };
        sections
            .insert(path, section)
            .map_err(|error| damaged(&error.to_string()))?;
    }
    match body.0.len() {
        CHECK => {}
        0..CHECK => return Err(cut("checksum")),
        left => {
            let extra = left - CHECK;
            let at = bytes.len() - extra;
            let what = format!("data after the end: {extra} bytes from offset {at} on");
            return Err(damaged(&what));
        }
    }
    let covered = bytes.len() - CHECK;
    if blake3::hash(bytes.get(..covered).unwrap_or_default()).as_bytes() != body.0 {
        return Err(damaged("its checksum is not that of its content"));
    }
    Ok(SavedSystem { origin, sections })
}

/// What of the file is left.
struct Body<'a>(&'a [u8]);

struct Raw<'a> {
    kind: &'a [u8],
    version: u16,
    payload: &'a [u8],
}

impl<'a> Body<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    fn number(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len)
    }

    fn section(&mut self) -> Option<(&'a [u8], Raw<'a>)> {
        let path = self.bytes()?;
        let kind = self.bytes()?;
        let version = self.take(2)?.try_into().ok().map(u16::from_le_bytes)?;
        let payload = self.bytes()?;
        let raw = Raw {
            kind,
            version,
            payload,
        };
        Some((path, raw))
    }
}
