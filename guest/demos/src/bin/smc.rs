//! Code that is written while the program runs. After `fence.i` the new code must run; without it
//! either may (unprivileged, chapter "Zifencei"), so the program says which it saw.
//!
//! Four ways: a function that is replaced, the same at many places, the very next instructions of
//! straight-line code, and a function that another hart replaces.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use maquette_guest_rt::arch::{self, Mode, call_in};
use maquette_guest_rt::{Boot, check, entry, finish, println};

entry!(main);

const ROUNDS: usize = 1000;
const RET: u32 = 0x0000_8067;

/// Where code is written.
#[repr(C, align(4096))]
struct Code([AtomicU32; 1024]);
static CODE: Code = Code([const { AtomicU32::new(0) }; 1024]);

/// Number of the function that hart 0 has written for hart 1, and what hart 1 got from it.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);
static CALLED: AtomicUsize = AtomicUsize::new(0);
static RESULT: AtomicUsize = AtomicUsize::new(0);

fn main(_: Boot) -> ! {
    replaced_function();
    many_places();
    straight_line();
    check!(arch::start_machine_hart(1, other), "there is no hart 1");
    other_hart();
    finish::pass()
}

/// `li a0, value` for values below 2048.
fn load_immediate(value: usize) -> u32 {
    (value as u32) << 20 | 0x513
}

fn write(at: usize, instruction: u32) {
    CODE.0[at].store(instruction, Ordering::Release);
}

fn address(at: usize) -> usize {
    CODE.0.as_ptr().addr() + 4 * at
}

fn run(at: usize) -> usize {
    match call_in(Mode::Machine, address(at), [0; 3]).result() {
        Ok(value) => value,
        Err((cause, value)) => panic!("written code trapped: {cause:?}, value {value:#x}"),
    }
}

/// Counts how often the new code ran although there was no fence.
fn seen(new: usize) -> &'static str {
    if new == ROUNDS {
        "new code each time"
    } else if new == 0 {
        "old code each time"
    } else {
        "old and new code"
    }
}

fn replaced_function() {
    write(1, RET);
    for value in 0..ROUNDS {
        write(0, load_immediate(value));
        arch::fence_i();
        let got = run(0);
        check!(got == value, "after fence.i: {got}, not {value}");
    }
    println!("PASS replaced function, with fence.i: new code {ROUNDS} times");

    let mut new = 0;
    let mut last = ROUNDS - 1;
    for value in 0..ROUNDS {
        write(0, load_immediate(value));
        let got = run(0);
        check!(
            got == value || got == last,
            "without fence.i: {got}, neither {last} nor {value}"
        );
        new += usize::from(got == value);
        last = got;
        // What is old next time must be unique.
        if got != value {
            arch::fence_i();
            last = value;
        }
    }
    println!("PASS replaced function, without fence.i: {}", seen(new));
}

/// Functions side by side and across a page, of which each write changes one.
fn many_places() {
    for at in (0..1022).step_by(2) {
        write(at, load_immediate(at));
        write(at + 1, RET);
    }
    arch::fence_i();
    for round in 0..4 {
        for at in (0..1022).step_by(2) {
            let value = (at + round) % 2048;
            write(at, load_immediate(value));
            arch::fence_i();
            let got = run(at);
            check!(got == value, "function {at}: {got}, not {value}");
            let neighbour = (at + 2) % 1022;
            // Those behind still have the value of the round before.
            let expected = if neighbour == 0 {
                round
            } else {
                neighbour + round.saturating_sub(1)
            };
            let got = run(neighbour);
            check!(
                got == expected,
                "neighbour {neighbour}: {got}, not {expected}"
            );
        }
    }
    println!("PASS many functions, with fence.i: only the written one changes");
}

/// `sw a1, 8(a0)` or with a fence `12(a0)`, then the instruction it overwrites.
fn straight_line() {
    const STORE_AT_8: u32 = 0x00b5_2423;
    const STORE_AT_12: u32 = 0x00b5_2623;
    const FENCE_I: u32 = 0x0000_100f;
    const NOP: u32 = 0x0000_0013;
    let mut new = 0;
    for value in 0..ROUNDS {
        let old = load_immediate(2047);
        let with_fence = [STORE_AT_12, FENCE_I, NOP, old, RET];
        let got = run_straight(&with_fence, value);
        check!(got == value, "store, fence.i, execute: {got}, not {value}");
        let without = [STORE_AT_8, NOP, old, RET, RET];
        let got = run_straight(&without, value);
        check!(got == value || got == 2047, "store, execute: {got}");
        new += usize::from(got == value);
    }
    println!("PASS next instruction, with fence.i: new code {ROUNDS} times");
    println!("PASS next instruction, without fence.i: {}", seen(new));
}

fn run_straight(program: &[u32], value: usize) -> usize {
    for (at, instruction) in program.iter().enumerate() {
        write(at, *instruction);
    }
    arch::fence_i();
    let args = [address(0), load_immediate(value) as usize, 0];
    match call_in(Mode::Machine, address(0), args).result() {
        Ok(value) => value,
        Err((cause, value)) => panic!("written code trapped: {cause:?}, value {value:#x}"),
    }
}

fn other_hart() {
    write(1, RET);
    for number in 1..=2 * ROUNDS {
        write(0, load_immediate(number % 2000));
        WRITTEN.store(number, Ordering::Release);
        while CALLED.load(Ordering::Acquire) != number {
            core::hint::spin_loop();
        }
    }
    println!("PASS written by another hart, with fence.i: new code {ROUNDS} times");
    let new = RESULT.load(Ordering::Acquire);
    println!(
        "PASS written by another hart, without fence.i: {}",
        seen(new)
    );
}

/// Hart 1: fences in the first half, not in the second.
fn other(_: usize) -> ! {
    let mut new = 0;
    for number in 1..=2 * ROUNDS {
        while WRITTEN.load(Ordering::Acquire) != number {
            core::hint::spin_loop();
        }
        let fenced = number <= ROUNDS;
        if fenced {
            arch::fence_i();
        }
        let expected = number % 2000;
        let got = run(0);
        check!(!fenced || got == expected, "hart 1: {got}, not {expected}");
        new += usize::from(!fenced && got == expected);
        RESULT.store(new, Ordering::Release);
        CALLED.store(number, Ordering::Release);
    }
    arch::park()
}
