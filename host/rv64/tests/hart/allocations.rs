//! In the steady state nothing on the block path allocates: counted.

#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]

use crate::asm::{Code, bare, csr, csrr, csrw, i, r, s};
use crate::rig::{BASE, Rig};
use maquette_model::{Answer, Exit, Vcpu};
use maquette_rv64::csr::{envcfg, mstatus, number as n};
use maquette_rv64::isa::Op;
use maquette_rv64::trap::irq;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is being torn down has no counter any more.
    let _gone = COUNT.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: all calls go on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(p, layout) }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while `f` runs.
fn allocations(f: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    f();
    COUNT.with(Cell::get) - before
}

#[test]
fn allocation_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1]))), 1);
}

/// Runs once around to warm up, then for long without a single allocation.
fn steady(mut rig: Rig) {
    const WARM: u64 = 20_000;
    rig.until(WARM).unwrap();
    let mut walked = 0;
    let counted = allocations(|| {
        walked = rig.hart.state().profile.data_misses;
        rig.until(20 * WARM).unwrap();
        walked = rig.hart.state().profile.data_misses - walked;
    });
    assert_eq!(counted, 0, "{:?}", rig.hart.state().profile);
}

#[test]
fn block_path_of_loops_calls_loads_and_stores_allocates_nothing() {
    // Calls, branches, and a walk over more pages than the TLB has entries.
    let rig = Rig::new(1200, 64);
    let mut c = Code::new(BASE);
    c.li(6, BASE + 0x2000);
    c.li(7, 0x1000);
    c.li(8, BASE + 1190 * 0x1000);
    let top = c.here();
    c.put(i(Op::Ld, 10, 6, 0));
    c.put(s(Op::Sd, 6, 10, 8));
    c.put(r(Op::AmoaddD, 10, 6, 7));
    c.put(i(Op::Lw, 10, 6, 0x7fe));
    c.jump(i(Op::Jal, 1, 0, 0), BASE + 0x100);
    c.put(r(Op::Add, 6, 6, 7));
    c.jump(s(Op::Bltu, 6, 8, 0), top);
    c.jump(bare(Op::Jal), BASE);
    rig.load(&c);
    let mut f = Code::new(BASE + 0x100);
    f.put(i(Op::Jalr, 0, 1, 0));
    rig.load(&f);
    steady(rig);
}

#[test]
fn block_path_of_traps_timers_and_csrs_allocates_nothing() {
    let mut rig = Rig::new(4, 64);
    let mut c = Code::new(BASE);
    c.put(bare(Op::Ecall));
    c.put(csrr(10, n::TIME));
    c.put(csr(Op::Csrrw, 11, n::MSCRATCH, 10));
    c.put(csr(Op::Csrrsi, 0, n::MSTATUS, 8));
    c.word(0xffff_ffff);
    c.put(s(Op::SfenceVma, 0, 0, 0));
    c.put(bare(Op::FenceI));
    c.put(bare(Op::Wfi));
    c.put(csr(Op::Csrrwi, 0, n::MCOUNTINHIBIT, 0));
    c.jump(bare(Op::Jal), BASE);
    rig.load(&c);
    let mut h = Code::new(BASE + 0x1000);
    h.put(csrr(28, n::MCAUSE));
    let timer = h.put(s(Op::Blt, 28, 0, 8));
    h.put(csrr(29, n::MEPC));
    h.put(i(Op::Addi, 29, 29, 4));
    h.put(csrw(n::MEPC, 29));
    h.put(bare(Op::Mret));
    h.land(timer);
    h.put(csrr(29, n::TIME));
    h.put(i(Op::Addi, 29, 29, 1));
    h.put(csrw(n::STIMECMP, 29));
    h.put(bare(Op::Mret));
    rig.load(&h);
    rig.hart.set_up(|h| {
        h.csr.mtvec = BASE + 0x1000;
        h.csr.mie = 1 << irq::STI;
        h.csr.menvcfg = envcfg::STCE;
        h.csr.stimecmp = 1;
        h.csr.mstatus |= mstatus::MIE;
    });
    steady(rig);
}

#[test]
fn device_path_allocates_nothing() {
    let mut rig = Rig::new(2, 64);
    let mut c = Code::new(BASE);
    c.put(i(Op::Lw, 10, 6, 0));
    c.put(s(Op::Sw, 6, 10, 4));
    c.jump(bare(Op::Jal), BASE);
    rig.load(&c);
    rig.hart.set_up(|h| h.set_reg(6, 0x1000_0000));
    let mut go = |times: u64| {
        for _ in 0..times {
            match rig.hart.run(1000) {
                Exit::Mmio { .. } => rig.hart.finish(Answer::Value(3)),
                exit => panic!("{exit:?}"),
            }
        }
    };
    go(100);
    assert_eq!(allocations(|| go(10_000)), 0);
}
