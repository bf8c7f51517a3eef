//! rv_11: budgets are exact, and where they are cut changes nothing.

use crate::asm::{Code, bare, csrr, csrw, i, r, s};
use crate::programs::Program;
use crate::rig::{BASE, Rig, Rng, difference};
use maquette_model::{Frequency, Vcpu};
use maquette_rv64::csr::counters::HartClock;
use maquette_rv64::csr::{envcfg, mstatus, number as n};
use maquette_rv64::isa::Op;
use maquette_rv64::trap::irq;
use maquette_tests::{rounds, seeds};

const LIMITS: [u16; 5] = [1, 2, 7, 64, 1000];
const STEPS: u64 = 2000;

/// The states of a program after each instruction, from a hart that executes one at a time.
struct Reference {
    states: Vec<Vec<u8>>,
    memory: Vec<u8>,
}

impl Reference {
    /// Runs for [`STEPS`] instructions, or fewer if the program ends in a trap loop.
    fn of(p: &Program) -> Self {
        let mut rig = p.rig(1);
        let mut states = vec![rig.saved()];
        for k in 1..=STEPS {
            if rig.until(k).is_err() {
                break;
            }
            states.push(rig.saved());
        }
        Self {
            states,
            memory: rig.memory(),
        }
    }

    fn steps(&self) -> u64 {
        self.states.len() as u64 - 1
    }

    fn check(&self, rig: &Rig, at: u64, what: &str) {
        assert_eq!(rig.hart.retired(), at, "{what}");
        let (now, then) = (rig.saved(), &self.states[at as usize]);
        assert!(
            now == *then,
            "{what}: after {at} instructions:{}",
            difference(&now, then)
        );
    }
}

fn cut(rng: &mut Rng, style: usize) -> u64 {
    match style {
        0 => STEPS,
        1 => 1 + rng.below(1000),
        2 => 1 + rng.below(40),
        _ => 1 + rng.below(4),
    }
}

#[test]
fn rv_11_any_cut_and_any_block_limit_give_the_same_states() {
    let (mut interrupts, mut traps) = (0, 0);
    for seed in seeds(60) {
        let p = Program::new(seed);
        let reference = Reference::of(&p);
        let end = reference.steps();
        for limit in LIMITS {
            for style in 0..4 {
                let mut rng = Rng(seed << 8 | style as u64);
                let what = format!(
                    "program {seed}, {:?}, limit {limit}, cuts {style}",
                    p.variant
                );
                let mut rig = p.rig(limit);
                while rig.hart.retired() < end {
                    let to = (rig.hart.retired() + cut(&mut rng, style)).min(end);
                    rig.until(to).unwrap();
                    reference.check(&rig, to, &what);
                }
                assert!(rig.memory() == reference.memory, "{what}: memory differs");
                let (i, t) = rig.interrupts_and_traps();
                interrupts += i;
                traps += t;
            }
        }
    }
    assert!(
        interrupts > 5000 && traps > 20_000,
        "{interrupts} interrupts, {traps} traps"
    );
}

#[test]
fn rv_11_each_budget_to_1000_is_exact_at_random_places() {
    let programs: Vec<_> = (1000..1012)
        .map(|seed| {
            let p = Program::new(seed);
            let r = Reference::of(&p);
            (p, r)
        })
        .filter(|(_, r)| r.steps() == STEPS)
        .collect();
    assert!(programs.len() > 8);
    for round in rounds() {
        let mut rng = Rng(round);
        for budget in 1..=1000 {
            let (p, reference) = &programs[rng.below(programs.len() as u64) as usize];
            let limit = rng.pick(&LIMITS);
            let start = rng.below(STEPS - budget);
            let what = format!("program {}, limit {limit}, {budget} from {start}", p.seed);
            let mut rig = p.rig(limit);
            rig.until(start).unwrap();
            rig.until(start + budget).unwrap();
            reference.check(&rig, start + budget, &what);
        }
    }
}

/// A handler that logs where each timer interrupt landed, over a loop of odd length.
fn timer_program() -> (Code, Code) {
    let mut c = Code::new(BASE);
    for k in 0..7 {
        c.put(i(Op::Addi, 5 + k, 5 + k, 1));
    }
    c.jump(s(Op::Beq, 0, 0, 0), BASE);
    let mut h = Code::new(BASE + 0x1000);
    // x16 points to the log; the next interrupt is x17 ticks after this one was due.
    h.put(csrr(28, n::MEPC));
    h.put(csrr(29, n::MINSTRET));
    h.put(s(Op::Sd, 16, 28, 0));
    h.put(s(Op::Sd, 16, 29, 8));
    h.put(i(Op::Addi, 16, 16, 16));
    h.put(csrr(28, n::STIMECMP));
    h.put(r(Op::Add, 28, 28, 17));
    h.put(csrw(n::STIMECMP, 28));
    h.put(bare(Op::Mret));
    (c, h)
}

