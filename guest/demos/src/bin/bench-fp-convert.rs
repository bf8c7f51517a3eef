//! Benchmark: floating-point conversions.
#![no_std]
#![no_main]

use maquette_demos::{bench, float_kernels};
use maquette_guest_rt::{Boot, entry};

entry!(main);

fn main(_: Boot) -> ! {
    bench::run("fp-convert", float_kernels::convert)
}
