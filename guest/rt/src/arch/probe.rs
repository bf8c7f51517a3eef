//! Probes: one access, or one function, at a chosen privilege, and what came of it.
//!
//! M-mode only. A probe saves the callee-saved registers, points `mtvec` at its own entry, and leaves
//! by `mret` to the code under test. Whatever trap comes back first ends it: the `ecall` behind the
//! code's return, or the fault that was provoked. Either way the caller gets an [`Outcome`] and goes
//! on as if it had called a function.

use core::arch::naked_asm;

use super::csr::{MSTATUS, MSTATUS_MPP, MSTATUS_MPP_SHIFT, MSTATUS_MPRV};
use super::{Cause, Mode};

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Outcome {
    /// `mcause` of the trap that ended it.
    pub cause: Cause,
    /// `mtval` of that trap.
    pub value: usize,
    /// `mepc` of that trap.
    pub pc: usize,
    /// `a0` at that trap: the result where the code returned.
    pub a0: usize,
    /// `mstatus` at that trap.
    pub status: usize,
    /// Whether the code returned, rather than trapped.
    pub returned: bool,
}

impl Outcome {
    /// The result where the code returned, otherwise cause and value of the trap.
    pub fn result(self) -> Result<usize, (Cause, usize)> {
        if self.returned {
            Ok(self.a0)
        } else {
            Err((self.cause, self.value))
        }
    }
}

/// What the assembly keeps while the probe runs.
#[repr(C)]
struct Context {
    sp: usize,
    mtvec: usize,
    outcome: Outcome,
}

/// One instruction under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `lb`, `lh`, `lw`, `ld` by width in bytes.
    Load(usize),
    /// `sb`, `sh`, `sw`, `sd` by width in bytes.
    Store(usize),
    /// `lr.d`.
    LoadReserved,
    /// `sc.d` right behind an `lr.d` of the same address.
    StoreConditional,
    /// `amoadd.d`.
    Amo,
    /// `fld`.
    LoadFloat,
    /// `fsd`.
    StoreFloat,
    /// A jump to the address, which must hold code that returns.
    Fetch,
}

/// Does `access` at `address` (storing `value`) at privilege `mode`.
#[must_use]
pub fn probe_in(mode: Mode, access: Access, address: usize, value: usize) -> Outcome {
    call_in(mode, stub(access), [address, value, 0])
}

/// Loads (or with `store` stores) eight bytes in M-mode with `mstatus.MPRV` on and `mstatus.MPP`
/// saying `mode`.
#[must_use]
pub fn probe_mprv(mode: Mode, store: Option<usize>, address: usize) -> Outcome {
    let bits = MSTATUS_MPRV | ((mode as usize) << MSTATUS_MPP_SHIFT);
    let code: unsafe extern "C" fn() = match store {
        Some(_) => mprv_store,
        None => mprv_load,
    };
    let args = [address, store.unwrap_or(0), bits];
    call_in(Mode::Machine, code as *const () as usize, args)
}

/// Does `access` at `address` (storing `value`) in M-mode.
#[must_use]
pub fn probe(access: Access, address: usize, value: usize) -> Outcome {
    probe_in(Mode::Machine, access, address, value)
}

/// Calls the code at `code`, which follows the C calling convention, with these arguments at privilege
/// `mode`.
#[must_use]
pub fn call_in(mode: Mode, code: usize, args: [usize; 3]) -> Outcome {
    let mut context = Context {
        sp: 0,
        mtvec: 0,
        outcome: Outcome {
            cause: Cause(0),
            value: 0,
            pc: 0,
            a0: 0,
            status: 0,
            returned: false,
        },
    };
    MSTATUS.clear(MSTATUS_MPP);
    MSTATUS.set((mode as usize) << MSTATUS_MPP_SHIFT);
    // SAFETY: the callee keeps the C calling convention whatever the code under test does to
    // registers; that this code spares the caller's memory is what the test was written for.
    unsafe { enter(&mut context, code, args[0], args[1], args[2]) };
    MSTATUS.clear(MSTATUS_MPRV);
    context.outcome
}

/// # Safety
///
/// The code at `code` may do anything that a correct program can see.
#[unsafe(naked)]
unsafe extern "C" fn enter(context: &mut Context, code: usize, a0: usize, a1: usize, a2: usize) {
    naked_asm!(
        "addi sp, sp, -112",
        "sd ra, 0(sp)",
        "sd s0, 8(sp)",
        "sd s1, 16(sp)",
        "sd s2, 24(sp)",
        "sd s3, 32(sp)",
        "sd s4, 40(sp)",
        "sd s5, 48(sp)",
        "sd s6, 56(sp)",
        "sd s7, 64(sp)",
        "sd s8, 72(sp)",
        "sd s9, 80(sp)",
        "sd s10, 88(sp)",
        "sd s11, 96(sp)",
        "sd sp, 0(a0)",
        "csrw mscratch, a0",
        "la t0, {leave}",
        "csrrw t0, mtvec, t0",
        "sd t0, 8(a0)",
        "csrw mepc, a1",
        "la ra, {back}",
        "mv a0, a2",
        "mv a1, a3",
        "mv a2, a4",
        "mret",
        leave = sym leave,
        back = sym back,
    )
}

