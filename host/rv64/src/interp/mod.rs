//! Tier 0: the interpreter of decoded blocks. It is the reference for every later tier.
//!
//! [`Interpreter::run`] finds blocks and deals with whatever is rare; `exec::run` is the hot loop.
//! Both count exactly: a block is cut where the budget ends.

mod atomic;
mod debugged;
mod exec;
mod float;
mod int;
mod system;

use crate::block::MicroOp;
use crate::block::{BlockCache, BlockId, End, decode_at, micro_op};
use crate::isa;
use crate::mmu::{self, Stop};
use crate::state::{HartState, LoadTo, Outstanding, Waiting};
use crate::trap::{self, Exception};
pub use debugged::DebugExec;
pub(crate) use debugged::take_noted;
use maquette_model::ram::{CodeEvent, Missed};
use maquette_model::{DebugStop, Fail, PhysAddr, Points, Ram};

/// Traps in a row without a retired instruction that prove a trap loop: what a trap changes
/// (privilege, previous privilege, enables) settles after three.
const TRAP_LOOP: u32 = 8;

/// Why an engine stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BlockExit {
    /// The budget is used up.
    Limit,
    /// Something that the budget depends on changed (timer, counters): ask again.
    Reschedule,
    /// `HartState::waiting` says what the machine must answer.
    Waiting,
    /// The hart sleeps.
    Wfi,
    /// The hart hints that it spins.
    Pause,
    /// The debugger wants to be asked.
    Debug(DebugStop),
    /// The hart cannot go on.
    Fail(Fail),
}

/// A way to execute blocks: the interpreter, later a translator. All of them leave the same state
/// after the same number of instructions.
pub trait BlockExec {
    /// Executes at most `max` instructions; gives the number retired and why it stopped.
    fn run(&mut self, h: &mut HartState, ram: &Ram, max: u64) -> (u64, BlockExit);
    /// Forgets all cached code.
    fn clear(&mut self);
}

/// What the hot loop left to do.
pub(crate) enum Flow {
    /// `pc` and `retired` are right; look up the next block.
    Next,
    /// Instruction `i` of the block did not complete.
    Stop(usize, Stop),
    /// Instruction `i` concerns the whole hart.
    System(usize),
    /// Instruction `i` is illegal in the present state.
    Illegal(usize),
}

/// The interpreter of one hart.
pub struct Interpreter {
    cache: BlockCache,
}

impl Interpreter {
    /// An interpreter whose blocks hold at most `block_limit` instructions.
    #[must_use]
    pub fn new(block_limit: u16) -> Self {
        Self {
            cache: BlockCache::new(block_limit),
        }
    }

    /// Learns what other writers did to cached code.
    #[cold]
    fn sync_code(&mut self, h: &mut HartState, ram: &Ram) {
        match ram.code_events_since(h.code_cursor) {
            Missed::Everything => {
                self.cache.clear();
                h.tlb.close_stores();
            }
            Missed::Events(events) => {
                for e in &events {
                    let address = |page: usize| ram.base().0 + (page as u64) * 4096;
                    match *e {
                        CodeEvent::BecameCode(page) => h.tlb.close_stores_to(address(page)),
                        CodeEvent::Overwritten(page) => self.cache.drop_page(address(page)),
                    }
                }
            }
        }
        h.code_cursor = ram.code_cursor();
    }

    /// The block at `h.pc`, or what to do where there is none.
    #[inline(always)]
    fn block(&mut self, h: &mut HartState, ram: &Ram) -> Result<BlockId, Missing> {
        let pa = match h.tlb.fetch_page(h.pc) {
            Some(page) => page | (h.pc & 0xfff),
            None => self.fetch(h, ram)?,
        };
        h.block_pa = pa;
        match self.cache.find_front(pa) {
            Some(id) => Ok(id),
            None => self.block_slow(h, ram, pa),
        }
    }

    #[cold]
    fn fetch(&mut self, h: &mut HartState, ram: &Ram) -> Result<u64, Missing> {
        let (pa, cacheable) = mmu::fetch_slow(h, ram, h.pc, 2).map_err(Missing::Fault)?;
        if cacheable {
            Ok(pa)
        } else {
            Err(Missing::Uncached)
        }
    }

    #[cold]
    fn block_slow(&mut self, h: &mut HartState, ram: &Ram, pa: u64) -> Result<BlockId, Missing> {
        h.profile.block_front_misses += 1;
        if let Some(id) = self.cache.find(pa) {
            return Ok(id);
        }
        h.profile.blocks_built += 1;
        let id = self.cache.insert(ram, pa).ok_or(Missing::Uncached)?;
        if ram.code_cursor() != h.code_cursor {
            self.sync_code(h, ram);
        }
        Ok(id)
    }

    /// One turn of [`BlockExec::run`]: one block, or what stands in its way.
    #[inline(always)]
    fn step(&mut self, h: &mut HartState, ram: &Ram, left: u64) -> Option<BlockExit> {
        let id = match self.block(h, ram) {
            Ok(id) => id,
            Err(Missing::Fault(e)) => return raise(h, e),
            Err(Missing::Uncached) => return single(h, ram, None),
        };
        let (block, ops) = self.cache.get(id);
        h.profile.blocks += 1;
        h.profile.memory_ops += u64::from(block.memory_ops);
        if let End::Illegal(word) = block.end {
            return raise(h, Exception::illegal(word));
        }
        match exec::run(h, ram, ops, left) {
            Flow::Next => None,
            flow => rare(h, ram, ops, flow),
        }
    }
}

