//! One access on a bus: how wide it is, and how it ends.

use thiserror::Error;

/// How many bytes an access moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Width {
    /// One byte.
    B1,
    /// Two bytes.
    B2,
    /// Four bytes.
    B4,
    /// Eight bytes.
    B8,
}

impl Width {
    /// All widths, narrow to wide.
    pub const ALL: [Self; 4] = [Self::B1, Self::B2, Self::B4, Self::B8];

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::B1 => 1,
            Self::B2 => 2,
            Self::B4 => 4,
            Self::B8 => 8,
        }
    }

    /// A mask of the bits that an access of this width moves.
    #[must_use]
    pub const fn mask(self) -> u64 {
        match self {
            Self::B1 => 0xff,
            Self::B2 => 0xffff,
            Self::B4 => 0xffff_ffff,
            Self::B8 => u64::MAX,
        }
    }
}

/// Names an access that a device answers later with [`crate::Host::complete`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Token(pub u64);

/// Why a bus access failed. A CPU turns each into an access fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BusError {
    /// No device decodes the address.
    #[error("nothing answers at this address")]
    Unmapped,
    /// The device does not answer accesses of this width or alignment.
    #[error("the device takes no access of this width here")]
    Width,
    /// The device answered with an error.
    #[error("the device refused the access")]
    Refused,
    /// Nothing answered within the declared time.
    #[error("the access timed out")]
    Timeout,
}

/// How a device answers an access: now, later, or with an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Access<T> {
    /// Answered.
    Done(T),
    /// The device will call [`crate::Host::complete`] with this token.
    Pending(Token),
    /// Refused.
    Fault(BusError),
}
