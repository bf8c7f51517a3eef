//! The first instructions of a guest, and of each further hart.

use core::arch::naked_asm;
use core::sync::atomic::Ordering;

use super::{BOOT_MODE, Mode, smp, trap};
use crate::{Boot, MAX_HARTS};

unsafe extern "C" {
    // Defined by `entry!` in the program.
    safe fn guest_main(boot: Boot) -> !;
}

/// Entry of a bare program. All harts come here, with their number in `mhartid` and the device
/// tree's address in `a1`; those but hart 0 sleep until they are signalled.
///
/// # Safety
///
/// To be entered once per hart by a reset.
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.entry.machine")]
unsafe extern "C" fn _start_machine() -> ! {
    naked_asm!(
        "csrw mie, zero",
        ".option push",
        ".option norelax",
        "la gp, __global_pointer$",
        ".option pop",
        "csrr a0, mhartid",
        "mv tp, a0",
        // A hart without a stack sleeps for ever.
        "li t0, {harts}",
        "1: bltu a0, t0, 2f",
        "wfi",
        "j 1b",
        "2: la sp, __stacks",
        "addi t1, a0, 1",
        "slli t1, t1, 16",
        "add sp, sp, t1",
        "la t0, {vector}",
        "csrw mtvec, t0",
        // Floating point on, rounding to nearest, no flags.
        "li t0, 0x2000",
        "csrs mstatus, t0",
        "csrw fcsr, zero",
        "bnez a0, 5f",
        "la t0, __bss_start",
        "la t1, __bss_end",
        "3: bgeu t0, t1, 4f",
        "sd zero, 0(t0)",
        "addi t0, t0, 8",
        "j 3b",
        "4: tail {main}",
        "5: tail {secondary}",
        harts = const MAX_HARTS,
        vector = sym trap::machine_trap,
        main = sym machine_main,
        secondary = sym smp::machine_secondary,
    )
}

/// Entry of an S-mode kernel: `a0` is the boot hart's number, `a1` the device tree's address, paging
/// is off (SBI 2.0 chapter 9, which the firmware follows for the boot hart too).
///
/// # Safety
///
/// To be entered once, by firmware.
#[unsafe(naked)]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.entry.supervisor")]
unsafe extern "C" fn _start_supervisor() -> ! {
    naked_asm!(
        "csrw sie, zero",
        ".option push",
        ".option norelax",
        "la gp, __global_pointer$",
        ".option pop",
        "li tp, 0",
        "la sp, __stacks + 0x10000",
        "la t0, {vector}",
        "csrw stvec, t0",
        "li t0, 0x2000",
        "csrs sstatus, t0",
        "csrw fcsr, zero",
        "la t0, __bss_start",
        "la t1, __bss_end",
        "1: bgeu t0, t1, 2f",
        "sd zero, 0(t0)",
        "addi t0, t0, 8",
        "j 1b",
        "2: tail {main}",
        vector = sym trap::supervisor_trap,
        main = sym supervisor_main,
    )
}

extern "C" fn machine_main(hart: usize, dtb: usize) -> ! {
    guest_main(Boot { hart, dtb })
}

extern "C" fn supervisor_main(hart: usize, dtb: usize) -> ! {
    BOOT_MODE.store(Mode::Supervisor as usize, Ordering::Relaxed);
    guest_main(Boot { hart, dtb })
}
