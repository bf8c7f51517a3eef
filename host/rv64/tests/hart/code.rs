//! rv_12: code that changes is executed as it is, at once, whoever changed it.

use crate::asm::{Code, bare, i, r, s, word};
use crate::rig::{BASE, Rig};
use maquette_model::{Exit, PhysAddr, Vcpu};
use maquette_rv64::csr::{envcfg, mstatus};
use maquette_rv64::isa::{Insn, Op, compress};
use maquette_rv64::{Hart, HartState};

const LIMITS: [u16; 3] = [1, 3, 64];

fn add_one(rd: u8) -> Insn {
    i(Op::Addi, rd, rd, 1)
}

fn add_many(rd: u8) -> Insn {
    i(Op::Addi, rd, rd, 100)
}

/// Puts the word of `insn` into x5 and the address `to` into x6.
fn prepare(c: &mut Code, insn: Insn, to: u64) {
    c.li(5, u64::from(word(insn)));
    c.li(6, to);
}

#[test]
fn rv_12_store_to_the_next_instruction_of_the_same_block_is_seen_at_once() {
    for limit in LIMITS {
        for gap in [0, 1, 5] {
            let mut rig = Rig::new(2, limit);
            let mut c = Code::new(BASE);
            prepare(&mut c, add_many(10), BASE + 0x100);
            while c.here() < BASE + 0x100 - 4 - 4 * gap {
                c.put(i(Op::Addi, 0, 0, 0));
            }
            c.put(s(Op::Sw, 6, 5, 0));
            while c.here() < BASE + 0x100 {
                c.put(i(Op::Addi, 0, 0, 0));
            }
            c.put(add_one(10));
            rig.load(&c);
            rig.until(c.bytes.len() as u64 / 4).unwrap();
            assert_eq!(rig.x(10), 100, "limit {limit}, {gap} between");
        }
    }
}

/// A loop that rewrites one of its own instructions in each round, back and forth.
#[test]
fn rv_12_loop_that_rewrites_itself_runs_what_it_wrote() {
    for (limit, with_fence) in LIMITS.into_iter().flat_map(|l| [(l, false), (l, true)]) {
        let mut rig = Rig::new(2, limit);
        let mut c = Code::new(BASE);
        prepare(&mut c, add_many(10), 0);
        c.li(7, u64::from(word(add_one(10)) ^ word(add_many(10))));
        c.li(6, BASE + 0x200);
        c.li(8, 50);
        let top = c.here();
        c.put(s(Op::Sw, 6, 5, 0));
        if with_fence {
            c.put(bare(Op::FenceI));
        }
        let out = c.jump(bare(Op::Jal), BASE + 0x200);
        assert!(out < BASE + 0x200);
        rig.load(&c);
        let mut body = Code::new(BASE + 0x200);
        body.put(add_one(10));
        body.put(r(Op::Xor, 5, 5, 7));
        body.put(i(Op::Addi, 8, 8, -1));
        body.jump(s(Op::Bne, 8, 0, 0), top);
        let end = body.here();
        body.jump(bare(Op::Jal), end);
        rig.load(&body);
        rig.until(2000).unwrap();
        assert_eq!(rig.hart.pc(), end);
        assert_eq!(rig.x(10), 25 * 100 + 25, "limit {limit}");
    }
}

