//! Which words are instructions: the decoder against QEMU.
//!
//! A guest runs every candidate word once, in U-mode, and records whether it raised an illegal
//! instruction exception. The candidates lie in one page-aligned block, 8 bytes apart, each followed
//! by `ebreak`; PMP lets U-mode execute this block and nothing else, so loads, stores and jumps end
//! in faults, or in another candidate's slot (then the exception is not at the candidate's own
//! address). A timer ends jumps in circles.

use maquette_rv64::isa::{Op, TABLE, decode, disassemble};
use maquette_tests::{effort, need};

use super::asm::{Asm, elf, reg};
use super::board::{self, RAM, csr};
use super::random::Random;

/// The block of candidates.
const SLOTS: u64 = RAM + 0x10_0000;
const SLOT: i32 = 8;
/// One byte per candidate.
const RESULTS: u64 = RAM + 0x200_0000;
/// The trap handler, and its variables.
const TRAP: u64 = RAM + 0x1000;
const VARIABLES: u64 = RAM + 0x8000;

/// How many words are 16-bit instructions by their low bits, and how many longer ones are tried.
const SHORT: usize = 3 << 14;
const LONG: usize = 1_000_000;

const LEGAL: i32 = 1;
const ILLEGAL: i32 = 2;
/// Timer ticks (of 100 ns) between interrupts; at the second one in the same slot it is a circle.
const PATIENCE: i32 = 2_000;

/// Offsets in the handler's variables.
const AT: i32 = 0;
const RESULT: i32 = 8;
const LEFT: i32 = 16;
const SEEN: i32 = 24;

/// All 16-bit words and `long` 32-bit words, a third of each kind: any; any with an opcode in use;
/// an instruction with random operands and at most two bits flipped.
fn candidates(long: usize) -> Vec<u32> {
    let mut words: Vec<u32> = (0..=0xffff).filter(|word| word & 3 != 3).collect();
    let mut random = Random::new(1);
    for index in 0..long {
        let (any, choice) = (random.word(), random.word());
        let entry = &TABLE[choice as usize % TABLE.len()];
        words.push(match index % 3 {
            0 => any | 3,
            1 => any & !0x7f | entry.matches & 0x7f,
            _ => {
                let flips = 1 << (choice >> 27) | 1 << (choice >> 22 & 31);
                (entry.matches | any & !entry.mask) ^ (flips & random.word() & !3)
            }
        });
    }
    words
}

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

/// The guest: sets up, runs `count` candidates, prints three results per character.
fn guest(count: usize) -> Vec<u8> {
    let mut start = Asm::new(RAM);
    emit_setup(&mut start, count as u64);
    let mut trap = Asm::new(TRAP);
    emit_trap(&mut trap);
    emit_report(&mut trap, count as u64);
    let (start, trap) = (start.finish(), trap.finish());
    assert!(
        start.len() < (TRAP - RAM) as usize,
        "setup runs into the handler"
    );
    let words = slots(&candidates(count - SHORT));
    elf(&[(RAM, &start), (TRAP, &trap), (SLOTS, &words)])
}

/// Opens everything that U-mode may have, closes memory but for the slots, enters the first.
fn emit_setup(asm: &mut Asm, count: u64) {
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
        // FS dirty, previous privilege U.
        (csr::MSTATUS, 0x6000),
        // The timer.
        (csr::MIE, 0x80),
    ];
    for (csr, value) in settings {
        asm.li(T0, value);
        asm.csrw(csr, T0);
    }
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
fn read_report(text: &str, count: usize) -> Vec<bool> {
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

/// Whether U-mode may execute `word`, by our table.
fn expected(word: u32) -> bool {
    let Some(insn) = decode(word) else {
        return false;
    };
    match insn.op {
        // Legal words, but privileged: in U-mode an exception by the privileged ISA (3.3, 3.1.6).
        Op::Mret | Op::Sret | Op::Wfi | Op::SfenceVma => false,
        Op::Csrrw | Op::Csrrwi => user_csr(insn.csr(), true),
        Op::Csrrs | Op::Csrrc | Op::Csrrsi | Op::Csrrci => user_csr(insn.csr(), insn.rs1 != 0),
        _ => true,
    }
}

/// Whether U-mode may access this CSR: the floating-point ones, and the counters for reading.
fn user_csr(csr: u16, write: bool) -> bool {
    matches!(csr, 1..=3) || matches!(csr, 0xc00..=0xc1f) && !write
}

/// Words on which QEMU is allowed to differ: (mask, match, reason). There are none.
const ALLOWED: &[(u32, u32, &str)] = &[];

/// Compares QEMU's verdicts with the table's.
fn compare(words: &[u32], verdicts: &[bool]) {
    let mut used = vec![0; ALLOWED.len()];
    let mut wrong = Vec::new();
    for (&word, &legal) in words.iter().zip(verdicts) {
        if legal == expected(word) {
            continue;
        }
        if let Some(rule) = ALLOWED
            .iter()
            .position(|&(mask, value, _)| word & mask == value)
        {
            used[rule] += 1;
            continue;
        }
        let text = decode(word).map_or("illegal".into(), |insn| disassemble(&insn, 0));
        wrong.push(format!("{word:#010x} legal there: {legal}, here: {text}"));
    }
    assert!(
        wrong.is_empty(),
        "{} words differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    for ((_, _, reason), used) in ALLOWED.iter().zip(used) {
        assert!(
            used > 0,
            "a difference is allowed that there is not: {reason}"
        );
        println!("{used} words differ: {reason}");
    }
}

#[test]
fn rv_isa_legality_of_all_halfwords_and_a_million_words_equals_qemu() {
    let qemu = need!(qemu);
    let count = SHORT + LONG * effort() as usize;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("legality.elf");
    std::fs::write(&program, guest(count)).unwrap();
    let run = board::run_in_qemu(&qemu, &program, &["-icount", "shift=3"]);
    run.expect_code(0);
    compare(&candidates(count - SHORT), &read_report(&run.stdout, count));
}
