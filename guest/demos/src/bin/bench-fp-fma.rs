//! Benchmark: floating-point fused multiply-adds.
#![no_std]
#![no_main]

use maquette_demos::{bench, float_kernels};
use maquette_guest_rt::{Boot, entry};

entry!(main);

fn main(_: Boot) -> ! {
    bench::run("fp-fma", float_kernels::fma)
}
