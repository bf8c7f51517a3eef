//! Random programs that keep running: whatever traps is logged and skipped by a handler.
//!
//! ```text
//! 0x0f00  the program: over two page ends, for ever round     0x8000  the handler
//! 0xa000  data, x16 points into the middle                    0x10000 page tables, not mapped
//! ```
//!
//! The program owns x1 to x15, x18 and x22, the handler x19, x20 and x25 to x31.

mod slots;

use crate::asm::{Code, bare, csr, csrr, csrw, i, r, s};
use crate::rig::{BASE, Rig, Rng};
use maquette_model::Frequency;
use maquette_rv64::csr::counters::HartClock;
use maquette_rv64::csr::{envcfg, mstatus, number as n};
use maquette_rv64::isa::Op;
use maquette_rv64::trap::{Privilege, irq};
use slots::program;
pub use slots::{arithmetic, loads_and_stores};

const CODE: u64 = BASE + 0xf00;
const HANDLER: u64 = BASE + 0x8000;
pub const DATA: u64 = BASE + 0xb000;
const TABLES: u64 = BASE + 0x1_0000;
const PAGES: u64 = 0x20;
/// The pointer to data, its alias through another mapping, scratch for addresses, the program's start, a loop counter.
const X_DATA: u8 = 16;
const X_ALIAS: u8 = 17;
const X_ADDR: u8 = 18;
const X_START: u8 = 21;
const X_LOOP: u8 = 22;

/// What a program is run as.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    prv: Privilege,
    /// Traps go to S-mode.
    delegated: bool,
    clock: HartClock,
}

impl Variant {
    pub fn of(rng: &mut Rng) -> Self {
        let prv = rng.pick(&[Privilege::Machine, Privilege::Supervisor, Privilege::User]);
        let clocks = [
            (1_000_000_000, (1, 1)),
            (3_000_000_000, (7, 3)),
            (999_999_937, (5, 7)),
        ];
        let (hz, cpi) = rng.pick(&clocks);
        let timebase = rng.pick(&[10_000_000, 100_000_000, 333_333_331]);
        Self {
            prv,
            delegated: prv != Privilege::Machine && rng.chance(50),
            clock: HartClock::new(Frequency::from_hz(hz), cpi, Frequency::from_hz(timebase)),
        }
    }

    /// How many ticks so many instructions take.
    fn ticks(&self, instructions: u64) -> i32 {
        1 + self.clock.own_ticks(instructions) as i32
    }
}

/// A program with its initial state.
pub struct Program {
    pub seed: u64,
    pub variant: Variant,
    code: Code,
    handler: Code,
    regs: [u64; 16],
    floats: [u64; 32],
    timer: u64,
}

impl Program {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let variant = Variant::of(&mut rng);
        let mut regs = [0; 16];
        regs.iter_mut().skip(1).for_each(|x| *x = value(&mut rng));
        let timer = rng.below(20);
        let ticks = variant.ticks(60 + rng.below(500));
        Self {
            seed,
            variant,
            code: program(&mut rng),
            handler: handler(variant.delegated, ticks),
            regs,
            floats: core::array::from_fn(|_| value(&mut rng)),
            timer,
        }
    }

    /// The clock that it runs by.
    pub fn clock(&self) -> HartClock {
        self.variant.clock
    }

    /// A rig at the start of the program.
    pub fn rig(&self, limit: u16) -> Rig {
        let mut rig = Rig::with_clock(PAGES, limit, self.variant.clock);
        rig.load(&self.code);
        rig.load(&self.handler);
        self.map(&rig);
        let v = self.variant;
        rig.hart.set_up(|h| {
            h.pc = CODE;
            h.prv = v.prv;
            h.x[..16].copy_from_slice(&self.regs);
            h.f = self.floats;
            h.x[usize::from(X_DATA)] = DATA;
            h.x[usize::from(X_ALIAS)] = if v.prv == Privilege::Machine {
                DATA
            } else {
                DATA + (1 << 30)
            };
            h.x[usize::from(X_START)] = CODE;
            let c = &mut h.csr;
            c.mstatus |= mstatus::MIE | mstatus::FS_INITIAL | mstatus::SUM;
            c.mtvec = HANDLER;
            c.stvec = HANDLER;
            c.mie = irq::ALL;
            c.menvcfg = envcfg::MENVCFG;
            c.senvcfg = envcfg::SENVCFG;
            c.mcounteren = 0xffff_ffff;
            c.scounteren = 0xffff_ffff;
            c.stimecmp = self.timer;
            c.pmp.write_addr(0, u64::MAX);
            c.pmp.write_cfg(0, 0x1f);
            if v.delegated {
                c.medeleg = 0xb3ff;
                c.mideleg = irq::SUPERVISOR;
            }
            if v.prv != Privilege::Machine {
                c.satp = 8 << 60 | TABLES >> 12;
            }
        });
        rig
    }

    /// Sv39: all but the tables mapped to itself and once more 1 GiB above, without A and D.
    fn map(&self, rig: &Rig) {
        for root in [2, 3] {
            rig.poke(TABLES + 8 * root, (TABLES + 0x1000) >> 2 | 1);
        }
        rig.poke(TABLES + 0x1000, (TABLES + 0x2000) >> 2 | 1);
        for page in 0..16 {
            let at = BASE + page * 0x1000;
            let user = self.variant.prv == Privilege::User && !(8..10).contains(&page);
            rig.poke(
                TABLES + 0x2000 + 8 * page,
                at >> 2 | u64::from(user) << 4 | 0xf,
            );
        }
    }
}

