//! One hash stream: all events of one path, in the order of recording.

use crate::Kind;
use core::fmt;
use maquette_model::{LoadError, Reader, SimTime, Writer};

/// Bytes that are hashed at once, the link to what came before among them: whole BLAKE3 chunks, enough
/// for wide vectors, little enough that a hundred paths stay in the second-level cache.
const BLOCK: usize = 8 << 10;
/// The link: the hash of the block before.
const LINK: usize = 32;

/// Time, kind and payload length.
const HEAD: usize = 8 + 1 + 8;

/// The hash of everything observable in a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceHash([u8; 32]);

impl TraceHash {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceHash({self})")
    }
}

/// Hashes the events of one path.
///
/// The stream is cut into blocks of equal length, each of which begins with the hash of the one before,
/// so that the state between two events is a few bytes that a snapshot can hold.
pub(crate) struct Stream {
    /// The block that is being filled.
    block: Vec<u8>,
    empty: bool,
}

impl Stream {
    pub(crate) fn new() -> Self {
        let mut block = Vec::with_capacity(BLOCK);
        block.extend_from_slice(&[0; LINK]);
        Self { block, empty: true }
    }

    /// Appends one event. The length in the head keeps neighbouring events apart: moving a byte
    /// from one payload to the next gives a different stream.
    #[inline]
    pub(crate) fn push(&mut self, time: SimTime, kind: Kind, payload: &[&[u8]]) {
        let len: usize = payload.iter().map(|part| part.len()).sum();
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&time.as_ps().to_le_bytes());
        head[8] = kind.number();
        head[9..].copy_from_slice(&(len as u64).to_le_bytes());
        self.bytes(&head);
        for part in payload {
            self.bytes(part);
        }
        self.empty = false;
    }

    fn bytes(&mut self, mut bytes: &[u8]) {
        loop {
            let room = BLOCK - self.block.len();
            let Some((now, later)) = bytes.split_at_checked(room) else {
                self.block.extend_from_slice(bytes);
                return;
            };
            self.block.extend_from_slice(now);
            let link = blake3::hash(&self.block);
            self.block.clear();
            self.block.extend_from_slice(link.as_bytes());
            bytes = later;
        }
    }

    /// Whether nothing was pushed yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.empty
    }

    /// The digest of the events so far; more may follow.
    pub(crate) fn digest(&self) -> [u8; 32] {
        // The last block's length says that it is the last; a whole one is never kept.
        *blake3::hash(&self.block).as_bytes()
    }

    pub(crate) fn save(&self, w: &mut Writer) {
        w.bool(self.empty);
        w.bytes(&self.block);
    }

    pub(crate) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let empty = r.bool("stream")?;
        let saved = r.bytes()?;
        if !(LINK..BLOCK).contains(&saved.len()) {
            return Err(LoadError::Value {
                field: "block of a stream",
                value: saved.len() as u64,
            });
        }
        let mut block = Vec::with_capacity(BLOCK);
        block.extend_from_slice(saved);
        Ok(Self { block, empty })
    }
}
