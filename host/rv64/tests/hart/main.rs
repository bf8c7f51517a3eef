//! What a hart promises to the machine around it: exact budgets, determinism, memory, traps, snapshots.
//!
//! Programs are built in memory with the crate's own encoder ([`asm`]) and run on a [`rig::Rig`], which
//! plays the machine: it answers device accesses and sleeps by rules that depend on nothing but the
//! hart's state. `MAQUETTE_EFFORT` multiplies the number of generated cases.

mod access;
mod allocations;
mod asm;
mod atomics;
mod budgets;
mod code;
mod counters;
mod debugging;
mod interrupts;
mod paging;
mod programs;
mod reference;
mod reservations;
mod rig;
mod snapshot;
mod stale;
mod status;
mod traps;
