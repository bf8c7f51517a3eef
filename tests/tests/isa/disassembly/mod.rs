//! What the disassembler prints, against GNU objdump: every line of both tables.

mod object;

use std::process::Command;

use maquette_rv64::isa::{Insn, Op, Operand, TABLE, decode, decode16, disassemble, encode};
use maquette_tests::parts::Found;
use maquette_tests::{effort, need};

use super::random::Random;

/// Everything in the tables but the privileged instructions, which objdump knows anyway.
const ARCH: &str = "rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicbom1p0_zicbop1p0_zicboz1p0_zicond1p0_\
                    zicsr2p0_zifencei2p0_zihintpause2p0_zawrs1p0_zba1p0_zbb1p0_zbc1p0_zbs1p0_\
                    svinval1p0";
/// Words tried of each 32-bit instruction.
const EACH: u32 = 200;

/// The texts of `words`, each at its index times 4.
fn objdump(part: &Found, words: &[u32], options: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.o");
    std::fs::write(&path, object::object(words, ARCH)).unwrap();
    let done = Command::new(part.file("bin/riscv64-linux-gnu-objdump"))
        .arg("-dz")
        .args(options)
        .arg(&path)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let mut texts = vec![String::new(); words.len()];
    for line in String::from_utf8(done.stdout).unwrap().lines() {
        let Some((address, rest)) = line.split_once(":\t") else {
            continue;
        };
        let address = usize::from_str_radix(address.trim(), 16).unwrap();
        let text = rest.split_once('\t').map_or("", |(_, text)| text);
        if address.is_multiple_of(4) {
            texts[address / 4] = text.to_string();
        }
    }
    texts
}

/// Words of a text, numbers as decimals, so that only meaning is compared.
fn tokens(text: &str) -> Vec<String> {
    let text = text.split(['#', '<']).next().unwrap_or("");
    text.split([' ', '\t', ',', '(', ')'])
        .filter(|token| !token.is_empty())
        .map(|token| match token.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
            None => token.to_string(),
        })
        .collect()
}

/// What objdump is expected to print for `insn`, given what it printed.
fn expected(insn: &Insn, pc: u64, theirs: &[String]) -> Vec<String> {
    let mut ours = tokens(&disassemble(insn, pc));
    let operands = insn.op.format().operands().iter();
    let written = operands.filter(|&&operand| operand != Operand::AqRl);
    for (index, operand) in written.enumerate() {
        let (Some(token), Some(their)) = (ours.get_mut(index + 1), theirs.get(index + 1)) else {
            continue;
        };
        let target = matches!(operand, Operand::ImmB | Operand::ImmJ);
        // A target is bare hexadecimal where it falls into the section.
        if target && token != their {
            *token = format!("{:x}", token.parse::<u64>().unwrap());
        }
        // It prints the CSRs that it knows by name.
        if *operand == Operand::Csr && their.parse::<u64>().is_err() {
            token.clone_from(their);
        }
    }
    ours
}

