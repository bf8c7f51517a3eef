//! How much a trace hash promises.

use core::fmt;

/// How far a run can be repeated. Ordered from the strongest promise to the weakest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Level {
    /// Nothing came from outside: the same system and seed give the same hash.
    #[default]
    Deterministic,
    /// Input came from outside at exact virtual times: the same system, seed and input log give the
    /// same hash.
    Replayable,
    /// A host's clock drove a part of the run (KVM, QEMU): no hash is comparable.
    Free,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deterministic => "deterministic",
            Self::Replayable => "replayable",
            Self::Free => "free",
        })
    }
}
