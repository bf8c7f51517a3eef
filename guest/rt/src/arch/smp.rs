//! Starting further harts.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{csr, trap, wfi};
use crate::{MAX_HARTS, board, sbi};

/// What each hart is to run: a `fn(usize) -> !`, or 0.
static WORK: [AtomicUsize; MAX_HARTS] = [const { AtomicUsize::new(0) }; MAX_HARTS];

/// Starts hart `hart`, which sleeps in the start code, with `work(hart)`. Says whether there are that
/// many stacks.
pub fn start_machine_hart(hart: usize, work: fn(usize) -> !) -> bool {
    let Some(slot) = WORK.get(hart) else {
        return false;
    };
    slot.store(work as usize, Ordering::Release);
    signal(hart);
    true
}

/// Raises a machine software interrupt on `hart`.
pub fn signal(hart: usize) {
    super::fence();
    board::CLINT.write32(board::msip(hart), 1);
}

/// Starts hart `hart` by HSM as logical number `index` with `work(index)`.
pub fn start_supervisor_hart(
    hart: usize,
    index: usize,
    work: fn(usize) -> !,
) -> Result<(), sbi::Error> {
    // -3 is what an SBI answers to parameters that make no sense.
    let slot = WORK.get(index).ok_or(sbi::Error(-3))?;
    slot.store(work as usize, Ordering::Release);
    sbi::hart_start(hart, start_hart as *const () as usize, index)?;
    Ok(())
}

/// Where HSM starts a hart: `a0` hart number, `a1` logical number (SBI 2.0 chapter 9).
///
/// # Safety
///
/// To be entered by firmware only.
#[unsafe(naked)]
unsafe extern "C" fn start_hart() -> ! {
    naked_asm!(
        "csrw sie, zero",
        ".option push",
        ".option norelax",
        "la gp, __global_pointer$",
        ".option pop",
        "mv tp, a1",
        "la sp, __stacks",
        "addi t1, a1, 1",
        "slli t1, t1, 16",
        "add sp, sp, t1",
        "la t0, {vector}",
        "csrw stvec, t0",
        "li t0, 0x2000",
        "csrs sstatus, t0",
        "csrw fcsr, zero",
        "mv a0, a1",
        "tail {run}",
        vector = sym trap::supervisor_trap,
        run = sym run,
    )
}

/// Where a bare program's further harts wait.
pub(super) extern "C" fn machine_secondary(hart: usize) -> ! {
    csr::MIE.write(csr::MSI);
    while csr::MIP.read() & csr::MSI == 0 {
        wfi();
    }
    board::CLINT.write32(board::msip(hart), 0);
    csr::MIE.write(0);
    run(hart)
}

extern "C" fn run(index: usize) -> ! {
    let work = WORK.get(index).map_or(0, |w| w.load(Ordering::Acquire));
    if work != 0 {
        // SAFETY: only the two start functions above store here, and they store such a function.
        let work: fn(usize) -> ! = unsafe { core::mem::transmute(work) };
        work(index)
    }
    super::park()
}
