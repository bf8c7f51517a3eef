//! rv_16: misaligned accesses and the edges of pages, of RAM and of devices.

use crate::asm::{Code, i, s};
use crate::rig::{BASE, Rig};
use maquette_model::{Answer, BusError, Exit, MmioOp, PhysAddr, Vcpu, Width};
use maquette_rv64::csr::mstatus;
use maquette_rv64::isa::Op;
use maquette_rv64::trap::cause;

const HANDLER: u64 = BASE + 0x800;
const TABLES: u64 = BASE + 0x4000;
/// Two pages that lie side by side in the guest's view and apart in RAM.
const VA: u64 = 0x4000_0000;
const LOW: u64 = BASE + 0x2000;
const HIGH: u64 = BASE + 0x1000;
const PAGES: u64 = 7;

const LOADS: [(Op, u64, bool); 9] = [
    (Op::Lb, 1, true),
    (Op::Lbu, 1, false),
    (Op::Lh, 2, true),
    (Op::Lhu, 2, false),
    (Op::Lw, 4, true),
    (Op::Lwu, 4, false),
    (Op::Ld, 8, false),
    (Op::Flw, 4, false),
    (Op::Fld, 8, false),
];
const STORES: [(Op, u64); 6] = [
    (Op::Sb, 1),
    (Op::Sh, 2),
    (Op::Sw, 4),
    (Op::Sd, 8),
    (Op::Fsw, 4),
    (Op::Fsd, 8),
];

/// A rig whose only instruction is `insn`, with x6 = `address`; loads and stores go through Sv39.
fn rig(insn: maquette_rv64::isa::Insn, address: u64) -> Rig {
    let mut rig = Rig::new(PAGES, 64);
    let mut c = Code::new(BASE);
    c.put(insn);
    c.put(insn);
    rig.load(&c);
    let mut h = Code::new(HANDLER);
    h.put(i(Op::Addi, 0, 0, 0));
    rig.load(&h);
    rig.poke(TABLES + 8, (TABLES + 0x1000) >> 2 | 1);
    rig.poke(TABLES + 0x1000, (TABLES + 0x2000) >> 2 | 1);
    map(&rig, 0, LOW, 0xd7);
    map(&rig, 1, HIGH, 0xd7);
    rig.hart.set_up(|h| {
        h.csr.mtvec = HANDLER;
        h.csr.satp = 8 << 60 | TABLES >> 12;
        h.csr.mstatus |= mstatus::MPRV | mstatus::FS;
        h.csr.pmp.write_addr(0, u64::MAX);
        h.csr.pmp.write_cfg(0, 0x1f);
        h.set_reg(6, address);
        h.set_reg(7, 0x8877_6655_4433_2211);
        h.f[7] = 0x8877_6655_4433_2211;
    });
    rig
}

fn map(rig: &Rig, page: u64, pa: u64, flags: u64) {
    rig.poke(TABLES + 0x2000 + 8 * page, pa >> 2 | flags);
}

/// The bytes of both pages as the guest sees them.
fn view(rig: &Rig) -> Vec<u8> {
    let mut all = vec![0; 8192];
    assert!(rig.ram.read(PhysAddr(LOW), &mut all[..4096]));
    assert!(rig.ram.read(PhysAddr(HIGH), &mut all[4096..]));
    all
}

fn fill(rig: &Rig) {
    for at in (0..0x1000).step_by(8) {
        rig.poke(LOW + at, 0x9f8e_7d6c_5b4a_3928 ^ at << 3);
        rig.poke(HIGH + at, 0xf1e2_d3c4_b5a6_9788 ^ at << 5);
    }
}