/// A store over a page end into an instruction that itself lies over the page end.
#[test]
fn rv_12_code_over_a_page_end_changes_in_both_halves() {
    for limit in LIMITS {
        for (at, op) in [
            (BASE + 0xffe, Op::Sw),
            (BASE + 0x1000, Op::Sd),
            (BASE + 0xffc, Op::Sh),
        ] {
            let mut rig = Rig::new(3, limit);
            let mut c = Code::new(BASE + 0xff0 - 2);
            c.half(compress(&i(Op::Addi, 9, 9, 1)).unwrap());
            c.half(compress(&i(Op::Addi, 9, 9, 1)).unwrap());
            c.half(compress(&i(Op::Addi, 9, 9, 1)).unwrap());
            c.put(add_one(9));
            c.put(add_one(9));
            let straddling = c.here();
            c.half(compress(&i(Op::Addi, 9, 9, 1)).unwrap());
            assert_eq!(straddling, BASE + 0xffc);
            let first = c.put(add_one(10));
            assert_eq!(first, BASE + 0xffe);
            c.put(add_one(11));
            c.put(i(Op::Jalr, 0, 1, 0));
            rig.load(&c);
            // Once to have it decoded, then the store, then again.
            let mut main = Code::new(BASE);
            let replacement: u64 = match op {
                Op::Sw => word(add_many(10)).into(),
                Op::Sh => compress(&i(Op::Addi, 9, 9, 31)).unwrap().into(),
                // The second half of the straddling one (its immediate), and the next one.
                _ => {
                    u64::from(word(add_many(10)) >> 16)
                        | u64::from(word(add_many(11))) << 16
                        | u64::from(word(i(Op::Jalr, 0, 1, 0)) & 0xffff) << 48
                }
            };
            main.li(5, replacement);
            main.li(6, at);
            main.li(7, c.base);
            main.put(i(Op::Jalr, 1, 7, 0));
            main.put(s(op, 6, 5, 0));
            main.put(i(Op::Jalr, 1, 7, 0));
            let end = main.here();
            main.jump(bare(Op::Jal), end);
            rig.load(&main);
            rig.until(100).unwrap();
            assert_eq!(rig.hart.pc(), end);
            let want = match op {
                Op::Sw => (12, 101, 2),
                Op::Sh => (11 + 31, 2, 2),
                _ => (12, 101, 101),
            };
            assert_eq!(
                (rig.x(9), rig.x(10), rig.x(11)),
                want,
                "limit {limit}, {op:?}"
            );
        }
    }
}

#[test]
fn rv_12_every_kind_of_store_is_seen() {
    let amo = r(Op::AmoswapW, 0, 6, 5);
    let sd = s(Op::Sd, 6, 5, 0);
    let sb = s(Op::Sb, 7, 8, 0);
    let fsw = s(Op::Fsw, 6, 5, 0);
    let sc = r(Op::ScW, 9, 6, 5);
    let zero = s(Op::CboZero, 6, 0, 0);
    for limit in LIMITS {
        for store in [amo, sd, sb, fsw, sc, zero] {
            let mut rig = Rig::new(2, limit);
            rig.hart.set_up(|h| {
                h.csr.mstatus |= 3 << 13;
                h.f[5] = u64::from(word(add_many(10))) | !0xffff_ffff;
                h.csr.mtvec = BASE + 0x1000;
            });
            let mut c = Code::new(BASE);
            let target = BASE + 0x100;
            let two = u64::from(word(add_many(10))) | u64::from(word(add_many(10))) << 32;
            c.li(5, two);
            c.li(6, target);
            // The immediate's upper bits: 1 becomes 0x641.
            c.li(7, target + 3);
            c.li(8, 0x64);
            c.put(i(Op::LrW, 9, 6, 0));
            c.jump(bare(Op::Jal), target - 4);
            rig.load(&c);
            let mut at = Code::new(target - 4);
            at.put(store);
            at.put(add_one(10));
            rig.load(&at);
            let before = c.bytes.len() as u64 / 4;
            rig.until(before + 1).unwrap();
            let _ = rig.hart.run(1);
            let want = match store.op {
                Op::Sb => 0x641,
                Op::CboZero => 0,
                _ => 100,
            };
            assert_eq!(rig.x(10), want, "limit {limit}, {:?}", store.op);
            let trapped = store.op == Op::CboZero;
            assert_eq!(rig.hart.state().csr.mcause == 2, trapped);
        }
    }
}

