//! A guest that works registers for a long time makes the host allocate nothing.

use maquette_machine::BootMode;
use maquette_model::SimTime;
use maquette_rv64::isa::Op;
use maquette_sim::{NoRim, Outcome};
use maquette_tests::allocation::{Counting, allocations};
use maquette_trace::Trace;

use super::asm::{Asm, Image, reg};
use super::{Inside, Parts, QUANTUM};

const RAM: u64 = 0x8000_0000;
const UART: u64 = 0x1000_0000;
const MTIMECMP: u64 = 0x0200_4000;
const MTIME: u64 = 0x0200_bff8;
const MIE: u16 = 0x304;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a bare program for `warm`, then for `measured`; returns allocations, accesses to devices and
/// waits of the second part.
fn steady(program: Asm, warm: SimTime, measured: SimTime) -> (u64, u64, u64) {
    let mut inside = Inside::new(Parts {
        mode: BootMode::Bare,
        harts: 1,
        quantum: QUANTUM,
        kernel: Image(vec![(RAM, program.finish())]).elf(),
        slots: Vec::new(),
        trace: Trace::new(),
    });
    let outcome = inside.serial.run(warm, &mut NoRim);
    assert_eq!(outcome, Outcome::Limit, "{:?}", inside.machine().status());
    let statistics = |inside: &Inside| {
        let s = inside.machine().statistics();
        (s.mmio_exits, s.wfi_exits)
    };
    let before = statistics(&inside);
    let allocated = allocations();
    let end = warm.saturating_add(measured);
    let outcome = inside.serial.run(end, &mut NoRim);
    let allocated = allocations() - allocated;
    assert_eq!(outcome, Outcome::Limit, "{:?}", inside.machine().status());
    let after = statistics(&inside);
    (allocated, after.0 - before.0, after.1 - before.1)
}

#[test]
fn reading_registers_a_million_times_allocates_nothing() {
    let mut asm = Asm::new(RAM);
    asm.li(reg::S0, UART);
    asm.li(reg::S1, MTIME);
    let again = asm.mark();
    asm.i(Op::Lbu, reg::T0, reg::S0, 5);
    asm.i(Op::Ld, reg::T1, reg::S1, 0);
    asm.jump(again);
    let (allocated, accesses, _) = steady(asm, SimTime::from_us(20), SimTime::from_ms(2));
    assert!(accesses > 1_000_000, "{accesses} accesses");
    assert_eq!(allocated, 0, "allocations in {accesses} accesses");
}

/// Each round prints a byte, sets the timer a microsecond ahead and waits for it.
#[test]
fn printing_and_waiting_allocates_nothing() {
    let mut asm = Asm::new(RAM);
    asm.li(reg::S0, UART);
    asm.li(reg::S1, MTIME);
    asm.li(reg::S2, MTIMECMP);
    // Machine timer interrupts end `wfi`; none is taken, as `mstatus.MIE` is off.
    asm.li(reg::T0, 1 << 7);
    asm.csrw(MIE, reg::T0);
    let again = asm.mark();
    asm.store(Op::Sb, reg::T0, 0, reg::S0);
    asm.i(Op::Ld, reg::T1, reg::S1, 0);
    asm.i(Op::Addi, reg::T1, reg::T1, 10);
    asm.store(Op::Sd, reg::T1, 0, reg::S2);
    asm.bare(Op::Wfi);
    asm.jump(again);
    let (allocated, accesses, waits) = steady(asm, SimTime::from_ms(1), SimTime::from_ms(100));
    assert!(accesses > 200_000, "{accesses} accesses");
    assert!(waits > 50_000, "{waits} waits");
    assert_eq!(
        allocated, 0,
        "allocations in {accesses} accesses and {waits} waits"
    );
}

#[test]
fn counter_of_allocations_counts() {
    let before = allocations();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(allocations(), before + 1);
}
