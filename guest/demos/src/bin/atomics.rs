//! Four harts on the same words: load-reserved/store-conditional, atomic memory operations, locks.
//! Whatever the order, the totals are known.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use maquette_guest_rt::devtree::Machine;
use maquette_guest_rt::{Boot, Lock, arch, check, entry, finish, println};

entry!(main);

const HARTS: usize = 4;
const ROUNDS: u64 = 20_000;

static READY: AtomicUsize = AtomicUsize::new(0);
static FINISHED: AtomicUsize = AtomicUsize::new(0);

static ADD_D: AtomicU64 = AtomicU64::new(0);
static ADD_W: AtomicU32 = AtomicU32::new(u32::MAX);
static EXCHANGED: AtomicU64 = AtomicU64::new(0);
static XOR: AtomicU64 = AtomicU64::new(0);
static OR: AtomicU32 = AtomicU32::new(0);
static AND: AtomicU64 = AtomicU64::new(u64::MAX);
static MAX: AtomicI64 = AtomicI64::new(i64::MIN);
static MIN: AtomicI32 = AtomicI32::new(i32::MAX);
static MAX_U: AtomicU32 = AtomicU32::new(0);
static SWAP: AtomicU64 = AtomicU64::new(0);
/// Sum of all that came out of [`SWAP`]; with what is left in it, the sum of all that went in.
static SWAPPED_OUT: AtomicU64 = AtomicU64::new(0);

static LOCK: Lock = Lock::new();
/// Changed by plain loads and stores, under [`LOCK`].
static GUARDED: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

fn main(boot: Boot) -> ! {
    let tree = arch::device_tree(boot.dtb).expect("a device tree");
    let machine = Machine::read(tree).expect("a complete device tree");
    let harts = machine.harts().len();
    check!(
        harts >= HARTS,
        "this needs {HARTS} harts, the machine has {harts}"
    );
    for hart in 1..HARTS {
        check!(
            arch::start_machine_hart(hart, other),
            "there is no hart {hart}"
        );
    }
    work(0);
    while FINISHED.load(Ordering::Acquire) != HARTS {
        core::hint::spin_loop();
    }
    check_totals();
    finish::pass()
}

fn other(hart: usize) -> ! {
    work(hart as u64);
    arch::park()
}

fn work(hart: u64) {
    READY.fetch_add(1, Ordering::AcqRel);
    while READY.load(Ordering::Acquire) != HARTS {
        core::hint::spin_loop();
    }
    for round in 0..ROUNDS {
        step(hart, round);
    }
    FINISHED.fetch_add(1, Ordering::AcqRel);
}

fn step(hart: u64, round: u64) {
    let id = hart * ROUNDS + round;
    ADD_D.fetch_add(id, Ordering::Relaxed);
    ADD_W.fetch_add(3, Ordering::Relaxed);
    // A loop of lr.d and sc.d.
    let mut old = EXCHANGED.load(Ordering::Relaxed);
    while let Err(seen) =
        EXCHANGED.compare_exchange_weak(old, old + id, Ordering::AcqRel, Ordering::Relaxed)
    {
        old = seen;
    }
    XOR.fetch_xor(id.wrapping_mul(0x9e37_79b9_7f4a_7c15), Ordering::Relaxed);
    OR.fetch_or(1 << (id % 32), Ordering::Relaxed);
    AND.fetch_and(!(1 << (id % 61)), Ordering::Relaxed);
    let signed = id as i64 - (ROUNDS as i64);
    MAX.fetch_max(signed, Ordering::Relaxed);
    MIN.fetch_min(signed as i32, Ordering::Relaxed);
    // As unsigned numbers the negative ones are the largest.
    MAX_U.fetch_max(signed as u32, Ordering::Relaxed);
    let out = SWAP.swap(id, Ordering::AcqRel);
    SWAPPED_OUT.fetch_add(out, Ordering::Relaxed);
    if round.is_multiple_of(8) {
        LOCK.with(|| {
            for word in &GUARDED {
                let value = word.load(Ordering::Relaxed);
                word.store(value + 1, Ordering::Relaxed);
            }
        });
    }
}

fn check_totals() {
    let all = HARTS as u64 * ROUNDS;
    let sum = all * (all - 1) / 2;
    let total = ADD_D.load(Ordering::Acquire);
    check!(total == sum, "amoadd.d: {total}, not {sum}");
    let words = ADD_W.load(Ordering::Acquire);
    let expected = u32::MAX.wrapping_add(3 * all as u32);
    check!(words == expected, "amoadd.w: {words}, not {expected}");
    println!("PASS amoadd: {all} additions by {HARTS} harts");

    let total = EXCHANGED.load(Ordering::Acquire);
    check!(total == sum, "lr.d/sc.d: {total}, not {sum}");
    println!("PASS lr/sc: {all} additions by {HARTS} harts");

    let xor = (0..all).fold(0, |x, id| x ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    check!(XOR.load(Ordering::Acquire) == xor, "amoxor.d is wrong");
    check!(OR.load(Ordering::Acquire) == u32::MAX, "amoor.w is wrong");
    check!(AND.load(Ordering::Acquire) == 7 << 61, "amoand.d is wrong");
    check!(
        MAX.load(Ordering::Acquire) == (all - ROUNDS) as i64 - 1,
        "amomax.d is wrong"
    );
    check!(
        MIN.load(Ordering::Acquire) == -(ROUNDS as i32),
        "amomin.w is wrong"
    );
    check!(
        MAX_U.load(Ordering::Acquire) == u32::MAX,
        "amomaxu.w is wrong"
    );
    println!("PASS amoxor, amoor, amoand, amomax, amomin, amomaxu");

    let swapped = SWAPPED_OUT.load(Ordering::Acquire) + SWAP.load(Ordering::Acquire);
    check!(swapped == sum, "amoswap.d: {swapped}, not {sum}");
    println!("PASS amoswap: nothing lost, nothing doubled");

    let expected = all / 8;
    for word in &GUARDED {
        let value = word.load(Ordering::Acquire);
        check!(value == expected, "spin lock: {value}, not {expected}");
    }
    println!("PASS spin lock: {expected} rounds inside, one hart at a time");
}
