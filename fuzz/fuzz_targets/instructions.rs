//! Instruction words and short programs.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| maquette_fuzz::instructions(data));
