//! Instructions that concern the whole hart: CSRs, traps, returns, fences, cache blocks.

use super::{BlockExit, raise};
use crate::block::{MicroOp, decode_at};
use crate::csr::{self, Effect, envcfg, mstatus};
use crate::isa::Op;
use crate::mmu;
use crate::state::{HartState, SINK, Waiting};
use crate::trap::{self, Exception, Privilege, cause};
use maquette_model::{PhysAddr, Ram};

/// Bytes in a cache block of Zicbom, Zicbop and Zicboz.
const CACHE_BLOCK: u64 = crate::CACHE_BLOCK_BYTES as u64;

/// How a system instruction ends.
enum Done {
    /// It retires and control goes on behind it.
    Retire,
    /// It retires and `pc` is set.
    Jumped,
    /// It retires and the engine returns.
    Exit(BlockExit),
    /// It does not retire; the engine returns.
    Ask(BlockExit),
}

/// Executes instruction `o` at `h.pc`.
pub(super) fn execute(h: &mut HartState, ram: &Ram, o: &MicroOp) -> Option<BlockExit> {
    let done = match o.op {
        Op::Csrrw | Op::Csrrs | Op::Csrrc | Op::Csrrwi | Op::Csrrsi | Op::Csrrci => {
            access_csr(h, o)
        }
        Op::Ecall => environment_call(h),
        Op::Ebreak => Err(Some(Exception {
            cause: cause::BREAKPOINT,
            tval: h.pc,
        })),
        Op::Mret | Op::Sret => return_from_trap(h, o.op),
        Op::Wfi => wait_for_interrupt(h),
        Op::WrsNto | Op::WrsSto => wait_on_reservation(h, o.op),
        Op::SfenceVma | Op::SinvalVma => fence_translations(h, o),
        Op::SfenceWInval | Op::SfenceInvalIr => order_invalidations(h),
        Op::Pause => Ok(Done::Exit(BlockExit::Pause)),
        _ => cache_block(h, ram, o),
    };
    match done {
        Ok(Done::Ask(exit)) => return Some(exit),
        Ok(Done::Jumped) => h.retired += 1,
        Ok(Done::Retire) => retire(h, o),
        Ok(Done::Exit(exit)) => {
            retire(h, o);
            return Some(exit);
        }
        Err(Some(e)) => return raise(h, e),
        Err(None) => {
            let word = decode_at(ram, h.block_pa, o.len);
            return raise(h, Exception::illegal(word));
        }
    }
    None
}

fn retire(h: &mut HartState, o: &MicroOp) {
    h.retired += 1;
    h.pc = h.pc.wrapping_add(o.len.into());
}

/// `Err(None)` is an illegal instruction.
type Outcome = Result<Done, Option<Exception>>;

fn access_csr(h: &mut HartState, o: &MicroOp) -> Outcome {
    let illegal = |_: csr::Illegal| None;
    let [low, high, ..] = o.imm.to_le_bytes();
    let number = u16::from_le_bytes([low, high]) & 0xfff;
    let immediate = matches!(o.op, Op::Csrrwi | Op::Csrrsi | Op::Csrrci);
    let operand = if immediate {
        o.rs1.into()
    } else {
        h.reg(o.rs1)
    };
    let swap = matches!(o.op, Op::Csrrw | Op::Csrrwi);
    let writes = swap || o.rs1 != 0;
    // csrrw with rd = x0 does not read, so it has no side effects of a read; there are none here.
    let old = csr::read(h, number, writes, h.retired).map_err(illegal)?;
    let mut effect = Effect::None;
    if writes {
        let base = csr::modify_base(h, number, old);
        let new = match o.op {
            Op::Csrrw | Op::Csrrwi => operand,
            Op::Csrrs | Op::Csrrsi => base | operand,
            _ => base & !operand,
        };
        effect = csr::write(h, number, new, h.retired).map_err(illegal)?;
    }
    if o.rd != SINK {
        h.set_reg(o.rd, old);
    }
    match effect {
        Effect::None => Ok(Done::Retire),
        Effect::Context => {
            h.context_changed();
            Ok(Done::Exit(BlockExit::Reschedule))
        }
        Effect::Protection => {
            h.flush_translations();
            Ok(Done::Exit(BlockExit::Reschedule))
        }
    }
}

