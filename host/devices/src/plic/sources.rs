//! A set of interrupt sources, as the words that the guest sees.

use super::SOURCES;
use maquette_model::{LoadError, Reader, Writer};

/// Words in a set.
pub(super) const WORDS: usize = SOURCES as usize / 32;

/// A set of sources; never holds source 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Set {
    bits: u128,
}

/// Bits of the sources that exist.
const REAL: u128 = ((1 << SOURCES) - 1) & !1;

impl Set {
    pub(super) const fn has(self, source: u32) -> bool {
        source < SOURCES && self.bits & (1 << source) != 0
    }

    pub(super) const fn put(&mut self, source: u32, on: bool) {
        if source >= SOURCES {
            return;
        }
        let bit = (1 << source) & REAL;
        if on {
            self.bits |= bit;
        } else {
            self.bits &= !bit;
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            bits: self.bits & other.bits,
        }
    }

    /// The sources in the set, lowest first.
    pub(super) fn iter(self) -> impl Iterator<Item = u32> {
        let mut bits = self.bits;
        std::iter::from_fn(move || {
            let source = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            (source < SOURCES).then_some(source)
        })
    }

    /// The word of sources `32 * index` and up; 0 past the last source.
    pub(super) fn word(self, index: usize) -> u32 {
        if index >= WORDS {
            return 0;
        }
        u32::try_from((self.bits >> (32 * index)) & u128::from(u32::MAX)).unwrap_or(0)
    }

    /// Replaces a word; bits of sources that do not exist stay 0.
    pub(super) fn set_word(&mut self, index: usize, v: u32) {
        if index < WORDS {
            let shift = 32 * index;
            self.bits &= !(u128::from(u32::MAX) << shift);
            self.bits |= (u128::from(v) << shift) & REAL;
        }
    }

    pub(super) fn save(self, w: &mut Writer) {
        for index in 0..WORDS {
            w.u32(self.word(index));
        }
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let mut set = Self::default();
        for index in 0..WORDS {
            let v = r.u32()?;
            set.set_word(index, v);
            if set.word(index) != v {
                return Err(LoadError::Value {
                    field: "sources",
                    value: v.into(),
                });
            }
        }
        Ok(set)
    }
}
