//! Text output: by the UART in M-mode, by the SBI's debug console in S-mode.

use core::fmt::{Arguments, Write};

use crate::arch::{self, Mode};
use crate::{Lock, board, sbi};

/// Transmitter holding register and line status register of a 16550.
const THR: usize = 0;
const LSR: usize = 5;
const LSR_THR_EMPTY: u8 = 0x20;

static LOCK: Lock = Lock::new();

struct Out;

impl Write for Out {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        match arch::boot_mode() {
            Mode::Machine => s.bytes().for_each(uart_put),
            _ => sbi::console_write(s.as_bytes()),
        }
        Ok(())
    }
}

fn uart_put(byte: u8) {
    while board::UART.read8(LSR) & LSR_THR_EMPTY == 0 {
        core::hint::spin_loop();
    }
    board::UART.write8(THR, byte);
}

/// Prints while no other hart does.
pub fn print(args: Arguments) {
    LOCK.with(|| print_unlocked(args));
}

/// Prints without asking: for the panic handler, which may have interrupted a print.
pub fn print_unlocked(args: Arguments) {
    // The writer above cannot fail; a formatting trait that does has nobody to tell.
    let _ = Out.write_fmt(args);
}

/// Prints to the console.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => { $crate::console::print(format_args!($($arg)*)) };
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arg:tt)*) => { $crate::console::print(format_args!("{}\n", format_args!($($arg)*))) };
}
