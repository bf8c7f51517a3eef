//! rv_18: which interrupt is taken, where, and when; against a plain model of §3.1.9 and §4.1.3.

use crate::asm::{Code, bare, csr, csrw, i};
use crate::rig::{BASE, Rig, Rng};
use maquette_model::{CpuLine, Exit, SimTime, Vcpu};
use maquette_rv64::csr::{envcfg, mstatus, number as n};
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::trap::{Privilege, cause, irq};
use maquette_tests::{effort, rounds};

const M_HANDLER: u64 = BASE + 0x800;
const S_HANDLER: u64 = BASE + 0xc00;
const NOP: Insn = Insn::new(Op::Addi);
const NUMBERS: [u8; 6] = [1, 3, 5, 7, 9, 11];

fn rig() -> Rig {
    let mut rig = Rig::new(2, 64);
    for at in [BASE, M_HANDLER, S_HANDLER] {
        let mut c = Code::new(at);
        for _ in 0..64 {
            c.put(NOP);
        }
        rig.load(&c);
    }
    rig.hart.set_up(|h| {
        h.csr.mtvec = M_HANDLER;
        h.csr.stvec = S_HANDLER;
        h.csr.pmp.write_addr(0, u64::MAX);
        h.csr.pmp.write_cfg(0, 0x1f);
    });
    rig
}

/// (number, to supervisor): the rules read aloud.
fn model(
    prv: Privilege,
    mie_on: bool,
    sie_on: bool,
    pending: u64,
    deleg: u64,
) -> Option<(u8, bool)> {
    let machine_takes = match prv {
        Privilege::Machine => mie_on,
        _ => true,
    };
    let supervisor_takes = match prv {
        Privilege::Machine => false,
        Privilege::Supervisor => sie_on,
        Privilege::User => true,
    };
    // External, software, timer; those of the machine first.
    for to_supervisor in [false, true] {
        let on = if to_supervisor {
            supervisor_takes
        } else {
            machine_takes
        };
        for number in [11, 3, 7, 9, 1, 5] {
            let here = (deleg >> number & 1 == 1) == to_supervisor;
            if on && here && pending >> number & 1 == 1 {
                return Some((number, to_supervisor));
            }
        }
    }
    None
}

fn choose(bits: u64, set: u64) -> u64 {
    NUMBERS
        .iter()
        .enumerate()
        .filter(|&(k, _)| set >> k & 1 == 1)
        .map(|(_, &n)| 1 << n)
        .sum::<u64>()
        & bits
}

#[test]
fn rv_18_interrupt_taken_is_that_of_the_plain_model() {
    // All sets of pending and enabled bits, all delegations of the three that can be delegated.
    for (pending, enabled) in (0..64).flat_map(|p| (0..64).map(move |e| (p, e))) {
        let mut rng = Rng(rounds().start << 12 | pending << 6 | enabled);
        let lines = choose(irq::ALL, pending);
        let mie = choose(irq::ALL, enabled);
        for _ in 0..3 * effort() {
            let deleg = choose(irq::SUPERVISOR, rng.below(64));
            let prv = rng.pick(&[Privilege::User, Privilege::Supervisor, Privilege::Machine]);
            let (m_on, s_on, vectored) = (rng.chance(50), rng.chance(50), rng.chance(50));
            let mut rig = rig();
            rig.hart.set_up(|h| {
                h.prv = prv;
                h.csr.mie = mie;
                h.csr.mideleg = deleg;
                h.csr.mstatus =
                    if m_on { mstatus::MIE } else { 0 } | if s_on { mstatus::SIE } else { 0 };
                h.csr.mtvec |= u64::from(vectored);
                h.csr.stvec |= u64::from(vectored);
            });
            for number in NUMBERS {
                rig.hart.set_irq(CpuLine(number), lines >> number & 1 == 1);
            }
            assert_eq!(rig.hart.wakes(), lines & mie != 0);
            rig.until(1).unwrap();
            let h = rig.hart.state();
            let c = &h.csr;
            let what =
                format!("{prv:?} mip {lines:#x} mie {mie:#x} mideleg {deleg:#x} {m_on} {s_on}");
            let vector = |n: u8| if vectored { u64::from(n) * 4 } else { 0 };
            match model(prv, m_on, s_on, lines & mie, deleg) {
                None => assert_eq!((h.pc, h.prv), (BASE + 4, prv), "{what}"),
                Some((n, false)) => {
                    assert_eq!(
                        (h.pc, h.prv),
                        (M_HANDLER + vector(n) + 4, Privilege::Machine),
                        "{what}"
                    );
                    assert_eq!(
                        (c.mcause, c.mepc, c.mtval),
                        (cause::INTERRUPT | u64::from(n), BASE, 0)
                    );
                    let saved = c.mstatus & mstatus::MPIE != 0;
                    assert_eq!((c.mstatus & mstatus::MIE, saved), (0, m_on));
                    assert_eq!(c.mstatus >> mstatus::MPP_SHIFT & 3, prv as u64);
                }
                Some((n, true)) => {
                    assert_eq!(
                        (h.pc, h.prv),
                        (S_HANDLER + vector(n) + 4, Privilege::Supervisor),
                        "{what}"
                    );
                    assert_eq!(
                        (c.scause, c.sepc, c.stval),
                        (cause::INTERRUPT | u64::from(n), BASE, 0)
                    );
                    let saved = c.mstatus & mstatus::SPIE != 0;
                    assert_eq!((c.mstatus & mstatus::SIE, saved), (0, s_on));
                    let from_s = c.mstatus & mstatus::SPP != 0;
                    assert_eq!(from_s, prv == Privilege::Supervisor);
                }
            }
        }
    }
}

