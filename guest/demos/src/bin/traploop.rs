//! The trap vector points at nothing, so the first trap leads to the next, for ever.
#![no_std]
#![no_main]

use maquette_guest_rt::arch::{self, csr};
use maquette_guest_rt::{Boot, entry, println};

entry!(main);

/// No device and no RAM is there on the `virt` board.
const NOWHERE: usize = 0x10;

fn main(_: Boot) -> ! {
    println!("traploop: trap vector {NOWHERE:#x}, now an environment call");
    csr::MTVEC.write(NOWHERE);
    arch::ecall(0, 0, [0; 5]);
    arch::park()
}
