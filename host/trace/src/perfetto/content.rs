//! Payloads of events, taken apart again.

/// A register access.
pub(super) struct Mmio {
    pub(super) write: bool,
    pub(super) width: u8,
    pub(super) addr: u64,
    pub(super) value: u64,
}

impl Mmio {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (&[direction, width], rest) = bytes.split_first_chunk()?;
        let (addr, value) = rest.split_first_chunk::<8>()?;
        Some(Self {
            write: direction == 1,
            width,
            addr: u64::from_le_bytes(*addr),
            value: word(value)?,
        })
    }
}

/// Direction, address and length of a DMA access.
pub(super) fn dma(bytes: &[u8]) -> Option<(bool, u64, u64)> {
    let (&direction, rest) = bytes.split_first()?;
    let (addr, rest) = rest.split_first_chunk::<8>()?;
    Some((direction == 1, u64::from_le_bytes(*addr), word(rest)?))
}

/// Number and level of an interrupt.
pub(super) fn interrupt(bytes: &[u8]) -> Option<(u32, bool)> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest.first() == Some(&1)))
}

/// Extension, function and arguments of a firmware call.
pub(super) fn sbi(bytes: &[u8]) -> Option<[u64; 8]> {
    let mut words = [0; 8];
    for (place, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *place = word(chunk)?;
    }
    Some(words)
}

/// Whether a message came from outside, its port and its form.
pub(super) fn link(bytes: &[u8]) -> Option<(bool, u16, u8)> {
    let &[direction, low, high, form] = bytes.first_chunk()?;
    Some((direction == 2, u16::from_le_bytes([low, high]), form))
}

fn word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|b| u64::from_le_bytes(*b))
}
