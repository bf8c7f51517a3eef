//! What a gateway asks of the world outside, and what it is told.

use core::net::Ipv4Addr;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use thiserror::Error;

/// Bytes that may be on their way in one direction of a connection.
pub const WINDOW: usize = 64 * 1024;
/// Requests that wait; datagrams beyond are lost, as datagrams are.
const MOST_WAITING: usize = 1024;

/// Something to be done outside. `id` names a connection or a flow of datagrams; the gateway numbers
/// those that the guest begins with even numbers, the rim those that come in with odd ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Connect; answered by [`Reply::Connected`] or [`Reply::Closed`].
    Connect {
        /// Its name from now on.
        id: u32,
        /// Where to; addresses of the gateway mean the host.
        to: (Ipv4Addr, u16),
    },
    /// Send over a connection; answered by [`Reply::Sent`].
    Send {
        /// Which.
        id: u32,
        /// What.
        bytes: Vec<u8>,
    },
    /// There is room for so many more bytes from outside, beyond the first [`WINDOW`].
    Room {
        /// On which connection.
        id: u32,
        /// How many.
        bytes: usize,
    },
    /// The guest will send nothing more.
    Finish {
        /// On which connection.
        id: u32,
    },
    /// Forget a connection or a flow.
    Close {
        /// Which.
        id: u32,
    },
    /// Send a datagram.
    Datagram {
        /// The flow; a new one is a new socket.
        id: u32,
        /// Where to; the same for all of a flow.
        to: (Ipv4Addr, u16),
        /// What.
        bytes: Vec<u8>,
    },
}

/// What happened outside. It travels as the content of a message, so that it is logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A connection is there.
    Connected {
        /// Which.
        id: u32,
    },
    /// A connection is not there, or no more.
    Closed {
        /// Which.
        id: u32,
    },
    /// Somebody connected to the port that a forward listens at.
    Accepted {
        /// Its name from now on.
        id: u32,
        /// The guest's port.
        port: u16,
    },
    /// So many bytes have left the host.
    Sent {
        /// On which connection.
        id: u32,
        /// How many.
        bytes: u32,
    },
    /// Bytes came.
    Data {
        /// Over which connection.
        id: u32,
        /// What.
        bytes: Vec<u8>,
    },
    /// The peer will send nothing more.
    Finished {
        /// On which connection.
        id: u32,
    },
    /// A datagram came to the port that a forward listens at.
    Arrived {
        /// The flow; each peer's is another.
        id: u32,
        /// The guest's port.
        port: u16,
        /// What.
        bytes: Vec<u8>,
    },
    /// A datagram came.
    Datagram {
        /// In which flow.
        id: u32,
        /// What.
        bytes: Vec<u8>,
    },
}

/// A message from outside that is no [`Reply`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a message of {0} bytes from outside is none of a user network")]
pub struct BadReply(pub usize);

impl Reply {
    /// As bytes: kind, id, and the rest, little endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let ported;
        let (kind, id, rest): (u8, u32, &[u8]) = match self {
            Self::Connected { id } => (0, *id, &[]),
            Self::Closed { id } => (1, *id, &[]),
            Self::Accepted { id, port } => (2, *id, &port.to_le_bytes()),
            Self::Sent { id, bytes } => (3, *id, &bytes.to_le_bytes()),
            Self::Data { id, bytes } => (4, *id, bytes),
            Self::Finished { id } => (5, *id, &[]),
            Self::Datagram { id, bytes } => (6, *id, bytes),
            Self::Arrived { id, port, bytes } => {
                ported = [&port.to_le_bytes()[..], bytes].concat();
                (7, *id, &ported)
            }
        };
        [&[kind], &id.to_le_bytes()[..], rest].concat()
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are none of a reply.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadReply> {
        let bad = BadReply(bytes.len());
        let (kind, rest) = bytes.split_first().ok_or(bad)?;
        let (id, rest) = rest.split_first_chunk().ok_or(bad)?;
        let id = u32::from_le_bytes(*id);
        let whole = |reply| if rest.is_empty() { Ok(reply) } else { Err(bad) };
        match kind {
            0 => whole(Self::Connected { id }),
            1 => whole(Self::Closed { id }),
            2 => {
                let port = u16::from_le_bytes(rest.try_into().map_err(|_| bad)?);
                Ok(Self::Accepted { id, port })
            }
            3 => {
                let bytes = u32::from_le_bytes(rest.try_into().map_err(|_| bad)?);
                Ok(Self::Sent { id, bytes })
            }
            4 => Ok(Self::Data {
                id,
                bytes: rest.to_vec(),
            }),
            5 => whole(Self::Finished { id }),
            6 => Ok(Self::Datagram {
                id,
                bytes: rest.to_vec(),
            }),
            7 => {
                let (port, bytes) = rest.split_first_chunk().ok_or(bad)?;
                Ok(Self::Arrived {
                    id,
                    port: u16::from_le_bytes(*port),
                    bytes: bytes.to_vec(),
                })
            }
            _ => Err(bad),
        }
    }
}

/// Requests on their way from a gateway to whoever carries them out.
#[derive(Clone, Debug, Default)]
pub struct Requests(Rc<RefCell<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Request>,
    ignored: bool,
}

impl Requests {
    /// Adds one. A datagram is lost where too many wait.
    pub fn put(&self, request: Request) {
        let mut waiting = self.0.borrow_mut();
        let full = waiting.requests.len() >= MOST_WAITING;
        let lost = full && matches!(request, Request::Datagram { .. });
        if !lost && !waiting.ignored {
            waiting.requests.push_back(request);
        }
    }

    /// From now on nobody carries out what is asked: what comes of it is known already.
    pub fn ignore(&self) {
        let mut waiting = self.0.borrow_mut();
        waiting.ignored = true;
        waiting.requests.clear();
    }

    /// Takes the oldest.
    #[must_use]
    pub fn take(&self) -> Option<Request> {
        self.0.borrow_mut().requests.pop_front()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().requests.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_is_the_same_after_its_journey() {
        let bytes = vec![1, 2, 3];
        for reply in [
            Reply::Connected { id: 1 },
            Reply::Closed { id: u32::MAX },
            Reply::Accepted { id: 3, port: 22 },
            Reply::Sent {
                id: 4,
                bytes: 70_000,
            },
            Reply::Data {
                id: 5,
                bytes: bytes.clone(),
            },
            Reply::Finished { id: 6 },
            Reply::Datagram {
                id: 7,
                bytes: bytes.clone(),
            },
            Reply::Arrived {
                id: 9,
                port: 53,
                bytes,
            },
        ] {
            let mut encoded = reply.encode();
            assert_eq!(Reply::decode(&encoded), Ok(reply.clone()));
            if !matches!(
                reply,
                Reply::Data { .. } | Reply::Datagram { .. } | Reply::Arrived { .. }
            ) {
                encoded.push(0);
                assert_eq!(Reply::decode(&encoded), Err(BadReply(encoded.len())));
            }
        }
        for bad in [
            &[][..],
            &[0],
            &[0, 1, 2, 3],
            &[7, 0, 0, 0, 0],
            &[7, 0, 0, 0, 0, 1],
            &[8, 0, 0, 0, 0],
            &[2, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(Reply::decode(bad), Err(BadReply(bad.len())));
        }
    }
}
