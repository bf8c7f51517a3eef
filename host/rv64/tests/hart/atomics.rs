//! rv_13: when a reservation holds, and when it does not.

use crate::asm::{Code, bare, csr, i, r, s};
use crate::rig::{BASE, Rig};
use maquette_model::{Exit, Vcpu};
use maquette_rv64::csr::{mstatus, number as n};
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::trap::{cause, irq};
use maquette_rv64::{Hart, HartState};

const DATA: u64 = BASE + 0x1000;
const HANDLER: u64 = BASE + 0x800;

/// x6 = DATA, x7 = 5: `lr.w x5, (x6)`, what comes between, `sc.w x10, x7, (x6)`.
fn between(insns: &[Insn]) -> Rig {
    let mut rig = Rig::new(2, 64);
    let mut c = Code::new(BASE);
    c.put(r(Op::LrW, 5, 6, 0));
    insns.iter().for_each(|&i| {
        c.put(i);
    });
    c.put(r(Op::ScW, 10, 6, 7));
    let end = c.here();
    c.jump(bare(Op::Jal), end);
    rig.load(&c);
    // A handler that skips four bytes.
    let mut h = Code::new(HANDLER);
    h.put(csr(Op::Csrrs, 28, n::MEPC, 0));
    h.put(i(Op::Addi, 28, 28, 4));
    h.put(csr(Op::Csrrw, 0, n::MEPC, 28));
    h.put(csr(Op::Csrrci, 0, n::MIP, 2));
    h.put(bare(Op::Mret));
    rig.load(&h);
    rig.poke(DATA, 3);
    rig.hart.set_up(|h| {
        h.set_reg(6, DATA);
        h.set_reg(7, 5);
        h.set_reg(10, 99);
        h.csr.mtvec = HANDLER;
    });
    rig
}

fn run(rig: &mut Rig) -> (u64, u64) {
    rig.until(60).unwrap();
    (rig.x(10), rig.peek(DATA))
}

#[test]
fn rv_13_pair_succeeds_and_a_second_store_conditional_fails() {
    let mut rig = between(&[]);
    assert_eq!(run(&mut rig), (0, 5));
    let mut rig = between(&[r(Op::ScW, 11, 6, 7)]);
    rig.poke(DATA, 3);
    assert_eq!(run(&mut rig), (1, 5));
    assert_eq!(rig.x(11), 0);
}

#[test]
fn rv_13_store_conditional_elsewhere_fails_and_ends_the_reservation() {
    let mut rig = between(&[i(Op::Addi, 8, 6, 4), r(Op::ScW, 11, 8, 7)]);
    assert_eq!(run(&mut rig), (1, 3));
    assert_eq!(rig.x(11), 1);
}

#[test]
fn rv_13_trap_between_ends_the_reservation() {
    assert_eq!(run(&mut between(&[bare(Op::Ecall)])), (1, 3));
    assert_eq!(run(&mut between(&[bare(Op::Ebreak)])), (1, 3));
}

#[test]
fn rv_13_interrupt_between_ends_the_reservation() {
    let mut rig = between(&[i(Op::Addi, 0, 0, 0); 3]);
    rig.hart.set_up(|h| {
        h.csr.mie = 1 << irq::MSI;
        h.csr.mstatus |= mstatus::MIE;
    });
    rig.until(2).unwrap();
    rig.hart.set_irq(maquette_model::CpuLine(irq::MSI), true);
    rig.until(3).unwrap();
    rig.hart.set_irq(maquette_model::CpuLine(irq::MSI), false);
    assert!(rig.hart.state().reservation.is_none());
    // The handler skips an instruction of the three, which does not matter.
    assert_eq!(run(&mut rig), (1, 3));
}

#[test]
fn rv_13_turn_of_another_hart_ends_the_reservation_and_its_store_is_kept() {
    let mut rig = between(&[]);
    rig.until(1).unwrap();
    rig.hart.clear_reservation();
    let mut other = Hart::new(1, HartState::default_clock(), rig.ram.clone(), 64);
    let mut c = Code::new(BASE + 0xc00);
    c.put(s(Op::Sw, 6, 7, 0));
    rig.load(&c);
    other.set_up(|h| {
        h.pc = c.base;
        h.set_reg(6, DATA);
        h.set_reg(7, 8);
    });
    assert_eq!(other.run(1), Exit::Limit);
    assert_eq!(run(&mut rig), (1, 8));
}

#[test]
fn rv_13_reservation_and_cuts_of_budgets_do_not_meet() {
    let mut rig = between(&[]);
    rig.until(1).unwrap();
    assert_eq!(run(&mut rig), (0, 5));
}

