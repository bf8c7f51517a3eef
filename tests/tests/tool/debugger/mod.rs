//! `maquette gdb` from the outside, by a debugger that speaks the bare protocol.

mod bad_input;
mod outputs;
mod stops;

use crate::bench::Bench;
use crate::elf::Elf;
use maquette_tests::Limit;
use maquette_tests::debuggee::Debuggee;

const LIMIT: Limit = Limit::seconds(300);

/// The guest on so many harts, which take short turns, waiting for a debugger.
fn debug(guest: &Elf, harts: u32) -> (Bench, Debuggee) {
    let bench = Bench::with(
        &guest.file(),
        &format!("[machine]\nharts = {harts}\nquantum = 4"),
    );
    let debuggee = Debuggee::start(bench.tool("gdb"));
    (bench, debuggee)
}
