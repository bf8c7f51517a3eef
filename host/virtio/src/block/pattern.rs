//! A disk whose first content follows a rule: it takes no memory, however large it is.

use super::backend::{BlockBackend, BlockError, check};
use maquette_model::{LoadError, Reader, Snapshot, Writer};

/// The rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// Zero bytes.
    Zero,
    /// Each 8 bytes hold their own number, little endian: 0, 1, 2, …
    Counter,
}

/// A disk of a pattern. It cannot be written; put an [`super::Overlay`] over it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PatternDisk {
    size: u64,
    pattern: Pattern,
}

impl PatternDisk {
    /// A disk of `size` bytes.
    #[must_use]
    pub const fn new(size: u64, pattern: Pattern) -> Self {
        Self { size, pattern }
    }
}

impl BlockBackend for PatternDisk {
    fn size(&self) -> u64 {
        self.size
    }
    fn read_only(&self) -> bool {
        true
    }
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        check(self.size, offset, buf.len() as u64)?;
        match self.pattern {
            Pattern::Zero => buf.fill(0),
            Pattern::Counter => {
                for (at, byte) in (offset..).zip(buf) {
                    let [b0, b1, b2, b3, b4, b5, b6, b7] = (at / 8).to_le_bytes();
                    *byte = match at % 8 {
                        0 => b0,
                        1 => b1,
                        2 => b2,
                        3 => b3,
                        4 => b4,
                        5 => b5,
                        6 => b6,
                        _ => b7,
                    };
                }
            }
        }
        Ok(())
    }
    fn write_at(&mut self, _offset: u64, _buf: &[u8]) -> Result<(), BlockError> {
        Err(BlockError::ReadOnly)
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
}

impl Snapshot for PatternDisk {
    fn kind(&self) -> &'static str {
        "pattern-disk"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.size);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        match r.u64()? {
            size if size == self.size => Ok(()),
            value => Err(LoadError::Value {
                field: "disk size",
                value,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_disk_read_anywhere_equals_the_whole() {
        let whole: Vec<u8> = (0u64..64).flat_map(u64::to_le_bytes).collect();
        let mut disk = PatternDisk::new(512, Pattern::Counter);
        for start in 0..512 {
            for len in [0, 1, 7, 8, 20] {
                let mut buf = vec![0xaa; len];
                let read = disk.read_at(start as u64, &mut buf);
                match whole.get(start..start + len) {
                    Some(part) => assert_eq!((read, buf.as_slice()), (Ok(()), part)),
                    None => assert!(matches!(read, Err(BlockError::OutOfRange { .. }))),
                }
            }
        }
    }

    #[test]
    fn counter_disk_past_four_gibibytes_still_counts() {
        let mut disk = PatternDisk::new(1 << 40, Pattern::Counter);
        let mut buf = [0; 8];
        assert_eq!(disk.read_at((1 << 40) - 8, &mut buf), Ok(()));
        assert_eq!(u64::from_le_bytes(buf), (1 << 37) - 1);
        assert_eq!(disk.write_at(0, &buf), Err(BlockError::ReadOnly));
    }
}
