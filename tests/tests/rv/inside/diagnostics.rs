//! Drivers that do something wrong, and the same drivers doing it right.

use maquette_machine::diagnostics::{
    Findings, LOST_AFTER, Mode, SPIN_READS, STORM_CLAIMS, UNIMPLEMENTED_KEPT,
};
use maquette_machine::{BootMode, Status};
use maquette_model::SimTime;
use maquette_rv64::isa::Op;
use maquette_sim::{NoRim, Outcome};
use maquette_trace::Trace;

use super::asm::{Asm, Image, reg};
use super::{Inside, Parts, QUANTUM};

const RAM: u64 = 0x8000_0000;
const FINISHER: u64 = 0x0010_0000;
const MTIMECMP: u64 = 0x0200_4000;
const PLIC: u64 = 0x0c00_0000;
const UART: u64 = 0x1000_0000;
const SLOT0: u64 = 0x1000_1000;
/// Where nothing is.
const NOWHERE: u64 = 0x0300_0000;
const MIE: u16 = 0x304;
const MTVEC: u16 = 0x305;
/// The UART's source at the PLIC.
const SOURCE: i32 = 10;

/// Runs a program on one hart in M-mode; after it comes the end of the machine.
fn run(program: impl FnOnce(&mut Asm)) -> (Inside, Outcome) {
    let mut asm = Asm::new(RAM);
    program(&mut asm);
    finish(&mut asm);
    let mut inside = Inside::new(Parts {
        mode: BootMode::Bare,
        harts: 1,
        quantum: QUANTUM,
        kernel: Image(vec![(RAM, asm.finish())]).elf(),
        slots: Vec::new(),
        trace: Trace::new(),
    });
    let outcome = inside.serial.run(SimTime::from_ms(1000), &mut NoRim);
    (inside, outcome)
}

/// What is found in a program that comes to its end.
fn findings(program: impl FnOnce(&mut Asm)) -> Findings {
    let (inside, _) = run(program);
    assert_eq!(*inside.machine().status(), Status::PoweredOff);
    inside.machine().statistics().findings
}

fn finish(asm: &mut Asm) {
    asm.li(reg::T0, FINISHER);
    asm.li(reg::T1, 0x5555);
    asm.store(Op::Sw, reg::T1, 0, reg::T0);
    let stay = asm.mark();
    asm.jump(stay);
}

/// Does something `times` times; `body` leaves S0 alone.
fn repeat(asm: &mut Asm, times: u64, body: impl FnOnce(&mut Asm)) {
    asm.li(reg::S0, times);
    let again = asm.mark();
    body(asm);
    asm.i(Op::Addi, reg::S0, reg::S0, -1);
    asm.branch(Op::Bne, reg::S0, reg::ZERO, again);
}

#[test]
fn rv_49_touched_registers_that_nobody_models_are_listed() {
    let found = findings(|asm| {
        asm.li(reg::T0, SLOT0);
        asm.i(Op::Lw, reg::T1, reg::T0, 0); // the transport's magic value
        asm.store(Op::Sw, reg::T1, 0x18, reg::T0);
        asm.i(Op::Lw, reg::T1, reg::T0, 0x18);
        asm.i(Op::Lw, reg::T1, reg::T0, 0x18);
        // The access that traps ends the machine.
        let on = asm.label();
        asm.jump(on);
        let handler = asm.here();
        finish(asm);
        asm.bind(on);
        asm.li(reg::T0, handler);
        asm.csrw(MTVEC, reg::T0);
        asm.li(reg::T0, NOWHERE);
        asm.i(Op::Lw, reg::T1, reg::T0, 0x10);
    });
    let seen: Vec<_> = (found.unimplemented.iter())
        .map(|u| (u.place.to_string(), u.write, u.count, u.first.0))
        .collect();
    let slot = "machine0.virtio0+0x18".to_owned();
    assert_eq!(
        seen,
        [
            ("unmapped address 0x3000010".to_owned(), false, 1, 0),
            (slot.clone(), false, 2, 0),
            (slot, true, 1, 0),
        ]
    );
    assert_eq!(
        found.unimplemented[1].first.1,
        found.unimplemented[2].first.1 + 4
    );
    assert_eq!(found.unimplemented_more, 0);
}

#[test]
fn rv_49_list_of_registers_is_bounded() {
    let found = findings(|asm| {
        asm.li(reg::T0, SLOT0 + 0x1000 - 4);
        // Words of slots 1 and up that an empty slot does not have.
        repeat(asm, UNIMPLEMENTED_KEPT as u64 + 50, |asm| {
            asm.i(Op::Addi, reg::T0, reg::T0, 4);
            asm.i(Op::Lw, reg::T1, reg::T0, 0);
        });
    });
    assert_eq!(found.unimplemented.len(), UNIMPLEMENTED_KEPT);
    // Four of them are there: what tells a driver that the slot is empty.
    assert_eq!(found.unimplemented_more, 50 - 4);
}

