//! The guest that tries words and prints a verdict on each.
//!
//! It runs every candidate once and records whether it raised an illegal instruction exception. The
//! candidates lie in one page-aligned block, 8 bytes apart, each followed by `ebreak`; PMP lets S- and
//! U-mode execute this block and nothing else, so loads, stores and jumps end in faults, or in another
//! candidate's slot (then the exception is not at the candidate's own address). A timer ends jumps in
//! circles.

use maquette_rv64::isa::Op;

use crate::asm::{Asm, Image, reg};
use crate::board::{self, Mode, RAM, csr};

/// The block of candidates.
const SLOTS: u64 = RAM + 0x10_0000;
const SLOT: i32 = 8;
/// One byte per candidate.
const RESULTS: u64 = RAM + 0x200_0000;
/// The trap handler, and its variables.
const TRAP: u64 = RAM + 0x1000;
const VARIABLES: u64 = RAM + 0x8000;

const LEGAL: i32 = 1;
const ILLEGAL: i32 = 2;
/// Timer ticks (of 100 ns) between interrupts; at the second one in the same slot it is a circle.
const PATIENCE: i32 = 2_000;

/// Offsets in the handler's variables.
const AT: i32 = 0;
const RESULT: i32 = 8;
const LEFT: i32 = 16;
const SEEN: i32 = 24;

/// The block of candidates: each with an `ebreak` of its own length behind it.
fn slots(words: &[u32]) -> Vec<u8> {
    let slot = |&word: &u32| {
        let first = if word & 3 == 3 {
            word
        } else {
            word & 0xffff | 0x9002_0000
        };
        u64::from(first) | 0x0010_0073 << 32
    };
    words.iter().map(slot).flat_map(u64::to_le_bytes).collect()
}

/// The program that runs `words` in `mode` and prints three verdicts per character. M-mode is not
/// confined: its words must be harmless.
pub fn guest(words: &[u32], mode: Mode) -> Image {
    let count = words.len() as u64;
    let mut start = Asm::new(RAM);
    emit_setup(&mut start, count, mode);
    start.pad_to(TRAP);
    emit_trap(&mut start);
    emit_report(&mut start, count);
    Image(vec![(RAM, start.finish()), (SLOTS, slots(words))])
}

/// Opens everything that lower modes may have, closes memory but for the slots, enters the first.
fn emit_setup(asm: &mut Asm, count: u64, mode: Mode) {
    use reg::{SP, T0, ZERO};
    let end = (SLOTS + count * SLOT as u64).next_multiple_of(4096);
    let settings = [
        (csr::MTVEC, TRAP),
        (csr::MSCRATCH, VARIABLES),
        (csr::MCOUNTEREN, u64::from(u32::MAX)),
        (csr::SCOUNTEREN, u64::from(u32::MAX)),
        // Cache-block operations allowed: CBIE as flush, CBCFE, CBZE.
        (csr::MENVCFG, 0xd0),
        (csr::SENVCFG, 0xd0),
        (csr::PMPADDR0, SLOTS >> 2),
        (csr::PMPADDR0 + 1, end >> 2),
        // Entry 1: top of range, execute only.
        (csr::PMPCFG0, 0x0c00),
        (csr::MEPC, SLOTS),
        // FS dirty.
        (csr::MSTATUS, 0x6000 | (mode as u64) << 11),
        // The timer.
        (csr::MIE, 0x80),
    ];
    for (csr, value) in settings {
        asm.li(T0, value);
        asm.csrw(csr, T0);
    }
    asm.i(Op::Addi, reg::A1, ZERO, 0);
    asm.li(SP, VARIABLES);
    for (offset, value) in [(AT, SLOTS), (RESULT, RESULTS), (LEFT, count)] {
        asm.li(T0, value);
        asm.store(Op::Sd, T0, offset, SP);
    }
    asm.li(T0, board::MTIMECMP);
    asm.store(Op::Sd, ZERO, 0, T0);
    asm.bare(Op::Mret);
}

