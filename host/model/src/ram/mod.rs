//! Guest RAM, one contiguous range, with one flag byte a page.
//!
//! Every writer — hart, DMA, loader, debugger, restore — goes through [`Ram`], or through a host
//! pointer that [`Ram::fast_write_page`] gave out after it had done the page's book-keeping. That is
//! what lets the CPU cache decoded code and host pointers without ever being wrong.
//!
//! RAM is `!Sync`: a machine is one partition and its harts take turns, so plain loads and stores are
//! exact.

mod code_log;
mod mapping;
mod snapshot;

use crate::PhysAddr;
pub use code_log::{CodeEvent, Missed};
use core::cell::{Cell, RefCell};
use mapping::Mapping;
use thiserror::Error;

/// Bytes in a page of the flag table; also the CPU's smallest page.
pub const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];
/// Code is tracked in granules of this many bytes: 64 to a page, one bit each.
const GRANULE: usize = PAGE / 64;

/// The page was written since it was last clean.
const DIRTY: u8 = 1;
/// A CPU caches code of this page.
const CODE: u8 = 2;

/// Why RAM could not be made.
#[derive(Debug, Error)]
pub enum RamError {
    /// The size is zero or no multiple of the page size.
    #[error("RAM of {size} bytes at {base}: the size must be a non-zero multiple of 4096")]
    Size {
        /// Where RAM was to begin.
        base: PhysAddr,
        /// The size asked for.
        size: u64,
    },
    /// The range goes past the end of the address space.
    #[error("RAM of {size} bytes at {base} goes past the end of the address space")]
    Wraps {
        /// Where RAM was to begin.
        base: PhysAddr,
        /// The size asked for.
        size: u64,
    },
    /// The host has no memory for it.
    #[error("the host refused {size} bytes for the guest's RAM")]
    Host {
        /// The size asked for.
        size: u64,
        /// What the host said.
        #[source]
        source: std::io::Error,
    },
}

/// The guest's memory.
pub struct Ram {
    base: PhysAddr,
    size: usize,
    mem: Mapping,
    flags: Box<[Cell<u8>]>,
    /// One bit a granule, valid where the page's `CODE` flag is set.
    code: Box<[Cell<u64>]>,
    log: RefCell<CodeLog>,
    /// The log's next position, where the CPU can look at it after every block.
    cursor: Cell<u64>,
}

use code_log::CodeLog;

impl Ram {
    /// RAM of `size` zero bytes at `base`.
    ///
    /// # Errors
    /// When the size is no positive multiple of 4096, the range wraps, or the host refuses.
    pub fn new(base: PhysAddr, size: u64) -> Result<Self, RamError> {
        let len = usize::try_from(size).unwrap_or(0);
        if len == 0 || !len.is_multiple_of(PAGE) || !base.0.is_multiple_of(PAGE as u64) {
            return Err(RamError::Size { base, size });
        }
        if base.checked_add(size).is_none() {
            return Err(RamError::Wraps { base, size });
        }
        let mem = Mapping::new(len).map_err(|source| RamError::Host { size, source })?;
        let pages = len / PAGE;
        Ok(Self {
            base,
            size: len,
            mem,
            flags: vec![Cell::new(0); pages].into_boxed_slice(),
            code: vec![Cell::new(0); pages].into_boxed_slice(),
            log: RefCell::default(),
            cursor: Cell::new(0),
        })
    }

    /// The first address.
    #[must_use]
    pub const fn base(&self) -> PhysAddr {
        self.base
    }

