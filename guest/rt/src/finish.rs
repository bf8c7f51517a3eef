//! Ends of the machine: passed, failed, panicked.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::arch::{self, Mode};
use crate::{board, sbi};

const PASS: u32 = 0x5555;
const FAIL: u32 = 0x3333;

/// Powers the machine off with success.
pub fn pass() -> ! {
    match arch::boot_mode() {
        Mode::Machine => board::FINISHER.write32(0, PASS),
        _ => sbi::shutdown(false),
    }
    arch::park()
}

/// Powers the machine off with failure `code`. An SBI has no room for a code, only for "failed".
pub fn fail(code: u16) -> ! {
    match arch::boot_mode() {
        Mode::Machine => board::FINISHER.write32(0, (u32::from(code) << 16) | FAIL),
        _ => sbi::shutdown(true),
    }
    arch::park()
}

/// Panics, with a message, unless the condition holds.
#[macro_export]
macro_rules! check {
    ($cond:expr, $($arg:tt)+) => {
        if !$cond {
            panic!($($arg)+);
        }
    };
}

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // A second failure, on another hart or while reporting, must not hide the first.
    if PANICKING.swap(true, Ordering::SeqCst) {
        arch::park();
    }
    let line = info.location().map_or(0, core::panic::Location::line);
    let file = info.location().map_or("?", core::panic::Location::file);
    crate::console::print_unlocked(format_args!("FAIL {file}:{line}: {}\n", info.message()));
    // A host that keeps only the low byte as its exit status must not read it as success.
    let code = (line & 0xffff) as u16;
    fail(if code & 0xff == 0 { 0xff } else { code })
}