fn environment_call(h: &mut HartState) -> Outcome {
    if h.builtin_sbi && h.prv == Privilege::Supervisor {
        h.waiting = Waiting::Sbi;
        return Ok(Done::Ask(BlockExit::Waiting));
    }
    Err(Some(Exception {
        cause: cause::ECALL_FROM_U + h.prv as u64,
        tval: 0,
    }))
}

fn return_from_trap(h: &mut HartState, op: Op) -> Outcome {
    let needs = if op == Op::Mret {
        Privilege::Machine
    } else {
        Privilege::Supervisor
    };
    let trapped =
        op == Op::Sret && h.prv == Privilege::Supervisor && h.csr.mstatus & mstatus::TSR != 0;
    if h.prv < needs || trapped {
        return Err(None);
    }
    if op == Op::Mret {
        trap::mret(h)
    } else {
        trap::sret(h)
    }
    Ok(Done::Jumped)
}

/// U-mode may not wait at all, S-mode not with TW: no time limit is the simplest bounded one (§3.3.3).
fn wait_for_interrupt(h: &mut HartState) -> Outcome {
    let trapped = h.prv == Privilege::Supervisor && h.csr.mstatus & mstatus::TW != 0;
    if h.prv == Privilege::User || trapped {
        return Err(None);
    }
    h.refresh_mip(h.retired + 1);
    let pending = h.csr.mip & h.csr.mie != 0;
    Ok(if pending {
        Done::Retire
    } else {
        Done::Exit(BlockExit::Wfi)
    })
}

/// Zawrs: a stall while the reservation holds and no interrupt is pending that is enabled, whatever
/// the global enables say. The stall is one turn: a reservation is lost as soon as another hart has
/// run, and the specification lets a stall end for any reason. As for `wfi`, no time limit is the
/// bounded one of TW, which the short timeout is not subject to.
fn wait_on_reservation(h: &mut HartState, op: Op) -> Outcome {
    let limited = op == Op::WrsNto && h.csr.mstatus & mstatus::TW != 0;
    if limited && h.prv < Privilege::Machine {
        return Err(None);
    }
    h.refresh_mip(h.retired + 1);
    let pending = h.csr.mip & h.csr.mie != 0;
    Ok(if pending || h.reservation.is_none() {
        Done::Retire
    } else {
        Done::Exit(BlockExit::Pause)
    })
}

/// Svinval: `sinval.vma` is as strong as `sfence.vma`, so that its two fences have nothing left to do.
fn order_invalidations(h: &HartState) -> Outcome {
    if h.prv == Privilege::User {
        Err(None)
    } else {
        Ok(Done::Retire)
    }
}

fn fence_translations(h: &mut HartState, o: &MicroOp) -> Outcome {
    let trapped = h.prv == Privilege::Supervisor && h.csr.mstatus & mstatus::TVM != 0;
    if h.prv == Privilege::User || trapped {
        return Err(None);
    }
    if o.rs1 == 0 {
        h.flush_translations();
    } else {
        h.tlb.flush_address(h.reg(o.rs1));
    }
    Ok(Done::Retire)
}

fn cache_block(h: &mut HartState, ram: &Ram, o: &MicroOp) -> Outcome {
    if !cache_block_enabled(h, o.op) {
        return Err(None);
    }
    let va = h.reg(o.rs1) & !(CACHE_BLOCK - 1);
    if o.op != Op::CboZero {
        // Memory is coherent: the right to access is all there is to check.
        mmu::cache_block_address(h, ram, va).map_err(Some)?;
        return Ok(Done::Retire);
    }
    let pa = mmu::atomic_address(h, ram, va, CACHE_BLOCK, mmu::Access::Store).map_err(Some)?;
    let _in_ram = ram.write(PhysAddr(pa.0), &[0; CACHE_BLOCK as usize]);
    Ok(Done::Retire)
}

/// CMO §2.3: each level above must have enabled the instruction.
fn cache_block_enabled(h: &HartState, op: Op) -> bool {
    let field = match op {
        Op::CboZero => envcfg::CBZE,
        Op::CboInval => 3 << envcfg::CBIE_SHIFT,
        _ => envcfg::CBCFE,
    };
    let m = h.prv == Privilege::Machine || h.csr.menvcfg & field != 0;
    let s = h.prv > Privilege::User || h.csr.senvcfg & field != 0;
    m && s
}