fn value(rng: &mut Rng) -> u64 {
    let v = rng.next();
    match rng.below(4) {
        0 => v % 16,
        1 => (v as i32 as i64).cast_unsigned(),
        2 => 1 << (v % 64),
        _ => v,
    }
}

/// Logs cause and time of each trap, skips what trapped, clears or moves what interrupted.
fn handler(supervisor: bool, ticks: i32) -> Code {
    let (cause, epc, ip) = if supervisor {
        (n::SCAUSE, n::SEPC, n::SIP)
    } else {
        (n::MCAUSE, n::MEPC, n::MIP)
    };
    let back = bare(if supervisor { Op::Sret } else { Op::Mret });
    let mut c = Code::new(HANDLER);
    c.put(csrr(28, cause));
    c.put(csrr(27, n::INSTRET));
    let interrupt = c.put(s(Op::Blt, 28, 0, 8));
    c.put(i(Op::Addi, 26, 0, 12));
    let fetch = c.put(s(Op::Beq, 28, 26, 8));
    c.put(i(Op::Addi, 26, 0, 1));
    let fetch_too = c.put(s(Op::Beq, 28, 26, 8));
    c.put(csrr(29, epc));
    c.put(i(Op::Lhu, 30, 29, 0));
    c.put(i(Op::Andi, 30, 30, 3));
    c.put(i(Op::Addi, 29, 29, 2));
    c.put(i(Op::Addi, 31, 0, 3));
    c.put(s(Op::Bne, 30, 31, 8));
    c.put(i(Op::Addi, 29, 29, 2));
    c.put(csrw(epc, 29));
    let log = c.here();
    c.put(i(Op::Slli, 25, 20, 5));
    c.put(r(Op::Sub, 20, 25, 20));
    c.put(r(Op::Xor, 20, 20, 28));
    c.put(r(Op::Add, 20, 20, 27));
    c.put(back);
    // Lost control: start again.
    c.land(fetch);
    c.land(fetch_too);
    c.put(csrw(epc, X_START));
    c.jump(bare(Op::Jal), log);
    c.land(interrupt);
    c.put(csrr(29, n::TIME));
    c.put(i(Op::Addi, 29, 29, ticks));
    c.put(csrw(n::STIMECMP, 29));
    c.put(csr(Op::Csrrci, 0, ip, 1 << irq::SSI));
    c.put(i(Op::Addi, 19, 19, 1));
    c.jump(bare(Op::Jal), log);
    c
}

impl Rig {
    /// How many interrupts and traps the program met, so that a test can show that it tests something.
    /// (A program may overwrite the counter: then it is not believed.)
    pub fn interrupts_and_traps(&self) -> (u64, u64) {
        let counted = self.x(19);
        let traps = self.hart.state().profile.traps;
        (if counted < traps { counted } else { 0 }, traps)
    }
}
