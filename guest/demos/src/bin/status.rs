//! Ends the machine with failure 42, so that tools can show what they do with a guest's own status.
#![no_std]
#![no_main]

use maquette_guest_rt::{Boot, entry, finish, println};

entry!(main);

const STATUS: u16 = 42;

fn main(_: Boot) -> ! {
    println!("status: this guest fails with {STATUS}");
    finish::fail(STATUS)
}
