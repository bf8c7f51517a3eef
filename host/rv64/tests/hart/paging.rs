//! rv_14, rv_15 and rv_24 as a guest sees them: rights, A and D, and what `sfence.vma` makes visible.

use crate::asm::{Code, csrw, i, r, s};
use crate::rig::{BASE, Rig};
use maquette_model::Vcpu;
use maquette_rv64::csr::{envcfg, mstatus, number};
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::trap::{Privilege, cause};

const TABLES: u64 = BASE + 0x8000;
const HANDLER: u64 = BASE + 0x1000;
const ONE: u64 = BASE + 0x4000;
const TWO: u64 = BASE + 0x5000;
/// Where the program sees the page under test: entry 1 of the root.
const VA: u64 = 0x4000_0000;
const PAGES: u64 = 24;
const ASID: u64 = 5;

/// A supervisor at BASE (mapped to itself by a 1 GiB page), with x6 = `va` and a handler in M-mode.
fn rig(insns: &[Insn], va: u64) -> Rig {
    let mut rig = Rig::new(PAGES, 64);
    let mut c = Code::new(BASE);
    for insn in insns {
        c.put(*insn);
    }
    rig.load(&c);
    let mut h = Code::new(HANDLER);
    h.put(i(Op::Addi, 0, 0, 0));
    rig.load(&h);
    rig.poke(TABLES + 8 * 2, BASE >> 2 | 0xcf);
    rig.poke(TABLES + 8, (TABLES + 0x1000) >> 2 | 1);
    rig.poke(TABLES + 0x1000, (TABLES + 0x2000) >> 2 | 1);
    rig.poke(ONE, 1);
    rig.poke(TWO, 2);
    rig.hart.set_up(|h| {
        h.prv = Privilege::Supervisor;
        h.csr.mtvec = HANDLER;
        h.csr.satp = 8 << 60 | ASID << 44 | TABLES >> 12;
        h.csr.pmp.write_addr(0, u64::MAX);
        h.csr.pmp.write_cfg(0, 0x1f);
        h.set_reg(6, va);
        h.set_reg(7, ASID);
        h.set_reg(8, 77);
    });
    rig
}

/// Maps the page (or superpage) under test. A superpage of `level` begins at `pa` rounded down.
fn map(rig: &Rig, level: u64, pa: u64, flags: u64) {
    let at = [TABLES + 0x2000, TABLES + 0x1000, TABLES + 8][level as usize];
    let mask = (1u64 << (12 + 9 * level)) - 1;
    rig.poke(at, (pa & !mask) >> 2 | flags);
}

/// After `sfence.vma` or `sinval.vma`, in each of its forms and for each size of page, a load sees the new mapping.
#[test]
fn rv_24_sfence_makes_a_changed_leaf_visible_in_each_form() {
    let forms = [(0, 0), (6, 0), (0, 7), (6, 7)];
    let ops = [Op::SfenceVma, Op::SinvalVma];
    for (op, (rs1, rs2)) in ops.into_iter().flat_map(|op| forms.map(|form| (op, form))) {
        for level in 0..3 {
            // A superpage covers all of RAM: it is switched off and on instead of moved.
            let va = if level == 0 { VA } else { VA + (ONE - BASE) };
            let insns = [i(Op::Ld, 10, 6, 0), s(op, rs1, rs2, 0), i(Op::Ld, 11, 6, 0)];
            let mut rig_ = rig(&insns, va);
            map(&rig_, level, ONE, 0xcf);
            rig_.until(1).unwrap();
            assert_eq!(rig_.x(10), 1);
            if level == 0 {
                map(&rig_, 0, TWO, 0xcf);
                rig_.until(3).unwrap();
                assert_eq!(rig_.x(11), 2, "{op:?} {rs1} {rs2}");
            }
            let mut rig = rig(&insns, va);
            map(&rig, level, ONE, 0xcf);
            rig.until(1).unwrap();
            map(&rig, level, ONE, 0);
            rig.until(3).unwrap();
            let c = &rig.hart.state().csr;
            assert_eq!(
                (c.mcause, c.mtval),
                (cause::LOAD_PAGE, va),
                "{op:?} {rs1} {rs2} level {level}"
            );
        }
    }
}

