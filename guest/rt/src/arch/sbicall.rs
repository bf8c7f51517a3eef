//! The SBI's calling convention (SBI 2.0 chapter 3).

use core::arch::asm;

/// Calls function `fid` of extension `eid`; returns `a0` (error) and `a1` (value).
pub fn ecall(eid: usize, fid: usize, args: [usize; 5]) -> (usize, usize) {
    let (error, value);
    let [a0, a1, a2, a3, a4] = args;
    // SAFETY: the firmware keeps all registers but a0 and a1 and writes only memory that the call
    // names.
    unsafe {
        asm!(
            "ecall",
            inlateout("a0") a0 => error,
            inlateout("a1") a1 => value,
            in("a2") a2,
            in("a3") a3,
            in("a4") a4,
            in("a6") fid,
            in("a7") eid,
            options(nostack),
        );
    }
    (error, value)
}
