//! What kinds of events there are, and how many of each were seen.

use core::fmt;
use core::ops::Index;

/// What sort of thing happened. The numbers are part of the trace hash: never reuse one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A CPU accessed a device register; see [`crate::payload::mmio`].
    Mmio = 0,
    /// An interrupt line changed or a message-signalled interrupt was sent; see
    /// [`crate::payload::interrupt`].
    Interrupt = 1,
    /// A supervisor called the firmware that the machine answers; see [`crate::payload::sbi`].
    Sbi = 2,
    /// A device accessed guest memory; see [`crate::payload::dma`]. The content follows.
    Dma = 3,
    /// Bytes of a serial line or console, in the order in which they were moved.
    Console = 4,
    /// A message was sent over a link, or came from outside; see [`crate::payload::link`].
    Link = 5,
    /// The final state of a part: a digest of its registers or RAM.
    Digest = 6,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = 7;

    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Mmio,
        Self::Interrupt,
        Self::Sbi,
        Self::Dma,
        Self::Console,
        Self::Link,
        Self::Digest,
    ];

    /// The name in reports and statistics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mmio => "mmio",
            Self::Interrupt => "interrupt",
            Self::Sbi => "sbi",
            Self::Dma => "dma",
            Self::Console => "console",
            Self::Link => "link",
            Self::Digest => "digest",
        }
    }

    /// The number that goes into the hash.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Events hashed, per kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts([u64; Kind::COUNT]);

impl Counts {
    /// Kinds and their counts, in the order of [`Kind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        Kind::ALL.into_iter().zip(self.0)
    }

    /// Events of all kinds together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    pub(crate) fn set(&mut self, kind: Kind, count: u64) {
        *self.of(kind) = count;
    }

    pub(crate) fn bump(&mut self, kind: Kind) {
        let count = self.of(kind);
        *count = count.saturating_add(1);
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "there is a place for each number of a kind"
    )]
    const fn of(&mut self, kind: Kind) -> &mut u64 {
        &mut self.0[kind as usize]
    }
}

impl Index<Kind> for Counts {
    type Output = u64;
    #[expect(
        clippy::indexing_slicing,
        reason = "there is a place for each number of a kind"
    )]
    fn index(&self, kind: Kind) -> &u64 {
        &self.0[kind as usize]
    }
}

/// `mmio 12, interrupt 3, …`: the line that a run prints under its hash.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (kind, count)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {count}")?;
        }
        Ok(())
    }
}
