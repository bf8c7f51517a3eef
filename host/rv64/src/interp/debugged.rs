//! Execution under a debugger: the same instructions at the same counts, with a look around where one may
//! have to stop.
//!
//! Blocks are cut before breakpoints and around loads and stores; the hot loop itself knows nothing of
//! it, and without breakpoints, watchpoints and steps nobody comes here.

use super::{BlockExit, Interpreter, Missing, interrupts, raise, rare, run_apart, single};
use crate::block::{End, MicroOp};
use crate::interp::{BlockExec, Flow};
use crate::isa::Op;
use crate::state::{HartState, Noted, Waiting};
use crate::trap::Exception;
use maquette_model::{DebugStop, Points, Ram};

/// An engine that can stop for a debugger.
pub trait DebugExec: BlockExec {
    /// Like [`BlockExec::run`], but stops at `points`, and at a trap if it is a `step`. The first instruction
    /// of a step is executed whatever breakpoint it has.
    fn run_debugged(
        &mut self,
        h: &mut HartState,
        ram: &Ram,
        max: u64,
        points: &Points,
        step: bool,
    ) -> (u64, BlockExit);
}

impl DebugExec for Interpreter {
    fn run_debugged(
        &mut self,
        h: &mut HartState,
        ram: &Ram,
        max: u64,
        points: &Points,
        step: bool,
    ) -> (u64, BlockExit) {
        let (start, traps) = (h.retired, h.profile.traps);
        // Debug specification 1.0, "Stepping" (dcsr.step): a trap ends a step at its handler.
        let trapped = |h: &HartState| step && h.profile.traps != traps;
        let mut must_go = step;
        loop {
            if ram.code_cursor() != h.code_cursor {
                self.sync_code(h, ram);
            }
            if h.check_interrupts {
                interrupts(h);
            }
            let done = h.retired - start;
            if trapped(h) {
                return (done, BlockExit::Debug(DebugStop::Trapped));
            }
            if done >= max {
                return (done, BlockExit::Limit);
            }
            if !core::mem::take(&mut must_go) && points.breakpoints.contains(&h.pc) {
                return (done, BlockExit::Debug(DebugStop::Breakpoint));
            }
            let exit = self.part(h, ram, max - done, points);
            let done = h.retired - start;
            if let Some(stop) = take_noted(h) {
                return (done, BlockExit::Debug(stop));
            }
            if let Some(exit) = exit {
                return (done, exit);
            }
        }
    }
}

impl Interpreter {
    /// Executes the part of a block that has nothing to stop at inside.
    fn part(
        &mut self,
        h: &mut HartState,
        ram: &Ram,
        left: u64,
        points: &Points,
    ) -> Option<BlockExit> {
        let id = match self.block(h, ram) {
            Ok(id) => id,
            Err(Missing::Fault(e)) => return raise(h, e),
            Err(Missing::Uncached) => return single(h, ram, Some(points)),
        };
        let (block, ops) = self.cache.get(id);
        h.profile.blocks += 1;
        h.profile.memory_ops += u64::from(block.memory_ops);
        if let End::Illegal(word) = block.end {
            return raise(h, Exception::illegal(word));
        }
        if let Some(first) = ops.first() {
            note_access(h, first, points);
        }
        let part = ops.get(..undisturbed(h.pc, ops, points)).unwrap_or(ops);
        match run_apart(h, ram, part, left) {
            Flow::Next => None,
            flow => rare(h, ram, ops, flow),
        }
    }
}

/// How many instructions of the block at `pc` can be executed without looking.
fn undisturbed(pc: u64, ops: &[MicroOp], points: &Points) -> usize {
    let watching = !points.watches.is_empty();
    if watching && ops.first().is_some_and(|o| Shape::of(o.op).is_some()) {
        return 1;
    }
    let last = ops.last().map_or(0, |o| u64::from(o.off));
    let end = pc.saturating_add(last);
    let breaking = pc < end && points.breakpoints.range(pc + 1..=end).next().is_some();
    if !watching && !breaking {
        return ops.len();
    }
    let disturbs = |o: &MicroOp| {
        let at = pc.wrapping_add(o.off.into());
        (breaking && points.breakpoints.contains(&at)) || (watching && Shape::of(o.op).is_some())
    };
    let later = ops.iter().skip(1).position(disturbs);
    later.map_or(ops.len(), |i| i + 1)
}

/// How an instruction uses memory.
#[derive(Clone, Copy)]
struct Shape {
    len: u64,
    reads: bool,
    writes: bool,
    /// The address is rs1 alone.
    bare: bool,
}

impl Shape {
    const fn of(op: Op) -> Option<Self> {
        let (len, reads, writes, bare) = match op {
            Op::Lb | Op::Lbu => (1, true, false, false),
            Op::Lh | Op::Lhu => (2, true, false, false),
            Op::Lw | Op::Lwu | Op::Flw => (4, true, false, false),
            Op::Ld | Op::Fld => (8, true, false, false),
            Op::Sb => (1, false, true, false),
            Op::Sh => (2, false, true, false),
            Op::Sw | Op::Fsw => (4, false, true, false),
            Op::Sd | Op::Fsd => (8, false, true, false),
            Op::LrW => (4, true, false, true),
            Op::LrD => (8, true, false, true),
            Op::ScW => (4, false, true, true),
            Op::ScD => (8, false, true, true),
            Op::CboZero => (crate::CACHE_BLOCK_BYTES as u64, false, true, true),
            op if super::atomic::is_atomic(op) => {
                let len = if op as u8 >= Op::LrD as u8 { 8 } else { 4 };
                (len, true, true, true)
            }
            _ => return None,
        };
        Some(Self {
            len,
            reads,
            writes,
            bare,
        })
    }
}

/// Notes that instruction `o`, which is executed next, accesses watched memory, if it does.
pub(super) fn note_access(h: &mut HartState, o: &MicroOp, points: &Points) {
    h.noted = None;
    if points.watches.is_empty() {
        return;
    }
    let Some(shape) = Shape::of(o.op) else {
        return;
    };
    let base = h.reg(o.rs1);
    let va = match o.op {
        Op::CboZero => base & !(shape.len - 1),
        _ if shape.bare => base,
        _ => base.wrapping_add(i64::from(o.imm).cast_unsigned()),
    };
    let met = points.watches.iter().find_map(|w| {
        let concerned = w.kind.concerns(shape.reads, shape.writes);
        let addr = w.overlap(va, shape.len).filter(|_| concerned)?;
        Some(DebugStop::Watchpoint { kind: w.kind, addr })
    });
    h.noted = met.map(|stop| Noted {
        stop,
        retired: h.retired,
        // `sc` says in rd whether it has stored.
        unless: matches!(o.op, Op::ScW | Op::ScD).then_some(o.rd),
    });
}

/// What was noted, if the instruction has completed.
pub(crate) fn take_noted(h: &mut HartState) -> Option<DebugStop> {
    if h.waiting != Waiting::No {
        return None;
    }
    let noted = h.noted.take()?;
    let failed = noted.unless.is_some_and(|rd| h.reg(rd) != 0);
    (h.retired != noted.retired && !failed).then_some(noted.stop)
}
