//! Which words are instructions, and which CSRs there are: against QEMU.

mod csrs;
mod guest;

use maquette_rv64::isa::{Op, TABLE, decode, disassemble};
use maquette_tests::{need, rounds};

use super::board::{self, Mode};
use super::here;
use super::random::Random;

/// How many words longer than 16 bits are tried.
const LONG: usize = 1_000_000;

/// All 16-bit words and `long` 32-bit words of a round, a third of each kind: any; any with an opcode in use;
/// an instruction with random operands and at most two bits flipped.
fn candidates(round: u64, long: usize) -> Vec<u32> {
    let mut words: Vec<u32> = (0..=0xffff).filter(|word| word & 3 != 3).collect();
    let mut random = Random::new(1 + round);
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

/// Whether U-mode may execute `word`, by our table.
fn expected(word: u32) -> bool {
    let Some(insn) = decode(word) else {
        return false;
    };
    match insn.op {
        // Legal words, but privileged: in U-mode an exception by the privileged ISA (3.3, 3.1.6).
        Op::Mret | Op::Sret | Op::Wfi | Op::SfenceVma => false,
        Op::SinvalVma | Op::SfenceWInval | Op::SfenceInvalIr => false,
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
    for round in rounds() {
        let words = candidates(round, LONG);
        let image = guest::guest(&words, Mode::User);
        // Counted instructions for a clock: a slow host must not look like a candidate in circles.
        let run = board::run_in_qemu(&qemu, &image, &["-icount", "shift=3"]);
        run.expect_code(0);
        let theirs = guest::read_report(&run.stdout, words.len());
        compare(&words, &theirs);
        // What the decoder says, the interpreter does.
        assert!(theirs == guest::read_report(&here::run(&image), words.len()));
        println!("round {round}: {LONG} words");
    }
}
