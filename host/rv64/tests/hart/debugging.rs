//! Under a debugger: stops are exact, and change nothing.

use crate::asm::{Code, i, r, s};
use crate::programs::Program;
use crate::rig::{BASE, Rig, Rng};
use maquette_model::{DebugStop, Debuggable, Exit, Points, Vcpu, VirtAddr, Watch, WatchKind};
use maquette_rv64::csr::number as n;
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::registers::{FIRST_CSR, FIRST_FLOAT, PC, PRIVILEGE};
use maquette_rv64::trap::Privilege;
use maquette_tests::seeds;

const STEPS: u64 = 1500;

/// Instructions retired before, and pc.
type Place = (u64, u64);

impl Rig {
    fn place(&self) -> Place {
        (self.hart.retired(), self.hart.pc())
    }

    fn debugged(&mut self, most: u64, points: &Points, step: bool) -> Exit {
        let exit = self.hart.run_debugged(most, points, step);
        self.answer(&exit);
        exit
    }

    /// Whether the latest trap, into the present mode, was an interrupt.
    fn was_interrupted(&self) -> bool {
        let csr = &self.hart.state().csr;
        let cause = match self.hart.state().prv {
            Privilege::Machine => csr.mcause,
            _ => csr.scause,
        };
        cause >> 63 == 1
    }
}

/// Every instruction that a program begins, found by single steps; and the state at the end.
fn path(p: &Program) -> (Vec<Place>, Vec<u8>) {
    let mut rig = p.rig(64);
    let none = Points::default();
    let mut places = Vec::new();
    while rig.hart.retired() < STEPS {
        let place = rig.place();
        match rig.debugged(1, &none, true) {
            Exit::Fail(_) => break,
            Exit::Debug(DebugStop::Trapped)
                if rig.was_interrupted() && rig.place().0 == place.0 => {}
            _ => places.push(place),
        }
    }
    (places, rig.saved())
}

#[test]
fn breakpoints_stop_before_each_visit_and_change_nothing() {
    let mut stops = 0;
    for seed in seeds(40) {
        let p = Program::new(seed);
        let (places, end) = path(&p);
        let mut rng = Rng(seed);
        for limit in [1, 3, 64] {
            let mut points = Points::default();
            for _ in 0..rng.below(6) {
                points.breakpoints.insert(rng.pick(&places).1);
            }
            let mut rig = p.rig(limit);
            let mut met = Vec::new();
            while rig.hart.retired() < STEPS {
                let most = (1 + rng.below(300)).min(STEPS - rig.hart.retired());
                match rig.debugged(most, &points, false) {
                    Exit::Debug(stop) => {
                        assert_eq!(stop, DebugStop::Breakpoint);
                        met.push(rig.place());
                        // A step gets past the breakpoint.
                        if let Exit::Fail(_) = rig.debugged(1, &points, true) {
                            break;
                        }
                    }
                    Exit::Fail(_) => break,
                    _ => {}
                }
            }
            let visits = places
                .iter()
                .filter(|(_, pc)| points.breakpoints.contains(pc));
            let visits: Vec<Place> = visits.copied().collect();
            assert_eq!(met, visits, "program {seed}, limit {limit}: {points:x?}");
            assert!(
                rig.saved() == end,
                "program {seed}, limit {limit}: the end differs"
            );
            stops += met.len();
        }
    }
    assert!(stops > 1000, "{stops} stops");
}

#[test]
fn watchpoints_that_nobody_meets_change_nothing() {
    let far = Watch {
        start: VirtAddr(0x1234_5678_9abc),
        len: 8,
        kind: WatchKind::Access,
    };
    let points = Points {
        watches: vec![far],
        ..Points::default()
    };
    for seed in seeds(30) {
        let p = Program::new(seed);
        let (mut plain, mut watched) = (p.rig(64), p.rig(64));
        let plainly = plain.until(STEPS);
        while watched.hart.retired() < STEPS {
            let most = STEPS - watched.hart.retired();
            match watched.debugged(most, &points, false) {
                Exit::Fail(_) => break,
                Exit::Debug(stop) => panic!("program {seed}: {stop:?}"),
                _ => {}
            }
        }
        if plainly.is_ok() {
            assert!(plain.saved() == watched.saved(), "program {seed}");
            assert!(plain.memory() == watched.memory(), "program {seed}");
        }
    }
}

/// Data of the tests below, in the second page.
const DATA: u64 = BASE + 0x1000;

/// A hart at `insn`, followed by a `nop`, with the address of `DATA + offset` in x5 and 1 in x6.
fn about_to(insn: Insn, offset: u64) -> Rig {
    let mut code = Code::new(BASE);
    code.put(insn);
    code.put(i(Op::Addi, 0, 0, 0));
    let mut rig = Rig::new(4, 64);
    rig.load(&code);
    rig.hart.set_up(|h| {
        h.set_reg(5, DATA + offset);
        h.set_reg(6, 1);
        h.csr.mstatus |= maquette_rv64::csr::mstatus::FS;
    });
    rig
}

fn watching(start: u64, len: u64, kind: WatchKind) -> Points {
    let start = VirtAddr(start);
    Points {
        watches: vec![Watch { start, len, kind }],
        ..Points::default()
    }
}