#[test]
fn rv_18_machine_interrupt_breaks_into_the_supervisors_handler() {
    let mut rig = rig();
    rig.hart.set_up(|h| {
        h.prv = Privilege::User;
        h.csr.mie = irq::ALL;
        h.csr.mideleg = irq::SUPERVISOR;
    });
    rig.hart.set_irq(CpuLine(irq::SEI), true);
    rig.until(1).unwrap();
    assert_eq!(rig.hart.pc(), S_HANDLER + 4);
    rig.hart.set_irq(CpuLine(irq::MTI), true);
    rig.until(2).unwrap();
    let h = rig.hart.state();
    assert_eq!((h.pc, h.csr.mepc), (M_HANDLER + 4, S_HANDLER + 4));
}

/// An interrupt is taken directly after the instruction that lets it through, in any block shape.
#[test]
fn rv_18_enabled_interrupt_is_taken_before_the_next_instruction() {
    let enable: [(&str, Vec<Insn>, u64, u64); 4] = [
        (
            "mstatus",
            vec![csr(Op::Csrrsi, 0, n::MSTATUS, 8)],
            0,
            1 << irq::MSI,
        ),
        ("mie", vec![csr(Op::Csrrsi, 0, n::MIE, 8)], mstatus::MIE, 0),
        (
            "mip",
            vec![csr(Op::Csrrsi, 0, n::MIP, 2)],
            mstatus::MIE,
            1 << irq::SSI,
        ),
        (
            "mret",
            vec![bare(Op::Mret)],
            mstatus::MPIE | mstatus::MPP,
            1 << irq::MSI,
        ),
    ];
    for (name, insns, status, mie) in enable {
        for limit in [1, 2, 64] {
            for before in 0..4 {
                let mut rig = Rig::new(2, limit);
                let mut c = Code::new(BASE);
                for _ in 0..before {
                    c.put(NOP);
                }
                let last = insns.iter().map(|&i| c.put(i)).last().unwrap();
                for _ in 0..4 {
                    c.put(i(Op::Addi, 5, 5, 1));
                }
                rig.load(&c);
                rig.load(&{
                    let mut h = Code::new(M_HANDLER);
                    h.put(NOP);
                    h
                });
                rig.hart.set_up(|h| {
                    h.csr.mtvec = M_HANDLER;
                    h.csr.mstatus = status;
                    h.csr.mie = mie;
                    h.csr.mepc = last + 4;
                });
                if name != "mip" {
                    rig.hart.set_irq(CpuLine(irq::MSI), true);
                }
                rig.until(before + 2).unwrap();
                let h = rig.hart.state();
                assert_eq!(
                    (h.pc, h.csr.mepc),
                    (M_HANDLER + 4, last + 4),
                    "{name} limit {limit}"
                );
                assert_eq!(h.reg(5), 0, "{name}: nothing ran in between");
            }
        }
    }
}

