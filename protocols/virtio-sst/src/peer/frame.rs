//! The framed stream (version 2): a header, then a body of its own length (docs/virtio-sst.md §4).

use super::message::{Request, Response, body};
use crate::layout::{Event, REQUEST_SIZE, RESPONSE_SIZE, RequestHeader, ResponseHeader, layout};
use alloc::vec::Vec;
use core::fmt;

/// `SST2` as it stands on the wire.
pub const MAGIC: u32 = u32::from_le_bytes(*b"SST2");
/// Version of the framing.
pub const FRAMING: u16 = 2;

layout! {
    /// Begins each frame.
    FrameHeader, 32 {
        /// [`MAGIC`].
        0 magic: u32,
        /// [`FRAMING`].
        4 version: u16,
        /// What the body is.
        6 kind: u16,
        /// Bytes of the body.
        8 length: u32,
        /// 0.
        12 flags: u32,
        /// Which request this belongs to; 0 if to none. Unique among those in flight.
        16 id: u64,
        /// Simulated time at which it was sent, in picoseconds.
        24 time: u64,
    }
}

/// What one end tells the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A request, under the id that its answer must carry.
    Request(u64, Request),
    /// The answer to a request.
    Response(u64, Response),
    /// The simulator has something to say.
    Event(Event),
    /// The sender will send nothing with an earlier time than the frame's.
    Sync,
}

/// Why a stream cannot go on: nobody knows where the next message would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// A frame does not begin with [`MAGIC`].
    Magic(u32),
    /// The frame has another version than [`FRAMING`].
    Version(u16),
    /// The body has a size that its kind does not allow.
    Length {
        /// The frame's kind.
        kind: u16,
        /// Its length.
        length: u32,
    },
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic(found) => write!(
                f,
                "a frame begins with {found:#010x} instead of {MAGIC:#010x}"
            ),
            Self::Version(found) => {
                write!(
                    f,
                    "the frame has version {found}; this end speaks {FRAMING}"
                )
            }
            Self::Length { kind, length } => {
                write!(f, "a frame of kind {kind} cannot have {length} bytes")
            }
        }
    }
}

impl core::error::Error for StreamError {}

mod kind {
    pub const REQUEST: u16 = 1;
    pub const RESPONSE: u16 = 2;
    pub const EVENT: u16 = 3;
    pub const SYNC: u16 = 4;
}

/// The most that a frame of an unknown kind may have: it is read over.
const UNKNOWN_MAX: usize = 0x1_0000;

impl Frame {
    /// The frame on the wire.
    #[must_use]
    pub fn encode(&self, time_ps: u64) -> Vec<u8> {
        let (kind, id, body) = match self {
            Self::Request(id, request) => (
                kind::REQUEST,
                *id,
                body(&request.header.encode(), &request.payload),
            ),
            Self::Response(id, response) => (
                kind::RESPONSE,
                *id,
                body(&response.header.encode(), &response.payload),
            ),
            Self::Event(event) => (kind::EVENT, 0, event.encode().to_vec()),
            Self::Sync => (kind::SYNC, 0, Vec::new()),
        };
        let header = FrameHeader {
            magic: MAGIC,
            version: FRAMING,
            kind,
            // Bodies have at most the size of a raw message.
            length: u32::try_from(body.len()).unwrap_or(u32::MAX),
            flags: 0,
            id,
            time: time_ps,
        };
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(&body);
        bytes
    }

    /// Reads a message that holds one frame and nothing else, with its time; `None` if it does not.
    #[must_use]
    pub fn from_message(message: &[u8]) -> Option<(Self, u64)> {
        let header = FrameHeader::decode(message.get(..FrameHeader::SIZE)?);
        let body = message.get(FrameHeader::SIZE..)?;
        if header.body_length() != Ok(body.len()) {
            return None;
        }
        Self::decode(&header, body).map(|frame| (frame, header.time))
    }

    /// The frame whose header and body these are; `None` if the kind is unknown.
    pub(super) fn decode(header: &FrameHeader, body: &[u8]) -> Option<Self> {
        match header.kind {
            kind::REQUEST => Some(Self::Request(header.id, Request::from_bytes(body))),
            kind::RESPONSE => Some(Self::Response(header.id, Response::from_bytes(body))),
            kind::EVENT => Some(Self::Event(Event::decode(body))),
            kind::SYNC => Some(Self::Sync),
            _ => None,
        }
    }
}

impl FrameHeader {
    /// Bytes of the body, if the header is one that this end understands.
    pub(super) fn body_length(&self) -> Result<usize, StreamError> {
        if self.magic != MAGIC {
            return Err(StreamError::Magic(self.magic));
        }
        if self.version != FRAMING {
            return Err(StreamError::Version(self.version));
        }
        let allowed = match self.kind {
            kind::REQUEST => RequestHeader::SIZE..=REQUEST_SIZE,
            kind::RESPONSE => ResponseHeader::SIZE..=RESPONSE_SIZE,
            kind::EVENT => Event::SIZE..=Event::SIZE,
            kind::SYNC => 0..=0,
            _ => 0..=UNKNOWN_MAX,
        };
        let length = usize::try_from(self.length).ok();
        let length = length.filter(|length| allowed.contains(length));
        length.ok_or(StreamError::Length {
            kind: self.kind,
            length: self.length,
        })
    }
}