#[test]
fn watchpoints_see_exactly_the_bytes_that_each_instruction_touches() {
    let amo = |op| r(op, 7, 5, 6);
    let cases = [
        (i(Op::Lb, 7, 5, 0), 0, 1, true, false),
        (i(Op::Lhu, 7, 5, -2), -2, 2, true, false),
        (i(Op::Lw, 7, 5, 4), 4, 4, true, false),
        (i(Op::Ld, 7, 5, 8), 8, 8, true, false),
        (i(Op::Flw, 7, 5, 0), 0, 4, true, false),
        (i(Op::Fld, 7, 5, 0), 0, 8, true, false),
        (s(Op::Sb, 5, 6, 3), 3, 1, false, true),
        (s(Op::Sh, 5, 6, 2), 2, 2, false, true),
        (s(Op::Sw, 5, 6, 0), 0, 4, false, true),
        (s(Op::Sd, 5, 6, -8), -8, 8, false, true),
        (s(Op::Fsd, 5, 6, 0), 0, 8, false, true),
        (r(Op::LrW, 7, 5, 0), 0, 4, true, false),
        (amo(Op::AmoaddW), 0, 4, true, true),
        (amo(Op::AmoswapD), 0, 8, true, true),
        (r(Op::CboZero, 0, 5, 0), 0, 64, false, true),
    ];
    for (insn, from, len, reads, writes) in cases {
        let touched = (DATA + 0x100).wrapping_add_signed(from);
        for at in touched - 2..touched + len + 2 {
            for kind in [WatchKind::Read, WatchKind::Write, WatchKind::Access] {
                let mut rig = about_to(insn, 0x100);
                let exit = rig.debugged(2, &watching(at, 1, kind), false);
                let meant = kind.concerns(reads, writes);
                if meant && (touched..touched + len).contains(&at) {
                    let addr = VirtAddr(at);
                    assert_eq!(
                        exit,
                        Exit::Debug(DebugStop::Watchpoint { kind, addr }),
                        "{insn:?}"
                    );
                    assert_eq!(rig.place(), (1, BASE + 4), "{insn:?}: after the access");
                } else {
                    assert_eq!(exit, Exit::Limit, "{insn:?}, {kind:?} at {at:#x}");
                }
            }
        }
    }
}

#[test]
fn watchpoint_is_not_met_by_a_store_conditional_that_fails() {
    for reserved in [false, true] {
        let mut rig = about_to(r(Op::ScW, 0, 5, 6), 0);
        rig.hart
            .set_up(|h| h.reservation = reserved.then_some(DATA));
        let exit = rig.debugged(1, &watching(DATA, 4, WatchKind::Write), false);
        assert_eq!(exit == Exit::Limit, !reserved);
    }
}

#[test]
fn watchpoint_on_a_device_stops_after_the_machine_has_answered() {
    let mut rig = about_to(i(Op::Lw, 7, 5, 0), 0);
    rig.hart.set_up(|h| h.set_reg(5, 0x1000_0000));
    let points = watching(0x1000_0000, 4, WatchKind::Read);
    assert!(matches!(
        rig.hart.run_debugged(2, &points, false),
        Exit::Mmio { .. }
    ));
    assert_eq!(rig.hart.watched(), None, "the access is not complete");
    rig.hart.finish(maquette_model::Answer::Value(5));
    let met = rig.hart.watched();
    assert!(matches!(met, Some(DebugStop::Watchpoint { .. })), "{met:?}");
    assert_eq!((rig.place(), rig.x(7)), ((1, BASE + 4), 5));
    assert_eq!(rig.hart.watched(), None, "once");
}

#[test]
fn step_into_a_trap_stops_at_the_handler_with_nothing_retired() {
    let mut rig = about_to(i(Op::Ecall, 0, 0, 0), 0);
    rig.hart.set_up(|h| h.csr.mtvec = BASE + 0x200);
    let exit = rig.debugged(1, &Points::default(), true);
    assert_eq!(exit, Exit::Debug(DebugStop::Trapped));
    assert_eq!(rig.place(), (0, BASE + 0x200));
}

#[test]
fn registers_are_read_and_written_by_number() {
    let mut rig = Rig::new(1, 64);
    let h = &mut rig.hart;
    let csr = |address: u16| FIRST_CSR + usize::from(address);
    for (number, value) in [
        (1, 7),
        (31, u64::MAX),
        (PC, BASE + 8),
        (FIRST_FLOAT + 3, 1 << 63),
    ] {
        assert!(h.write_register(number, value));
        assert_eq!(h.read_register(number), Some(value), "{number}");
    }
    assert!(h.write_register(csr(n::MSCRATCH), 9) && h.write_register(PRIVILEGE, 1));
    assert_eq!(
        h.read_register(csr(n::MSCRATCH)),
        Some(9),
        "also from S-mode"
    );
    assert_eq!(h.state().prv, Privilege::Supervisor);
    for refused in [csr(n::MHARTID), csr(n::TIME), csr(0x5ff), PRIVILEGE + 1] {
        assert!(!h.write_register(refused, 1), "{refused}");
    }
    assert!(!h.write_register(PRIVILEGE, 2) && !h.write_register(0, 5));
    assert_eq!(
        (h.read_register(csr(0x5ff)), h.read_register(0)),
        (None, Some(0))
    );
}

#[test]
fn time_looked_at_by_a_debugger_binds_no_hart() {
    let mut rig = about_to(i(Op::Addi, 0, 0, 0), 0);
    rig.until(2).unwrap();
    let floor = rig.hart.time_floor();
    assert!(
        rig.hart
            .read_register(FIRST_CSR + usize::from(n::TIME))
            .is_some()
    );
    assert_eq!(rig.hart.time_floor(), floor);
}
