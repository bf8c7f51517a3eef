//! Virtio devices, the queues they serve, and the transport that carries them.
//!
//! # Purpose
//!
//! ```text
//!   driver ──MMIO──► VirtioMmio, VirtioPci ──► VirtioDevice (Block, Console, Net, Rng, Sst)
//!                              │                       │
//!                              └────── Queue ◄─────────┘  QueueCx: pop a Chain, read, write, push
//!                                        │
//!                                        └── Cx::dma_read / dma_write: every access to guest memory
//! ```
//!
//! - [`Queue`] walks split virtqueues (virtio 1.3 §2.7): direct and indirect descriptors, notification
//!   suppression by flag and by event index.
//! - [`VirtioDevice`] is a device at the level of its queues; it does not know its transport.
//! - [`VirtioMmio`] is the modern MMIO transport (virtio 1.3 §4.2) as a register-level device;
//!   [`EmptySlot`] is the same with nothing plugged in. [`VirtioPci`] is the PCI transport (virtio 1.3 §4.1),
//!   a device for a function of `maquette-pci`. What both have in common is written once, in `transport`.
//! - [`Block`], [`Console`], [`Net`], [`Rng`] and [`Sst`] are the devices. A disk's content lies behind
//!   [`BlockBackend`]: [`MemoryDisk`], [`PatternDisk`], [`Overlay`] (copy on write), or a file of the rim.
//!
//! # Invariants
//!
//! - All numbers of the specification come from `maquette-virtio-protocol`.
//! - A driver is not trusted: a queue with loops, wild indices or addresses outside RAM makes the
//!   device ask for a reset (virtio 1.3 §2.1.2) and is reported by `guest_error`. No call works longer than one
//!   queue's worth of chains.
//! - Serving a request allocates nothing once buffers have grown, except where a message or an
//!   overlay's new cluster is the result.
//! - No thread, file, socket, host clock or randomly seeded map.
//!
//! # What is not here
//!
//! Packed queues, the legacy interface, configuration space of PCI, and anything that touches the host.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

pub mod block;
#[cfg(test)]
mod conformance;
mod console;
mod device;
mod mmio;
mod net;
mod pci;
mod queue;
mod rng;
mod sst;
#[cfg(test)]
mod testing;
mod transport;

pub use block::{Block, BlockBackend, BlockError, MemoryDisk, Overlay, Pattern, PatternDisk};
pub use console::Console;
pub use device::{ConfigAccess, QueueCx, VirtioDevice, read_config};
pub use mmio::{EmptySlot, VirtioMmio};
pub use net::Net;
pub use pci::VirtioPci;
pub use queue::{Chain, Queue, QueueError, Segment};
pub use rng::Rng;
pub use sst::{SST_QUEUE_DEPTH, Sst, SstSettings};
