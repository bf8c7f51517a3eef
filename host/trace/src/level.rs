//! How much a trace hash promises.

use core::fmt;
use maquette_model::LoadError;

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

impl Level {
    const ALL: [Self; 3] = [Self::Deterministic, Self::Replayable, Self::Free];

    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_number(number: u8) -> Result<Self, LoadError> {
        Self::ALL
            .into_iter()
            .find(|level| level.number() == number)
            .ok_or(LoadError::Value {
                field: "level",
                value: number.into(),
            })
    }
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
