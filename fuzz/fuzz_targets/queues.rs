//! Virtio devices under hostile drivers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| maquette_fuzz::queues(data));
