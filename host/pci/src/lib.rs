//! PCI Express as a guest meets it: functions, and the root complex that they hang from.
//!
//! # Purpose
//!
//! ```text
//!   driver ──ECAM──► Function ──► PciDevice        configuration space, capabilities, reset
//!          ──BAR───►    │    └──► (regions 0–5)    registers of the device
//!                       ├── MSI-X table            messages, masked and pending
//!                       └── FunctionHost           bus mastering, INTA#, messages
//! ```
//!
//! - [`PciDevice`] is a register-level device whose regions are its base address registers, and which
//!   says what its configuration space holds ([`Layout`]).
//! - [`Function`] puts it behind configuration space and is a device itself: region [`CONFIG`] is its
//!   configuration space, regions 0 to 5 are the memory behind its base address registers.
//! - [`HostBridge`] is function 00:00.0; [`RootComplex`] answers what no function claims.
//!
//! # Invariants
//!
//! - All numbers of the specification come from `maquette-pci-protocol`.
//! - A driver is not trusted: accesses of every width and offset are answered, read-only bits stay as they are.
//! - A device accesses memory and sends messages only while the driver lets it master the bus.
//! - INTA# is driven only when its level changes, and never while message interrupts are in use.
//! - No thread, file, socket, host clock or randomly seeded map.
//!
//! # What is not here
//!
//! Which addresses lead to a function (the machine asks [`PciFunction::decode`]), bridges and buses behind
//! them, I/O ports, expansion ROMs, and the delivery of messages.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod bridge;
mod function;
mod layout;
mod msix;
mod root;
mod space;

pub use bridge::HostBridge;
pub use function::{CONFIG, Function, PciFunction};
pub use layout::{Bar, Layout, LayoutError, PciDevice, VendorCapability};
pub use root::RootComplex;
