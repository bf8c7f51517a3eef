//! Interrupts: which of the pending ones is taken, where to, in which order (privileged §3.1.9,
//! §3.1.6.1). Every combination of pending ones meets many of `mie`, `mideleg`, `mstatus.MIE`, `SIE` and
//! each privilege; what must happen is computed here.
//!
//! QEMU keeps the order of the specification only with `smaia=true,ssaia=true`; without them it takes
//! the pending interrupt with the lowest number.
#![no_std]
#![no_main]

use maquette_demos::probing::open_pmp;
use maquette_guest_rt::arch::csr::{
    self, MEI, MENVCFG, MENVCFG_STCE, MIDELEG, MIE, MIP, MSI, MSTATUS, MTI, SCAUSE, SEI, SSI, STI,
};
use maquette_guest_rt::arch::{Cause, Mode, Outcome, call_in, caught_in_supervisor, nothing};
use maquette_guest_rt::plic::Context;
use maquette_guest_rt::{Boot, board, check, entry, finish, println};

entry!(main);

/// From the most urgent to the least (privileged §3.1.9).
const ORDER: [usize; 6] = [MEI, MSI, MTI, SEI, SSI, STI];
const ALL: usize = MEI | MSI | MTI | SEI | SSI | STI;
const DELEGABLE: usize = SEI | SSI | STI;

const MPIE: usize = 1 << 7;
const SIE: usize = 1 << 1;

/// The UART's register that enables its interrupts; "transmitter empty" is always true here.
const UART_IER: usize = 1;
const UART_IER_EMPTY: u8 = 2;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Case {
    pending: usize,
    enabled: usize,
    delegated: usize,
    machine_on: bool,
    supervisor_on: bool,
    mode: Mode,
}

/// Which interrupt is taken, to which privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    None,
    ByMachine(usize),
    BySupervisor(usize),
}

fn main(_: Boot) -> ! {
    open_pmp();
    // With STCE off M-mode raises the supervisor's timer interrupt by hand.
    MENVCFG.clear(MENVCFG_STCE);
    csr::STVEC.write(caught_in_supervisor());
    prepare_external();
    delegation();
    println!("PASS mideleg: supervisor interrupts can be delegated, machine interrupts cannot");
    let cases = matrix();
    println!(
        "PASS interrupt matrix: {cases} combinations of pending, enabled, delegated, privilege"
    );
    order();
    println!("PASS order: MEI, MSI, MTI, SEI, SSI, STI");
    finish::pass()
}

/// The machine's external interrupt comes from the UART, by the PLIC.
fn prepare_external() {
    board::UART.write8(UART_IER, UART_IER_EMPTY);
    let context = Context {
        plic: board::PLIC,
        number: 0,
    };
    context.enable(board::UART_IRQ as usize);
    raise(0);
}

/// Makes exactly these pending.
fn raise(pending: usize) {
    let bit = |b: usize| pending & b != 0;
    board::CLINT.write32(board::msip(0), u32::from(bit(MSI)));
    let comparand = if bit(MTI) { 0 } else { u64::MAX };
    board::CLINT.write64(board::mtimecmp(0), comparand);
    // A threshold above the priority of 1 holds the interrupt back (PLIC, priority thresholds).
    board::PLIC.write32(0x20_0000, u32::from(!bit(MEI)));
    MIP.clear(DELEGABLE);
    MIP.set(pending & DELEGABLE);
    let now = MIP.read() & ALL;
    check!(now == pending, "mip is {now:#x}, not {pending:#x}");
}

fn delegation() {
    MIDELEG.write(usize::MAX);
    let delegated = MIDELEG.read() & ALL;
    check!(delegated == DELEGABLE, "mideleg takes {delegated:#x}");
    MIDELEG.write(0);
    let delegated = MIDELEG.read() & ALL;
    check!(delegated == 0, "mideleg keeps {delegated:#x}");
}

