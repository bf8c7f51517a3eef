//! Six seconds of waiting, with a timer interrupt a hundred times a second: what a machine with nothing
//! to do costs its host. `idle: begins` and `idle: 500 ticks` enclose five of them.
#![no_std]
#![no_main]

use maquette_guest_rt::arch::csr::MIE;
use maquette_guest_rt::{Boot, arch, board, entry, finish, println};

entry!(main);

/// Ticks of the time base (10 MHz) in 10 ms.
const PERIOD: u64 = 100_000;
/// `mie.MTIE`.
const MTI: usize = 1 << 7;

fn main(_: Boot) -> ! {
    MIE.write(MTI);
    let start = board::CLINT.read64(board::MTIME);
    println!("idle: begins");
    wait(start, 0..500);
    println!("idle: 500 ticks");
    // Whoever measures has a second to look.
    wait(start, 500..600);
    println!("PASS idle: 600 ticks");
    finish::pass()
}

/// Interrupts stay off: one that is pending ends `wfi` all the same (privileged ISA §3.3.3).
fn wait(start: u64, ticks: core::ops::Range<u64>) {
    for tick in ticks {
        let due = start + PERIOD * (tick + 1);
        board::CLINT.write64(board::mtimecmp(0), due);
        while board::CLINT.read64(board::MTIME) < due {
            arch::wfi();
        }
    }
}
