//! The smallest program: it says hello from every part of the machine it touches and stops.
#![no_std]
#![no_main]

use maquette_guest_rt::{Boot, entry, finish, println};

entry!(main);

fn main(boot: Boot) -> ! {
    println!("Hello from M-mode on hart {}", boot.hart);
    finish::pass()
}
