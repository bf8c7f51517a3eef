//! Benchmark: loads and stores (a sieve).
#![no_std]
#![no_main]

use maquette_demos::{bench, kernels};
use maquette_guest_rt::{Boot, entry};

entry!(main);

fn main(_: Boot) -> ! {
    bench::run("memory", kernels::sieve)
}
