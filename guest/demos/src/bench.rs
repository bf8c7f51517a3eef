//! The frame of the benchmark programs: run a kernel, count its instructions, print one line.

use maquette_guest_rt::arch::csr;
use maquette_guest_rt::{finish, println};

/// Runs `kernel` and ends the machine. The line it prints is
/// `bench <name>: instret <n> checksum <x>`.
pub fn run(name: &str, kernel: fn() -> u64) -> ! {
    let before = csr::MINSTRET.read();
    let checksum = kernel();
    let instret = csr::MINSTRET.read().wrapping_sub(before);
    println!("bench {name}: instret {instret} checksum {checksum:#018x}");
    finish::pass()
}
