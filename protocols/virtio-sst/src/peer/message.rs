//! Requests and answers as values, and their raw form (docs/virtio-sst.md §2).

use crate::layout::{
    PAYLOAD_SIZE, REQUEST_SIZE, RESPONSE_SIZE, RequestHeader, ResponseHeader, kind, status,
};
use alloc::vec::Vec;

/// A request. Zeros at the end of the payload may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What is asked, and by whom.
    pub header: RequestHeader,
    /// At most [`PAYLOAD_SIZE`] bytes; what is beyond is not sent.
    pub payload: Vec<u8>,
}

/// An answer. Zeros at the end of the payload may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// How it ended.
    pub header: ResponseHeader,
    /// At most [`PAYLOAD_SIZE`] bytes; what is beyond is not sent.
    pub payload: Vec<u8>,
}

impl Request {
    /// The request in its one size.
    #[must_use]
    pub fn to_raw(&self) -> Vec<u8> {
        padded(&self.header.encode(), &self.payload, REQUEST_SIZE)
    }

    /// Reads a raw request, or the body of a framed one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            header: RequestHeader::decode(bytes),
            payload: trimmed(bytes, RequestHeader::SIZE),
        }
    }

    /// Asks for the framed stream.
    #[must_use]
    pub fn hello(id: u64) -> Self {
        let header = RequestHeader {
            kind: kind::HELLO,
            request_id: id,
            ..RequestHeader::default()
        };
        Self {
            header,
            payload: Vec::new(),
        }
    }

    /// An answer without payload that carries the request's numbers.
    #[must_use]
    pub fn answer(&self, status: u32) -> Response {
        let header = ResponseHeader {
            status,
            request_id: self.header.request_id,
            user_data: self.header.user_data,
            ..ResponseHeader::default()
        };
        Response {
            header,
            payload: Vec::new(),
        }
    }
}

impl Response {
    /// The answer in its one size.
    #[must_use]
    pub fn to_raw(&self) -> Vec<u8> {
        padded(&self.header.encode(), &self.payload, RESPONSE_SIZE)
    }

    /// Reads a raw answer, or the body of a framed one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            header: ResponseHeader::decode(bytes),
            payload: trimmed(bytes, ResponseHeader::SIZE),
        }
    }

    /// Whether the request was done.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.header.status == status::OK
    }
}

/// A body for a frame: as short as it can be.
pub(super) fn body(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let sent = payload.get(..PAYLOAD_SIZE).unwrap_or(payload);
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(without_zeros(sent));
    bytes
}

fn padded(header: &[u8], payload: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = body(header, payload);
    bytes.resize(size, 0);
    bytes
}

fn trimmed(bytes: &[u8], header: usize) -> Vec<u8> {
    let payload = bytes.get(header..).unwrap_or_default();
    let payload = payload.get(..PAYLOAD_SIZE).unwrap_or(payload);
    without_zeros(payload).to_vec()
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte != 0);
    end.and_then(|last| bytes.get(..=last)).unwrap_or_default()
}
