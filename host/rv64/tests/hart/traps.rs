//! rv_21: a trap that leads to nothing but itself ends the run; everything else does not.

use crate::asm::{Code, bare, csr, i, r};
use crate::rig::{BASE, Rig};
use maquette_model::{Answer, BusError, Exit, Fail, Vcpu};
use maquette_rv64::csr::number as n;
use maquette_rv64::isa::Op;
use maquette_rv64::trap::{Privilege, cause};

fn rig(handler: u64) -> Rig {
    let mut rig = Rig::new(2, 64);
    let mut c = Code::new(BASE);
    c.put(i(Op::Addi, 5, 0, 1));
    c.put(bare(Op::Ecall));
    rig.load(&c);
    rig.hart.set_up(|h| {
        h.csr.mtvec = handler;
        h.csr.stvec = handler;
        h.csr.pmp.write_addr(0, u64::MAX);
        h.csr.pmp.write_cfg(0, 0x1f);
    });
    rig
}

fn trap_loop(pc: u64, cause: u64, tval: u64) -> Exit {
    Exit::Fail(Fail::TrapLoop { pc, cause, tval })
}

#[test]
fn rv_21_unmapped_handler_is_named() {
    for nowhere in [0, 0x1000_0000, BASE + 0x2000, !0xfff] {
        let mut rig = rig(nowhere);
        assert_eq!(
            rig.hart.run(100),
            trap_loop(nowhere, cause::FETCH_ACCESS, nowhere)
        );
        assert_eq!(rig.hart.retired(), 1);
        assert_eq!(
            rig.hart.run(100),
            trap_loop(nowhere, cause::FETCH_ACCESS, nowhere),
            "for ever"
        );
    }
}

#[test]
fn rv_21_handler_that_begins_with_a_trap_is_named() {
    for (word, want) in [
        (0u32, (cause::ILLEGAL, 0)),
        (0x0010_0073, (cause::BREAKPOINT, BASE + 0x800)),
        (0x0000_0073, (cause::ECALL_FROM_U + 3, 0)),
    ] {
        let mut rig = rig(BASE + 0x800);
        let mut c = Code::new(BASE + 0x800);
        c.word(word);
        rig.load(&c);
        assert_eq!(rig.hart.run(100), trap_loop(BASE + 0x800, want.0, want.1));
    }
}

#[test]
fn rv_21_loop_inside_the_supervisor_is_named() {
    let mut rig = rig(0x4000);
    rig.hart.set_up(|h| {
        h.prv = Privilege::User;
        h.csr.medeleg = 0xb3ff;
    });
    assert_eq!(
        rig.hart.run(100),
        trap_loop(0x4000, cause::FETCH_ACCESS, 0x4000)
    );
}

/// Each round asks the machine, so the machine must be told.
#[test]
fn rv_21_handler_that_begins_with_a_refused_device_access_is_named() {
    let mut rig = rig(BASE + 0x800);
    let mut c = Code::new(BASE + 0x800);
    c.put(i(Op::Lw, 10, 6, 0));
    rig.load(&c);
    rig.hart.set_up(|h| h.set_reg(6, 0x1000_0000));
    for round in 0.. {
        assert!(round < 20, "it goes on for ever");
        match rig.hart.run(100) {
            Exit::Mmio { .. } => rig.hart.finish(Answer::Fault(BusError::Unmapped)),
            exit => {
                assert_eq!(
                    exit,
                    trap_loop(BASE + 0x800, cause::LOAD_ACCESS, 0x1000_0000)
                );
                break;
            }
        }
    }
}

#[test]
fn rv_21_traps_from_user_through_the_supervisor_to_the_machine_are_no_loop() {
    // U traps to S, whose handler is unmapped but not delegated for S: M handles it.
    let mut rig = rig(0x4000);
    let mut c = Code::new(BASE + 0x800);
    c.put(i(Op::Addi, 7, 7, 1));
    rig.load(&c);
    rig.hart.set_up(|h| {
        h.prv = Privilege::User;
        h.csr.medeleg = 1 << cause::ECALL_FROM_U;
        h.csr.mtvec = BASE + 0x800;
    });
    rig.until(2).unwrap();
    assert_eq!(
        (rig.x(7), rig.hart.state().csr.mcause),
        (1, cause::FETCH_ACCESS)
    );
}

#[test]
fn rv_21_many_traps_that_are_handled_are_no_loop() {
    let mut rig = rig(BASE + 0x800);
    let mut h = Code::new(BASE + 0x800);
    h.put(bare(Op::Mret));
    rig.load(&h);
    // The handler returns to the same ecall: it retires an instruction each time.
    rig.until(10_000).unwrap();
    assert_eq!(rig.hart.state().profile.traps, 9999);
}

#[test]
fn rv_21_nested_traps_of_one_handler_are_no_loop() {
    let mut rig = rig(BASE + 0x800);
    let mut h = Code::new(BASE + 0x800);
    // Seven times deeper, then on.
    h.put(i(Op::Addi, 9, 9, 1));
    h.put(i(Op::Slti, 8, 9, 8));
    h.put(r(Op::Beq, 0, 8, 0));
    let out = h.base + 8;
    h.put(bare(Op::Ecall));
    h.land(out);
    h.put(csr(Op::Csrrs, 11, n::MCAUSE, 0));
    rig.load(&h);
    rig.until(1 + 7 * 3 + 4).unwrap();
    assert_eq!((rig.x(9), rig.x(11)), (8, 11));
}
