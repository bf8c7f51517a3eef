//! What a virtio-sst device, its driver and its simulator agree on.
//!
//! # Purpose
//!
//! virtio-sst hands work of a guest to a model of an accelerator: a request of 4104 bytes out, an answer of
//! 4112 bytes back, with the cycles that the work took. Four programs meet here: the driver in a guest (or in
//! Linux), the device, the simulator, and the tests between them. The format is written down in
//! docs/virtio-sst.md; comments name its sections as `docs/virtio-sst.md §…`.
//!
//! - [`layout`]: structures, numbers, limits. `core` only; a kernel module takes the file by path.
//! - `peer` (feature `peer`): device and simulator over a socket, raw or framed, as state machines
//!   without I/O: requests in flight, deadlines, late and doubled answers, connecting again.
//! - [`models`]: the registers of the register-level models.
//! - [`register`]: register accesses as messages of 20 and 16 bytes.
//! - [`text`]: register accesses as lines over a serial port.
//!
//! # Invariants
//!
//! - Everything is little-endian; structures have no holes, which is checked at compile time.
//! - A request ends exactly once, whatever the other end does.
//! - No function panics, whatever bytes it is given; none reads a clock.
//!
//! # What is not here
//!
//! - What a request does: that is the model's (`host/devices`).
//! - Virtqueues and registers of virtio: `protocols/virtio`.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]
#![no_std]

#[cfg(feature = "peer")]
extern crate alloc;

pub mod layout;
pub mod models;
#[cfg(feature = "peer")]
pub mod peer;
pub mod register;
pub mod text;
