//! What makes `sc` fail, and what must not.

use maquette_machine::{BootMode, Slot, Status};
use maquette_model::{Cx, Iova, SimTime};
use maquette_rv64::isa::Op;
use maquette_sim::{NoRim, Outcome};
use maquette_trace::Trace;

use super::asm::{Asm, Image, reg};
use super::on_write::OnWrite;
use super::{Inside, Parts, QUANTUM};

const RAM: u64 = 0x8000_0000;
pub(super) const WORD: u64 = 0x8000_1000;
pub(super) const SLOT0: u64 = 0x1000_1000;
const FINISHER: u64 = 0x0010_0000;

/// Stores a word at [`WORD`] when it is written to.
pub(super) fn store_word(cx: &mut Cx<'_>, v: u64) {
    cx.dma_write(Iova(WORD), &v.to_le_bytes())
        .expect("this is RAM");
}

/// Runs `lr`, what `between` emits with the device's address in `t0`, and `sc`; returns the failure
/// code that the guest ends with: 1 if `sc` succeeded, 2 if it failed.
fn outcome_of_sc(between: impl FnOnce(&mut Asm)) -> u32 {
    let mut asm = Asm::new(RAM);
    asm.li(reg::T0, SLOT0);
    asm.li(reg::S0, WORD);
    asm.r(Op::LrD, reg::T1, reg::S0, 0);
    between(&mut asm);
    asm.r(Op::ScD, reg::A0, reg::S0, reg::T1);
    // The finisher takes the code in its upper half, and 0x3333 for a failure.
    asm.r(Op::Sltu, reg::A0, reg::ZERO, reg::A0);
    asm.i(Op::Addi, reg::A0, reg::A0, 1);
    asm.i(Op::Slli, reg::A0, reg::A0, 16);
    asm.li(reg::T1, 0x3333);
    asm.r(Op::Or, reg::A0, reg::A0, reg::T1);
    asm.li(reg::T0, FINISHER);
    asm.store(Op::Sw, reg::A0, 0, reg::T0);
    let stay = asm.mark();
    asm.jump(stay);
    let mut inside = Inside::new(Parts {
        mode: BootMode::Bare,
        harts: 1,
        quantum: QUANTUM,
        kernel: Image(vec![(RAM, asm.finish())]).elf(),
        slots: vec![Slot {
            index: 0,
            device: Box::new(OnWrite(store_word)),
        }],
        trace: Trace::new(),
    });
    assert_eq!(
        inside.serial.run(SimTime::from_ms(1), &mut NoRim),
        Outcome::Stopped
    );
    match inside.machine().status() {
        Status::GuestFailed(code) => *code,
        other => panic!("{other:?}"),
    }
}

const SUCCEEDS: u32 = 1;
const FAILS: u32 = 2;

#[test]
fn rv_13_sc_after_nothing_or_a_register_read_succeeds() {
    assert_eq!(outcome_of_sc(|_| ()), SUCCEEDS);
    let read = |asm: &mut Asm| asm.i(Op::Lw, reg::T2, reg::T0, 0);
    assert_eq!(outcome_of_sc(read), SUCCEEDS);
}

/// Unprivileged ISA, "Load-Reserved/Store-Conditional Instructions": also a device's write between the
/// two makes `sc` fail.
#[test]
fn rv_13_sc_after_a_device_stored_there_fails() {
    let write = |asm: &mut Asm| asm.store(Op::Sw, reg::T1, 0, reg::T0);
    assert_eq!(outcome_of_sc(write), FAILS);
}

/// Two harts count in one word with `lr` and `sc`. Each attempt must succeed some time (unprivileged
/// ISA, "Eventual Success of Store-Conditional Instructions"), though turns are as short as they can be.
#[test]
fn rv_13_sc_succeeds_some_time_in_turns_of_any_length() {
    const EACH: u64 = 100;
    for quantum in 1..=8 {
        let mut asm = Asm::new(RAM);
        asm.li(reg::S0, WORD);
        asm.li(reg::T0, EACH);
        let again = asm.mark();
        let retry = asm.mark();
        asm.r(Op::LrD, reg::T1, reg::S0, 0);
        asm.i(Op::Addi, reg::T1, reg::T1, 1);
        asm.r(Op::ScD, reg::T2, reg::S0, reg::T1);
        asm.branch(Op::Bne, reg::T2, reg::ZERO, retry);
        asm.i(Op::Addi, reg::T0, reg::T0, -1);
        asm.branch(Op::Bne, reg::T0, reg::ZERO, again);
        // Whoever sees all of both harts' rounds ends the machine.
        asm.li(reg::T1, 2 * EACH);
        let stay = asm.mark();
        asm.i(Op::Ld, reg::T2, reg::S0, 0);
        asm.branch(Op::Bne, reg::T2, reg::T1, stay);
        asm.li(reg::T0, FINISHER);
        asm.li(reg::T1, 0x5555);
        asm.store(Op::Sw, reg::T1, 0, reg::T0);
        asm.jump(stay);
        let mut inside = Inside::new(Parts {
            mode: BootMode::Bare,
            harts: 2,
            quantum,
            kernel: Image(vec![(RAM, asm.finish())]).elf(),
            slots: Vec::new(),
            trace: Trace::new(),
        });
        inside.serial.run(SimTime::from_ms(1), &mut NoRim);
        assert_eq!(
            *inside.machine().status(),
            Status::PoweredOff,
            "quantum {quantum}"
        );
    }
}
