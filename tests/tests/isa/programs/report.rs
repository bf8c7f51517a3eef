//! Reading what the guest printed.

use std::fmt::Write;

use maquette_rv64::isa::{FREG_NAMES, REG_NAMES, decode, disassemble};

use super::block::{CODE, SCRATCH, SCRATCH_SIZE};
use super::guest::Program;

/// The blocks whose hashes differ, or are missing on one side.
pub fn differing(blocks: usize, ours: &str, theirs: &str) -> Vec<usize> {
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    (0..blocks)
        .filter(|&block| ours.get(block).is_none() || ours.get(block) != theirs.get(block))
        .collect()
}

/// The code of a program, line by line.
pub fn listing(program: &Program) -> String {
    let mut text = String::new();
    let mut pc = CODE;
    while let Some(word) = program.word_at(pc) {
        let line = decode(word).map_or("illegal".into(), |insn| disassemble(&insn, pc));
        let long = word & 3 == 3;
        let word = if long {
            format!("{word:08x}")
        } else {
            format!("    {:04x}", word & 0xffff)
        };
        let _ = writeln!(text, "  {pc:#x}: {word}  {line}");
        pc += if long { 4 } else { 2 };
    }
    text
}

/// Names of the values in the verbose log of a program of one block; `None` begins a trap.
fn names(program: &Program, values: &[u64]) -> Vec<Option<String>> {
    let (start, end) = program.extents[0];
    let mut names = Vec::new();
    loop {
        names.push(None);
        let trap = ["cause", "epc", "tval", "mstatus", "fcsr"];
        let registers = trap.iter().chain(&REG_NAMES[1..]).chain(&FREG_NAMES);
        let epc = values
            .get(names.iter().flatten().count() + 1)
            .copied()
            .unwrap_or(end);
        names.extend(registers.map(|name| Some(name.to_string())));
        if !(start..end).contains(&epc) {
            break;
        }
    }
    let memory = (SCRATCH..SCRATCH + SCRATCH_SIZE).step_by(8);
    names.extend(memory.map(|address| Some(format!("memory {address:#x}"))));
    names.push(Some("hash".into()));
    names
}

/// Explains the first differences between two verbose logs of a program of one block.
pub fn explain(program: &Program, ours: &str, theirs: &str) -> String {
    const SHOWN: usize = 12;
    let mut text = listing(program);
    let number = |line: &str| u64::from_str_radix(line, 16).unwrap_or(0);
    let values: Vec<u64> = theirs.lines().map(number).collect();
    let mut lines = ours.lines().zip(theirs.lines());
    let (mut trap, mut shown) = (0, 0);
    for name in names(program, &values) {
        let Some(name) = name else {
            trap += 1;
            continue;
        };
        let Some((ours, theirs)) = lines.next() else {
            break;
        };
        if ours != theirs && shown < SHOWN && name != "hash" {
            let _ = writeln!(text, "  trap {trap}, {name}: here {ours}, there {theirs}");
            shown += 1;
        }
    }
    text
}