#[test]
fn rv_16_misaligned_accesses_within_and_over_page_ends_move_the_right_bytes() {
    for off in (0..16).chain(4080..4112) {
        for (op, size, signed) in LOADS {
            let mut rig = rig(i(op, 10, 6, 0), VA + off);
            fill(&rig);
            let bytes = &view(&rig)[off as usize..(off + size) as usize];
            let raw = bytes.iter().rev().fold(0u64, |v, &b| v << 8 | u64::from(b));
            let unused = 64 - 8 * size as u32;
            let want = match op {
                Op::Flw => raw | !0xffff_ffff,
                _ if signed => ((raw << unused).cast_signed() >> unused).cast_unsigned(),
                _ => raw,
            };
            for k in 1..=2 {
                rig.until(k).unwrap();
                let float = matches!(op, Op::Flw | Op::Fld);
                let got = if float {
                    rig.hart.state().f[10]
                } else {
                    rig.x(10)
                };
                assert_eq!(got, want, "{op:?} at {off}, time {k}");
            }
        }
        for (op, size) in STORES {
            let mut rig = rig(s(op, 6, 7, 0), VA + off);
            fill(&rig);
            let mut want = view(&rig);
            let value = 0x8877_6655_4433_2211u64.to_le_bytes();
            want[off as usize..(off + size) as usize].copy_from_slice(&value[..size as usize]);
            for k in 1..=2 {
                rig.until(k).unwrap();
                assert!(view(&rig) == want, "{op:?} at {off}, time {k}");
            }
        }
    }
}

#[test]
fn rv_16_access_half_of_which_faults_changes_nothing() {
    // What is wrong with which page, and the exceptions of loads and stores.
    let device = 0x1000_0000;
    let damage: [(u64, u64, [u64; 2]); 4] = [
        (LOW, 0, [cause::LOAD_PAGE, cause::STORE_PAGE]),
        (LOW, 0xd9, [cause::LOAD_PAGE, cause::STORE_PAGE]),
        (device, 0xd7, [cause::LOAD_ACCESS, cause::STORE_ACCESS]),
        (
            BASE + PAGES * 4096,
            0xd7,
            [cause::LOAD_ACCESS, cause::STORE_ACCESS],
        ),
    ];
    for (pa, flags, causes) in damage {
        for page in [0, 1] {
            for size in [2, 4, 8] {
                for back in 1..size {
                    let va = VA + 4096 - back;
                    let load = LOADS.iter().find(|l| l.1 == size).unwrap().0;
                    let store = STORES.iter().find(|l| l.1 == size).unwrap().0;
                    for (insn, cause) in [
                        (i(load, 10, 6, 0), causes[0]),
                        (s(store, 6, 7, 0), causes[1]),
                    ] {
                        let mut rig = rig(insn, va);
                        map(&rig, page, pa, flags);
                        fill(&rig);
                        let before = rig.memory();
                        rig.until(1).unwrap();
                        let c = &rig.hart.state().csr;
                        let tval = if page == 0 { va } else { VA + 4096 };
                        assert_eq!(
                            (c.mcause, c.mtval, c.mepc),
                            (cause, tval, BASE),
                            "{insn:?} page {page}"
                        );
                        assert_eq!(rig.x(10), 0);
                        assert!(rig.memory() == before, "{insn:?} page {page}");
                    }
                }
            }
        }
    }
}

/// At the last bytes of RAM and the first beyond, without translation.
#[test]
fn rv_16_end_of_ram_is_exact() {
    let end = BASE + PAGES * 4096;
    for (op, size) in STORES {
        for at in end - 9..end + 9 {
            let mut rig = rig(s(op, 6, 7, 0), at);
            rig.hart.set_up(|h| h.csr.mstatus &= !mstatus::MPRV);
            let before = rig.memory();
            let exit = rig.hart.run(1);
            let c = &rig.hart.state().csr;
            let aligned = at % size == 0;
            if at + size <= end {
                assert_eq!(
                    (exit, rig.hart.retired()),
                    (Exit::Limit, 1),
                    "{op:?} {at:#x}"
                );
                assert!(rig.memory() != before);
                continue;
            }
            assert!(rig.memory() == before, "{op:?} {at:#x}");
            if aligned && at >= end {
                assert!(
                    matches!(exit, Exit::Mmio { addr, op: MmioOp::Write(_), .. } if addr.0 == at)
                );
            } else {
                let tval = if at < end { end } else { at };
                assert_eq!(
                    (c.mcause, c.mtval),
                    (cause::STORE_ACCESS, tval),
                    "{op:?} {at:#x}"
                );
            }
        }
    }
}