#[test]
fn rv_13_misaligned_atomics_trap_without_effect() {
    for op in [
        Op::LrW,
        Op::ScW,
        Op::AmoaddW,
        Op::LrD,
        Op::ScD,
        Op::AmomaxuD,
    ] {
        let reads = matches!(op, Op::LrW | Op::LrD);
        let wide = matches!(op, Op::LrD | Op::ScD | Op::AmomaxuD);
        for off in 1..if wide { 8 } else { 4 } {
            let mut rig = Rig::new(2, 64);
            let mut c = Code::new(BASE);
            c.put(r(op, 10, 6, if reads { 0 } else { 7 }));
            rig.load(&c);
            rig.poke(DATA, u64::MAX);
            rig.hart.set_up(|h| {
                h.set_reg(6, DATA + off);
                h.set_reg(7, 1);
                h.set_reg(10, 99);
                h.csr.mtvec = HANDLER;
                h.reservation = Some(DATA + off);
            });
            let mut nop = Code::new(HANDLER);
            nop.put(i(Op::Addi, 0, 0, 0));
            rig.load(&nop);
            rig.until(1).unwrap();
            let state = rig.hart.state();
            let want = if reads {
                cause::LOAD_MISALIGNED
            } else {
                cause::STORE_MISALIGNED
            };
            assert_eq!(
                (state.csr.mcause, state.csr.mtval),
                (want, DATA + off),
                "{op:?}"
            );
            assert_eq!((rig.x(10), rig.peek(DATA)), (99, u64::MAX));
        }
    }
}

#[test]
fn rv_13_atomics_outside_ram_are_access_faults() {
    for (op, want) in [
        (Op::LrW, cause::LOAD_ACCESS),
        (Op::ScD, cause::STORE_ACCESS),
        (Op::AmoswapW, cause::STORE_ACCESS),
    ] {
        let mut rig = Rig::new(2, 64);
        let mut c = Code::new(BASE);
        c.put(r(op, 10, 6, 0));
        rig.load(&c);
        rig.hart.set_up(|h| {
            h.set_reg(6, 0x1000_0000);
            h.csr.mtvec = HANDLER;
        });
        rig.load(&{
            let mut nop = Code::new(HANDLER);
            nop.put(i(Op::Addi, 0, 0, 0));
            nop
        });
        rig.until(1).unwrap();
        let state = rig.hart.state();
        assert_eq!(
            (state.csr.mcause, state.csr.mtval),
            (want, 0x1000_0000),
            "{op:?}"
        );
    }
}

/// Each AMO against its definition, with operands that tell signed from unsigned.
#[test]
fn rv_13_amo_results_are_those_of_their_definitions() {
    type Model = fn(i128, i128, i128, i128) -> i128;
    // (signed memory, signed operand, unsigned memory, unsigned operand) -> stored
    let table: [(Op, Op, Model); 9] = [
        (Op::AmoswapW, Op::AmoswapD, |_, b, _, _| b),
        (Op::AmoaddW, Op::AmoaddD, |a, b, _, _| a + b),
        (Op::AmoxorW, Op::AmoxorD, |a, b, _, _| a ^ b),
        (Op::AmoandW, Op::AmoandD, |a, b, _, _| a & b),
        (Op::AmoorW, Op::AmoorD, |a, b, _, _| a | b),
        (Op::AmominW, Op::AmominD, |a, b, _, _| a.min(b)),
        (Op::AmomaxW, Op::AmomaxD, |a, b, _, _| a.max(b)),
        (Op::AmominuW, Op::AmominuD, |_, _, a, b| a.min(b)),
        (Op::AmomaxuW, Op::AmomaxuD, |_, _, a, b| a.max(b)),
    ];
    let values = [
        0,
        1,
        5,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        1 << 63,
        u64::MAX,
        0x1234_5678_9abc_def0,
    ];
    for (narrow, wide, model) in table {
        for (op, bits) in [(narrow, 32u32), (wide, 64)] {
            let signed = |v: u64| i128::from((v << (64 - bits)).cast_signed() >> (64 - bits));
            let unsigned = |v: u64| i128::from(v << (64 - bits) >> (64 - bits));
            for (a, b) in values.iter().flat_map(|&a| values.map(|b| (a, b))) {
                let mut rig = Rig::new(2, 64);
                let mut c = Code::new(BASE);
                c.put(r(op, 10, 6, 7));
                c.put(r(op, 11, 6, 7));
                rig.load(&c);
                rig.poke(DATA, a);
                rig.hart.set_up(|h| {
                    h.set_reg(6, DATA);
                    h.set_reg(7, b);
                });
                // Once by the slow path, once by the TLB.
                let mut memory = a;
                for (k, rd) in [(1, 10), (2, 11)] {
                    rig.until(k).unwrap();
                    let old = signed(memory) as u64;
                    let new =
                        model(signed(memory), signed(b), unsigned(memory), unsigned(b)) as u64;
                    let keep = if bits == 32 { !0xffff_ffff } else { 0 };
                    memory = memory & keep | new & !keep;
                    assert_eq!(
                        (rig.x(rd), rig.peek(DATA)),
                        (old, memory),
                        "{op:?} {a:#x} {b:#x}"
                    );
                }
            }
        }
    }
}
