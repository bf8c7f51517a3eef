//! Bytes in whatever portions a socket hands out, put together to messages (docs/virtio-sst.md §4).

use super::frame::{Frame, FrameHeader, StreamError};
use alloc::vec::Vec;

/// What has arrived and is not yet a message.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    bytes: Vec<u8>,
    /// How many of them have been taken.
    taken: usize,
}

impl Stream {
    /// More has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message of a fixed size, once it is there.
    pub fn raw(&mut self, size: usize) -> Option<&[u8]> {
        let begin = self.taken;
        let end = begin.checked_add(size)?;
        self.bytes.get(begin..end)?;
        self.taken = end;
        self.bytes.get(begin..end)
    }

    /// The next frame with its time, once it is there. Frames of unknown kinds are read over.
    ///
    /// # Errors
    /// What came is no frame; nothing after it can be understood.
    pub fn frame(&mut self) -> Result<Option<(Frame, u64)>, StreamError> {
        loop {
            let waiting = self.bytes.get(self.taken..).unwrap_or_default();
            if waiting.len() < FrameHeader::SIZE {
                return Ok(None);
            }
            let header = FrameHeader::decode(waiting);
            let end = FrameHeader::SIZE + header.body_length()?;
            let Some(body) = waiting.get(FrameHeader::SIZE..end) else {
                return Ok(None);
            };
            let frame = Frame::decode(&header, body);
            self.taken += end;
            if let Some(frame) = frame {
                return Ok(Some((frame, header.time)));
            }
        }
    }

    /// The first word that waits, once four bytes are there.
    #[must_use]
    pub fn first_word(&self) -> Option<u32> {
        let waiting = self.bytes.get(self.taken..)?;
        waiting.first_chunk().map(|word| u32::from_le_bytes(*word))
    }

    /// Bytes that wait for the rest of their message.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.bytes.len().saturating_sub(self.taken)
    }
}
