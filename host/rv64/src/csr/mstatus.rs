//! Fields of `mstatus` and what a write may change (privileged ISA §3.1.6).

/// Supervisor interrupts on.
pub const SIE: u64 = 1 << 1;
/// Machine interrupts on.
pub const MIE: u64 = 1 << 3;
/// SIE before the trap.
pub const SPIE: u64 = 1 << 5;
/// MIE before the trap.
pub const MPIE: u64 = 1 << 7;
/// Privilege before a trap to S.
pub const SPP: u64 = 1 << 8;
/// Where MPP begins.
pub const MPP_SHIFT: u32 = 11;
/// Privilege before a trap to M.
pub const MPP: u64 = 3 << MPP_SHIFT;
/// Floating-point state; both bits set: dirty.
pub const FS: u64 = 3 << 13;
/// Initial state of FS.
pub const FS_INITIAL: u64 = 1 << 13;
/// Data accesses use the privilege in MPP.
pub const MPRV: u64 = 1 << 17;
/// Supervisor may access user pages.
pub const SUM: u64 = 1 << 18;
/// Executable pages are readable.
pub const MXR: u64 = 1 << 19;
/// Trap `satp` accesses and `sfence.vma` from S.
pub const TVM: u64 = 1 << 20;
/// Trap `wfi` from below M.
pub const TW: u64 = 1 << 21;
/// Trap `sret` from S.
pub const TSR: u64 = 1 << 22;
/// UXL = SXL = 64 bits, read-only.
pub const XL: u64 = 2 << 32 | 2 << 34;
/// Some extension's state is dirty, read-only summary of FS.
pub const SD: u64 = 1 << 63;

const WRITABLE: u64 = SIE | MIE | SPIE | MPIE | SPP | MPP | FS | MPRV | SUM | MXR | TVM | TW | TSR;

/// What `sstatus` shows and lets through.
pub const SSTATUS_WRITABLE: u64 = SIE | SPIE | SPP | FS | SUM | MXR;
/// The read-only part of `sstatus`.
const SSTATUS_SHOWN: u64 = SSTATUS_WRITABLE | SD | 3 << 32;

/// The value after writing `v` over `old`. A reserved MPP is ignored.
#[must_use]
pub const fn write(old: u64, v: u64) -> u64 {
    let mut n = (old & !WRITABLE) | (v & WRITABLE);
    if v >> MPP_SHIFT & 3 == 2 {
        n = (n & !MPP) | (old & MPP);
    }
    n
}

/// What a read of `mstatus` gives.
#[must_use]
pub const fn read(s: u64) -> u64 {
    let sd = if s & FS == FS { SD } else { 0 };
    s & WRITABLE | XL | sd
}

/// What a read of `sstatus` gives.
#[must_use]
pub const fn read_s(s: u64) -> u64 {
    read(s) & SSTATUS_SHOWN
}
