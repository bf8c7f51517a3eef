//! Which control registers exist, for whom, what sticks in them, and what they permit.

use crate::asm::{Code, bare, csr, csrr, csrw, i, r, s};
use crate::rig::{BASE, Rig, Rng};
use maquette_model::Vcpu;
use maquette_rv64::csr::{envcfg, mstatus, number as n};
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::trap::{Privilege, cause};

use Privilege::{Machine, Supervisor, User};

const HANDLER: u64 = BASE + 0x800;
const DATA: u64 = BASE + 0x1000;

/// One instruction in mode `prv`, a handler in M-mode; x6 points to data.
fn one(insn: Insn, prv: Privilege, set: impl FnOnce(&mut maquette_rv64::HartState)) -> Rig {
    let mut rig = Rig::new(2, 64);
    for (at, insn) in [(BASE, insn), (HANDLER, i(Op::Addi, 0, 0, 0))] {
        let mut c = Code::new(at);
        c.put(insn);
        rig.load(&c);
    }
    rig.hart.set_up(|h| {
        h.prv = prv;
        h.csr.mtvec = HANDLER;
        h.csr.mepc = BASE + 0x100;
        h.csr.sepc = BASE + 0x200;
        h.csr.pmp.write_addr(0, u64::MAX);
        h.csr.pmp.write_cfg(0, 0x1f);
        h.set_reg(6, DATA);
        set(h);
    });
    rig
}

/// Whether the instruction was illegal.
fn illegal(rig: &mut Rig) -> bool {
    let _ = rig.hart.run(1);
    rig.hart.state().csr.mcause == cause::ILLEGAL
}

/// The registers that exist, as ranges, with the lowest mode that may read them when all is enabled.
const EXISTING: [(u16, u16, Privilege); 20] = [
    (0x001, 0x003, User),
    (0xc00, 0xc1f, User),
    (0x100, 0x100, Supervisor),
    (0x104, 0x106, Supervisor),
    (0x10a, 0x10a, Supervisor),
    (0x140, 0x144, Supervisor),
    (0x14d, 0x14d, Supervisor),
    (0x180, 0x180, Supervisor),
    (0x300, 0x306, Machine),
    (0x30a, 0x30a, Machine),
    (0x320, 0x320, Machine),
    (0x323, 0x33f, Machine),
    (0x340, 0x344, Machine),
    (0x3a0, 0x3a0, Machine),
    (0x3a2, 0x3a2, Machine),
    (0x3b0, 0x3bf, Machine),
    (0xb00, 0xb00, Machine),
    (0xb02, 0xb1f, Machine),
    (0xf11, 0xf11, Machine),
    (0xf12, 0xf15, Machine),
];

#[test]
fn csr_numbers_exist_for_the_modes_that_the_listing_says() {
    for number in 0..4096u16 {
        let found = EXISTING.iter().find(|e| (e.0..=e.1).contains(&number));
        for prv in [User, Supervisor, Machine] {
            let open = |h: &mut maquette_rv64::HartState| {
                h.csr.mstatus |= mstatus::FS;
                h.csr.mcounteren = 0xffff_ffff;
                h.csr.scounteren = 0xffff_ffff;
                h.csr.menvcfg = envcfg::STCE;
            };
            let legal = found.is_some_and(|e| prv >= e.2);
            let mut read = one(csrr(5, number), prv, open);
            assert_eq!(illegal(&mut read), !legal, "read {number:#x} in {prv:?}");
            // Numbers that begin with 11 are read-only.
            let mut write = one(csr(Op::Csrrwi, 0, number, 0), prv, open);
            let writable = legal && number >> 10 != 3;
            assert_eq!(
                illegal(&mut write),
                !writable,
                "write {number:#x} in {prv:?}"
            );
        }
    }
}

