//! rv_34: a guest that changes page tables and leaves out `sfence.vma` sees the same old translations
//! whatever the blocks are, wherever budgets are cut, and across snapshots.
//!
//! ```text
//! 0x0000  the program, for ever round      0x4000  four pages of code and data     0x10000  page tables
//! 0x2000  the handler, in M-mode           mapped once more from 1 GiB on, in any order
//! ```
//!
//! Each of the four pages has a function whose last instruction is reached by a branch over data: long
//! blocks take the data for code, and stores to it then drop the page's code; short blocks do not.

use crate::asm::{Code, bare, csrr, csrw, i, r, s};
use crate::rig::{BASE, Rig, Rng, difference};
use maquette_model::Vcpu;
use maquette_rv64::HartState;
use maquette_rv64::csr::{envcfg, number as n};
use maquette_rv64::isa::{Insn, Op};
use maquette_rv64::trap::Privilege;
use maquette_tests::seeds;

const HANDLER: u64 = BASE + 0x2000;
const MIXED: u64 = BASE + 0x4000;
const TABLES: u64 = BASE + 0x1_0000;
const WINDOWS: u64 = 1 << 30;
const PAGES: u64 = 4;
const LIMITS: [u16; 4] = [1, 2, 7, 64];
const STEPS: u64 = 3000;

/// Where a function's data lies in its page, and how much of it there is: all that code is tracked by
/// (64 bytes), and none of the function's own.
const DATA: u64 = 0x140;
const DATA_BYTES: u64 = 64;

/// The table entry of window `i`.
const fn entry(i: u64) -> u64 {
    TABLES + 0x2000 + 8 * i
}

/// Where a page of mixed content is, and what may be done there: R and X always.
fn pte(rng: &mut Rng) -> u64 {
    let page = MIXED + 0x1000 * rng.below(PAGES);
    let write = if rng.chance(85) { 1 << 2 } else { 0 };
    let dirty = if rng.chance(70) { 3 << 6 } else { 0 };
    page >> 2 | 0b1011 | write | dirty
}

struct Guest {
    code: Code,
    fenced: bool,
    rng: Rng,
}

impl Guest {
    fn new(seed: u64, fenced: bool) -> Self {
        let mut guest = Self {
            code: Code::new(BASE),
            fenced,
            rng: Rng(seed),
        };
        for _ in 0..60 {
            guest.action();
        }
        guest.code.jump(bare(Op::Jal), BASE);
        assert!(guest.code.here() < HANDLER);
        guest
    }

    fn action(&mut self) {
        let window = WINDOWS + 0x1000 * self.rng.below(PAGES);
        match self.rng.below(100) {
            0..=44 => self.store(window),
            45..=64 => self.load(window),
            65..=84 => {
                self.code.li(6, window + DATA - 8);
                self.code.put(i(Op::Jalr, 1, 6, 0));
            }
            85..=97 => self.remap(),
            _ => {
                self.code.li(6, window);
                self.code.put(r(Op::SfenceVma, 0, 6, 0));
            }
        }
    }

    /// Mostly beside the code, sometimes elsewhere, sometimes misaligned.
    fn place(&mut self, window: u64) -> u64 {
        if self.rng.chance(80) {
            window + DATA + 8 * self.rng.below(DATA_BYTES / 8)
        } else {
            window + 0x800 + self.rng.below(0x700)
        }
    }

    fn store(&mut self, window: u64) {
        let place = self.place(window);
        let (op, size) = self.rng.pick(&[
            (Op::Sd, 1),
            (Op::Sw, 1),
            (Op::Sb, 1),
            (Op::AmoaddD, 8),
            (Op::AmoswapW, 8),
            (Op::CboZero, 1),
        ]);
        self.code.li(6, place & !(size - 1));
        // Two `addi x0, x0, 0`, so that data goes on looking like code, or a count.
        match self.rng.below(3) {
            0 => self.code.li(5, 0x13_0000_0013),
            _ => _ = self.code.put(i(Op::Addi, 5, 5, 1)),
        }
        let insn = match op {
            Op::AmoaddD | Op::AmoswapW => r(op, 7, 6, 5),
            Op::CboZero => r(op, 0, 6, 0),
            _ => s(op, 6, 5, 0),
        };
        self.code.put(insn);
    }

    fn load(&mut self, window: u64) {
        let place = self.place(window);
        self.code.li(6, place);
        self.code.put(i(Op::Ld, 7, 6, 0));
        self.code.put(i(Op::Slli, 9, 9, 5));
        self.code.put(r(Op::Xor, 9, 9, 7));
    }

