//! How each kind of event writes its payload, so that recorders agree and a viewer can read it.
//!
//! All numbers are little-endian. Each function returns the fixed part; where content follows, pass
//! both to [`crate::Trace::record_parts`].

use maquette_model::{HypercallArgs, Iova, PhysAddr, PortId, Width};

/// Which way data moved, as the first byte of most payloads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Direction {
    /// The initiator took data: a register read, DMA from guest memory.
    Read = 0,
    /// The initiator gave data: a register write, DMA to guest memory, a message sent.
    Write = 1,
    /// It came from outside the simulation.
    Outside = 2,
}

/// A register access: direction, width in bytes, address, value.
#[must_use]
pub fn mmio(direction: Direction, addr: PhysAddr, width: Width, value: u64) -> [u8; 18] {
    let mut out = [0; 18];
    out[0] = direction as u8;
    out[1] = match width {
        Width::B1 => 1,
        Width::B2 => 2,
        Width::B4 => 4,
        Width::B8 => 8,
    };
    out[2..10].copy_from_slice(&addr.0.to_le_bytes());
    out[10..].copy_from_slice(&value.to_le_bytes());
    out
}

/// An interrupt: the line's or vector's number, and its level (a message-signalled one is always
/// high).
#[must_use]
pub fn interrupt(number: u32, level: bool) -> [u8; 5] {
    let mut out = [0; 5];
    out[..4].copy_from_slice(&number.to_le_bytes());
    out[4] = u8::from(level);
    out
}

/// A firmware call: extension, function, six arguments.
#[must_use]
pub fn sbi(call: &HypercallArgs) -> [u8; 64] {
    let mut out = [0; 64];
    let words = [call.extension, call.function].into_iter().chain(call.args);
    for (chunk, word) in out.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    out
}

/// A DMA access: direction, address, length. The content follows.
#[must_use]
pub fn dma(direction: Direction, addr: Iova, len: u64) -> [u8; 17] {
    let mut out = [0; 17];
    out[0] = direction as u8;
    out[1..9].copy_from_slice(&addr.0.to_le_bytes());
    out[9..].copy_from_slice(&len.to_le_bytes());
    out
}

/// A link message: direction, port, form of the message (0 byte, 1 word, 2 bytes). The content
/// follows.
#[must_use]
pub fn link(direction: Direction, port: PortId, form: u8) -> [u8; 4] {
    let [low, high] = port.0.to_le_bytes();
    [direction as u8, low, high, form]
}
