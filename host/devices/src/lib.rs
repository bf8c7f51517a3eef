//! Device models, one module each.
//!
//! # Purpose
//!
//! A device is what a driver talks to: registers, an interrupt line, perhaps a link to the outside.
//! Each one here is a plain state machine behind [`maquette_model::Device`], so that the same type
//! serves a machine, a simulation and a unit test.
//!
//! - [`Uart16550`]: the serial port (National Semiconductor PC16550D).
//! - [`Plic`]: the platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
//! - [`Clint`]: software interrupts and the timer (SiFive FU540 manual, chapter 9).
//! - [`Rtc`]: the date and an alarm (Goldfish real-time clock).
//! - [`Finisher`]: the test finisher that stops or restarts the machine.
//! - [`Echo`], [`Calculator`], [`Engine`]: register-level models that take exact numbers of cycles.
//! - [`HsaQueue`]: kernels of an HSA queue and the cycles that they take; a component of a simulation.
//! - [`Accelerator`]: what virtio-sst devices send work to; a component of a simulation, not of a machine.
//!
//! # Invariants
//!
//! - Every offset and width is answered, with a value or a bus error; no value makes a device panic.
//!   A mistake of the guest is reported by `guest_error` and otherwise ignored.
//! - Registers are listed once, in a table per device that names the manual.
//! - An interrupt line is driven only when its level changes.
//! - Time comes from the host of the model only; nothing here uses a thread, a file, a socket, the
//!   host's clock or a randomly seeded map.
//!
//! # What is not here
//!
//! The bus that finds a device (`maquette-machine`), virtio devices (`maquette-virtio`), and whatever
//! stands at the other end of a link.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod accelerator;
mod clint;
mod finisher;
mod hsa;
mod modelled;
mod plic;
mod rtc;
mod uart16550;

pub use accelerator::{Accelerator, AcceleratorSettings, Timing};
pub use clint::Clint;
pub use finisher::Finisher;
pub use hsa::{HsaQueue, HsaSettings};
pub use modelled::{Calculator, Cycles, Echo, Engine};
pub use plic::Plic;
pub use rtc::{Rtc, UnixTime};
pub use uart16550::Uart16550;
