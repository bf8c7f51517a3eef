//! What a driver can do wrong with a queue.

use maquette_model::DmaError;
use thiserror::Error;

/// Why a queue cannot go on. Each is the driver's mistake and ends with the device asking for a reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum QueueError {
    /// A ring, a table or a buffer does not lie in memory that the device may use.
    #[error(transparent)]
    Dma(#[from] DmaError),
    /// The available index is further ahead than the queue is long (virtio 1.3 §2.7.13.3).
    #[error("{waiting} chains are available in a queue of {size}")]
    AvailIndex {
        /// How many chains the index promises.
        waiting: u16,
        /// The queue's size.
        size: u16,
    },
    /// A chain begins at, or goes on with, a descriptor that does not exist.
    #[error("descriptor {index} in a table of {size}")]
    DescIndex {
        /// The index.
        index: u16,
        /// Entries in the table.
        size: u32,
    },
    /// A chain has more descriptors than the queue (virtio 1.3 §2.7.5.3.1): a loop, most likely.
    #[error("a chain of more than {0} descriptors")]
    ChainLength(u16),
    /// An indirect descriptor although the feature was not negotiated (virtio 1.3 §2.7.5.3.1).
    #[error("an indirect descriptor without the feature")]
    IndirectFeature,
    /// An indirect descriptor in an indirect table (virtio 1.3 §2.7.5.3.1).
    #[error("an indirect descriptor inside an indirect table")]
    IndirectNested,
    /// An indirect descriptor that is not the last of its chain (virtio 1.3 §2.7.5.3.1).
    #[error("an indirect descriptor with the next flag")]
    IndirectNext,
    /// The length of an indirect table is zero or no multiple of 16 (virtio 1.3 §2.7.5.3).
    #[error("an indirect table of {0} bytes")]
    IndirectLength(u32),
    /// A readable buffer after a writable one (virtio 1.3 §2.7.4.2).
    #[error("descriptor {0} is readable but follows a writable one")]
    Order(u16),
    /// A buffer without bytes.
    #[error("descriptor {0} has length zero")]
    Empty(u16),
    /// A buffer goes past the end of the address space.
    #[error("a buffer at {addr:#x} goes past the end of the address space")]
    Wraps {
        /// Its address.
        addr: u64,
    },
    /// A chain of 4 GiB or more (virtio 1.3 §2.7.5.3.1).
    #[error("a chain of {0} bytes")]
    ChainBytes(u64),
    /// A chain has too few readable or writable bytes for the request in it.
    #[error("a chain ends {missing} bytes early")]
    Short {
        /// How many bytes more were wanted.
        missing: u64,
    },
    /// A chain has more bytes than the device takes in one request.
    #[error("a request of {0} bytes is more than the device takes")]
    Long(u64),
    /// One notification brought more chains than the queue has descriptors.
    #[error("one notification brought more than {0} chains")]
    Flood(u16),
}

impl QueueError {
    /// The mistake's fixed text and its number, for `guest_error`.
    #[must_use]
    pub fn report(&self) -> (&'static str, u64) {
        match *self {
            Self::Dma(DmaError::NotRam { addr, .. }) => ("virtqueue: address outside RAM", addr.0),
            Self::Dma(DmaError::NotMaster { addr }) => ("virtqueue: bus mastering off", addr.0),
            Self::AvailIndex { waiting, .. } => ("virtqueue: available index", waiting.into()),
            Self::DescIndex { index, .. } => ("virtqueue: descriptor index", index.into()),
            Self::ChainLength(size) => ("virtqueue: chain longer than the queue", size.into()),
            Self::IndirectFeature => ("virtqueue: indirect without the feature", 0),
            Self::IndirectNested => ("virtqueue: nested indirect table", 0),
            Self::IndirectNext => ("virtqueue: indirect descriptor with next", 0),
            Self::IndirectLength(len) => ("virtqueue: length of an indirect table", len.into()),
            Self::Order(index) => ("virtqueue: readable after writable", index.into()),
            Self::Empty(index) => ("virtqueue: empty buffer", index.into()),
            Self::Wraps { addr } => ("virtqueue: buffer wraps", addr),
            Self::ChainBytes(bytes) => ("virtqueue: chain of 4 GiB", bytes),
            Self::Short { missing } => ("virtqueue: chain too short", missing),
            Self::Long(bytes) => ("virtqueue: request too long", bytes),
            Self::Flood(size) => ("virtqueue: endless chains", size.into()),
        }
    }
}
