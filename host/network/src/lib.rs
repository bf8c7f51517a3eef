//! Networks of a simulation: what a network device's cable can be plugged into besides another device.
//!
//! # Purpose
//!
//! ```text
//!   virtio-net ◄── link, frames ──► Gateway ──Request──► rim: sockets of the host
//!                                      ▲                    │
//!                                      └──── Reply, as input from outside
//! ```
//!
//! [`Gateway`] is the user network: a router at 10.0.2.2 that gives the guest its address, answers names
//! and pings, and carries TCP and UDP to the host's network. It is a component on virtual time.
//!
//! [`Wire`] is a cable of limited bandwidth that may lose frames; a perfect one is a link of the engine.
//!
//! # Invariants
//!
//! * Nothing here touches the host. What is to be done outside is a [`Request`] in [`Requests`]; what
//!   comes of it arrives as a [`Reply`] in a message from outside, so that it is logged with its time.
//! * A gateway without an outside is deterministic, and so is one whose guest asks for nothing outside.
//! * Neither a guest nor a peer is trusted: what is malformed is dropped, tables are bounded, and at
//!   most [`WINDOW`] bytes are on their way in each direction of a connection.
//! * Connections end in sockets of the host, which cannot be saved: a snapshot holds what it takes to reset
//!   them, which is the first thing that a restored gateway does. Everything else is plain data.
//!
//! # What is not here
//!
//! Sockets (`maquette-rim`), network devices (`maquette-virtio`), IPv6, IP fragments, and ICMP beyond
//! the gateway.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod gateway;
mod outside;
mod wire;

pub use gateway::{Counts, GUEST, Gateway, OUTSIDE, Setup};
pub use outside::{BadReply, Reply, Request, Requests, WINDOW};
pub use wire::{Quality, Wire};

use core::net::Ipv4Addr;

/// The gateway: for the guest, the host itself.
pub const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// Who answers for names.
pub const RESOLVER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);
/// The guest.
pub const GUEST_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// How many bits of these addresses name the network.
pub const PREFIX: u8 = 24;
/// Ports that connections and datagrams from outside seem to come from (RFC 6335 §6: the dynamic ones).
const FIRST_PORT: u16 = 49_152;
/// The gateway's names.
pub const NAMES: [&str; 2] = ["gateway", "gateway.maquette"];
