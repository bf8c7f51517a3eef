//! A disk in the host's memory.

use super::backend::{BlockBackend, BlockError, check};
use maquette_model::{LoadError, Reader, Snapshot, Writer};

/// A disk that lies in memory and is gone with the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryDisk {
    bytes: Vec<u8>,
    read_only: bool,
}

impl MemoryDisk {
    /// A disk with this content.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            read_only: false,
        }
    }

    /// A disk with this content that refuses writes.
    #[must_use]
    pub const fn read_only(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            read_only: true,
        }
    }

    /// The content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn span(&mut self, offset: u64, len: usize) -> Result<&mut [u8], BlockError> {
        let size = self.bytes.len() as u64;
        check(size, offset, len as u64)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(len);
        let outside = BlockError::OutOfRange {
            offset,
            len: len as u64,
            size,
        };
        self.bytes.get_mut(start..end).ok_or(outside)
    }
}

impl BlockBackend for MemoryDisk {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn read_only(&self) -> bool {
        self.read_only
    }
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        buf.copy_from_slice(self.span(offset, buf.len())?);
        Ok(())
    }
    fn write_at(&mut self, offset: u64, buf: &[u8]) -> Result<(), BlockError> {
        if self.read_only {
            return Err(BlockError::ReadOnly);
        }
        self.span(offset, buf.len())?.copy_from_slice(buf);
        Ok(())
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
}

impl Snapshot for MemoryDisk {
    fn kind(&self) -> &'static str {
        "memory-disk"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.bytes(&self.bytes);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let bytes = r.bytes()?;
        if bytes.len() != self.bytes.len() {
            let value = bytes.len() as u64;
            return Err(LoadError::Value {
                field: "disk size",
                value,
            });
        }
        self.bytes.copy_from_slice(bytes);
        Ok(())
    }
}
