//! rv_17: what counts, what stops it, and who may see it.

use crate::asm::{Code, csr, csrr, csrw, i};
use crate::rig::{BASE, Rig};
use maquette_model::{Frequency, Vcpu};
use maquette_rv64::csr::counters::HartClock;
use maquette_rv64::csr::{envcfg, number as n};
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::trap::{Privilege, cause};

const HANDLER: u64 = BASE + 0x800;
const NOP: Insn = Insn::new(Op::Addi);

fn rig(clock: HartClock, insns: &[Insn]) -> Rig {
    let mut rig = Rig::with_clock(2, 64, clock);
    let mut c = Code::new(BASE);
    for insn in insns {
        c.put(*insn);
    }
    rig.load(&c);
    let mut h = Code::new(HANDLER);
    h.put(NOP);
    rig.load(&h);
    rig.hart.set_up(|h| h.csr.mtvec = HANDLER);
    rig
}

fn plain(insns: &[Insn]) -> Rig {
    let mut rig = rig(maquette_rv64::HartState::default_clock(), insns);
    rig.until(insns.len() as u64).unwrap();
    rig
}

#[test]
fn rv_17_counters_count_the_instructions_before_the_read() {
    let rig = plain(&[
        csrr(1, n::MINSTRET),
        csrr(2, n::MCYCLE),
        NOP,
        csrr(3, n::INSTRET),
        csrr(4, n::CYCLE),
        csrr(5, n::MHPMCOUNTER3),
        csrr(6, n::HPMCOUNTER31),
        csrr(7, n::MHPMEVENT3),
    ]);
    assert_eq!(
        [1, 2, 3, 4, 5, 6, 7].map(|r| rig.x(r)),
        [0, 1, 3, 4, 0, 0, 0]
    );
}

/// The value written is what the next instruction reads; the writer does not count.
#[test]
fn rv_17_written_counter_goes_on_from_there() {
    let rig = plain(&[
        i(Op::Addi, 9, 0, 1000),
        csrw(n::MINSTRET, 9),
        csrr(1, n::MINSTRET),
        csrr(2, n::MINSTRET),
        csr(Op::Csrrwi, 3, n::MCYCLE, 7),
        csrr(4, n::MCYCLE),
        csrr(5, n::CYCLE),
        csrr(6, n::INSTRET),
    ]);
    assert_eq!(
        [1, 2, 3, 4, 5, 6].map(|r| rig.x(r)),
        [1000, 1001, 4, 7, 8, 1005]
    );
}

#[test]
fn rv_17_inhibited_counters_stand_still_each_by_itself() {
    let rig = plain(&[
        NOP,
        csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 4),
        NOP,
        csrr(1, n::MINSTRET),
        csrr(2, n::MCYCLE),
        NOP,
        csrr(3, n::MINSTRET),
        csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 1),
        csrr(4, n::MINSTRET),
        csrr(5, n::MINSTRET),
        csrr(6, n::MCYCLE),
        NOP,
        csrr(7, n::MCYCLE),
        csrr(8, n::MCOUNTINHIBIT),
        csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 0),
        csrr(10, n::MCYCLE),
        csrr(11, n::MCYCLE),
    ]);
    // instret stops after the second instruction (which counts or not: here it does, as `next`).
    assert_eq!([1, 3].map(|r| rig.x(r)), [2, 2]);
    assert_eq!(rig.x(2), 4);
    assert_eq!([4, 5].map(|r| rig.x(r)), [2, 3]);
    assert_eq!([6, 7].map(|r| rig.x(r)), [8, 8]);
    assert_eq!(rig.x(8), 1);
    assert_eq!([10, 11].map(|r| rig.x(r)), [8, 9]);
}

#[test]
fn rv_17_inhibited_counter_can_be_written_and_keeps_it() {
    let rig = plain(&[
        csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 5),
        csr(Op::Csrrwi, 0, n::MINSTRET, 9),
        NOP,
        csrr(1, n::MINSTRET),
        csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 0),
        csrr(2, n::MINSTRET),
        csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 31),
        csrr(3, n::MCOUNTINHIBIT),
    ]);
    assert_eq!([1, 2, 3].map(|r| rig.x(r)), [9, 9, 5]);
}

#[test]
fn rv_17_cycles_and_time_follow_clock_and_cpi() {
    let (hz, timebase) = (3_000_000_000u64, 10_000_000u64);
    let clock = HartClock::new(Frequency::from_hz(hz), (7, 3), Frequency::from_hz(timebase));
    let mut insns = vec![NOP; 899];
    insns.extend([csrr(1, n::MCYCLE), csrr(2, n::TIME), csrr(3, n::MINSTRET)]);
    let mut rig = rig(clock, &insns);
    rig.until(insns.len() as u64).unwrap();
    assert_eq!(rig.x(1), 899 * 7 / 3);
    // 900 instructions of 7/3 cycles at 3 GHz are exactly 700 ns: 7 ticks of 100 ns.
    assert_eq!(rig.x(2), 7);
    assert_eq!(rig.x(3), 901);
}