type Rule = (fn(&Insn) -> bool, &'static str);

/// Where this objdump and the specification part ways, for a reason that is not ours.
const LONG_DIFFERENCES: [Rule; 2] = [
    (
        |insn| {
            let sets = insn.imm & 0xf00 != 0 || insn.imm & 0xf == 0 || insn.imm & 0xf0 == 0;
            insn.op == Op::Fence && sets
        },
        "fence: it has a text only for sets that are not empty, and for fence.tso",
    ),
    (
        |insn| matches!(insn.op, Op::FcvtDS | Op::FcvtDW | Op::FcvtDWu) && insn.rm != 0,
        "conversions that are always exact: it knows them with rounding field 0 only",
    ),
];

/// The same for 16-bit instructions.
const SHORT_DIFFERENCES: [Rule; 1] = [(
    |insn| match insn.op {
        Op::Slli | Op::Srli | Op::Srai => insn.rd == 0 || insn.imm == 0,
        Op::Addi => insn.rd == 0 || insn.rd == insn.rs1 && insn.imm == 0,
        Op::Lui | Op::Add => insn.rd == 0,
        _ => false,
    },
    "hints: it gives them names of their own, some of RV128",
)];

/// Whether one of the rules lets `insn` be; counts how often each did.
fn excused(insn: &Insn, rules: &[Rule], used: &mut [u32]) -> bool {
    let rule = rules.iter().position(|(applies, _)| applies(insn));
    if let Some(count) = rule.and_then(|rule| used.get_mut(rule)) {
        *count += 1;
    }
    rule.is_some()
}

fn print_used(rules: &[Rule], used: &[u32]) {
    for ((_, reason), used) in rules.iter().zip(used) {
        assert!(*used > 0, "a rule without use: {reason}");
        println!("{used} left out: {reason}");
    }
}

/// Instructions of every line of the table, with random operands.
fn instructions(used: &mut [u32]) -> Vec<Insn> {
    let mut random = Random::new(33);
    let mut insns = Vec::new();
    for entry in &TABLE {
        let mut found = 0;
        while found < EACH * effort() {
            let word = entry.matches | random.word() & !entry.mask;
            // Reserved rounding modes, and words that are a line further up, as `pause` is.
            let Some(insn) = decode(word).filter(|insn| insn.op == entry.op) else {
                continue;
            };
            found += 1;
            if encode(&insn).is_ok() && !excused(&insn, &LONG_DIFFERENCES, used) {
                insns.push(insn);
            }
        }
    }
    insns
}

#[test]
fn rv_33_disassembly_of_every_instruction_equals_objdump() {
    let part = need!(objdump);
    let mut used = [0; LONG_DIFFERENCES.len()];
    let insns = instructions(&mut used);
    let words: Vec<u32> = insns.iter().map(|insn| encode(insn).unwrap()).collect();
    let texts = objdump(&part, &words, &["-M", "no-aliases"]);
    let mut wrong = Vec::new();
    for (index, (insn, text)) in insns.iter().zip(&texts).enumerate() {
        let theirs = tokens(text);
        let ours = expected(insn, index as u64 * 4, &theirs);
        if ours != theirs {
            wrong.push(format!("{:#010x}: {ours:?} {theirs:?}", words[index]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    print_used(&LONG_DIFFERENCES, &used);
}

/// A halfword means what objdump says of the long spelling that we expand it to.
#[test]
fn rv_33_expansion_of_every_halfword_equals_objdump() {
    let part = need!(objdump);
    let mut used = [0; SHORT_DIFFERENCES.len()];
    let legal: Vec<(u16, Insn)> = (0..=u16::MAX)
        .filter_map(|word| Some((word, decode16(word)?)))
        .filter(|(_, insn)| !excused(insn, &SHORT_DIFFERENCES, &mut used))
        .collect();
    // Each halfword is followed by a c.nop, so that addresses stay equal to the long spelling's.
    let short = legal.iter().map(|&(word, _)| u32::from(word) | 0x0001_0000);
    let long = legal.iter().map(|(_, insn)| encode(insn).unwrap());
    let short_texts = objdump(&part, &short.collect::<Vec<_>>(), &[]);
    let long_texts = objdump(&part, &long.collect::<Vec<_>>(), &[]);
    for (index, (word, insn)) in legal.iter().enumerate() {
        let mut theirs = tokens(&short_texts[index]);
        if insn.op == Op::Add && insn.rs1 == 0 {
            // `c.mv` is an `add` with x0, whose long spelling has no alias.
            assert_eq!(theirs.first().map(String::as_str), Some("mv"));
            theirs = ["add", &theirs[1], "zero", &theirs[2]]
                .map(String::from)
                .to_vec();
        }
        assert_eq!(theirs, tokens(&long_texts[index]), "{word:#06x} {insn:?}");
    }
    print_used(&SHORT_DIFFERENCES, &used);
}