    fn remap(&mut self) {
        let at = entry(self.rng.below(PAGES));
        let to = pte(&mut self.rng);
        self.code.li(6, at);
        self.code.li(7, to);
        self.code.put(s(Op::Sd, 6, 7, 0));
        self.code.put(if self.fenced {
            bare(Op::SfenceVma)
        } else {
            i(Op::Addi, 0, 0, 0)
        });
    }

    /// A rig at the start of the program.
    fn rig(&self, limit: u16) -> Rig {
        let mut rig = Rig::with_clock(0x14, limit, HartState::default_clock());
        rig.load(&self.code);
        rig.load(&handler());
        for page in 0..PAGES {
            rig.load(&function(MIXED + 0x1000 * page));
            rig.poke(entry(page), (MIXED + 0x1000 * page) >> 2 | 0xcf);
        }
        // All of RAM as it is, in one piece, and the windows.
        rig.poke(TABLES + 8 * 2, BASE >> 2 | 0xcf);
        rig.poke(TABLES + 8, (TABLES + 0x1000) >> 2 | 1);
        rig.poke(TABLES + 0x1000, (TABLES + 0x2000) >> 2 | 1);
        rig.hart.set_up(|h| {
            h.pc = BASE;
            h.prv = Privilege::Supervisor;
            h.set_reg(8, 1);
            h.csr.satp = 8 << 60 | TABLES >> 12;
            h.csr.mtvec = HANDLER;
            h.csr.menvcfg = envcfg::ADUE | envcfg::CBZE;
            h.csr.pmp.write_addr(0, u64::MAX);
            h.csr.pmp.write_cfg(0, 0x1f);
        });
        rig
    }
}

/// Counts in x10, and returns over data.
fn function(page: u64) -> Code {
    let mut c = Code::new(page + DATA - 8);
    c.put(i(Op::Addi, 10, 10, 1));
    c.put(s(Op::Bne, 8, 0, DATA_BYTES as i32 + 4));
    for _ in 0..DATA_BYTES / 4 {
        c.put(i(Op::Addi, 0, 0, 0));
    }
    c.put(Insn {
        rs1: 1,
        ..Insn::new(Op::Jalr)
    });
    c
}

/// Skips what trapped.
fn handler() -> Code {
    let mut c = Code::new(HANDLER);
    c.put(csrr(28, n::MEPC));
    c.put(i(Op::Addi, 28, 28, 4));
    c.put(csrw(n::MEPC, 28));
    c.put(i(Op::Addi, 11, 11, 1));
    c.put(bare(Op::Mret));
    c
}

/// How a run is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cuts {
    /// Not at all.
    None,
    /// By small budgets.
    Budgets,
    /// By small budgets, going on in a fresh hart with other blocks each time.
    Snapshots,
}

fn end(guest: &Guest, limit: u16, cuts: Cuts) -> (Vec<u8>, Vec<u8>) {
    let mut rig = guest.rig(limit);
    let mut rng = Rng(limit.into());
    while rig.hart.retired() < STEPS {
        let by = if cuts == Cuts::None {
            STEPS
        } else {
            1 + rng.below(50)
        };
        rig.until((rig.hart.retired() + by).min(STEPS)).unwrap();
        if cuts == Cuts::Snapshots {
            let saved = rig.saved();
            rig.restore(&saved, HartState::default_clock(), rng.pick(&LIMITS));
        }
    }
    (rig.saved(), rig.memory())
}

#[test]
fn rv_34_old_translations_live_as_long_under_every_block_limit_and_across_snapshots() {
    let (mut stale, mut programs) = (0, 0);
    for seed in seeds(80) {
        programs += 1;
        let guest = Guest::new(seed, false);
        let want = end(&guest, 1, Cuts::None);
        for limit in LIMITS {
            for cuts in [Cuts::None, Cuts::Budgets, Cuts::Snapshots] {
                let got = end(&guest, limit, cuts);
                let what = format!("program {seed}, limit {limit}, cuts {cuts:?}");
                assert!(got.0 == want.0, "{what}:{}", difference(&got.0, &want.0));
                assert!(got.1 == want.1, "{what}: memory differs");
            }
        }
        // The same with fences, where nothing old is left to be seen.
        stale += u64::from(end(&Guest::new(seed, true), 1, Cuts::None).1 != want.1);
    }
    assert!(
        stale > programs / 2,
        "only {stale} programs saw old translations"
    );
}
