//! How the last requests ended, to tell a late answer from one that is wrong (docs/virtio-sst.md §4).

use crate::layout::QUEUE_DEPTH;
use alloc::collections::VecDeque;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The peer answered.
    Answered,
    /// The peer did not answer in time.
    TimedOut,
    /// The connection was lost.
    Lost,
}

/// Twice as many as can be in flight.
const KEPT: usize = 2 * QUEUE_DEPTH as usize;

/// The last requests that ended.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<(u64, Ended)>);

impl History {
    /// A request ended.
    pub fn remember(&mut self, id: u64, how: Ended) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((id, how));
    }

    /// How it ended, if that is not too long ago.
    #[must_use]
    pub fn of(&self, id: u64) -> Option<Ended> {
        let found = self.0.iter().rev().find(|(known, _)| *known == id);
        found.map(|(_, how)| *how)
    }

    /// Whether an answer to it may still come.
    #[must_use]
    pub fn knows(&self, id: u64) -> bool {
        self.of(id).is_some()
    }
}
