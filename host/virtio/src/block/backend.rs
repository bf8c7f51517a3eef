//! What a disk's content lies in.

use maquette_model::Snapshot;
use thiserror::Error;

/// Why a back end could not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BlockError {
    /// The range does not lie on the disk.
    #[error("{len} bytes at {offset} do not lie on a disk of {size} bytes")]
    OutOfRange {
        /// First byte.
        offset: u64,
        /// Length in bytes.
        len: u64,
        /// The disk's size.
        size: u64,
    },
    /// A write to a disk that cannot be written.
    #[error("the disk is read-only")]
    ReadOnly,
    /// The host failed; the text names what and where.
    #[error("{0}")]
    Host(String),
}

/// The content of a disk. Accesses are whole or fail; bytes, not sectors, are counted.
///
/// As a [`Snapshot`] it saves what the guest changed and nobody else keeps: an overlay's clusters, but
/// not the bytes of a file.
pub trait BlockBackend: Snapshot {
    /// Size in bytes; never changes.
    fn size(&self) -> u64;
    /// Whether writes are refused.
    fn read_only(&self) -> bool;
    /// Fills `buf` from `offset`.
    ///
    /// # Errors
    /// When the range does not lie on the disk or the host fails.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), BlockError>;
    /// Writes `buf` at `offset`.
    ///
    /// # Errors
    /// When the range does not lie on the disk, it is read-only, or the host fails.
    fn write_at(&mut self, offset: u64, buf: &[u8]) -> Result<(), BlockError>;
    /// Makes completed writes durable.
    ///
    /// # Errors
    /// When the host fails.
    fn flush(&mut self) -> Result<(), BlockError>;
    /// Makes `len` bytes at `offset` read as zero.
    ///
    /// # Errors
    /// As [`BlockBackend::write_at`].
    fn write_zeroes(&mut self, offset: u64, len: u64) -> Result<(), BlockError> {
        const ZEROES: [u8; 4096] = [0; 4096];
        check(self.size(), offset, len)?;
        let (mut at, end) = (offset, offset + len);
        while at < end {
            let n = usize::try_from(end - at).unwrap_or(usize::MAX);
            let part = ZEROES.get(..n).unwrap_or(&ZEROES);
            self.write_at(at, part)?;
            at += part.len() as u64;
        }
        Ok(())
    }
}

impl<T: BlockBackend + ?Sized> BlockBackend for Box<T> {
    fn size(&self) -> u64 {
        (**self).size()
    }
    fn read_only(&self) -> bool {
        (**self).read_only()
    }
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        (**self).read_at(offset, buf)
    }
    fn write_at(&mut self, offset: u64, buf: &[u8]) -> Result<(), BlockError> {
        (**self).write_at(offset, buf)
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        (**self).flush()
    }
    fn write_zeroes(&mut self, offset: u64, len: u64) -> Result<(), BlockError> {
        (**self).write_zeroes(offset, len)
    }
}

/// Checks that `len` bytes at `offset` lie on a disk of `size` bytes: the first thing a back end does.
///
/// # Errors
/// When they do not.
pub const fn check(size: u64, offset: u64, len: u64) -> Result<(), BlockError> {
    match offset.checked_add(len) {
        Some(end) if end <= size => Ok(()),
        _ => Err(BlockError::OutOfRange { offset, len, size }),
    }
}
