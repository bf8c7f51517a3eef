//! One hash stream: all events of one path, in the order of recording.

use crate::Kind;
use core::fmt;
use maquette_model::SimTime;

/// Bytes collected before the hash function is called: enough for it to use wide vectors, little
/// enough that a hundred paths stay in the second-level cache.
const BUFFER: usize = 8 << 10;

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
pub(crate) struct Stream {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    empty: bool,
}

impl Stream {
    pub(crate) fn new() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            buffer: Vec::with_capacity(BUFFER),
            empty: true,
        }
    }

    /// Appends one event. The length in the head keeps neighbouring events apart: moving a byte
    /// from one payload to the next gives a different stream.
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

    fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() > BUFFER - self.buffer.len() {
            self.flush();
        }
        if bytes.len() > BUFFER {
            self.hasher.update(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    fn flush(&mut self) {
        self.hasher.update(&self.buffer);
        self.buffer.clear();
    }

    /// Whether nothing was pushed yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.empty
    }

    /// The digest of the events so far; more may follow.
    pub(crate) fn digest(&mut self) -> [u8; 32] {
        self.flush();
        *self.hasher.finalize().as_bytes()
    }
}
