//! Benchmark: data-dependent branches.
#![no_std]
#![no_main]

use maquette_demos::{bench, kernels};
use maquette_guest_rt::{Boot, entry};

entry!(main);

fn main(_: Boot) -> ! {
    bench::run("branchy", kernels::branchy)
}
