//! Trap entry and exit.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Mode, boot_mode, this_hart};

/// Exception codes of `mcause` and `scause` (privileged §3.1.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause(pub usize);

impl Cause {
    /// Instruction address misaligned.
    pub const FETCH_MISALIGNED: Self = Self(0);
    /// Instruction access fault.
    pub const FETCH_ACCESS: Self = Self(1);
    /// Illegal instruction.
    pub const ILLEGAL: Self = Self(2);
    /// Breakpoint.
    pub const BREAKPOINT: Self = Self(3);
    /// Load address misaligned.
    pub const LOAD_MISALIGNED: Self = Self(4);
    /// Load access fault.
    pub const LOAD_ACCESS: Self = Self(5);
    /// Store or AMO address misaligned.
    pub const STORE_MISALIGNED: Self = Self(6);
    /// Store or AMO access fault.
    pub const STORE_ACCESS: Self = Self(7);
    /// Environment call from U-mode; from S-mode and M-mode 1 and 3 higher.
    pub const ECALL_USER: Self = Self(8);
    /// Instruction page fault.
    pub const FETCH_PAGE: Self = Self(12);
    /// Load page fault.
    pub const LOAD_PAGE: Self = Self(13);
    /// Store or AMO page fault.
    pub const STORE_PAGE: Self = Self(15);

    /// The interrupt with this code.
    #[must_use]
    pub const fn interrupt(code: usize) -> Self {
        Self(1 << 63 | code)
    }
}

/// What a trap handler sees and may change.
#[derive(Debug)]
#[repr(C)]
pub struct Frame {
    /// `x0` to `x31`; `x0` is not restored.
    pub x: [usize; 32],
    /// Where to go on.
    pub pc: usize,
    /// Why.
    pub cause: Cause,
    /// The address or instruction in question.
    pub value: usize,
    /// `mstatus` or `sstatus` at entry; not restored.
    pub status: usize,
}

const FRAME: usize = 36 * 8;
const _: () = assert!(size_of::<Frame>() == FRAME);

static HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Makes `handler` the one that all harts call on a trap.
pub fn set_trap_handler(handler: fn(&mut Frame)) {
    HANDLER.store(handler as usize, Ordering::Release);
}

/// Value of `mtvec` for the entry that calls the trap handler.
#[must_use]
pub fn machine_vector() -> usize {
    machine_trap as *const () as usize
}

/// Value of `stvec` for the entry that calls the trap handler.
#[must_use]
pub fn supervisor_vector() -> usize {
    supervisor_trap as *const () as usize
}

extern "C" fn dispatch(frame: &mut Frame) {
    let handler = HANDLER.load(Ordering::Acquire);
    if handler == 0 {
        unexpected(frame);
    }
    // SAFETY: only `set_trap_handler` stores here, and it stores such a function.
    let handler: fn(&mut Frame) = unsafe { core::mem::transmute(handler) };
    handler(frame);
}

fn unexpected(frame: &Frame) -> ! {
    let mode = if boot_mode() == Mode::Machine {
        "M"
    } else {
        "S"
    };
    panic!(
        "unexpected trap to {mode}-mode on hart {}: cause {:#x} pc {:#x} value {:#x}",
        this_hart(),
        frame.cause.0,
        frame.pc,
        frame.value
    );
}

/// The whole of a trap entry for one privilege: save on the current stack, call `dispatch`, restore.
/// Vectors lie on four bytes: each function has a section of its own, which `.balign` aligns.
macro_rules! vector {
    ($name:ident, $epc:literal, $cause:literal, $tval:literal, $status:literal, $ret:literal) => {
        /// Trap entry.
        ///
        /// # Safety
        ///
        /// To be entered by a trap only.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name() {
            naked_asm!(
                ".balign 4",
                "addi sp, sp, -{frame}",
                "sd ra, 8(sp)",
                ".irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "sd x\\n, 8*\\n(sp)",
                ".endr",
                "addi t0, sp, {frame}",
                "sd t0, 16(sp)",
                concat!("csrr t0, ", $epc),
                "sd t0, 256(sp)",
                concat!("csrr t0, ", $cause),
                "sd t0, 264(sp)",
                concat!("csrr t0, ", $tval),
                "sd t0, 272(sp)",
                concat!("csrr t0, ", $status),
                "sd t0, 280(sp)",
                "mv a0, sp",
                "call {dispatch}",
                "ld t0, 256(sp)",
                concat!("csrw ", $epc, ", t0"),
                "ld ra, 8(sp)",
                ".irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "ld x\\n, 8*\\n(sp)",
                ".endr",
                "addi sp, sp, {frame}",
                $ret,
                frame = const FRAME,
                dispatch = sym dispatch,
            )
        }
    };
}

vector!(machine_trap, "mepc", "mcause", "mtval", "mstatus", "mret");
vector!(
    supervisor_trap,
    "sepc",
    "scause",
    "stval",
    "sstatus",
    "sret"
);
