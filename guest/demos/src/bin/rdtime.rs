//! Two harts pass the time to and fro through memory: `time` may never run backwards, on one hart or
//! from one to the other (unprivileged, chapter "Zicntr").
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering};

use maquette_guest_rt::arch::{self, csr};
use maquette_guest_rt::{Boot, check, entry, finish, println};

entry!(main);

const EXCHANGES: u64 = 1_000_000;

/// Letters from hart 0 and hart 1: a number that grows, and the time when it was sent.
static LETTERS: [Letter; 2] = [const { Letter::new() }; 2];

#[repr(align(64))]
struct Letter {
    number: AtomicU64,
    time: AtomicU64,
}

impl Letter {
    const fn new() -> Self {
        Self {
            number: AtomicU64::new(0),
            time: AtomicU64::new(0),
        }
    }

    /// Sends the time, which is returned.
    fn send(&self, number: u64) -> u64 {
        let time = csr::TIME.read() as u64;
        self.time.store(time, Ordering::Relaxed);
        self.number.store(number, Ordering::Release);
        time
    }

    /// Waits for a letter, then looks at the clock: it may not show less than the letter.
    fn receive(&self, number: u64) -> u64 {
        while self.number.load(Ordering::Acquire) != number {
            core::hint::spin_loop();
        }
        let now = csr::TIME.read() as u64;
        let sent = self.time.load(Ordering::Relaxed);
        check!(
            now >= sent,
            "exchange {number}: sent at {sent}, received at {now}"
        );
        now
    }
}

fn main(_: Boot) -> ! {
    check!(arch::start_machine_hart(1, other), "there is no hart 1");
    let mut last = 0;
    for number in 1..=EXCHANGES {
        let sent = LETTERS[0].send(number);
        check!(sent >= last, "hart 0: {last}, then {sent}");
        last = LETTERS[1].receive(number);
        check!(last >= sent, "hart 0: {sent}, then {last}");
    }
    println!("PASS rdtime: {EXCHANGES} exchanges, never negative");
    finish::pass()
}

fn other(_: usize) -> ! {
    for number in 1..=EXCHANGES {
        LETTERS[0].receive(number);
        LETTERS[1].send(number);
    }
    arch::park()
}
