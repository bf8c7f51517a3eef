//! The bodies with seeded inputs: what fuzzers do for hours, for a moment and the same each time.

use maquette_fuzz::{boot, instructions, mutate, queues, registers, samples, system_file};
use maquette_model::testing::conformance::Random;
use maquette_tests::seeds;

/// Inputs of a round.
const CASES: u64 = 1000;

/// Each input of this round, and on a panic the seed that gave it.
fn each(body: fn(&[u8]), mut input: impl FnMut(&mut Random) -> Vec<u8>) {
    for seed in seeds(CASES) {
        let data = input(&mut Random(seed));
        let outcome = std::panic::catch_unwind(|| body(&data));
        assert!(outcome.is_ok(), "seed {seed}: {data:02x?}");
    }
}

fn sample_or_noise(random: &mut Random, samples: &[Vec<u8>]) -> Vec<u8> {
    match random.below(samples.len() as u64 + 1) {
        0 => mutate::noise(random, 400),
        n => mutate::damaged(random, &samples[n as usize - 1]),
    }
}

#[test]
fn rv_38_system_files_are_read_or_refused() {
    let samples = samples::system_files();
    each(system_file, |random| sample_or_noise(random, &samples));
}

#[test]
fn rv_38_kernels_are_sound_or_refused() {
    let samples = samples::kernels();
    for sample in &samples {
        boot(sample);
    }
    each(boot, |random| sample_or_noise(random, &samples));
}

#[test]
fn rv_38_programs_are_the_same_in_blocks_and_pieces() {
    each(instructions, |random| match random.below(3) {
        0 => mutate::noise(random, 300),
        1 => samples::program(random, 60),
        _ => {
            let program = samples::program(random, 60);
            mutate::damaged(random, &program)
        }
    });
}

#[test]
fn rv_38_hostile_drivers_leave_devices_that_save_and_reset() {
    each(queues, |random| mutate::noise(random, 800));
}

#[test]
fn rv_38_register_sequences_leave_devices_that_save_and_reset() {
    each(registers, |random| mutate::noise(random, 800));
}
