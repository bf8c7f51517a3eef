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

/// Names of the values in a verbose log, of which `values` is one side.
fn names(program: &Program, values: &[u64]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (block, &(start, end)) in program.extents.iter().enumerate() {
        for trap in 1.. {
            let at = names.len();
            let fixed = ["cause", "epc", "tval", "mstatus", "fcsr"];
            let registers = fixed.iter().chain(&REG_NAMES[1..]).chain(&FREG_NAMES);
            names.extend(registers.map(|name| format!("block {block}, trap {trap}, {name}")));
            if !values
                .get(at + 1)
                .is_some_and(|epc| (start..end).contains(epc))
            {
                break;
            }
        }
        let memory = (SCRATCH..SCRATCH + SCRATCH_SIZE).step_by(8);
        names.extend(memory.map(|address| format!("block {block}, memory {address:#x}")));
        names.push(format!("block {block}, hash"));
    }
    names
}

/// Explains the first differences between two verbose logs.
pub fn explain(program: &Program, ours: &str, theirs: &str) -> String {
    const SHOWN: usize = 12;
    let number = |line: &str| u64::from_str_radix(line, 16).unwrap_or(0);
    let values: Vec<u64> = theirs.lines().map(number).collect();
    let lines = ours
        .lines()
        .zip(theirs.lines())
        .zip(names(program, &values));
    let differing = lines
        .filter(|((ours, theirs), _)| ours != theirs)
        .take(SHOWN);
    let differing =
        differing.map(|((ours, theirs), name)| format!("  {name}: here {ours}, there {theirs}\n"));
    listing(program) + &differing.collect::<String>()
}