/// The address given to `sfence.vma` may be any in the superpage.
#[test]
fn rv_24_sfence_by_an_address_elsewhere_in_the_superpage_is_enough() {
    for level in 1..3 {
        for other in [0, 0x3000, 0x1f_f000, 0x123] {
            let load = i(Op::Ld, 10, 6, 0);
            let fence = s(Op::SfenceVma, 9, 0, 0);
            let mut rig = rig(&[load, fence, load], VA + (ONE - BASE));
            rig.hart.set_up(|h| h.set_reg(9, VA + other));
            map(&rig, level, ONE, 0xcf);
            rig.until(1).unwrap();
            map(&rig, level, ONE, 0);
            rig.until(3).unwrap();
            assert_eq!(
                rig.hart.state().csr.mcause,
                cause::LOAD_PAGE,
                "level {level}, {other:#x}"
            );
        }
    }
}

/// Loads, stores and fetches each have their cached translations: a fence reaches all of them.
#[test]
fn rv_24_sfence_withdraws_rights_of_loads_stores_and_fetches() {
    for (insn, want) in [
        (i(Op::Ld, 10, 6, 0), cause::LOAD_PAGE),
        (s(Op::Sd, 6, 8, 8), cause::STORE_PAGE),
        (i(Op::Jalr, 1, 6, 0x100), cause::FETCH_PAGE),
    ] {
        for rs1 in [0, 6] {
            let fence = s(Op::SfenceVma, rs1, 0, 0);
            let mut rig = rig(&[insn, fence, insn], VA);
            let mut back = Code::new(ONE + 0x100);
            back.put(i(Op::Jalr, 0, 1, 0));
            rig.load(&back);
            map(&rig, 0, ONE, 0xcf);
            let first = if insn.op == Op::Jalr { 2 } else { 1 };
            rig.until(first).unwrap();
            assert_eq!(rig.hart.pc(), BASE + 4);
            map(&rig, 0, ONE, 0);
            rig.until(first + 2).unwrap();
            if insn.op == Op::Jalr {
                rig.until(first + 3).unwrap();
            }
            assert_eq!(rig.hart.state().csr.mcause, want, "{insn:?}, rs1 {rs1}");
        }
    }
}

/// Two page tables under ever new ASIDs (more than the hart keeps apart by number), switched by
/// `satp` without a fence: each load sees its own space. The pages come round after every number of
/// switches, so that whatever number is used again meets what it left behind.
#[test]
fn rv_24_address_spaces_do_not_leak_into_each_other() {
    const SWITCHES: u64 = 150;
    const LIST: u64 = BASE + 0x1_0000;
    const OTHER: u64 = TABLES + 0x4000;
    let insns = [
        i(Op::Ld, 20, 9, 0),
        i(Op::Ld, 6, 9, 8),
        csrw(number::SATP, 20),
        i(Op::Ld, 10, 6, 0),
        s(Op::Sd, 9, 10, 16),
        i(Op::Addi, 9, 9, 24),
        s(Op::Beq, 0, 0, -24),
    ];
    for (period, fresh) in (1..66).flat_map(|p| [(p, true), (p, false)]) {
        let mut rig = rig(&insns, VA);
        rig.poke(OTHER + 8 * 2, BASE >> 2 | 0xcf);
        rig.poke(OTHER + 8, (OTHER + 0x1000) >> 2 | 1);
        rig.poke(OTHER + 0x1000, (OTHER + 0x2000) >> 2 | 1);
        for page in 0..period {
            // Away from the slots of the soft TLB that code and list use.
            rig.poke(TABLES + 0x2000 + 8 * (100 + page), ONE >> 2 | 0xcf);
            rig.poke(OTHER + 0x2000 + 8 * (100 + page), TWO >> 2 | 0xcf);
        }
        for k in 0..SWITCHES {
            let root = if k % 2 == 0 { TABLES } else { OTHER };
            let asid = if fresh { k } else { k % 2 };
            rig.poke(LIST + 24 * k, 8 << 60 | asid << 44 | root >> 12);
            rig.poke(LIST + 24 * k + 8, VA + (100 + k % period) * 0x1000);
        }
        rig.hart.set_up(|h| h.set_reg(9, LIST));
        rig.until(7 * SWITCHES).unwrap();
        for k in 0..SWITCHES {
            assert_eq!(
                rig.peek(LIST + 24 * k + 16),
                1 + k % 2,
                "switch {k}, period {period}"
            );
        }
    }
}