#[test]
fn rv_12_code_written_by_another_hart_or_by_dma_is_seen() {
    for by_dma in [false, true] {
        let mut rig = Rig::new(3, 64);
        let mut c = Code::new(BASE);
        c.put(add_one(10));
        c.jump(bare(Op::Jal), BASE);
        rig.load(&c);
        let mut writer = Code::new(BASE + 0x1000);
        prepare(&mut writer, add_many(10), BASE);
        writer.put(s(Op::Sw, 6, 5, 0));
        rig.load(&writer);
        let mut other = Hart::new(1, HartState::default_clock(), rig.ram.clone(), 64);
        other.set_up(|h| h.pc = BASE + 0x1000);
        // The writer first stores elsewhere, so that it has a fast path to the page if that is legal.
        assert_eq!(rig.hart.run(10), Exit::Limit);
        assert_eq!(rig.x(10), 5);
        if by_dma {
            let w = word(add_many(10)).to_le_bytes();
            assert!(rig.ram.write(PhysAddr(BASE), &w));
        } else {
            assert_eq!(other.run(writer.bytes.len() as u64 / 4), Exit::Limit);
        }
        assert_eq!(rig.hart.run(10), Exit::Limit);
        assert_eq!(rig.x(10), 505, "by DMA: {by_dma}");
    }
}

/// A hart that has a fast path for stores to a page must lose it when another hart runs code there.
#[test]
fn rv_12_page_that_becomes_code_on_another_hart_loses_its_fast_stores() {
    let mut rig = Rig::new(3, 64);
    let mut writer = Code::new(BASE);
    writer.li(6, BASE + 0x1000);
    writer.li(5, u64::from(word(add_one(10))));
    writer.put(s(Op::Sw, 6, 5, 0));
    writer.put(s(Op::Sw, 6, 5, 8));
    let first = writer.bytes.len() as u64 / 4;
    writer.li(5, u64::from(word(add_many(10))));
    writer.put(s(Op::Sw, 6, 5, 0));
    let second = writer.bytes.len() as u64 / 4;
    rig.load(&writer);
    let mut code = Code::new(BASE + 0x1004);
    code.jump(bare(Op::Jal), BASE + 0x1000);
    rig.load(&code);
    rig.until(first).unwrap();
    let mut runner = Hart::new(1, HartState::default_clock(), rig.ram.clone(), 64);
    runner.set_up(|h| h.pc = BASE + 0x1000);
    assert_eq!(runner.run(20), Exit::Limit);
    assert_eq!(runner.state().reg(10), 10);
    rig.until(second).unwrap();
    assert_eq!(runner.run(20), Exit::Limit);
    assert_eq!(runner.state().reg(10), 10 + 1000);
}

/// The A bit that a walk sets may lie in an instruction of the running block.
///
/// The root table is the page of the code. Entry 2 maps a gigabyte for U-mode, readable, not yet
/// accessed: as an instruction it reads `li x2, 512`, and with A set `fsgnj.s f2, f0, f0`.
#[test]
fn rv_12_walk_that_changes_an_instruction_of_the_block_is_seen() {
    for limit in LIMITS {
        for cuts in [1, 2] {
            let mut rig = Rig::new(2, limit);
            let mut c = Code::new(BASE + 12);
            c.put(i(Op::Ld, 5, 6, 0));
            c.word((BASE >> 2) as u32 | 0x113);
            c.word(0);
            rig.load(&c);
            rig.poke(BASE + 0x1000, 77);
            rig.hart.set_up(|h| {
                h.pc = BASE + 12;
                h.csr.satp = 8 << 60 | BASE >> 12;
                h.csr.menvcfg = envcfg::ADUE;
                h.csr.mstatus |= mstatus::MPRV | mstatus::FS;
                h.csr.pmp.write_addr(0, u64::MAX);
                h.csr.pmp.write_cfg(0, 0x1f);
                h.f[0] = 42 | !0xffff_ffff;
                h.set_reg(6, 2 << 30 | 0x1000);
            });
            rig.until(2 / cuts).unwrap();
            rig.until(2).unwrap();
            assert_eq!(rig.peek(BASE + 16), BASE >> 2 | 0x153, "A is set");
            assert_eq!(rig.x(5), 77);
            let f2 = rig.hart.state().f[2];
            assert_eq!((rig.x(2), f2), (0, 42 | !0xffff_ffff), "limit {limit}");
        }
    }
}