/// What sticks of ones and of zeros, over a register of ones and zeros.
#[test]
fn csr_fields_keep_what_the_specification_lets_them() {
    let mstatus_writable = 0x7e_79aa;
    let xl = 2 << 32 | 2 << 34;
    // (register, all ones read back as, all zeros read back as)
    let table = [
        (n::MSTATUS, mstatus_writable | xl | 1 << 63, xl),
        (n::SSTATUS, 0x000c_6122 | 2 << 32 | 1 << 63, 2 << 32),
        (n::MISA, 0x8000_0000_0014_112d, 0x8000_0000_0014_112d),
        (n::MEDELEG, 0xb3ff, 0),
        (n::MIDELEG, 0x222, 0),
        (n::MIE, 0xaaa, 0),
        (n::MIP, 0x222, 0),
        (n::MTVEC, !3, 0),
        (n::STVEC, !3, 0),
        (n::MEPC, !1, 0),
        (n::SEPC, !1, 0),
        (n::MCAUSE, u64::MAX, 0),
        (n::STVAL, u64::MAX, 0),
        (n::MCOUNTEREN, 0xffff_ffff, 0),
        (n::SCOUNTEREN, 0xffff_ffff, 0),
        (n::MCOUNTINHIBIT, 5, 0),
        (n::MENVCFG, 0xa000_0000_0000_00f1, 0),
        (n::SENVCFG, 0xf1, 0),
        (n::SATP, 0, 0),
        (n::PMPADDR0 + 3, (1 << 54) - 1, 0),
        (n::MHPMCOUNTER3, 0, 0),
        (n::MHPMEVENT31, 0, 0),
        (n::STIMECMP, u64::MAX, 0),
    ];
    for (number, ones, zeros) in table {
        for (value, want) in [(u64::MAX, ones), (0, zeros)] {
            let mut rig = one(csrw(number, 7), Machine, |h| h.set_reg(7, value));
            let mut c = Code::new(BASE + 4);
            c.put(csrr(8, number));
            rig.load(&c);
            let _ = rig.hart.run(2);
            assert_eq!(rig.x(8), want, "{number:#x} after writing {value:#x}");
        }
    }
}

#[test]
fn csr_reserved_values_leave_the_field_as_it_was() {
    let write = |number, old: fn(&mut maquette_rv64::HartState), v: u64| {
        let mut rig = one(csrw(number, 7), Machine, |h| {
            old(h);
            h.set_reg(7, v);
        });
        let _ = rig.hart.run(1);
        rig.hart.state().csr.clone()
    };
    let c = write(
        n::MSTATUS,
        |h| h.csr.mstatus = 1 << mstatus::MPP_SHIFT,
        2 << mstatus::MPP_SHIFT,
    );
    assert_eq!(c.mstatus >> mstatus::MPP_SHIFT & 3, 1);
    for mode in 0..16u64 {
        let c = write(n::SATP, |h| h.csr.satp = 8 << 60 | 77, mode << 60 | 5);
        let kept = !matches!(mode, 0 | 8 | 9 | 10);
        assert_eq!(c.satp, if kept { 8 << 60 | 77 } else { mode << 60 | 5 });
    }
    for mode in 0..4u64 {
        let c = write(n::MTVEC, |h| h.csr.mtvec = HANDLER | 1, 0x4000 | mode);
        assert_eq!(c.mtvec, 0x4000 | if mode < 2 { mode } else { 1 });
    }
    let c = write(n::MENVCFG, |h| h.csr.menvcfg = 3 << 4, 2 << 4);
    assert_eq!(c.menvcfg, 3 << 4);
}