/// Why there is no block at pc.
enum Missing {
    Fault(Exception),
    /// PMP covers the page in part, or the instruction straddles the page end.
    Uncached,
}

impl BlockExec for Interpreter {
    fn run(&mut self, h: &mut HartState, ram: &Ram, max: u64) -> (u64, BlockExit) {
        let start = h.retired;
        loop {
            if ram.code_cursor() != h.code_cursor {
                self.sync_code(h, ram);
            }
            if h.check_interrupts {
                interrupts(h);
            }
            let done = h.retired - start;
            if done >= max {
                return (done, BlockExit::Limit);
            }
            if let Some(exit) = self.step(h, ram, max - done) {
                return (h.retired - start, exit);
            }
        }
    }

    fn clear(&mut self) {
        self.cache.clear();
    }
}

#[cold]
fn interrupts(h: &mut HartState) {
    h.check_interrupts = false;
    if let Some((n, supervisor)) = trap::interrupt_to_take(h) {
        h.profile.traps += 1;
        trap::take_interrupt(h, n, supervisor);
    }
}

/// Takes an exception at `h.pc`, and notices when that is all that ever happens.
#[cold]
pub(crate) fn raise(h: &mut HartState, e: Exception) -> Option<BlockExit> {
    let pc = h.pc;
    h.idle_traps = if h.last_trap_at == h.retired {
        h.idle_traps + 1
    } else {
        1
    };
    h.last_trap_at = h.retired;
    h.profile.traps += 1;
    trap::take_exception(h, e);
    (h.idle_traps >= TRAP_LOOP).then_some(BlockExit::Fail(Fail::TrapLoop {
        pc,
        cause: e.cause,
        tval: e.tval,
    }))
}

/// What the hot loop does not do itself.
#[cold]
#[inline(never)]
fn rare(h: &mut HartState, ram: &Ram, ops: &[MicroOp], flow: Flow) -> Option<BlockExit> {
    let i = match flow {
        Flow::Next => return None,
        Flow::Stop(i, _) | Flow::System(i) | Flow::Illegal(i) => i,
    };
    let o = ops.get(i)?;
    h.retired += i as u64;
    h.pc = h.pc.wrapping_add(o.off.into());
    h.block_pa += u64::from(o.off);
    match flow {
        Flow::System(_) => system::execute(h, ram, o),
        Flow::Stop(_, Stop::Exception(e)) => raise(h, e),
        Flow::Stop(_, Stop::Again) => None,
        Flow::Stop(_, Stop::Mmio { addr, width, op }) => {
            let va = h.reg(o.rs1).wrapping_add(i64::from(o.imm).cast_unsigned());
            let load = exec::destination(o);
            h.waiting = Waiting::Mmio(Outstanding {
                addr,
                width,
                op,
                va,
                load,
                len: o.len,
            });
            Some(BlockExit::Waiting)
        }
        _ => {
            let word = decode_at(ram, h.block_pa, o.len);
            raise(h, Exception::illegal(word))
        }
    }
}

/// Executes one instruction that belongs to no block, noting the access to watched memory.
#[cold]
fn single(h: &mut HartState, ram: &Ram, points: Option<&Points>) -> Option<BlockExit> {
    let (word, pa) = match fetch_word(h, ram) {
        Ok(found) => found,
        Err(e) => return raise(h, e),
    };
    let Some(insn) = isa::decode(word) else {
        return raise(h, Exception::illegal(word));
    };
    h.block_pa = pa;
    let ops = [micro_op(&insn, 0)];
    if let (Some(points), [o]) = (points, &ops) {
        debugged::note_access(h, o, points);
    }
    match run_apart(h, ram, &ops, 1) {
        Flow::Next => None,
        Flow::Illegal(_) => raise(h, Exception::illegal(word)),
        flow => rare(h, ram, &ops, flow),
    }
}

/// A copy of the hot loop for instructions outside blocks and for debuggers, so that the other copy is not
/// disturbed.
#[inline(never)]
fn run_apart(h: &mut HartState, ram: &Ram, ops: &[MicroOp], left: u64) -> Flow {
    exec::run(h, ram, ops, left)
}

/// The instruction at `h.pc` in its two halves, each translated by itself.
fn fetch_word(h: &mut HartState, ram: &Ram) -> Result<(u32, u64), Exception> {
    let half = |h: &mut HartState, va: u64| {
        let (pa, _) = mmu::fetch_slow(h, ram, va, 2)?;
        let bytes = ram.read_array(PhysAddr(pa)).unwrap_or_default();
        Ok((u32::from(u16::from_le_bytes(bytes)), pa))
    };
    let (low, pa) = half(h, h.pc)?;
    if low & 3 != 3 {
        return Ok((low, pa));
    }
    let (high, _) = half(h, h.pc.wrapping_add(2))?;
    Ok((high << 16 | low, pa))
}

impl LoadTo {
    /// Puts a value that a device answered where the instruction wants it.
    pub(crate) fn deliver(self, h: &mut HartState, width: maquette_model::Width, v: u64) {
        let unused = 64 - 8 * u32::try_from(width.bytes()).unwrap_or(8);
        let v = v & width.mask();
        match self {
            Self::Nowhere => {}
            Self::Unsigned(rd) => h.set_reg(rd, v),
            Self::Signed(rd) => h.set_reg(
                rd,
                (v << unused)
                    .cast_signed()
                    .wrapping_shr(unused)
                    .cast_unsigned(),
            ),
            Self::Float(rd) => float::set_loaded(h, rd, v | !width.mask()),
        }
    }
}
