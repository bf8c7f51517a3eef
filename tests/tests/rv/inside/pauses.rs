//! Where the engine pauses a machine is not observable.

use maquette_machine::{BootMode, Slot, Status};
use maquette_model::SimTime;
use maquette_sim::{Outcome, Rim, RimAction};
use maquette_tests::guests::guest;
use maquette_tests::seeds;
use maquette_trace::Trace;
use maquette_virtio::{Block, MemoryDisk, VirtioMmio};

use super::{Inside, Parts, QUANTUM};
use crate::ran::{noise, read};

/// A guest, how it boots, and on how many harts.
pub type Guest = (&'static str, BootMode, u8);

pub const GUESTS: [Guest; 4] = [
    ("smode", BootMode::Sbi, 2),
    ("smode", BootMode::Sbi, 5),
    ("atomics", BootMode::Bare, 4),
    ("smc", BootMode::Bare, 2),
];

pub fn machine((name, mode, harts): Guest) -> Inside {
    let disk = MemoryDisk::new(noise(11, 128 << 10));
    let disk = Block::new(Box::new(disk), "pauses", SimTime::from_us(10));
    Inside::new(Parts {
        mode,
        harts,
        quantum: QUANTUM,
        kernel: read(&guest(name)),
        slots: vec![Slot {
            index: 0,
            device: Box::new(VirtioMmio::new(disk)),
        }],
        trace: Trace::new(),
    })
}

/// A world outside that only looks on.
struct Looking(SimTime);

impl Rim for Looking {
    fn before(&mut self, _: SimTime) -> RimAction {
        RimAction::Go
    }
    fn idle(&mut self) -> RimAction {
        RimAction::Go
    }
    fn window(&self) -> SimTime {
        self.0
    }
}

/// The hash and the time at the end of a run in one piece.
pub fn whole(guest: Guest) -> (String, SimTime) {
    let mut inside = machine(guest);
    let outcome = inside.serial.run(SimTime::MAX, &mut maquette_sim::NoRim);
    assert_eq!(outcome, Outcome::Stopped);
    ended(inside)
}

pub fn ended(mut inside: Inside) -> (String, SimTime) {
    assert_eq!(*inside.machine().status(), Status::PoweredOff);
    let time = inside.machine().statistics().time;
    (inside.serial.finish().to_string(), time)
}

#[test]
fn rv_09_windows_of_the_world_outside_do_not_change_the_hash() {
    for guest in GUESTS {
        let expected = whole(guest);
        for window in [
            SimTime::from_ns(97),
            SimTime::from_ps(1_000_001),
            SimTime::from_us(50),
        ] {
            let mut inside = machine(guest);
            let outcome = inside.serial.run(SimTime::MAX, &mut Looking(window));
            assert_eq!(outcome, Outcome::Stopped);
            assert_eq!(ended(inside), expected, "{guest:?} in windows of {window}");
        }
    }
}

#[test]
fn rv_09_runs_cut_at_random_places_do_not_change_the_hash() {
    for guest in GUESTS {
        let expected = whole(guest);
        for seed in seeds(4) {
            let mut inside = machine(guest);
            // Pieces of any size from a picosecond up: the power of two varies, then the rest.
            let mut cuts = noise(seed, 1 << 16).into_iter();
            let mut limit = SimTime::ZERO;
            let outcome = loop {
                let (power, rest) = (cuts.next().unwrap_or(0), cuts.next().unwrap_or(0));
                let piece = (u64::from(rest) + 256) << (power % 20) >> 8;
                limit = limit.saturating_add(SimTime::from_ps(piece.max(1) * 1_000 - 999));
                let outcome = inside.serial.run(limit, &mut maquette_sim::NoRim);
                if outcome != Outcome::Limit {
                    break outcome;
                }
                if cuts.len() == 0 {
                    break inside.serial.run(SimTime::MAX, &mut maquette_sim::NoRim);
                }
            };
            assert_eq!(outcome, Outcome::Stopped);
            assert_eq!(ended(inside), expected, "{guest:?}, cuts {seed}");
        }
    }
}

/// Totals at which the limit falls into the boot, into turns of several harts, and near the end.
const TOTALS: [u64; 4] = [1, 777, 30_001, 100_003];

fn limited(guest: Guest, most: u64) -> Inside {
    let mut inside = machine(guest);
    let id = inside.machine;
    let machine = inside.serial.get_mut::<maquette_machine::Machine>(id);
    machine.expect("it is a machine").limit_instructions(most);
    inside
}

fn stopped_at(mut inside: Inside, most: u64) -> (String, SimTime) {
    assert_eq!(*inside.machine().status(), Status::InstructionLimit);
    let statistics = inside.machine().statistics();
    assert_eq!(statistics.instructions(), most);
    (inside.serial.finish().to_string(), statistics.time)
}

#[test]
fn instruction_limit_is_exact_and_does_not_depend_on_pauses() {
    for guest in GUESTS {
        for most in TOTALS {
            let mut inside = limited(guest, most);
            let outcome = inside.serial.run(SimTime::MAX, &mut maquette_sim::NoRim);
            assert_eq!(outcome, Outcome::Stopped, "{guest:?}");
            let expected = stopped_at(inside, most);
            for window in [SimTime::from_ns(97), SimTime::from_ps(1_000_001)] {
                let mut inside = limited(guest, most);
                let outcome = inside.serial.run(SimTime::MAX, &mut Looking(window));
                assert_eq!(outcome, Outcome::Stopped);
                let seen = stopped_at(inside, most);
                assert_eq!(seen, expected, "{guest:?}, {most}, windows of {window}");
            }
        }
    }
}
