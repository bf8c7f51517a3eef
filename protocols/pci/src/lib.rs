//! What a PCI Express function and its driver agree on.
//!
//! # Purpose
//!
//! Both sides of a PCI boundary, the model of a function on the host and a driver in a guest, take every
//! offset and bit of configuration space from here. Facts are those of the *PCI Local Bus Specification 3.0*
//! (cited as `PCI 3.0 §…`) and of the *PCI Express Base Specification 5.0* (`PCIe 5.0 §…`).
//!
//! - [`header`]: the type 0 header, with [`Command`] and [`Status`].
//! - [`bar`]: base address registers.
//! - [`capability`]: the list of capabilities and their numbers; [`msix`] and [`express`] are two of them.
//! - [`ecam`]: where the configuration space of a function lies in memory.
//! - [`Identity`]: the numbers by which a driver knows its device.
//!
//! # Invariants
//!
//! - Everything is little-endian. Offsets are bytes from the start of a function's configuration space,
//!   or of a capability where the item says so.
//! - Unknown bits survive: flag types keep bits they have no name for.
//! - No function here panics, allocates or touches memory it was not handed.
//!
//! # What is not here
//!
//! State of either side, bridges (type 1 headers), I/O ports, and what vendors put into their own
//! capabilities: those of virtio are in `maquette-virtio-protocol`.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]
#![no_std]

pub mod bar;
pub mod capability;
pub mod ecam;
pub mod express;
pub mod header;
mod identity;
pub mod msix;

pub use header::{Command, Status};
pub use identity::{ClassCode, Identity};