#[test]
fn rv_15_accessed_and_dirty_are_set_by_svadu_and_fault_under_svade() {
    const A: u64 = 0x40;
    const D: u64 = 0x80;
    // (instruction, flags before, flags after under Svadu, cause under Svade)
    let (load, store, call) = (
        i(Op::Ld, 10, 6, 0),
        s(Op::Sd, 6, 8, 0),
        i(Op::Jalr, 1, 6, 0x100),
    );
    let amo = r(Op::AmoaddD, 10, 6, 8);
    let lr = r(Op::LrD, 10, 6, 0);
    let table = [
        (load, 0, A, Some(cause::LOAD_PAGE)),
        (load, A, A, None),
        (load, D, A | D, Some(cause::LOAD_PAGE)),
        (store, 0, A | D, Some(cause::STORE_PAGE)),
        (store, A, A | D, Some(cause::STORE_PAGE)),
        (store, A | D, A | D, None),
        (amo, A, A | D, Some(cause::STORE_PAGE)),
        (lr, 0, A, Some(cause::LOAD_PAGE)),
        (lr, A, A, None),
        (call, 0, A, Some(cause::FETCH_PAGE)),
        (call, A, A, None),
    ];
    for (insn, before, after, faults) in table {
        for svadu in [false, true] {
            for level in 0..3 {
                let va = if level == 0 { VA } else { VA + (ONE - BASE) };
                let mut rig = rig(&[insn], va);
                let mut nop = Code::new(ONE + 0x100);
                nop.put(i(Op::Addi, 0, 0, 0));
                rig.load(&nop);
                map(&rig, level, ONE, 0x0f | before);
                rig.hart
                    .set_up(|h| h.csr.menvcfg = if svadu { envcfg::ADUE } else { 0 });
                rig.until(if insn.op == Op::Jalr { 2 } else { 1 }).unwrap();
                let at = [TABLES + 0x2000, TABLES + 0x1000, TABLES + 8][level as usize];
                let flags = rig.peek(at) & 0xff;
                let what = format!("{:?} {before:#x} svadu {svadu} level {level}", insn.op);
                match faults {
                    Some(cause) if !svadu => {
                        assert_eq!(rig.hart.state().csr.mcause, cause, "{what}");
                        assert_eq!(flags, 0x0f | before, "{what}");
                    }
                    _ => {
                        assert_eq!(rig.hart.state().csr.mcause, 0, "{what}");
                        assert_eq!(flags, 0x0f | after, "{what}");
                    }
                }
            }
        }
    }
}

/// What the privileged specification allows, from its sentences on U, SUM, MXR, R, W and X.
fn allowed(kind: Op, prv: Privilege, flags: u64, sum: bool, mxr: bool) -> bool {
    let [v, r, w, x, u] = core::array::from_fn(|b| flags >> b & 1 == 1);
    if prv == Privilege::Machine {
        return true;
    }
    if !v || (w && !r) || !(r || x) {
        return false;
    }
    let mode = if prv == Privilege::User {
        u
    } else {
        !u || (sum && kind != Op::Jalr)
    };
    mode && match kind {
        Op::Ld => r || (mxr && x),
        Op::Sd => w,
        _ => x,
    }
}

