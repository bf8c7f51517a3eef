//! The host memory behind guest RAM: one private anonymous mapping, zero until touched.

#![expect(
    unsafe_code,
    reason = "maps memory and moves bytes through raw pointers"
)]

use core::ptr::NonNull;
use std::io;

/// A private anonymous mapping. Pages that nobody touched cost nothing.
///
/// It is read and written through raw pointers only; no reference into it ever exists, so that CPU
/// and devices may both hold its address.
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

impl Mapping {
    /// Maps `len` zero bytes, `len` > 0.
    pub(super) fn new(len: usize) -> io::Result<Self> {
        // SAFETY: a fresh private mapping at an address of the kernel's choice aliases nothing.
        let p = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if p == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(p.cast())
            .map(|start| Self { start, len })
            .ok_or_else(io::Error::last_os_error)
    }

    pub(super) const fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Copies out `buf.len()` bytes from `at`; the caller has checked the range.
    pub(super) fn read(&self, at: usize, buf: &mut [u8]) {
        assert!(at.checked_add(buf.len()).is_some_and(|end| end <= self.len));
        // SAFETY: the range lies in the mapping (asserted) and `buf` is no part of it, since no
        // reference into the mapping exists.
        unsafe {
            core::ptr::copy_nonoverlapping(self.start().add(at), buf.as_mut_ptr(), buf.len());
        }
    }

    /// Copies `buf` to `at`; the caller has checked the range.
    pub(super) fn write(&self, at: usize, buf: &[u8]) {
        assert!(at.checked_add(buf.len()).is_some_and(|end| end <= self.len));
        // SAFETY: as in `read`.
        unsafe {
            core::ptr::copy_nonoverlapping(buf.as_ptr(), self.start().add(at), buf.len());
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nobody uses it after its owner is gone.
        unsafe {
            libc::munmap(self.start().cast(), self.len);
        }
    }
}