#[test]
fn rv_11_timer_interrupts_land_where_the_clock_says_whatever_the_cuts() {
    const TICKS: u64 = 37;
    const LOG: u64 = BASE + 0x2000;
    const END: u64 = 30_000;
    let clocks = [
        (1_000_000_000, (1, 1), 1_000_000_000),
        (3_000_000_000, (7, 3), 333_333_331),
        (999_999_937, (5, 7), 500_000_003),
    ];
    for (hz, cpi, timebase) in clocks {
        let (hz, timebase) = (Frequency::from_hz(hz), Frequency::from_hz(timebase));
        let clock = HartClock::new(hz, cpi, timebase);
        // minstret is read by the second instruction of the handler.
        let due = |k: u64| clock.instructions_until(0, timebase.time_of(k * TICKS)) + 1;
        for limit in LIMITS {
            for style in 0..4 {
                let mut rng = Rng(style as u64);
                let mut rig = Rig::with_clock(4, limit, clock);
                let (code, handler) = timer_program();
                rig.load(&code);
                rig.load(&handler);
                rig.hart.set_up(|h| {
                    h.csr.mtvec = BASE + 0x1000;
                    h.csr.mie = 1 << irq::STI;
                    h.csr.mstatus |= mstatus::MIE;
                    h.csr.menvcfg = envcfg::STCE;
                    h.csr.stimecmp = TICKS;
                    h.set_reg(16, LOG);
                    h.set_reg(17, TICKS);
                });
                while rig.hart.retired() < END {
                    let to = rig.hart.retired() + cut(&mut rng, style);
                    rig.until(to.min(END)).unwrap();
                }
                let logged = (rig.x(16) - LOG) / 16;
                assert!(logged >= 100, "{logged}");
                for k in 0..logged.min(250) {
                    let at = rig.peek(LOG + 16 * k + 8);
                    assert_eq!(at, due(k + 1), "interrupt {k}, {clock:?}, limit {limit}");
                }
            }
        }
    }
}

/// minstret, read anywhere in a block, is that of a count by hand.
#[test]
fn rv_11_instret_read_inside_blocks_is_exact() {
    let mut rng = Rng(11);
    let mut c = Code::new(BASE);
    let mut expect = Vec::new();
    let mut count = 0;
    c.li(16, BASE + 0x2000);
    count += c.bytes.len() as u64 / 4;
    while expect.len() < 60 {
        for _ in 0..rng.below(9) {
            c.put(i(Op::Addi, 5, 5, 1));
            count += 1;
        }
        if rng.chance(50) {
            // Over one instruction, or not.
            let taken = rng.chance(50);
            c.put(s(if taken { Op::Bne } else { Op::Beq }, 16, 0, 8));
            c.put(i(Op::Addi, 6, 6, 1));
            count += if taken { 1 } else { 2 };
        }
        c.put(csrr(7, n::MINSTRET));
        c.put(s(Op::Sd, 16, 7, 8 * expect.len() as i32));
        expect.push(count);
        count += 2;
    }
    for limit in LIMITS {
        let mut rig = Rig::new(4, limit);
        rig.load(&c);
        rig.until(count).unwrap();
        for (k, &v) in expect.iter().enumerate() {
            assert_eq!(
                rig.peek(BASE + 0x2000 + 8 * k as u64),
                v,
                "read {k}, limit {limit}"
            );
        }
        assert_eq!(rig.hart.pc(), c.here());
    }
}

/// Loops that come back to the start of their own block, by a branch or a jump.
#[test]
fn rv_11_tight_loops_are_cut_exactly_by_each_budget() {
    for (length, branch) in (1..6).flat_map(|n| [(n, false), (n, true)]) {
        for limit in LIMITS {
            let mut c = Code::new(BASE);
            for _ in 1..length {
                c.put(i(Op::Addi, 5, 5, 1));
            }
            c.jump(bare(if branch { Op::Beq } else { Op::Jal }), BASE);
            let mut rig = Rig::new(1, limit);
            rig.load(&c);
            let mut total = 0;
            for budget in 1..=1000 {
                total += budget;
                rig.until(total).unwrap();
                let counted = total / length * (length - 1) + total % length;
                assert_eq!(
                    (rig.x(5), rig.hart.pc()),
                    (counted, BASE + 4 * (total % length)),
                    "{length} instructions, limit {limit}, budget {budget}"
                );
            }
        }
    }
}