#[test]
fn rv_16_device_access_has_the_width_of_the_instruction_and_its_value() {
    let at = 0x1000_0040;
    let read = 0xfedc_ba98_8765_4321u64;
    for (op, size, signed) in LOADS {
        let mut rig = rig(i(op, 10, 6, 0), at);
        rig.hart.set_up(|h| h.csr.mstatus &= !mstatus::MPRV);
        let width = Width::ALL.into_iter().find(|w| w.bytes() == size).unwrap();
        let asked = Exit::Mmio {
            addr: PhysAddr(at),
            width,
            op: MmioOp::Read,
        };
        assert_eq!(rig.hart.run(5), asked);
        assert_eq!(rig.hart.run(5), asked, "until it is answered");
        rig.hart.finish(Answer::Value(read));
        assert_eq!((rig.hart.retired(), rig.hart.pc()), (1, BASE + 4));
        let unused = 64 - 8 * size as u32;
        let raw = read << unused >> unused;
        let (got, want) = match op {
            Op::Flw => (rig.hart.state().f[10], raw | !0xffff_ffff),
            Op::Fld => (rig.hart.state().f[10], raw),
            _ if signed => (
                rig.x(10),
                ((read << unused).cast_signed() >> unused).cast_unsigned(),
            ),
            _ => (rig.x(10), raw),
        };
        assert_eq!(got, want, "{op:?}");
    }
    for (op, size) in STORES {
        let mut rig = rig(s(op, 6, 7, 0), at);
        rig.hart.set_up(|h| h.csr.mstatus &= !mstatus::MPRV);
        let width = Width::ALL.into_iter().find(|w| w.bytes() == size).unwrap();
        let v = 0x8877_6655_4433_2211 & width.mask();
        assert_eq!(
            rig.hart.run(5),
            Exit::Mmio {
                addr: PhysAddr(at),
                width,
                op: MmioOp::Write(v)
            }
        );
        rig.hart.finish(Answer::Done);
        assert_eq!((rig.hart.retired(), rig.hart.pc()), (1, BASE + 4));
    }
}

#[test]
fn rv_16_device_that_refuses_and_misaligned_device_accesses_are_access_faults() {
    for (insn, cause) in [
        (i(Op::Lw, 10, 6, 0), cause::LOAD_ACCESS),
        (s(Op::Sw, 6, 7, 0), cause::STORE_ACCESS),
    ] {
        let mut rig_ = rig(insn, 0x1000_0000);
        rig_.hart.set_up(|h| h.csr.mstatus &= !mstatus::MPRV);
        assert!(matches!(rig_.hart.run(1), Exit::Mmio { .. }));
        rig_.hart.finish(Answer::Fault(BusError::Refused));
        assert_eq!((rig_.hart.retired(), rig_.hart.pc()), (0, HANDLER));
        assert_eq!(rig_.hart.state().csr.mcause, cause);
        assert_eq!(rig_.hart.state().csr.mtval, 0x1000_0000);
        for off in 1..4 {
            let mut rig = rig(insn, 0x1000_0000 + off);
            rig.hart.set_up(|h| h.csr.mstatus &= !mstatus::MPRV);
            assert_eq!(rig.hart.run(1), Exit::Limit);
            assert_eq!(rig.hart.state().csr.mcause, cause);
            assert_eq!(rig.hart.state().csr.mtval, 0x1000_0000 + off);
        }
    }
}
