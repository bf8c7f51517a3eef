//! The debug console (SBI 2.0 §12).

use super::call::ConsoleBuffer;
use super::{SbiError, SbiHost};
use maquette_model::PhysAddr;

/// The most bytes that one call moves. The specification lets a call move fewer than it was asked for,
/// and a guest must not keep the machine busy for as long as it likes.
pub const CONSOLE_LIMIT: u64 = 4096;
/// Bytes that are moved at once, without allocating.
const CHUNK: u64 = 256;

/// The buffer's address and how much of it to use.
fn checked(host: &dyn SbiHost, buffer: ConsoleBuffer) -> Result<(PhysAddr, u64), SbiError> {
    let addr = PhysAddr(buffer.addr_low);
    if buffer.len == 0 {
        return Ok((addr, 0));
    }
    if buffer.addr_high != 0 || !host.is_ram(addr, buffer.len) {
        return Err(SbiError::InvalidParam);
    }
    Ok((addr, buffer.len.min(CONSOLE_LIMIT)))
}

/// The chunks of a buffer: address and length.
fn chunks(addr: PhysAddr, len: u64) -> impl Iterator<Item = (PhysAddr, usize)> {
    (0..len.div_ceil(CHUNK)).map(move |i| {
        let done = i * CHUNK;
        let n = CHUNK.min(len - done);
        // At most 256.
        (addr.wrapping_add(done), usize::try_from(n).unwrap_or(0))
    })
}

/// Writes from RAM; returns how many bytes.
pub(super) fn write(host: &mut dyn SbiHost, buffer: ConsoleBuffer) -> Result<u64, SbiError> {
    let (addr, len) = checked(host, buffer)?;
    let mut space = [0; CHUNK as usize];
    for (at, n) in chunks(addr, len) {
        let bytes = space.get_mut(..n).ok_or(SbiError::Failed)?;
        if !host.read_ram(at, bytes) {
            return Err(SbiError::Failed);
        }
        host.console_write(bytes);
    }
    Ok(len)
}

/// Reads what has arrived into RAM; returns how many bytes.
pub(super) fn read(host: &mut dyn SbiHost, buffer: ConsoleBuffer) -> Result<u64, SbiError> {
    let (addr, len) = checked(host, buffer)?;
    for done in 0..len {
        let Some(byte) = host.console_read() else {
            return Ok(done);
        };
        if !host.write_ram(addr.wrapping_add(done), &[byte]) {
            return Err(SbiError::Failed);
        }
    }
    Ok(len)
}