/// Set and clear with x0 do not write; all six forms do what they say.
#[test]
fn csr_instructions_of_all_six_forms() {
    let mut rng = Rng(5);
    for op in [
        Op::Csrrw,
        Op::Csrrs,
        Op::Csrrc,
        Op::Csrrwi,
        Op::Csrrsi,
        Op::Csrrci,
    ] {
        for operand in 0..32u8 {
            let (old, value) = (rng.next(), rng.next());
            let mut rig = one(csr(op, 9, n::MSCRATCH, operand), Machine, |h| {
                (1..32).for_each(|k| h.set_reg(k, value));
                h.csr.mscratch = old;
            });
            let _ = rig.hart.run(1);
            let by_register = if operand == 0 { 0 } else { value };
            let immediate = matches!(op, Op::Csrrwi | Op::Csrrsi | Op::Csrrci);
            let v = if immediate {
                operand.into()
            } else {
                by_register
            };
            let new = match op {
                Op::Csrrw | Op::Csrrwi => v,
                Op::Csrrs | Op::Csrrsi => old | v,
                _ => old & !v,
            };
            assert_eq!(
                (rig.x(9), rig.hart.state().csr.mscratch),
                (old, new),
                "{op:?}"
            );
        }
    }
    // A read-only register may be "set" with x0 only.
    assert!(!illegal(&mut one(
        csr(Op::Csrrs, 5, n::MHARTID, 0),
        Machine,
        |_| ()
    )));
    assert!(!illegal(&mut one(
        csr(Op::Csrrci, 5, n::MHARTID, 0),
        Machine,
        |_| ()
    )));
    assert!(illegal(&mut one(
        csr(Op::Csrrs, 5, n::MHARTID, 6),
        Machine,
        |_| ()
    )));
    assert!(illegal(&mut one(
        csr(Op::Csrrw, 5, n::MHARTID, 0),
        Machine,
        |_| ()
    )));
}

/// TVM, TW, TSR and the modes themselves.
#[test]
fn privileged_instructions_trap_where_the_mode_or_a_trap_bit_says() {
    for bits in 0..8u64 {
        let [tvm, tw, tsr] = [0, 1, 2].map(|b| bits >> b & 1 == 1);
        for prv in [User, Supervisor, Machine] {
            let u = prv == User;
            let in_s = prv == Supervisor;
            let table = [
                (bare(Op::Mret), prv != Machine),
                (bare(Op::Sret), u || (in_s && tsr)),
                (bare(Op::Wfi), u || (in_s && tw)),
                (r(Op::SfenceVma, 0, 0, 0), u || (in_s && tvm)),
                (r(Op::SfenceVma, 0, 6, 6), u || (in_s && tvm)),
                (r(Op::SinvalVma, 0, 6, 6), u || (in_s && tvm)),
                (bare(Op::SfenceWInval), u),
                (bare(Op::SfenceInvalIr), u),
                (bare(Op::WrsNto), tw && prv != Machine),
                (bare(Op::WrsSto), false),
                (csrr(5, n::SATP), u || (in_s && tvm)),
                (csrw(n::SATP, 0), u || (in_s && tvm)),
                (bare(Op::FenceI), false),
            ];
            for (insn, want) in table {
                let mut rig = one(insn, prv, |h| h.csr.mstatus |= bits << 20);
                assert_eq!(illegal(&mut rig), want, "{insn:?} in {prv:?}, {bits:#b}");
            }
        }
    }
}

/// `mret` and `sret`: the whole stack of previous modes and enables.
#[test]
fn returns_restore_mode_enables_and_mprv() {
    for bits in 0..64u64 {
        let on = |b: u32, field: u64| if bits >> b & 1 == 1 { field } else { 0 };
        let [xie, xpie, mprv] = [0, 1, 2].map(|b| bits >> b & 1 == 1);
        for to in [User, Supervisor, Machine] {
            let status = on(0, mstatus::MIE)
                | on(1, mstatus::MPIE)
                | on(2, mstatus::MPRV)
                | (to as u64) << mstatus::MPP_SHIFT;
            let mut rig = one(bare(Op::Mret), Machine, |h| h.csr.mstatus = status);
            let _ = rig.hart.run(1);
            let h = rig.hart.state();
            assert_eq!((h.prv, h.pc), (to, BASE + 0x100));
            let m = h.csr.mstatus;
            assert_eq!(m & mstatus::MIE != 0, xpie, "whatever MIE was: {xie}");
            assert_eq!((m & mstatus::MPIE != 0, m & mstatus::MPP), (true, 0));
            assert_eq!(m & mstatus::MPRV != 0, mprv && to == Machine);
        }
        for (from, to) in [
            (Supervisor, User),
            (Supervisor, Supervisor),
            (Machine, User),
            (Machine, Supervisor),
        ] {
            let status = on(0, mstatus::SIE)
                | on(1, mstatus::SPIE)
                | on(2, mstatus::MPRV)
                | if to == Supervisor { mstatus::SPP } else { 0 };
            // MPRV with MPP = M keeps data accesses physical.
            let mut rig = one(bare(Op::Sret), from, |h| {
                h.csr.mstatus = status | mstatus::MPP
            });
            let _ = rig.hart.run(1);
            let h = rig.hart.state();
            assert_eq!((h.prv, h.pc), (to, BASE + 0x200));
            let m = h.csr.mstatus;
            assert_eq!(m & mstatus::SIE != 0, xpie);
            assert_eq!((m & mstatus::SPIE != 0, m & mstatus::SPP), (true, 0));
            assert_eq!(m & mstatus::MPRV, 0);
        }
    }
}

