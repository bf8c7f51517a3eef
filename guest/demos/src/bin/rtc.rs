//! The Goldfish real-time clock: the date, an alarm by interrupt, setting the date.
#![no_std]
#![no_main]

use maquette_guest_rt::arch::csr::{MEI, MIE, MIP};
use maquette_guest_rt::arch::{Mmio, wfi};
use maquette_guest_rt::plic::Context;
use maquette_guest_rt::{Boot, board, check, entry, finish, println};

entry!(main);

const RTC: Mmio = Mmio::at(0x0010_1000);
const IRQ: usize = 11;

const TIME_LOW: usize = 0x00;
const TIME_HIGH: usize = 0x04;
const ALARM_LOW: usize = 0x08;
const ALARM_HIGH: usize = 0x0c;
const IRQ_ENABLED: usize = 0x10;
const ALARM_STATUS: usize = 0x18;
const CLEAR_INTERRUPT: usize = 0x1c;

const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;

fn main(_: Boot) -> ! {
    let start = clock();
    println!("date: {} s since 1970", start / SECOND);
    let later = clock();
    check!(later > start, "the clock stands at {later}");
    println!("PASS clock: goes on");
    alarm();
    println!("PASS alarm: one interrupt, not before its time");
    set(946_684_800 * SECOND);
    let now = clock();
    check!(
        now / SECOND == 946_684_800,
        "the clock was set to 2000 and shows {now}"
    );
    println!("PASS clock: can be set");
    finish::pass()
}

/// Nanoseconds since 1970: reading the low half keeps the high half for the next read.
fn clock() -> u64 {
    let low = RTC.read32(TIME_LOW);
    u64::from(RTC.read32(TIME_HIGH)) << 32 | u64::from(low)
}

fn set(time: u64) {
    RTC.write32(TIME_HIGH, (time >> 32) as u32);
    RTC.write32(TIME_LOW, time as u32);
}

fn alarm() {
    let context = Context {
        plic: board::PLIC,
        number: 0,
    };
    context.enable(IRQ);
    MIE.set(MEI);
    let at = clock() + MILLISECOND;
    RTC.write32(ALARM_HIGH, (at >> 32) as u32);
    RTC.write32(ALARM_LOW, at as u32);
    RTC.write32(IRQ_ENABLED, 1);
    check!(RTC.read32(ALARM_STATUS) == 1, "the alarm is not armed");
    // Interrupts are off: `wfi` ends, and no trap is taken (privileged architecture §3.3.3).
    while MIP.read() & MEI == 0 {
        wfi();
    }
    let rang = clock();
    check!(rang >= at, "an alarm for {at} rang at {rang}");
    check!(context.claim() == IRQ, "another interrupt came");
    check!(RTC.read32(ALARM_STATUS) == 0, "the alarm is still armed");
    RTC.write32(CLEAR_INTERRUPT, 1);
    context.complete(IRQ);
    check!(MIP.read() & MEI == 0, "the interrupt does not end");
}
