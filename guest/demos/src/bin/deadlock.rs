//! Two harts sleep with all interrupts off: nothing can ever happen again. A machine that sees the
//! whole of its future ends here and names both harts.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicBool, Ordering};

use maquette_guest_rt::{Boot, arch, check, entry, println};

entry!(main);

static OTHER_SLEEPS: AtomicBool = AtomicBool::new(false);

fn main(_: Boot) -> ! {
    check!(arch::start_machine_hart(1, other), "there is no hart 1");
    while !OTHER_SLEEPS.load(Ordering::Acquire) {
        core::hint::spin_loop();
    }
    println!("deadlock: two harts wait with interrupts off");
    arch::park()
}

fn other(_: usize) -> ! {
    OTHER_SLEEPS.store(true, Ordering::Release);
    arch::park()
}
