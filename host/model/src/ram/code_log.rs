//! What the CPUs' block caches must hear about: pages that became code, and code that was written.
//!
//! Harts run one after the other, so a log that each hart drains before it executes is exact. The log
//! is bounded: a reader that fell behind is told to forget everything.

use std::collections::VecDeque;

/// Entries kept for slow readers.
const KEPT: usize = 4096;

/// Something that cached translations depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeEvent {
    /// The page (its index in RAM) holds cached code from now on: forget fast write paths to it.
    BecameCode(usize),
    /// Code in the page was overwritten: forget its blocks.
    Overwritten(usize),
}

/// What a reader missed.
#[derive(Debug)]
pub enum Missed {
    /// These events, in order.
    Events(Vec<CodeEvent>),
    /// More than the log keeps: everything may have changed.
    Everything,
}

#[derive(Default)]
pub(super) struct CodeLog {
    events: VecDeque<CodeEvent>,
    /// Sequence number of the entry after the last one.
    next: u64,
}

impl CodeLog {
    pub(super) fn push(&mut self, e: CodeEvent) {
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(e);
        self.next += 1;
    }

    pub(super) fn since(&self, cursor: u64) -> Missed {
        let behind = usize::try_from(self.next.saturating_sub(cursor)).unwrap_or(usize::MAX);
        match self.events.len().checked_sub(behind) {
            Some(start) => Missed::Events(self.events.range(start..).copied().collect()),
            None => Missed::Everything,
        }
    }

    pub(super) const fn next(&self) -> u64 {
        self.next
    }
}
