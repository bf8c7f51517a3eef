//! The trap handler of both harts.

use core::sync::atomic::Ordering;

use maquette_guest_rt::arch::{self, Cause, Frame, Mmio, csr};
use maquette_guest_rt::paging::PAGE;
use maquette_guest_rt::sbi;

use crate::state::{INTERVAL, REFUSED_STORES, SSTC, mine};
use crate::{disk, memory};

const SOFTWARE: Cause = Cause::interrupt(1);
const TIMER: Cause = Cause::interrupt(5);
const EXTERNAL: Cause = Cause::interrupt(9);

/// Makes this the trap handler.
pub fn install() {
    arch::set_trap_handler(handle);
}

fn handle(frame: &mut Frame) {
    match frame.cause {
        SOFTWARE => {
            csr::SIP.clear(csr::SSI);
            mine().ipis.fetch_add(1, Ordering::AcqRel);
        }
        TIMER => tick(),
        EXTERNAL => disk::interrupt(),
        Cause::STORE_PAGE if frame.value / PAGE == memory::WINDOW / PAGE => memory::provide_page(),
        Cause::STORE_PAGE if memory::is_constant(frame.value) => {
            REFUSED_STORES.fetch_add(1, Ordering::Relaxed);
            frame.pc += instruction_bytes(frame.pc);
        }
        cause => panic!(
            "unexpected trap on hart {}: cause {:#x} pc {:#x} value {:#x}",
            arch::this_hart(),
            cause.0,
            frame.pc,
            frame.value
        ),
    }
}

fn tick() {
    let seen = mine();
    let deadline = seen.deadline.load(Ordering::Relaxed);
    if (csr::TIME.read() as u64) < deadline {
        seen.early_ticks.fetch_add(1, Ordering::Relaxed);
    }
    let next = deadline.saturating_add(INTERVAL.load(Ordering::Relaxed));
    set_deadline(next);
    seen.ticks.fetch_add(1, Ordering::AcqRel);
}

/// Asks for the next timer interrupt of this hart; `u64::MAX` is never.
pub fn set_deadline(deadline: u64) {
    mine().deadline.store(deadline, Ordering::Relaxed);
    if SSTC.load(Ordering::Relaxed) {
        csr::STIMECMP.write(deadline as usize);
    } else {
        sbi::set_timer(deadline).expect("the firmware sets the timer");
    }
}

/// Length of the instruction at `pc`: compressed ones do not end in two ones (unprivileged §1.5).
fn instruction_bytes(pc: usize) -> usize {
    if Mmio::at(pc).read16(0) & 3 == 3 {
        4
    } else {
        2
    }
}
