//! Both ends of the socket: state machines without a socket (docs/virtio-sst.md §4).
//!
//! A raw stream has no framing: requests of 4104 bytes one way, answers of 4112 the other. A framed
//! stream (version 2) has lengths, ids, events and simulated time. The client asks for it by a request of the
//! reserved kind HELLO in raw form: an original server answers INVALID, and the stream stays raw.

mod backoff;
mod client;
mod frame;
mod history;
mod message;
mod server;
mod stream;

pub use client::{Client, ClientCounters, ClientSettings, Refused, Report, RequestToken};
pub use frame::{FRAMING, Frame, FrameHeader, MAGIC, StreamError};
pub use message::{Request, Response};
pub use server::{Framing, Server, ServerCounters, Ticket};
pub use stream::Stream;
