//! Reboots once. The first boot leaves a word in RAM behind the image and asks the firmware for a cold
//! reboot; the second finds the word and powers off. RAM keeps its content over a reset.
#![no_std]
#![no_main]

use maquette_guest_rt::arch::{self, Mmio};
use maquette_guest_rt::{Boot, entry, finish, println, sbi};

entry!(main);

const BEEN_HERE: u64 = 0x7265_626f_6f74_6564;

fn main(_: Boot) -> ! {
    let note = Mmio::at(arch::image().end);
    if note.read64(0) == BEEN_HERE {
        note.write64(0, 0);
        println!("PASS second boot: powering off");
        finish::pass()
    }
    note.write64(0, BEEN_HERE);
    println!("PASS first boot: asking for a reboot");
    sbi::cold_reboot();
    panic!("the firmware does not reboot")
}
