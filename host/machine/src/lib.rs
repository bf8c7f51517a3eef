//! The machine: harts, RAM, bus and devices on one clock.
//!
//! ```text
//!  Machine (a component of maquette-sim)          machine/
//!   ├─ schedule   which hart runs, how far; device events; idle harts
//!   ├─ exits      what a hart asked for: MMIO, firmware calls
//!   ├─ bus        address -> device, interrupt wiring
//!   └─ Core       what a device call may touch: RAM, events, PLIC, trace   (one `Host`)
//!  board          the memory map as data, and the device tree made from it  board/
//!  boot           kernel images, their placement, register state            boot/
//!  debug          a debugger's protocol                                     debug/
//!  diagnostics    what a guest's drivers do wrong, counted                  diagnostics/
//!  sbi            the firmware interface that the machine answers itself    sbi/
//! ```
//!
//! # Invariants
//!
//! * A machine is one partition: nothing in it is shared with another thread, and only messages over
//!   its ports leave it.
//! * Harts take turns in an order that is a function of the guest alone. How far the engine lets the
//!   machine run at once (its horizon) is not observable.
//! * A message leaves stamped with the latest time that any hart has reached, so that stamps never
//!   decrease although harts take turns.
//! * Every guest access to a device, every DMA, interrupt, firmware call and console byte is hashed.
//!
//! # Not here
//!
//! Instructions (`maquette-rv64`), device models (`maquette-devices`, `maquette-virtio`), files and
//! terminals (`maquette-rim`), system files (`maquette-system`).

pub mod board;
pub mod boot;
pub mod debug;
pub mod diagnostics;
mod machine;
pub mod sbi;

pub use machine::{
    BootMode, BootSource, CONSOLE, Config, HartStatistics, Machine, MachineError, PciSlot,
    Progress, Slot, Statistics, Status, pci_port,
};
pub use maquette_devices::UnixTime;