/// Where the code under test returns to. Its address tells a return from an `ecall` of its own.
///
/// # Safety
///
/// To be entered by a return from a probed function.
#[unsafe(naked)]
unsafe extern "C" fn back() {
    naked_asm!(".balign 4", "ecall")
}

/// Trap entry while a probe runs.
///
/// # Safety
///
/// To be entered by a trap only.
#[unsafe(naked)]
unsafe extern "C" fn leave() {
    naked_asm!(
        ".balign 4",
        "csrr t0, mscratch",
        "sd a0, 40(t0)",
        "csrr t1, mcause",
        "sd t1, 16(t0)",
        "csrr t1, mtval",
        "sd t1, 24(t0)",
        "csrr t1, mepc",
        "sd t1, 32(t0)",
        "csrr t2, mstatus",
        "sd t2, 48(t0)",
        "la t2, {back}",
        "sub t2, t1, t2",
        "seqz t2, t2",
        "sb t2, 56(t0)",
        "ld t1, 8(t0)",
        "csrw mtvec, t1",
        "ld sp, 0(t0)",
        "ld ra, 0(sp)",
        "ld s0, 8(sp)",
        "ld s1, 16(sp)",
        "ld s2, 24(sp)",
        "ld s3, 32(sp)",
        "ld s4, 40(sp)",
        "ld s5, 48(sp)",
        "ld s6, 56(sp)",
        "ld s7, 64(sp)",
        "ld s8, 72(sp)",
        "ld s9, 80(sp)",
        "ld s10, 88(sp)",
        "ld s11, 96(sp)",
        "addi sp, sp, 112",
        "ret",
        back = sym back,
    )
}

macro_rules! stubs {
    ($($name:ident: $($line:literal),+;)*) => {
        $(#[unsafe(naked)]
        unsafe extern "C" fn $name() {
            // Uncompressed, so that the instruction under test is always four bytes long. The
            // extensions are named because link-time optimisation assembles naked functions
            // without the target's features.
            naked_asm!(
                ".option push", ".option arch, +a, +d", ".option norvc",
                $($line,)+ "ret", ".option pop"
            )
        })*
    };
}

stubs! {
    load1: "lb a0, 0(a0)";
    load2: "lh a0, 0(a0)";
    load4: "lw a0, 0(a0)";
    load8: "ld a0, 0(a0)";
    store1: "sb a1, 0(a0)";
    store2: "sh a1, 0(a0)";
    store4: "sw a1, 0(a0)";
    store8: "sd a1, 0(a0)";
    load_reserved: "lr.d a0, (a0)";
    store_conditional: "lr.d a2, (a0)", "sc.d a0, a1, (a0)";
    amo: "amoadd.d a0, a1, (a0)";
    load_float: "fld fa0, 0(a0)", "fmv.x.d a0, fa0";
    store_float: "fmv.d.x fa0, a1", "fsd fa0, 0(a0)";
    fetch: "jr a0";
    only_return: "";
    mprv_load: "csrs mstatus, a2", "ld a0, 0(a0)";
    mprv_store: "csrs mstatus, a2", "sd a1, 0(a0)";
}

/// Address of code that only returns.
#[must_use]
pub fn nothing() -> usize {
    only_return as *const () as usize
}

/// A trap vector for S-mode that calls M-mode at once, which ends the probe with cause 9 and `pc` at
/// this address.
#[must_use]
pub fn caught_in_supervisor() -> usize {
    supervisor_catch as *const () as usize
}

/// Trap entry for S-mode.
///
/// # Safety
///
/// To be entered by a trap only.
#[unsafe(naked)]
unsafe extern "C" fn supervisor_catch() {
    naked_asm!(".balign 4", "ecall")
}

fn stub(access: Access) -> usize {
    let code: unsafe extern "C" fn() = match access {
        Access::Load(1) => load1,
        Access::Load(2) => load2,
        Access::Load(4) => load4,
        Access::Load(_) => load8,
        Access::Store(1) => store1,
        Access::Store(2) => store2,
        Access::Store(4) => store4,
        Access::Store(_) => store8,
        Access::LoadReserved => load_reserved,
        Access::StoreConditional => store_conditional,
        Access::Amo => amo,
        Access::LoadFloat => load_float,
        Access::StoreFloat => store_float,
        Access::Fetch => fetch,
    };
    code as *const () as usize
}
