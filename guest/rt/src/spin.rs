//! A lock for data that several harts use.

use core::sync::atomic::{AtomicBool, Ordering};

/// Mutual exclusion by spinning. It guards an activity, not a value: what the guests share is made
/// of atomics anyway.
#[derive(Debug, Default)]
pub struct Lock(AtomicBool);

impl Lock {
    /// An open lock.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Runs `f` while no other hart is inside.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        while self
            .0
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            core::hint::spin_loop();
        }
        let result = f();
        self.0.store(false, Ordering::Release);
        result
    }
}
