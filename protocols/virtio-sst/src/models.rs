//! Registers of the register-level models (docs/virtio-sst.md §7).
//!
//! Offsets are in bytes; registers have 32 bits and take accesses of 1, 2 and 4 bytes at their offset.

use crate::layout::layout;

/// A device that gives back what it was given, some cycles later.
pub mod echo {
    /// Write: what to give back.
    pub const DATA_IN: u64 = 0x0;
    /// Read: what was given back last.
    pub const DATA_OUT: u64 = 0x4;
    /// Read: [`BUSY`], [`DATA_READY`].
    pub const STATUS: u64 = 0x8;
    /// Write: [`RESET`].
    pub const CONTROL: u64 = 0xC;

    /// Something is on its way.
    pub const BUSY: u32 = 1;
    /// Something came back.
    pub const DATA_READY: u32 = 2;
    /// Forgets everything.
    pub const RESET: u32 = 1;
    /// Cycles from in to out unless it is told otherwise.
    pub const LATENCY: u64 = 10;
}

/// A device that calculates with two numbers, and can talk to another one of its kind.
pub mod calculator {
    /// First operand.
    pub const OPERAND_A: u64 = 0x00;
    /// Second operand.
    pub const OPERAND_B: u64 = 0x04;
    /// [`ADD`], [`SUB`], [`MUL`] or [`DIV`].
    pub const OPERATION: u64 = 0x08;
    /// Read: the result.
    pub const RESULT: u64 = 0x0C;
    /// Read: [`BUSY`], [`READY`], [`ERROR`], [`PEER_READY`].
    pub const STATUS: u64 = 0x10;
    /// Write: [`RESET`], [`TRIGGER`].
    pub const CONTROL: u64 = 0x14;
    /// Write: goes to the peer.
    pub const PEER_DATA_OUT: u64 = 0x18;
    /// Read: what came from the peer; clears [`PEER_READY`].
    pub const PEER_DATA_IN: u64 = 0x1C;

    /// Sum.
    pub const ADD: u32 = 0;
    /// Difference.
    pub const SUB: u32 = 1;
    /// Product.
    pub const MUL: u32 = 2;
    /// Quotient.
    pub const DIV: u32 = 3;

    /// It calculates.
    pub const BUSY: u32 = 1;
    /// The result is there.
    pub const READY: u32 = 2;
    /// Division by zero, or an unknown operation; the result is 0.
    pub const ERROR: u32 = 4;
    /// Something came from the peer.
    pub const PEER_READY: u32 = 8;
    /// Forgets everything.
    pub const RESET: u32 = 1;
    /// Begins to calculate.
    pub const TRIGGER: u32 = 2;
    /// Cycles of an operation unless it is told otherwise.
    pub const LATENCY: u64 = 100;
}

/// A device that looks like a DMA engine: it takes its time and interrupts.
pub mod engine {
    /// [`START`], [`RESET`], [`INT_EN`].
    pub const CTRL: u64 = 0x00;
    /// Read: [`BUSY`], [`DONE`].
    pub const STATUS: u64 = 0x04;
    /// [`COMPLETE`]; a 1 that is written clears.
    pub const INT_STATUS: u64 = 0x08;
    /// Which bits of INT_STATUS interrupt.
    pub const INT_ENABLE: u64 = 0x0C;
    /// Source address; kept.
    pub const SRC: u64 = 0x10;
    /// Destination address; kept.
    pub const DST: u64 = 0x14;
    /// Bytes; kept.
    pub const LENGTH: u64 = 0x18;
    /// Cycles of the next operation; a reset leaves it.
    pub const LATENCY: u64 = 0x1C;
    /// What is written comes back in DATA_OUT.
    pub const DATA_IN: u64 = 0x20;
    /// Read: what was written to DATA_IN.
    pub const DATA_OUT: u64 = 0x24;
    /// Read: cycles of the last operation.
    pub const CYCLE_COUNT: u64 = 0x28;

    /// Begins an operation; reads as 0.
    pub const START: u32 = 1;
    /// Forgets everything but LATENCY; reads as 0.
    pub const RESET: u32 = 2;
    /// Lets INT_STATUS & INT_ENABLE drive the interrupt line.
    pub const INT_EN: u32 = 4;
    /// An operation is under way.
    pub const BUSY: u32 = 1;
    /// An operation is done.
    pub const DONE: u32 = 2;
    /// In INT_STATUS: an operation is done.
    pub const COMPLETE: u32 = 1;
    /// In INT_STATUS: an operation failed.
    pub const FAILED: u32 = 2;
    /// Cycles of an operation unless LATENCY says otherwise.
    pub const DEFAULT_LATENCY: u64 = 100;
}

/// What calculators tell each other.
pub mod peer_kind {
    /// Data for the other's PEER_DATA_IN.
    pub const DATA_REQUEST: u32 = 0;
    /// The answer to one.
    pub const DATA_RESPONSE: u32 = 1;
    /// Asks for twice the data.
    pub const COMPUTE_REQUEST: u32 = 2;
    /// The answer to one.
    pub const COMPUTE_RESPONSE: u32 = 3;
}

layout! {
    /// A message between calculators.
    PeerMessage, 12 {
        /// One of [`peer_kind`].
        0 kind: u32,
        /// What it carries.
        4 data: u32,
        /// 0.
        8 parameter: u32,
    }
}
