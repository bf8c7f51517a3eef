//! Counters: `minstret` counts retired instructions exactly, `mcountinhibit` stops counters,
//! `mcounteren` and `scounteren` open them to lower privileges (privileged §3.1.10 to §3.1.12, §10.1.5).
//!
//! In QEMU this needs `-icount`: without it both counters show the host's clock.
#![no_std]
#![no_main]

use maquette_demos::probing::open_pmp;
use maquette_guest_rt::arch::csr::{
    MCOUNTEREN, MCOUNTINHIBIT, MCYCLE, MENVCFG, MENVCFG_STCE, MINSTRET, SCOUNTEREN,
};
use maquette_guest_rt::arch::{Cause, Counter, Mode, call_in, count, read_counter};
use maquette_guest_rt::{Boot, check, entry, finish, println};

entry!(main);

/// `mcountinhibit` bits.
const INHIBIT_CYCLE: usize = 1;
const INHIBIT_INSTRET: usize = 4;

fn main(_: Boot) -> ! {
    open_pmp();
    exact();
    println!("PASS minstret: exact over straight lines, loops and branches");
    written();
    inhibited();
    println!("PASS mcountinhibit: stops each counter and only that one");
    let cases = gates();
    println!("PASS mcounteren, scounteren: {cases} combinations");
    stimecmp();
    println!("PASS stimecmp: open to S-mode by menvcfg.STCE and mcounteren.TM only");
    finish::pass()
}

/// Difference of two reads of `minstret` around known code.
fn exact() {
    MCOUNTINHIBIT.write(0);
    for (what, got, expected) in [
        ("nothing", count::nothing(), 1),
        ("ten additions", count::ten(), 11),
        ("compressed", count::compressed(), 9),
        ("loop of 100", count::loop_of(100), 1 + 1 + 2 * 100),
        ("loop of 12345", count::loop_of(12_345), 1 + 1 + 2 * 12_345),
        ("call and return", count::call(), 1 + 2 + 1),
    ] {
        check!(
            got == expected,
            "{what}: {got} instructions, not {expected}"
        );
    }
    // Taken traps retire nothing: an ecall is not counted, the instructions of the handler are.
    let before = MCYCLE.read();
    count::loop_of(1000);
    let cycles = MCYCLE.read().wrapping_sub(before);
    check!(cycles > 0, "mcycle stands still");
}

/// The next instruction reads what was written, since the write replaces the increment (unprivileged,
/// chapter "Zicsr"). QEMU counts the writing instruction too, which is said but not held against it.
fn written() {
    let (first, second) = count::after_write(1000);
    let (last, wrapped) = count::after_write(usize::MAX);
    check!(
        second == first + 1 && wrapped == last.wrapping_add(1),
        "minstret goes from {first} to {second}, from {last:#x} to {wrapped:#x}"
    );
    match first {
        1000 => println!("PASS minstret: the next instruction reads what was written"),
        1001 => println!("NOTE minstret: the write itself is counted, which it must not be"),
        _ => panic!("1000 was written to minstret, {first} read"),
    }
}

fn inhibited() {
    for (bits, cycle_runs, instret_runs) in [
        (0, true, true),
        (INHIBIT_CYCLE, false, true),
        (INHIBIT_INSTRET, true, false),
        (INHIBIT_CYCLE | INHIBIT_INSTRET, false, false),
    ] {
        MCOUNTINHIBIT.write(bits);
        let (cycle, instret) = (MCYCLE.read(), MINSTRET.read());
        count::loop_of(1000);
        let cycle_ran = MCYCLE.read() != cycle;
        let instret_ran = MINSTRET.read() != instret;
        check!(
            cycle_ran == cycle_runs && instret_ran == instret_runs,
            "mcountinhibit {bits}: mcycle runs {cycle_ran}, minstret runs {instret_ran}"
        );
    }
    MCOUNTINHIBIT.write(0);
}

/// Every counter, every value of its two gates, every privilege.
fn gates() -> usize {
    let mut cases = 0;
    for counter in Counter::ALL {
        let bit = 1 << counter.bit();
        for (machine_gate, supervisor_gate) in [
            (0, 0),
            (bit, 0),
            (0, bit),
            (bit, bit),
            (!bit, bit),
            (bit, !bit),
        ] {
            MCOUNTEREN.write(machine_gate);
            SCOUNTEREN.write(supervisor_gate);
            for mode in [Mode::Machine, Mode::Supervisor, Mode::User] {
                let by_machine = mode == Mode::Machine || machine_gate & bit != 0;
                let by_supervisor = mode != Mode::User || supervisor_gate & bit != 0;
                let outcome = call_in(mode, read_counter(counter), [0; 3]);
                let refused = !outcome.returned && outcome.cause == Cause::ILLEGAL;
                let open = by_machine && by_supervisor;
                check!(
                    outcome.returned == open && refused != open,
                    "{counter:?} in {mode:?}-mode, mcounteren {machine_gate:#x}, scounteren \
                     {supervisor_gate:#x}: {outcome:x?}"
                );
                cases += 1;
            }
        }
    }
    MCOUNTEREN.write(0);
    SCOUNTEREN.write(0);
    cases
}

fn stimecmp() {
    const TM: usize = 1 << 1;
    for (stce, tm) in [(false, false), (true, false), (false, true), (true, true)] {
        MENVCFG.clear(MENVCFG_STCE);
        if stce {
            MENVCFG.set(MENVCFG_STCE);
        }
        MCOUNTEREN.write(if tm { TM } else { 0 });
        let outcome = call_in(
            Mode::Supervisor,
            count::write_stimecmp(),
            [usize::MAX, 0, 0],
        );
        let refused = !outcome.returned && outcome.cause == Cause::ILLEGAL;
        check!(
            outcome.returned == (stce && tm) && refused != (stce && tm),
            "STCE {stce}, TM {tm}: {outcome:x?}"
        );
    }
    MENVCFG.clear(MENVCFG_STCE);
    MCOUNTEREN.write(0);
}
