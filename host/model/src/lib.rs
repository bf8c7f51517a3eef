//! The vocabulary that every model speaks: addresses, time, RAM, bus accesses, and the traits that
//! join a CPU, a device and the machine around them.
//!
//! # The picture
//!
//! ```text
//!            Vcpu::run ──────► Exit::Mmio ──────► machine finds the device
//!               ▲                                        │
//!               └── Vcpu::finish(Answer) ◄── Access<u64> ◄── Device::read / write
//!                                                        │
//!                        Host: time, timers, lines, DMA, links  (one implementation per host)
//! ```
//!
//! * A [`Vcpu`] executes guest instructions and returns an [`Exit`] when it needs something that it
//!   does not own. It knows no device.
//! * A [`Device`] is a plain state machine. It reaches the world only through its [`Cx`], so that the
//!   same type runs in a machine, behind a socket, in a simulation and in a unit test.
//! * A [`Host`] is what stands behind `Cx`. DMA policy, tracing and hashing happen there, once.
//! * [`Ram`] is the guest's memory. Every writer goes through it, which is what keeps cached code,
//!   snapshots and watchpoints right.
//! * [`SimTime`] is virtual time in picoseconds. Nothing in here reads the host's clock.
//!
//! # Invariants
//!
//! * Guest-physical, guest-virtual and I/O addresses are different types and never convert silently.
//! * An access that cannot be answered now is [`Access::Pending`], never a blocking call.
//! * Everything is single-threaded by construction: one machine lives in one partition, and only link
//!   messages leave it.
//! * No guest-supplied value can make a function here panic.
//!
//! # What is not here
//!
//! No event queue (`maquette-sim`), no trace (`maquette-trace`), no device, no CPU, no I/O.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

pub mod access;
pub mod addr;
pub mod debug;
pub mod device;
pub mod inspect;
pub mod ram;
pub mod registers;
pub mod sections;
pub mod snapshot;
pub mod testing;
pub mod time;
pub mod vcpu;

pub use access::{Access, BusError, Token, Width};
pub use addr::{Iova, PhysAddr, VirtAddr};
pub use debug::{DebugStop, Debuggable, Points, Watch, WatchKind};
pub use device::{
    Cx, Device, DmaError, Event, Host, Message, PortId, PowerRequest, Region, RegisterInfo,
    ResetKind, Role, TimerId,
};
pub use inspect::{Inspect, Node, Shown, Tree, Value};
pub use ram::{Ram, RamError};
pub use sections::{RestoreError, SaveError, Section, Sections};
pub use snapshot::{LoadError, Reader, Snapshot, Writer};
pub use time::{Frequency, SimTime};
pub use vcpu::{Answer, CpuLine, Exit, Fail, HypercallArgs, MmioOp, Vcpu};
