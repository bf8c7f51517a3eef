//! When to try again (docs/virtio-sst.md §4).

use core::time::Duration;

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Waits twice as long after each failure, up to a second.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    wait: Duration,
    next_try: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            wait: FIRST,
            next_try: Duration::ZERO,
        }
    }
}

impl Backoff {
    /// A try has failed, or what it made is gone.
    pub fn failed(&mut self, now: Duration) {
        self.next_try = now.saturating_add(self.wait);
        self.wait = self.wait.saturating_mul(2).min(LONGEST);
    }

    /// When to try next.
    #[must_use]
    pub const fn next_try(&self) -> Duration {
        self.next_try
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn waits_grow_to_a_second_and_stay_there() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next_try(), Duration::ZERO);
        let waits: Vec<u128> = (0..9u64)
            .map(|second| {
                let now = Duration::from_secs(second * 10);
                backoff.failed(now);
                (backoff.next_try() - now).as_millis()
            })
            .collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    }
}