#[test]
fn rv_17_time_stands_at_the_floor_that_other_harts_have_read() {
    let mut rig = plain(&[NOP, csrr(1, n::TIME), NOP]);
    rig.hart
        .raise_time_floor(maquette_model::SimTime::from_us(5));
    rig.hart.set_up(|h| h.pc = BASE);
    rig.until(5).unwrap();
    assert_eq!(rig.x(1), 50);
    assert_eq!(rig.hart.time_floor(), maquette_model::SimTime::from_us(5));
}

/// All combinations of mcounteren and scounteren, each counter, each mode.
#[test]
fn rv_17_visibility_below_machine_mode_is_as_the_enables_say() {
    let counters = [
        (n::CYCLE, 1u64),
        (n::TIME, 2),
        (n::INSTRET, 4),
        (n::HPMCOUNTER3, 8),
        (n::HPMCOUNTER31, 1 << 31),
    ];
    for (counter, bit) in counters {
        for prv in [Privilege::User, Privilege::Supervisor, Privilege::Machine] {
            for (m, s) in [(false, false), (false, true), (true, false), (true, true)] {
                for others in [0, !bit & 0xffff_ffff] {
                    let mut rig = rig(
                        maquette_rv64::HartState::default_clock(),
                        &[csrr(1, counter)],
                    );
                    rig.hart.set_up(|h| {
                        h.prv = prv;
                        h.csr.mcounteren = others | if m { bit } else { 0 };
                        h.csr.scounteren = others | if s { bit } else { 0 };
                        h.csr.pmp.write_addr(0, u64::MAX);
                        h.csr.pmp.write_cfg(0, 0x1f);
                    });
                    rig.until(1).unwrap();
                    let want = match prv {
                        Privilege::Machine => true,
                        Privilege::Supervisor => m,
                        Privilege::User => m && s,
                    };
                    let c = &rig.hart.state().csr;
                    let seen = rig.hart.state().pc == BASE + 4;
                    assert_eq!(seen, want, "{counter:#x} {prv:?} {m} {s}");
                    assert_eq!(c.mcause == cause::ILLEGAL, !want);
                }
            }
        }
    }
}

#[test]
fn rv_17_machine_counters_and_writes_to_user_counters_are_illegal_below() {
    for (insn, prv) in [
        (csrr(1, n::MCYCLE), Privilege::Supervisor),
        (csrr(1, n::MINSTRET), Privilege::User),
        (csrr(1, n::MHPMCOUNTER3), Privilege::Supervisor),
        (csrw(n::CYCLE, 1), Privilege::Machine),
        (csrw(n::TIME, 1), Privilege::Machine),
        (csrr(1, n::STIMECMP), Privilege::User),
    ] {
        let mut rig = rig(maquette_rv64::HartState::default_clock(), &[insn]);
        rig.hart.set_up(|h| {
            h.prv = prv;
            h.csr.mcounteren = 0xffff_ffff;
            h.csr.scounteren = 0xffff_ffff;
            h.csr.menvcfg = envcfg::STCE;
            h.csr.pmp.write_addr(0, u64::MAX);
            h.csr.pmp.write_cfg(0, 0x1f);
        });
        rig.until(1).unwrap();
        let c = &rig.hart.state().csr;
        let word = u64::from(crate::asm::word(insn));
        assert_eq!((c.mcause, c.mtval), (cause::ILLEGAL, word), "{insn:?}");
    }
}

/// `stimecmp` from S needs both menvcfg.STCE and mcounteren.TM.
#[test]
fn rv_17_stimecmp_below_machine_mode_needs_both_enables() {
    for (stce, tm) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut rig = rig(
            maquette_rv64::HartState::default_clock(),
            &[csrr(1, n::STIMECMP)],
        );
        rig.hart.set_up(|h| {
            h.prv = Privilege::Supervisor;
            h.csr.mcounteren = if tm { 2 } else { !2 };
            h.csr.menvcfg = if stce { envcfg::STCE } else { 0 };
            h.csr.pmp.write_addr(0, u64::MAX);
            h.csr.pmp.write_cfg(0, 0x1f);
        });
        rig.until(1).unwrap();
        assert_eq!(rig.hart.pc() == BASE + 4, stce && tm);
    }
}
