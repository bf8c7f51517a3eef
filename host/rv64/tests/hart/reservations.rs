//! rv_30: `wrs.nto` and `wrs.sto` give their turn away while there is something to wait for.

use crate::asm::{Code, bare, i};
use crate::rig::{BASE, Rig};
use maquette_model::{CpuLine, Exit, Vcpu};
use maquette_rv64::csr::mstatus;
use maquette_rv64::isa::Op;
use maquette_rv64::trap::{Privilege, cause, irq};

const DATA: u64 = BASE + 0x800;
const HANDLER: u64 = BASE + 0x400;

/// `lr.d` if `reserve`, else nothing; then `wait`, and an addition to x10.
fn rig(wait: Op, reserve: bool, prv: Privilege) -> Rig {
    let mut c = Code::new(BASE);
    c.put(if reserve {
        i(Op::LrD, 7, 6, 0)
    } else {
        i(Op::Addi, 0, 0, 0)
    });
    c.put(bare(wait));
    c.put(i(Op::Addi, 10, 10, 1));
    let mut rig = Rig::new(2, 64);
    rig.load(&c);
    let mut handler = Code::new(HANDLER);
    handler.jump(bare(Op::Jal), HANDLER);
    rig.load(&handler);
    rig.hart.set_up(|h| {
        h.prv = prv;
        h.set_reg(6, DATA);
        h.csr.mtvec = HANDLER;
        h.csr.pmp.write_addr(0, u64::MAX);
        h.csr.pmp.write_cfg(0, 0x1f);
    });
    rig
}

const MODES: [Privilege; 3] = [Privilege::User, Privilege::Supervisor, Privilege::Machine];

#[test]
fn rv_30_wrs_gives_up_its_turn_once_while_the_reservation_holds() {
    for wait in [Op::WrsNto, Op::WrsSto] {
        for prv in MODES {
            let mut rig = rig(wait, true, prv);
            assert_eq!(rig.hart.run(3), Exit::Pause, "{wait:?} in {prv:?}");
            assert_eq!((rig.hart.retired(), rig.x(10)), (2, 0));
            assert!(rig.hart.is_reserving());
            // The next turn goes on, whether or not anything has happened.
            assert_eq!(rig.hart.run(1), Exit::Limit);
            assert_eq!(rig.x(10), 1);
        }
    }
}

#[test]
fn rv_30_wrs_goes_on_without_a_reservation_or_after_its_loss() {
    for wait in [Op::WrsNto, Op::WrsSto] {
        let mut without = rig(wait, false, Privilege::User);
        assert_eq!(without.hart.run(3), Exit::Limit);
        let mut lost = rig(wait, true, Privilege::User);
        assert_eq!(lost.hart.run(1), Exit::Limit);
        lost.hart.clear_reservation();
        assert_eq!(lost.hart.run(2), Exit::Limit);
        assert_eq!((without.x(10), lost.x(10)), (1, 1));
    }
}

/// The interrupt need not be one that can be taken: M-mode has them switched off here.
#[test]
fn rv_30_wrs_goes_on_while_an_enabled_interrupt_is_pending() {
    for wait in [Op::WrsNto, Op::WrsSto] {
        for enabled in [false, true] {
            let mut rig = rig(wait, true, Privilege::Machine);
            rig.hart
                .set_up(|h| h.csr.mie = u64::from(enabled) << irq::MTI);
            rig.hart.set_irq(CpuLine(irq::MTI), true);
            let exit = if enabled { Exit::Limit } else { Exit::Pause };
            assert_eq!(rig.hart.run(3), exit, "{wait:?}");
        }
    }
}

#[test]
fn rv_30_wrs_nto_below_machine_mode_traps_where_tw_limits_waiting() {
    for (wait, prv, reserve) in [Op::WrsNto, Op::WrsSto]
        .into_iter()
        .flat_map(|wait| MODES.map(|prv| (wait, prv)))
        .flat_map(|(wait, prv)| [(wait, prv, false), (wait, prv, true)])
    {
        let mut rig = rig(wait, reserve, prv);
        rig.hart.set_up(|h| h.csr.mstatus |= mstatus::TW);
        let _ = rig.hart.run(2);
        let traps = wait == Op::WrsNto && prv != Privilege::Machine;
        let csr = &rig.hart.state().csr;
        let seen = (csr.mcause, csr.mtval);
        let word = 0x00d0_0073;
        let want = if traps {
            (cause::ILLEGAL, word)
        } else {
            (0, 0)
        };
        assert_eq!(seen, want, "{wait:?} in {prv:?}");
    }
}
