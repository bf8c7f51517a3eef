//! One descriptor chain: a request's buffers as the device sees them.

use super::QueueError;
use maquette_model::{Cx, Iova, LoadError, Reader, Writer};
use maquette_virtio_protocol::queue as layout;

/// A buffer of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it begins.
    pub addr: Iova,
    /// Its length in bytes, at least 1.
    pub len: u32,
}

/// One side of a chain: the buffers to read, or those to write, as one run of bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Side {
    segments: Vec<Segment>,
    bytes: u64,
}

impl Side {
    fn clear(&mut self) {
        self.segments.clear();
        self.bytes = 0;
    }

    fn push(&mut self, segment: Segment) {
        self.bytes += u64::from(segment.len);
        self.segments.push(segment);
    }

    /// Calls `f` with the address and the bytes' place in the buffer of each piece of the `len` bytes
    /// from `at`.
    fn pieces(
        &self,
        at: u64,
        len: usize,
        mut f: impl FnMut(Iova, core::ops::Range<usize>) -> Result<(), QueueError>,
    ) -> Result<(), QueueError> {
        let end = at.saturating_add(len as u64);
        if end > self.bytes {
            let missing = end - self.bytes;
            return Err(QueueError::Short { missing });
        }
        let (mut skip, mut done) = (at, 0);
        for segment in &self.segments {
            let bytes = u64::from(segment.len);
            if skip >= bytes {
                skip -= bytes;
                continue;
            }
            let here = usize::try_from(bytes - skip).unwrap_or(usize::MAX);
            let n = here.min(len - done);
            if n == 0 {
                break;
            }
            f(segment.addr.wrapping_add(skip), done..done + n)?;
            done += n;
            skip = 0;
        }
        Ok(())
    }
}

/// A descriptor chain that a driver made available. Devices keep one and reuse it, so that a request
/// costs no allocation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chain {
    head: u16,
    readable: Side,
    writable: Side,
}

impl Chain {
    /// Starts over for the chain that begins at descriptor `head`.
    pub(super) fn begin(&mut self, head: u16) {
        self.head = head;
        self.readable.clear();
        self.writable.clear();
    }

    pub(super) fn push(&mut self, segment: Segment, writable: bool) {
        let side = if writable {
            &mut self.writable
        } else {
            &mut self.readable
        };
        side.push(segment);
    }

    pub(super) const fn total(&self) -> u64 {
        self.readable.bytes + self.writable.bytes
    }

    pub(super) const fn descriptors(&self) -> usize {
        self.readable.segments.len() + self.writable.segments.len()
    }

    /// The index that names the chain in the used ring.
    #[must_use]
    pub const fn head(&self) -> u16 {
        self.head
    }

    /// Bytes that the driver gave to read.
    #[must_use]
    pub const fn readable_len(&self) -> u64 {
        self.readable.bytes
    }

    /// Bytes that the driver gave to write.
    #[must_use]
    pub const fn writable_len(&self) -> u64 {
        self.writable.bytes
    }

    /// The buffers to read.
    #[must_use]
    pub fn readable(&self) -> &[Segment] {
        &self.readable.segments
    }

    /// The buffers to write.
    #[must_use]
    pub fn writable(&self) -> &[Segment] {
        &self.writable.segments
    }

    /// Keeps the buffers to write and forgets those to read.
    pub(crate) fn keep_writable(&mut self) {
        self.readable.clear();
    }

    /// Appends the buffers to write, and which chain they are of, to saved state.
    pub(crate) fn save_writable(&self, w: &mut Writer) {
        w.u16(self.head);
        w.u64(self.writable.segments.len() as u64);
        for segment in &self.writable.segments {
            w.u64(segment.addr.0);
            w.u32(segment.len);
        }
    }

    /// Takes what [`Chain::save_writable`] has put.
    pub(crate) fn load_writable(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.begin(r.u16()?);
        let (field, value) = ("buffers of a chain", r.u64()?);
        if value > u64::from(layout::MAX_SIZE) {
            return Err(LoadError::Value { field, value });
        }
        for _ in 0..value {
            let addr = Iova(r.u64()?);
            let len = r.u32()?;
            self.push(Segment { addr, len }, true);
        }
        Ok(())
    }

    /// Fills `buf` from the readable bytes at `at`.
    ///
    /// # Errors
    /// When there are not so many, or they do not lie in memory.
    pub fn read(&self, cx: &mut Cx<'_>, at: u64, buf: &mut [u8]) -> Result<(), QueueError> {
        self.readable.pieces(at, buf.len(), |addr, place| {
            let part = buf.get_mut(place).unwrap_or_default();
            Ok(cx.dma_read(addr, part)?)
        })
    }

    /// Puts `buf` into the writable bytes at `at`.
    ///
    /// # Errors
    /// When there are not so many, or they do not lie in memory.
    pub fn write(&self, cx: &mut Cx<'_>, at: u64, buf: &[u8]) -> Result<(), QueueError> {
        self.writable.pieces(at, buf.len(), |addr, place| {
            let part = buf.get(place).unwrap_or_default();
            Ok(cx.dma_write(addr, part)?)
        })
    }

    /// The address of the writable byte at `at`.
    #[must_use]
    pub fn writable_at(&self, at: u64) -> Option<Iova> {
        let mut found = None;
        let looked = self.writable.pieces(at, 1, |addr, _| {
            found = Some(addr);
            Ok(())
        });
        looked.ok().and(found)
    }
}