/// Page rights by mode, SUM, MXR and MPRV: every combination.
#[test]
fn rv_14_page_rights_by_mode_sum_mxr_and_mprv() {
    use Privilege::{Machine, Supervisor, User};
    let insns = [
        i(Op::Ld, 10, 6, 0),
        s(Op::Sd, 6, 8, 0),
        i(Op::Jalr, 1, 6, 0x100),
    ];
    for flags in 0..32 {
        for bits in 0..4 {
            let (sum, mxr) = (bits & 1 != 0, bits & 2 != 0);
            let modes = [(User, None), (Supervisor, None), (Machine, None)];
            let by_mprv = [User, Supervisor, Machine].map(|p| (Machine, Some(p)));
            for ((prv, mpp), insn) in modes
                .into_iter()
                .chain(by_mprv)
                .flat_map(|m| insns.map(|i| (m, i)))
            {
                let mut rig = rig(&[insn], VA);
                // Machine mode without MPRV sees the page's physical address.
                let bare =
                    prv == Machine && (mpp.is_none_or(|p| p == Machine) || insn.op == Op::Jalr);
                let mut nop = Code::new(ONE + 0x100);
                nop.put(i(Op::Addi, 0, 0, 0));
                rig.load(&nop);
                map(&rig, 0, ONE, flags | 0xc0);
                rig.poke(
                    TABLES + 8 * 2,
                    BASE >> 2 | if prv == User { 0xdf } else { 0xcf },
                );
                rig.hart.set_up(|h| {
                    h.prv = prv;
                    h.csr.mstatus =
                        if sum { mstatus::SUM } else { 0 } | if mxr { mstatus::MXR } else { 0 };
                    if let Some(p) = mpp {
                        h.csr.mstatus |= mstatus::MPRV | (p as u64) << mstatus::MPP_SHIFT;
                    }
                    h.set_reg(6, if bare { ONE } else { VA });
                });
                rig.until(if insn.op == Op::Jalr { 2 } else { 1 }).unwrap();
                let trapped = rig.hart.state().csr.mcause;
                let data = if insn.op == Op::Jalr {
                    prv
                } else {
                    mpp.unwrap_or(prv)
                };
                let want = match insn.op {
                    _ if allowed(insn.op, data, flags, sum, mxr) => 0,
                    Op::Ld => cause::LOAD_PAGE,
                    Op::Sd => cause::STORE_PAGE,
                    _ => cause::FETCH_PAGE,
                };
                assert_eq!(
                    trapped, want,
                    "{:?} {flags:#b} {prv:?} {mpp:?} sum {sum} mxr {mxr}",
                    insn.op
                );
            }
        }
    }
}

