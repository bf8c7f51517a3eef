//! A driver for virtio-sst that needs no operating system.
//!
//! # Purpose
//!
//! [`Driver`] brings the device up over virtio-mmio and works its request queue and its event queue, by polling
//! or by interrupt, one request at a time or up to [`SLOTS`] in flight. What driver and device share is one static of
//! atomics ([`Shared`]), so that nothing here needs `unsafe` or an allocator.
//!
//! # Invariants
//!
//! - All numbers come from `maquette-virtio-protocol` and `maquette-virtio-sst-protocol`.
//! - The device is not trusted to answer rightly: an answer that names no request in flight, or has the wrong length,
//!   is an error and no answer.
//!
//! # What is not here
//!
//! The legacy interface, packed queues, the PCI transport.
#![no_std]

mod driver;
mod queue;
mod shared;

pub use driver::{Answer, Driver, Error};
pub use shared::{SLOTS, Shared, Slot};