#[test]
fn rv_18_line_is_not_latched_and_software_bits_do_not_stick_to_it() {
    let mut rig = rig();
    // Read-modify-write of mip while SEI is driven by a wire must not latch it.
    let mut c = Code::new(BASE);
    c.put(csr(Op::Csrrsi, 5, n::MIP, 2));
    c.put(csr(Op::Csrrs, 6, n::MIP, 0));
    c.put(csr(Op::Csrrci, 7, n::MIP, 2));
    c.put(csr(Op::Csrrs, 8, n::MIP, 0));
    rig.load(&c);
    rig.hart.set_irq(CpuLine(irq::SEI), true);
    rig.until(2).unwrap();
    assert_eq!((rig.x(5), rig.x(6)), (0x200, 0x202));
    rig.hart.set_irq(CpuLine(irq::SEI), false);
    rig.until(4).unwrap();
    assert_eq!((rig.x(7), rig.x(8)), (2, 0));
}

#[test]
fn rv_18_supervisor_sees_and_sets_only_what_is_delegated() {
    for deleg in [0, 1 << irq::SSI, irq::SUPERVISOR] {
        let mut rig = rig();
        let mut c = Code::new(BASE);
        c.li(5, u64::MAX);
        c.put(csrw(n::SIE, 5));
        c.put(csrw(n::SIP, 5));
        c.put(csr(Op::Csrrs, 6, n::SIE, 0));
        c.put(csr(Op::Csrrs, 7, n::SIP, 0));
        rig.load(&c);
        rig.hart.set_up(|h| {
            h.prv = Privilege::Supervisor;
            h.csr.mideleg = deleg;
        });
        rig.until(c.bytes.len() as u64 / 4).unwrap();
        assert_eq!(rig.x(6), deleg);
        assert_eq!(rig.x(7), deleg & 1 << irq::SSI);
        assert_eq!(rig.hart.state().csr.mie, deleg);
    }
}

/// `stimecmp` raises STIP when time reaches it and lowers it when moved ahead.
#[test]
fn rv_18_supervisor_timer_follows_its_comparator() {
    let mut rig = rig();
    rig.hart.set_up(|h| {
        h.csr.menvcfg = envcfg::STCE;
        h.csr.stimecmp = 1;
    });
    let stip = |rig: &Rig| rig.hart.state().csr.mip & 1 << irq::STI != 0;
    let mut c = Code::new(BASE);
    // Ten times round: 100 instructions are the first tick.
    for _ in 0..9 {
        c.put(NOP);
    }
    c.jump(bare(Op::Jal), BASE);
    rig.load(&c);
    assert_eq!(rig.hart.timer_deadline(), SimTime::from_ns(100));
    rig.until(99).unwrap();
    assert!(!stip(&rig));
    rig.until(100).unwrap();
    assert!(stip(&rig));
    assert_eq!(rig.hart.timer_deadline(), SimTime::MAX);
    rig.hart.set_timer(2);
    assert!(!stip(&rig));
    rig.hart.skip_to(SimTime::from_ns(250));
    assert!(stip(&rig));
    rig.hart.set_up(|h| h.csr.menvcfg = 0);
    assert!(!stip(&rig));
}

#[test]
fn rv_18_wait_ends_at_once_where_something_is_pending_even_if_disabled() {
    for (line, mie, sleeps) in [
        (true, 1 << irq::MSI, false),
        (true, 0, true),
        (false, 1 << irq::MSI, true),
    ] {
        let mut rig = rig();
        let mut c = Code::new(BASE);
        c.put(bare(Op::Wfi));
        rig.load(&c);
        rig.hart.set_up(|h| h.csr.mie = mie);
        rig.hart.set_irq(CpuLine(irq::MSI), line);
        let exit = rig.hart.run(2);
        assert_eq!(exit == Exit::Wfi, sleeps);
        assert_eq!(rig.hart.retired(), if sleeps { 1 } else { 2 });
        assert_eq!(rig.hart.wakes(), !sleeps);
    }
}

/// A timer that comes due with the `wfi` itself: there is nothing to wait for.
#[test]
fn rv_18_wait_does_not_sleep_past_a_timer_that_is_due_with_it() {
    // 100 instructions are the first tick.
    for (before, sleeps) in [(98, true), (99, false), (100, false)] {
        for limit in [1, 64, 1000] {
            let mut rig = Rig::new(2, limit);
            let mut c = Code::new(BASE);
            for _ in 0..before {
                c.put(NOP);
            }
            c.put(bare(Op::Wfi));
            c.put(NOP);
            rig.load(&c);
            rig.hart.set_up(|h| {
                h.csr.menvcfg = envcfg::STCE;
                h.csr.stimecmp = 1;
                h.csr.mie = 1 << irq::STI;
            });
            let exit = rig.hart.run(before + 2);
            assert_eq!(exit == Exit::Wfi, sleeps, "wfi after {before}");
        }
    }
}