/// PMP rights on the page, by mode, lock and kind of access; over translation and without.
#[test]
fn rv_14_pmp_rights_by_mode_and_lock() {
    use Privilege::{Machine, Supervisor, User};
    let insns = [
        (i(Op::Ld, 10, 6, 0), 1u64),
        (s(Op::Sd, 6, 8, 0), 2),
        (i(Op::Jalr, 1, 6, 0x100), 4),
    ];
    for (insn, right) in insns {
        for (rights, lock) in [0, 1, 3, 4, 5, 7]
            .into_iter()
            .flat_map(|r| [(r, false), (r, true)])
        {
            for prv in [User, Supervisor, Machine] {
                for paged in [false, true] {
                    let mut rig = rig(&[insn], if paged && prv != Machine { VA } else { ONE });
                    let mut nop = Code::new(ONE + 0x100);
                    nop.put(i(Op::Addi, 0, 0, 0));
                    rig.load(&nop);
                    map(&rig, 0, ONE, if prv == User { 0xdf } else { 0xcf });
                    rig.poke(
                        TABLES + 8 * 2,
                        BASE >> 2 | if prv == User { 0xdf } else { 0xcf },
                    );
                    rig.hart.set_up(|h| {
                        h.prv = prv;
                        if !paged {
                            h.csr.satp = 0;
                        }
                        h.csr.pmp = Default::default();
                        h.csr.pmp.write_addr(0, ONE >> 2 | 0x1ff);
                        h.csr.pmp.write_addr(1, u64::MAX);
                        let first = rights | 0x18 | u64::from(lock) << 7;
                        h.csr.pmp.write_cfg(0, 0x1f << 8 | first);
                    });
                    rig.until(if insn.op == Op::Jalr { 2 } else { 1 }).unwrap();
                    let binds = prv != Machine || lock;
                    let want = match right {
                        _ if !binds || rights & right != 0 => 0,
                        1 => cause::LOAD_ACCESS,
                        2 => cause::STORE_ACCESS,
                        _ => cause::FETCH_ACCESS,
                    };
                    let got = rig.hart.state().csr.mcause;
                    assert_eq!(
                        got, want,
                        "{:?} {rights} lock {lock} {prv:?} paged {paged}",
                        insn.op
                    );
                }
            }
        }
    }
}

/// An entry that covers part of a page: the rest of the page may be used, that part not, whatever was
/// used before.
#[test]
fn rv_14_pmp_entry_inside_a_page_binds_there_and_only_there() {
    let fetch = |at| i(Op::Jalr, 1, 6, at);
    let load = |at| i(Op::Ld, 10, 6, at);
    let store = |at| s(Op::Sd, 6, 8, at);
    let kinds: [(&dyn Fn(i32) -> Insn, u64); 3] = [
        (&load, cause::LOAD_ACCESS),
        (&store, cause::STORE_ACCESS),
        (&fetch, cause::FETCH_ACCESS),
    ];
    // The part: 0x100 to 0x100 + size, as NA4 or NAPOT, and as a top of range.
    for (size, range) in [
        (4u64, false),
        (8, false),
        (256, false),
        (4, true),
        (24, true),
        (512, true),
    ] {
        for (access, cause) in kinds {
            for paged in [false, true] {
                let insns = [access(0xf8), access(0x100), access(0xf8)];
                let mut rig = rig(&insns, if paged { VA } else { ONE });
                map(&rig, 0, ONE, 0xcf);
                for at in [0xf8, 0x100, 0x100 + size] {
                    let mut back = Code::new(ONE + at);
                    back.put(i(Op::Jalr, 0, 1, 0));
                    rig.load(&back);
                }
                rig.hart.set_up(|h| {
                    if !paged {
                        h.csr.satp = 0;
                    }
                    let pmp = &mut h.csr.pmp;
                    *pmp = Default::default();
                    let first = (ONE + 0x100) >> 2;
                    let cfg = if range {
                        pmp.write_addr(0, first);
                        pmp.write_addr(1, first + size / 4);
                        0x08 << 8
                    } else {
                        let shape = if size == 4 { 0x10 } else { 0x18 };
                        pmp.write_addr(0, first | (size / 8).saturating_sub(1));
                        shape
                    };
                    pmp.write_addr(2, u64::MAX);
                    pmp.write_cfg(0, 0x1f << 16 | cfg);
                });
                let calls = if cause == cause::FETCH_ACCESS { 2 } else { 1 };
                rig.until(calls).unwrap();
                let what = format!(
                    "{size} bytes, range {range}, paged {paged}, {:?}",
                    insns[0].op
                );
                assert_eq!(rig.hart.pc(), BASE + 4, "beside it: {what}");
                rig.until(2 * calls).unwrap();
                let c = &rig.hart.state().csr;
                let va = if paged { VA } else { ONE };
                assert_eq!((c.mcause, c.mtval), (cause, va + 0x100), "{what}");
            }
        }
    }
}
