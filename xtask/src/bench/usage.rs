//! What ended children have used.
#![expect(
    unsafe_code,
    reason = "the standard library waits for children but drops their resource usage"
)]

use std::io;
use std::mem::MaybeUninit;

/// The largest resident memory, in bytes, of any child that has ended and been waited for.
pub fn largest_child() -> io::Result<u64> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is valid for writes of a `rusage`, which is all the call does with it.
    let status = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a `rusage` is integers only, and all of it was zeroed before the call filled it.
    let usage = unsafe { usage.assume_init() };
    // Linux counts this field in KiB.
    Ok(u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024)
}