/// The subset of `bits` whose members `n` counts out.
fn subset(bits: [usize; 6], n: usize) -> usize {
    let members = bits.iter().enumerate().filter(|(i, _)| n >> i & 1 != 0);
    members.fold(0, |set, (_, bit)| set | bit)
}

fn matrix() -> usize {
    let mut cases = 0;
    for pending in (0..64).map(|n| subset(ORDER, n)) {
        raise(pending);
        for delegated in (0..8).map(|n| subset([SEI, SSI, STI, 0, 0, 0], n)) {
            // All, none, all but one.
            let one_missing = ORDER.map(|bit| ALL & !bit);
            for enabled in [ALL, 0].into_iter().chain(one_missing) {
                for state in 0..12 {
                    let mode = [Mode::User, Mode::Supervisor, Mode::Machine][state / 4];
                    let case = Case {
                        pending,
                        enabled,
                        delegated,
                        machine_on: state & 1 != 0,
                        supervisor_on: state & 2 != 0,
                        mode,
                    };
                    let taken = attempt(case);
                    let expected = expect(case);
                    check!(
                        taken == expected,
                        "{case:x?}: {taken:x?}, not {expected:x?}"
                    );
                    cases += 1;
                }
            }
        }
    }
    raise(0);
    cases
}

/// All pending; what is taken is disabled, until nothing is left.
fn order() {
    for delegated in [0, DELEGABLE] {
        let mut left = ALL;
        raise(ALL);
        for expected in ORDER {
            let case = Case {
                pending: ALL,
                enabled: left,
                delegated,
                machine_on: true,
                supervisor_on: true,
                mode: Mode::User,
            };
            let (Taken::ByMachine(bit) | Taken::BySupervisor(bit)) = attempt(case) else {
                panic!("{left:#x} enabled and pending, none taken");
            };
            check!(bit == expected, "{bit:#x} comes before {expected:#x}");
            left &= !bit;
        }
        raise(0);
    }
}

/// Enters the privilege with the interrupts set up, at code that only returns.
fn attempt(case: Case) -> Taken {
    MIDELEG.write(case.delegated);
    MSTATUS.clear(MPIE | SIE);
    let on = |flag: bool, bit: usize| if flag { bit } else { 0 };
    MSTATUS.set(on(case.machine_on, MPIE) | on(case.supervisor_on, SIE));
    MIE.write(case.enabled);
    let outcome = call_in(case.mode, nothing(), [0; 3]);
    MIE.write(0);
    classify(case, outcome)
}

fn classify(case: Case, outcome: Outcome) -> Taken {
    if outcome.returned {
        return Taken::None;
    }
    let code = |cause: usize| 1 << (cause & 0xff);
    // The handler in S-mode calls M-mode from its first instruction.
    if outcome.cause == Cause(9) && outcome.pc == caught_in_supervisor() {
        let cause = SCAUSE.read();
        check!(cause >> 63 == 1, "{case:x?}: scause {cause:#x}");
        check!(
            csr::SEPC.read() == nothing(),
            "{case:x?}: an instruction ran before the interrupt"
        );
        return Taken::BySupervisor(code(cause));
    }
    check!(
        outcome.cause.0 >> 63 == 1 && outcome.pc == nothing(),
        "{case:x?}: {outcome:x?}"
    );
    Taken::ByMachine(code(outcome.cause.0))
}

fn expect(case: Case) -> Taken {
    let ready = case.pending & case.enabled;
    let first = |set: usize| ORDER.into_iter().find(|bit| set & bit != 0);
    let machine_open = case.mode != Mode::Machine || case.machine_on;
    let supervisor_open = match case.mode {
        Mode::User => true,
        Mode::Supervisor => case.supervisor_on,
        Mode::Machine => false,
    };
    if let Some(bit) = first(ready & !case.delegated).filter(|_| machine_open) {
        Taken::ByMachine(bit)
    } else if let Some(bit) = first(ready & case.delegated).filter(|_| supervisor_open) {
        Taken::BySupervisor(bit)
    } else {
        Taken::None
    }
}