#[test]
fn rv_50_loop_on_a_status_register_is_found_when_it_lasts() {
    let reads = |times| {
        findings(|asm| {
            asm.li(reg::T0, UART);
            repeat(asm, times, |asm| asm.i(Op::Lbu, reg::T1, reg::T0, 5));
        })
        .spins
    };
    let found = reads(SPIN_READS + 7);
    let [spin] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(spin.place.to_string(), "machine0.uart0+0x5 (LSR)");
    assert_eq!(
        (spin.hart, spin.value, spin.reads),
        (0, 0x60, SPIN_READS + 7)
    );
    assert!((RAM..RAM + 64).contains(&spin.pc), "{spin:?}");
    assert_eq!(reads(SPIN_READS - 1), []);
}

/// The UART requests an interrupt for M-mode at once and until its IIR is read.
fn raise(asm: &mut Asm) {
    asm.li(reg::S1, UART);
    asm.li(reg::S2, PLIC);
    asm.li(reg::S3, PLIC + 0x20_0004);
    asm.i(Op::Addi, reg::T1, reg::ZERO, 1);
    asm.store(Op::Sw, reg::T1, 4 * SOURCE, reg::S2);
    asm.li(reg::T0, PLIC + 0x2000);
    asm.i(Op::Addi, reg::T1, reg::ZERO, 1 << SOURCE);
    asm.store(Op::Sw, reg::T1, 0, reg::T0);
    asm.i(Op::Addi, reg::T2, reg::ZERO, 2);
    asm.store(Op::Sb, reg::T2, 1, reg::S1);
}

#[test]
fn rv_51_interrupt_that_nobody_quietens_is_a_storm() {
    let storms = |times, quieten: bool| {
        findings(|asm| {
            raise(asm);
            repeat(asm, times, |asm| {
                asm.i(Op::Lw, reg::T1, reg::S3, 0);
                if quieten {
                    asm.store(Op::Sb, reg::ZERO, 1, reg::S1);
                }
                asm.store(Op::Sw, reg::T1, 0, reg::S3);
                if quieten {
                    asm.store(Op::Sb, reg::T2, 1, reg::S1);
                }
            });
        })
        .storms
    };
    let found = storms(STORM_CLAIMS + 5, false);
    let [storm] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(storm.device, "machine0.uart0");
    assert_eq!((storm.source, storm.claims), (10, STORM_CLAIMS + 5));
    assert_eq!(storms(STORM_CLAIMS - 1, false), []);
    assert_eq!(storms(STORM_CLAIMS + 5, true), [], "its handler works");
}

/// A hart that sleeps with the external interrupt off, until `wait` has passed, and then claims.
fn claims_after(wait: SimTime) -> Findings {
    findings(|asm| {
        raise(asm);
        asm.li(reg::T0, MTIMECMP);
        asm.li(reg::T1, wait.as_ps() / 100_000);
        asm.store(Op::Sd, reg::T1, 0, reg::T0);
        asm.i(Op::Addi, reg::T1, reg::ZERO, 1 << 7);
        asm.csrw(MIE, reg::T1);
        asm.bare(Op::Wfi);
        asm.i(Op::Lw, reg::T1, reg::S3, 0);
    })
}

#[test]
fn rv_51_interrupt_claimed_late_was_lost() {
    let found = claims_after(LOST_AFTER.saturating_add(SimTime::from_ms(1)));
    let [lost] = found.lost.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((lost.hart, lost.mode, lost.count), (0, Mode::Machine, 1));
    assert!(lost.lasted >= LOST_AFTER, "{lost:?}");
    let found = claims_after(LOST_AFTER.saturating_sub(SimTime::from_ms(1)));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn rv_51_hart_that_sleeps_through_its_interrupt_is_named_with_the_reason() {
    let (inside, outcome) = run(|asm| {
        raise(asm);
        asm.bare(Op::Wfi);
    });
    assert_eq!(outcome, Outcome::Idle);
    let found = inside.machine().statistics().findings;
    let [lost] = found.lost.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(lost.why, Some("mie.MEIE is clear"));
    // With nothing to wait for, a hart that sleeps for ever has lost nothing.
    let (inside, outcome) = run(|asm| asm.bare(Op::Wfi));
    assert_eq!(outcome, Outcome::Idle);
    assert!(inside.machine().statistics().findings.is_empty());
}