#[test]
fn floating_point_is_illegal_with_fs_off_and_dirties_it_when_on() {
    let touches = [
        (
            Insn {
                rm: 7,
                ..r(Op::FaddS, 1, 2, 3)
            },
            true,
        ),
        (r(Op::FsgnjD, 1, 2, 3), true),
        (i(Op::Flw, 1, 6, 0), true),
        (s(Op::Fsd, 6, 1, 0), false),
        (r(Op::FmvXD, 5, 1, 0), false),
        (csrr(5, n::FCSR), false),
        (csrw(n::FRM, 0), true),
    ];
    for (insn, dirties) in touches {
        let mut off = one(insn, Machine, |h| h.csr.mstatus &= !mstatus::FS);
        assert!(illegal(&mut off), "{insn:?}");
        let mut on = one(insn, Machine, |h| h.csr.mstatus |= mstatus::FS_INITIAL);
        assert!(!illegal(&mut on), "{insn:?}");
        let dirty = on.hart.state().csr.mstatus & mstatus::FS == mstatus::FS;
        assert_eq!(dirty, dirties, "{insn:?}");
    }
    // A reserved dynamic rounding mode is illegal where it is used.
    let add = Insn {
        rm: 7,
        ..r(Op::FaddS, 1, 2, 3)
    };
    assert!(illegal(&mut one(add, Machine, |h| {
        h.csr.mstatus |= mstatus::FS;
        h.csr.frm = 5;
    })));
}

/// Zicbom and Zicboz: enabled level by level, zeroing exactly its block.
#[test]
fn cache_block_instructions_need_each_levels_consent() {
    let table = [
        (Op::CboZero, envcfg::CBZE),
        (Op::CboClean, envcfg::CBCFE),
        (Op::CboFlush, envcfg::CBCFE),
        (Op::CboInval, 3 << envcfg::CBIE_SHIFT),
        (Op::CboInval, 1 << envcfg::CBIE_SHIFT),
    ];
    for (op, field) in table {
        for prv in [User, Supervisor, Machine] {
            for (m, by_s) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut rig = one(s(op, 6, 0, 0), prv, |h| {
                    h.csr.menvcfg = if m { field } else { 0 };
                    h.csr.senvcfg = if by_s { field } else { 0 };
                });
                let legal = match prv {
                    Machine => true,
                    Supervisor => m,
                    User => m && by_s,
                };
                assert_eq!(illegal(&mut rig), !legal, "{op:?} {prv:?} {m} {by_s}");
            }
        }
    }
    for off in [0, 1, 63] {
        let mut rig = one(s(Op::CboZero, 6, 0, 0), Machine, |h| {
            h.set_reg(6, DATA + 64 + off)
        });
        for at in (0..192).step_by(8) {
            rig.poke(DATA + at, u64::MAX);
        }
        let _ = rig.hart.run(1);
        for at in (0..192).step_by(8) {
            let zero = (64..128).contains(&at);
            assert_eq!(rig.peek(DATA + at), if zero { 0 } else { u64::MAX });
        }
    }
}
