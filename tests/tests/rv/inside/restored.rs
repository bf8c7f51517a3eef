//! A run that is saved anywhere and restored into a new machine goes on to the same hash.

use super::pauses::{GUESTS, ended, machine, whole};
use crate::ran::noise;
use maquette_model::SimTime;
use maquette_sim::{NoRim, Outcome};
use maquette_tests::seeds;

#[test]
fn rv_43_guests_restored_at_random_places_end_with_the_same_hash() {
    for guest in GUESTS {
        let expected = whole(guest);
        let length = expected.1.as_ps();
        for seed in seeds(4) {
            let mut cuts: Vec<u64> = noise(seed, 32)
                .chunks_exact(8)
                .filter_map(|b| b.try_into().ok())
                .map(|b| u64::from_le_bytes(b) % length)
                .collect();
            cuts.sort_unstable();
            let mut inside = machine(guest);
            for cut in &cuts {
                let outcome = inside.serial.run(SimTime::from_ps(*cut), &mut NoRim);
                assert_eq!(outcome, Outcome::Limit);
                let saved = inside.serial.save().expect("every part can be saved");
                let mut fresh = machine(guest);
                fresh.serial.restore(saved.clone()).expect("it fits");
                let again = fresh.serial.save().expect("it can be saved again");
                assert!(
                    again == saved,
                    "{guest:?}: what was restored is not what was saved"
                );
                inside = fresh;
            }
            let outcome = inside.serial.run(SimTime::MAX, &mut NoRim);
            assert_eq!(outcome, Outcome::Stopped);
            assert_eq!(ended(inside), expected, "{guest:?}, saved at {cuts:?}");
        }
    }
}
