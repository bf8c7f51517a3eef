//! What every guest program of this workspace stands on.
//!
//! # Purpose
//!
//! A guest here is a small program that owns a whole RISC-V machine, to show that the machine works or
//! to test one corner of it. This crate holds what they share:
//!
//! - the two ways in: a bare ELF in M-mode at the start of RAM, or an S-mode kernel behind an SBI
//!   (`ld/machine.ld`, `ld/supervisor.ld`, [`entry!`]);
//! - [`println!`], [`check!`] and a panic handler that stops the machine with the line that failed;
//! - [`arch`]: CSRs, traps, other harts, and probes that run one instruction at a chosen privilege;
//! - [`paging`]: Sv39 to Sv57 tables; [`devtree`]: the facts of the device tree; [`sbi`], [`plic`],
//!   [`board`].
//!
//! # Invariants
//!
//! - `unsafe` lives in [`arch`] only. Memory that a device or another hart also uses is made of
//!   atomics, so the rest of the code stays safe.
//! - RAM is mapped at its own address whenever paging is on: an address is a physical address.
//! - `tp` holds the hart's number (M-mode) or its logical number, the boot hart being 0 (S-mode).
//! - Floating-point registers are not saved by the trap entry: trap handlers do not compute with
//!   floats.
//!
//! # What is not here
//!
//! - A sound hardware abstraction layer. Writing a CSR is a safe function here although a wrong value
//!   can take the ground from under the program: doing that on purpose is what these guests are for.
//! - An allocator, user programs, anything that a guest needs to be more than a demonstration.
#![no_std]

pub mod arch;
pub mod board;
pub mod console;
pub mod devtree;
pub mod finish;
pub mod paging;
pub mod plic;
pub mod sbi;
mod spin;

pub use spin::Lock;

/// Number of harts that stacks exist for (`ld/sections.ld` reserves as many).
pub const MAX_HARTS: usize = 8;

/// Names the function that runs on the boot hart: `fn main(boot: maquette_guest_rt::Boot) -> !`.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // The start code calls it by this name.
        #[unsafe(no_mangle)]
        extern "C" fn guest_main(boot: $crate::Boot) -> ! {
            let main: fn($crate::Boot) -> ! = $main;
            main(boot)
        }
    };
}

/// What the boot hart is told when it starts.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Boot {
    /// Hardware number of the boot hart.
    pub hart: usize,
    /// Address of the flattened device tree.
    pub dtb: usize,
}
