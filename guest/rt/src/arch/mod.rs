//! The part that needs `unsafe`: instructions, entry points, raw memory.
#![expect(
    unsafe_code,
    reason = "start code, traps and device registers cannot be written without it"
)]

pub mod count;
pub mod csr;
mod entry;
pub mod float;
mod mmio;
mod probe;
mod sbicall;
mod smp;
mod trap;

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub use count::{Counter, read_counter};
pub use mmio::Mmio;
pub use probe::{
    Access, Outcome, call_in, caught_in_supervisor, nothing, probe, probe_in, probe_mprv,
};
pub use sbicall::ecall;
pub use smp::{signal, start_machine_hart, start_supervisor_hart};
pub use trap::{Cause, Frame, machine_vector, set_trap_handler, supervisor_vector};

/// Privilege modes, by the number that `mstatus.MPP` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Mode {
    /// U-mode.
    User = 0,
    /// S-mode.
    Supervisor = 1,
    /// M-mode.
    Machine = 3,
}

static BOOT_MODE: AtomicUsize = AtomicUsize::new(Mode::Machine as usize);

/// The mode in which this program was started.
#[must_use]
pub fn boot_mode() -> Mode {
    if BOOT_MODE.load(Ordering::Relaxed) == Mode::Machine as usize {
        Mode::Machine
    } else {
        Mode::Supervisor
    }
}

/// Number of the hart that runs this (see the crate's invariant on `tp`).
#[must_use]
pub fn this_hart() -> usize {
    let tp: usize;
    // SAFETY: reads a register that the compiler leaves alone.
    unsafe { asm!("mv {}, tp", out(reg) tp, options(nomem, nostack, preserves_flags)) };
    tp
}

/// Waits for an interrupt that `mie`/`sie` lets through, whether or not it will be taken.
pub fn wfi() {
    // SAFETY: has no effect on memory or registers.
    unsafe { asm!("wfi", options(nostack)) };
}

/// Makes later instruction fetches of this hart see its earlier stores.
pub fn fence_i() {
    // SAFETY: orders, changes nothing.
    unsafe { asm!("fence.i", options(nostack)) };
}

/// Orders all memory and device accesses.
pub fn fence() {
    // SAFETY: orders, changes nothing.
    unsafe { asm!("fence iorw, iorw", options(nostack)) };
}

/// Drops all translations of this hart.
pub fn sfence_vma() {
    // SAFETY: the tables that are in force decide what is mapped, not this.
    unsafe { asm!("sfence.vma", options(nostack)) };
}

/// Does nothing for ever, with interrupts off.
pub fn park() -> ! {
    match boot_mode() {
        Mode::Machine => csr::MIE.write(0),
        _ => csr::SIE.write(0),
    }
    loop {
        wfi();
    }
}

/// Addresses between which the image is code, constants, and data with stacks.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// First byte of code.
    pub text: usize,
    /// First byte behind the code, which is the first of the constants.
    pub text_end: usize,
    /// First byte behind the constants, which is the first of the data.
    pub rodata_end: usize,
    /// First byte behind everything.
    pub end: usize,
}

/// Where the linker put things (`ld/sections.ld`).
#[must_use]
pub fn image() -> Image {
    unsafe extern "C" {
        static __text_start: u8;
        static __text_end: u8;
        static __rodata_end: u8;
        static __image_end: u8;
    }
    Image {
        text: (&raw const __text_start).addr(),
        text_end: (&raw const __text_end).addr(),
        rodata_end: (&raw const __rodata_end).addr(),
        end: (&raw const __image_end).addr(),
    }
}

/// Takes `len` words of the RAM behind the image, of which there must be enough. Only one call gets
/// them, all others get nothing.
pub fn take_spare_words(len: usize) -> &'static mut [u32] {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return &mut [];
    }
    let start = core::ptr::with_exposed_provenance_mut(image().end);
    // SAFETY: the linker put nothing behind the image, nobody else takes this RAM (see `TAKEN`), and
    // any bit pattern is a word.
    unsafe { core::slice::from_raw_parts_mut(start, len) }
}

/// A device tree at `address`, checked from end to end.
pub fn device_tree(address: usize) -> Option<dtoolkit::fdt::Fdt<'static>> {
    // SAFETY: the boot protocol promises a device tree that nobody changes; what is in it is
    // validated here before use.
    unsafe { dtoolkit::fdt::Fdt::from_raw(core::ptr::with_exposed_provenance(address)) }.ok()
}