    /// The size in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size as u64
    }

    /// The distance of `pa` from the base if all `len` bytes from there lie in RAM.
    #[must_use]
    pub fn offset(&self, pa: PhysAddr, len: u64) -> Option<usize> {
        let off = pa.0.checked_sub(self.base.0)?;
        let end = off.checked_add(len)?;
        if end > self.size as u64 {
            return None;
        }
        usize::try_from(off).ok()
    }

    /// Reads bytes; `false` and nothing read if any of them lies outside.
    #[must_use]
    pub fn read(&self, pa: PhysAddr, buf: &mut [u8]) -> bool {
        let Some(at) = self.offset(pa, buf.len() as u64) else {
            return false;
        };
        self.mem.read(at, buf);
        true
    }

    /// Writes bytes; `false` and nothing written if any of them lies outside.
    #[must_use]
    pub fn write(&self, pa: PhysAddr, buf: &[u8]) -> bool {
        let Some(at) = self.offset(pa, buf.len() as u64) else {
            return false;
        };
        if buf.is_empty() {
            return true;
        }
        self.note_write(at, buf.len());
        self.mem.write(at, buf);
        true
    }

    /// Writes zeros; `false` and nothing written if any byte lies outside.
    #[must_use]
    pub fn fill_zero(&self, pa: PhysAddr, len: u64) -> bool {
        if self.offset(pa, len).is_none() {
            return false;
        }
        let end = pa.0 + len;
        let mut at = pa;
        while at.0 < end {
            let part = (PAGE as u64 - at.page_offset()).min(end - at.0);
            let zeros = ZEROS
                .get(..usize::try_from(part).unwrap_or(0))
                .unwrap_or(&[]);
            // A page that nobody wrote is zero: writing it would only cost the host memory.
            if self.is_dirty(at) && !self.write(at, zeros) {
                return false;
            }
            at = at.wrapping_add(part);
        }
        true
    }

    fn is_dirty(&self, pa: PhysAddr) -> bool {
        let flag = self.offset(pa, 1).and_then(|at| self.flags.get(at / PAGE));
        flag.is_some_and(|f| f.get() & DIRTY != 0)
    }

    /// Reads a little-endian word of `N` bytes.
    #[must_use]
    pub fn read_array<const N: usize>(&self, pa: PhysAddr) -> Option<[u8; N]> {
        let mut b = [0; N];
        self.read(pa, &mut b).then_some(b)
    }

    /// Reads 32 bits.
    #[must_use]
    pub fn read_u32(&self, pa: PhysAddr) -> Option<u32> {
        self.read_array(pa).map(u32::from_le_bytes)
    }

    /// Reads 64 bits.
    #[must_use]
    pub fn read_u64(&self, pa: PhysAddr) -> Option<u64> {
        self.read_array(pa).map(u64::from_le_bytes)
    }

    /// The host address of the page that holds `pa`, for reading.
    #[must_use]
    pub fn read_page(&self, pa: PhysAddr) -> Option<*const u8> {
        let at = self.offset(pa.page(), PAGE as u64)?;
        Some(self.mem.start().wrapping_add(at).cast_const())
    }

    /// The host address of the page that holds `pa`, for writing without further book-keeping, or
    /// `None` if each write must go through [`Ram::write`] (outside RAM, cached code).
    ///
    /// The page counts as written from now on. The pointer may be used until a
    /// [`CodeEvent::BecameCode`] for the page appears in the log.
    #[must_use]
    pub fn fast_write_page(&self, pa: PhysAddr) -> Option<*mut u8> {
        let at = self.offset(pa.page(), PAGE as u64)?;
        let flag = self.flags.get(at / PAGE)?;
        if flag.get() & CODE != 0 {
            return None;
        }
        flag.set(flag.get() | DIRTY);
        Some(self.mem.start().wrapping_add(at))
    }

    /// Notes that a CPU caches code from `len` bytes at `pa`. Ranges outside RAM are ignored.
    pub fn mark_code(&self, pa: PhysAddr, len: u64) {
        let Some(at) = self.offset(pa, len) else {
            return;
        };
        let end = at + usize::try_from(len).unwrap_or(0);
        for page in at / PAGE..end.div_ceil(PAGE) {
            let (Some(flag), Some(code)) = (self.flags.get(page), self.code.get(page)) else {
                return;
            };
            if flag.get() & CODE == 0 {
                flag.set(flag.get() | CODE);
                code.set(0);
                self.log(CodeEvent::BecameCode(page));
            }
            code.set(code.get() | granules(page, at, end));
        }
    }

    /// Book-keeping before `len` > 0 bytes at offset `at` change.
    fn note_write(&self, at: usize, len: usize) {
        let end = at + len;
        for page in at / PAGE..end.div_ceil(PAGE) {
            let (Some(flag), Some(code)) = (self.flags.get(page), self.code.get(page)) else {
                return;
            };
            let mut f = flag.get() | DIRTY;
            if f & CODE != 0 && code.get() & granules(page, at, end) != 0 {
                f &= !CODE;
                self.log(CodeEvent::Overwritten(page));
            }
            flag.set(f);
        }
    }

    /// The log position to pass to [`Ram::code_events_since`] next time.
    #[must_use]
    #[inline(always)]
    pub fn code_cursor(&self) -> u64 {
        self.cursor.get()
    }

    fn log(&self, e: CodeEvent) {
        let mut log = self.log.borrow_mut();
        log.push(e);
        self.cursor.set(log.next());
    }

    /// What happened to cached code since `cursor`.
    #[must_use]
    pub fn code_events_since(&self, cursor: u64) -> Missed {
        self.log.borrow().since(cursor)
    }

    /// How many pages were ever written.
    fn written_pages(&self) -> usize {
        self.flags.iter().filter(|f| f.get() & DIRTY != 0).count()
    }

    /// Calls `f` with the index and content of each page that was ever written and is not all zero,
    /// in order: what a digest of RAM is made of.
    pub fn for_each_used_page(&self, mut f: impl FnMut(usize, &[u8; PAGE])) {
        let mut buf = [0; PAGE];
        for (i, flag) in self.flags.iter().enumerate() {
            if flag.get() & DIRTY == 0 {
                continue;
            }
            self.mem.read(i * PAGE, &mut buf);
            if buf.iter().any(|&b| b != 0) {
                f(i, &buf);
            }
        }
    }
}

/// The bits of the granules of `page` that the byte range `at..end` touches.
fn granules(page: usize, at: usize, end: usize) -> u64 {
    let start = page * PAGE;
    let first = at.max(start) - start;
    let last = (end.min(start + PAGE) - start).saturating_sub(1);
    let (lo, hi) = (first / GRANULE, last / GRANULE);
    (u64::MAX << lo) & (u64::MAX >> (63 - hi))
}

#[cfg(test)]
mod tests;
