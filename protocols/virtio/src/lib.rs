//! What a virtio device and its driver agree on.
//!
//! # Purpose
//!
//! A virtio boundary has two sides: a device model on the host, a driver in a guest. Both sides, and
//! the tests that stand between them, take every offset, bit and structure from here, so that no
//! number of the specification is written twice. All facts are those of *Virtual I/O Device (VIRTIO)
//! Version 1.3*; each item names its section as `virtio 1.3 §…`.
//!
//! - [`mmio`]: the register block of the memory-mapped transport.
//! - [`pci`]: the capabilities and registers of the PCI transport.
//! - [`DeviceStatus`], [`Features`], [`InterruptStatus`], [`DeviceId`]: the values in those registers.
//! - [`queue`]: the split virtqueue: descriptors, available ring, used ring, their sizes and
//!   alignments, and the notification-suppression arithmetic.
//! - [`blk`], [`console`], [`net`], [`rng`]: queues, feature bits, configuration space and requests of the
//!   four device types in use.
//!
//! # Invariants
//!
//! - Everything in memory is little-endian, whatever the host: structures use the byte-order types of
//!   `zerocopy` and may be viewed at any address. Sizes and field offsets are checked at compile time.
//! - Unknown bits and unknown numbers survive: flag types keep bits they have no name for, and number
//!   types are newtypes around the raw value, because the peer is not trusted to send known ones.
//! - No function here panics, allocates or touches memory it was not handed.
//!
//! # What is not here
//!
//! - The state of a device or a driver (a queue walker, a descriptor allocator): those belong to the
//!   side that owns the state.
//! - The legacy interface, packed virtqueues, and what all PCI functions have (`maquette-pci-protocol`).
//! - Any I/O: reading a register is the business of the caller.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]
#![no_std]

pub mod blk;
pub mod console;
mod feature;
mod id;
pub mod mmio;
pub mod net;
pub mod pci;
pub mod queue;
pub mod rng;
mod status;

pub use feature::Features;
pub use id::DeviceId;
pub use status::{DeviceStatus, InterruptStatus};
