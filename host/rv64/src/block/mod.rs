//! Decoded basic blocks and the cache that keeps them.
//!
//! A block is straight-line code inside one physical page: conditional branches are side exits, any
//! other change of control ends it. Its shape is a pure function of the code bytes and the length
//! limit. Blocks are keyed by *physical* address, so they survive context switches and
//! `sfence.vma`; stores to their bytes are what ends them (see `Ram::mark_code`).

mod build;
mod cache;
#[cfg(test)]
mod tests;

use crate::isa::Op;
pub(crate) use build::{build, decode_at, micro_op};
pub(crate) use cache::{BlockCache, BlockId};

/// An instruction as the interpreter wants it: destinations of x0 renamed to the sink, the place in
/// the block known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MicroOp {
    pub(crate) op: Op,
    pub(crate) rd: u8,
    pub(crate) rs1: u8,
    pub(crate) rs2: u8,
    /// rs3 in bits 4:0, rounding mode in bits 7:5.
    pub(crate) aux: u8,
    /// Bytes in memory: 2 or 4.
    pub(crate) len: u8,
    /// Bytes from the start of the block.
    pub(crate) off: u16,
    pub(crate) imm: i32,
}

/// How a block ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Into the next block.
    Fall,
    /// It is no block at all, only a word that is no instruction.
    Illegal(u32),
}

/// One block; its instructions lie in the cache's arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// First instruction in the arena.
    pub(crate) start: u32,
    /// Number of instructions.
    pub(crate) len: u16,
    /// How many of them load or store.
    pub(crate) memory_ops: u16,
    pub(crate) end: End,
}
