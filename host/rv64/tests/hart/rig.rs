//! One hart, its RAM, and a machine so simple that it cannot be wrong.

use crate::asm::Code;
use maquette_model::{
    Answer, BusError, Exit, Fail, MmioOp, PhysAddr, Ram, Reader, SimTime, Snapshot, Vcpu, Writer,
};
use maquette_rv64::csr::counters::HartClock;
use maquette_rv64::{Hart, HartState};
use std::rc::Rc;

/// Where RAM begins.
pub const BASE: u64 = 0x8000_0000;

/// A small, fast, seeded generator of test data (SplitMix64).
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `0..n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

fn mix(v: u64) -> u64 {
    let v = (v ^ v >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ v >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ v >> 31
}

pub struct Rig {
    pub ram: Rc<Ram>,
    pub hart: Hart,
}

impl Rig {
    /// A hart in M-mode at [`BASE`], with `pages` pages of RAM.
    pub fn new(pages: u64, limit: u16) -> Self {
        Self::with_clock(pages, limit, HartState::default_clock())
    }

    pub fn with_clock(pages: u64, limit: u16, clock: HartClock) -> Self {
        let ram = Rc::new(Ram::new(PhysAddr(BASE), pages * 4096).unwrap());
        let mut hart = Hart::new(0, clock, ram.clone(), limit);
        hart.set_up(|h| h.pc = BASE);
        Self { ram, hart }
    }

    pub fn load(&self, code: &Code) {
        assert!(self.ram.write(PhysAddr(code.base), &code.bytes));
    }

    pub fn poke(&self, at: u64, v: u64) {
        assert!(self.ram.write(PhysAddr(at), &v.to_le_bytes()));
    }

    pub fn peek(&self, at: u64) -> u64 {
        self.ram.read_u64(PhysAddr(at)).unwrap()
    }

    pub fn x(&self, i: u8) -> u64 {
        self.hart.state().reg(i)
    }

    /// Runs until `total` instructions have retired, answering what the hart asks.
    pub fn until(&mut self, total: u64) -> Result<(), Fail> {
        while self.hart.retired() < total {
            let (before, asked) = (self.hart.retired(), total - self.hart.retired());
            let exit = self.hart.run(asked);
            let done = self.hart.retired() - before;
            assert!(done <= asked, "run({asked}) retired {done}");
            if let Exit::Fail(f) = exit {
                return Err(f);
            }
            assert!(
                exit != Exit::Limit || done == asked,
                "run({asked}) gave Limit after {done}"
            );
            self.answer(&exit);
        }
        Ok(())
    }

    /// Answers an exit by a rule that depends on the hart's state only.
    pub fn answer(&mut self, exit: &Exit) {
        match *exit {
            Exit::Mmio { addr, op, .. } => {
                let v = mix(addr.0 ^ self.hart.retired());
                self.hart.finish(match op {
                    _ if v.is_multiple_of(8) => Answer::Fault(BusError::Unmapped),
                    MmioOp::Read => Answer::Value(v),
                    MmioOp::Write(_) => Answer::Done,
                });
            }
            Exit::Wfi if !self.hart.wakes() => {
                let timer = self.hart.timer_deadline();
                let soon = self.hart.time().saturating_add(SimTime::from_ns(123));
                self.hart
                    .skip_to(if timer == SimTime::MAX { soon } else { timer });
            }
            Exit::Sbi(call) => {
                let a0 = mix(call.extension ^ self.hart.retired());
                self.hart.finish(Answer::Sbi {
                    a0,
                    a1: Some(call.args[0]),
                });
            }
            _ => {}
        }
    }

    /// All architectural state of the hart.
    pub fn saved(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.hart.save(&mut w);
        w.into_bytes()
    }

    /// All of RAM.
    pub fn memory(&self) -> Vec<u8> {
        let mut all = vec![0; self.ram.size() as usize];
        assert!(self.ram.read(self.ram.base(), &mut all));
        all
    }

    /// Replaces the hart by a fresh one with other block shapes that continues from saved state.
    pub fn restore(&mut self, saved: &[u8], clock: HartClock, limit: u16) {
        let mut fresh = Hart::new(0, clock, self.ram.clone(), limit);
        let mut r = Reader::new(saved);
        fresh.load(&mut r).unwrap();
        r.finish().unwrap();
        self.hart = fresh;
    }
}

/// Which words of two saved states differ, for messages.
pub fn difference(a: &[u8], b: &[u8]) -> String {
    let name = |i: usize| match i {
        0..32 => format!("x{i}"),
        32..64 => format!("f{}", i - 32),
        64 => "pc".into(),
        _ => format!("byte {}", i * 8),
    };
    let word = |c: &[u8]| c.iter().rev().fold(0u64, |v, &b| v << 8 | u64::from(b));
    a.chunks(8)
        .zip(b.chunks(8))
        .enumerate()
        .filter(|(_, (p, q))| p != q)
        .map(|(i, (p, q))| format!(" {}: {:#x} / {:#x}", name(i), word(p), word(q)))
        .collect()
}