/// Judges the candidate that trapped and enters the next. U-mode's registers may be lost.
fn emit_trap(asm: &mut Asm) {
    use reg::{A0, SP, T0, T1, T2, ZERO};
    let (timer, judged, resume, done) = (asm.label(), asm.label(), asm.label(), asm.label());
    asm.csr(Op::Csrrw, SP, csr::MSCRATCH, SP);
    asm.csrr(T0, csr::MCAUSE);
    asm.csrr(T1, csr::MEPC);
    asm.i(Op::Ld, T2, SP, AT);
    asm.branch(Op::Blt, T0, ZERO, timer);

    asm.i(Op::Addi, A0, ZERO, LEGAL);
    asm.i(Op::Addi, T0, T0, -2);
    asm.branch(Op::Bne, T0, ZERO, judged);
    asm.branch(Op::Bne, T1, T2, judged);
    asm.i(Op::Addi, A0, ZERO, ILLEGAL);

    asm.bind(judged);
    asm.i(Op::Ld, T0, SP, RESULT);
    asm.store(Op::Sb, A0, 0, T0);
    asm.i(Op::Addi, T0, T0, 1);
    asm.store(Op::Sd, T0, RESULT, SP);
    asm.i(Op::Addi, T2, T2, SLOT);
    asm.store(Op::Sd, T2, AT, SP);
    asm.csrw(csr::MEPC, T2);
    // A candidate may have set a reserved rounding mode.
    asm.csrw(csr::FCSR, ZERO);
    asm.i(Op::Ld, T0, SP, LEFT);
    asm.i(Op::Addi, T0, T0, -1);
    asm.store(Op::Sd, T0, LEFT, SP);
    asm.branch(Op::Beq, T0, ZERO, done);
    asm.bind(resume);
    asm.csr(Op::Csrrw, SP, csr::MSCRATCH, SP);
    asm.bare(Op::Mret);

    asm.bind(timer);
    asm.li(T0, board::MTIME);
    asm.i(Op::Ld, T1, T0, 0);
    asm.i(Op::Addi, T1, T1, PATIENCE);
    asm.li(T0, board::MTIMECMP);
    asm.store(Op::Sd, T1, 0, T0);
    // The same candidate as at the last tick: it jumps in circles, so it is legal.
    asm.i(Op::Ld, T0, SP, SEEN);
    asm.store(Op::Sd, T2, SEEN, SP);
    asm.i(Op::Addi, A0, ZERO, LEGAL);
    asm.branch(Op::Beq, T0, T2, judged);
    asm.jump(resume);
    asm.bind(done);
}

/// Prints the results, three to a character, and powers off.
fn emit_report(asm: &mut Asm, count: u64) {
    use reg::{A0, A1, A2, T0, ZERO};
    let (begin, putchar) = (asm.label(), asm.label());
    asm.jump(begin);
    board::emit_putchar(asm, putchar);
    asm.bind(begin);
    asm.li(A1, RESULTS);
    asm.li(A2, RESULTS + count);
    let next = asm.mark();
    asm.i(Op::Addi, A0, ZERO, 0);
    for position in 0..3 {
        asm.i(Op::Lbu, T0, A1, position);
        asm.i(Op::Slli, T0, T0, 2 * position);
        asm.r(Op::Or, A0, A0, T0);
    }
    asm.i(Op::Addi, A0, A0, 0x30);
    asm.call(putchar);
    asm.i(Op::Addi, A1, A1, 3);
    asm.branch(Op::Bltu, A1, A2, next);
    board::emit_power_off(asm);
}

/// Reads the report: for each candidate, whether it is legal.
pub fn read_report(text: &str, count: usize) -> Vec<bool> {
    let results = text.bytes().flat_map(|byte| {
        let three = i32::from(byte) - 0x30;
        [three & 3, three >> 2 & 3, three >> 4 & 3]
    });
    let results: Vec<bool> = results
        .take(count)
        .map(|result| {
            assert!(
                result == LEGAL || result == ILLEGAL,
                "a candidate without a result"
            );
            result == LEGAL
        })
        .collect();
    assert_eq!(results.len(), count, "the report is too short");
    results
}
