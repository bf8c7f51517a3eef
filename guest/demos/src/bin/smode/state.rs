//! What trap handlers and the rest of the kernel tell each other. All indices are logical hart
//! numbers: 0 is the boot hart.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

/// Number of harts that take part.
pub const HARTS: usize = 2;

/// What one hart has seen.
#[derive(Debug)]
pub struct Seen {
    /// Software interrupts.
    pub ipis: AtomicUsize,
    /// Timer interrupts.
    pub ticks: AtomicUsize,
    /// Timer interrupts that came before their time.
    pub early_ticks: AtomicUsize,
    /// When the next timer interrupt is due.
    pub deadline: AtomicU64,
}

impl Seen {
    const fn new() -> Self {
        Self {
            ipis: AtomicUsize::new(0),
            ticks: AtomicUsize::new(0),
            early_ticks: AtomicUsize::new(0),
            deadline: AtomicU64::new(u64::MAX),
        }
    }
}

/// By logical hart number.
pub static SEEN: [Seen; HARTS] = [const { Seen::new() }; HARTS];

/// Timer ticks between two timer interrupts.
pub static INTERVAL: AtomicU64 = AtomicU64::new(0);
/// Whether S-mode programs its own timer.
pub static SSTC: AtomicBool = AtomicBool::new(false);
/// Page faults in the window that is mapped on demand.
pub static DEMAND_FAULTS: AtomicUsize = AtomicUsize::new(0);
/// Stores to constants that were refused.
pub static REFUSED_STORES: AtomicUsize = AtomicUsize::new(0);
/// Interrupts of the disk.
pub static DISK_INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

/// What the calling hart has seen.
pub fn mine() -> &'static Seen {
    &SEEN[maquette_guest_rt::arch::this_hart()]
}
