//! Random programs over every instruction: our hart against QEMU.

mod block;
mod faults;
mod guest;
mod minimise;
mod report;
mod sides;
mod steps;
mod values;

use maquette_rv64::isa::Op;
use maquette_tests::qemu::Qemu;
use maquette_tests::{need, rounds, seeds};

use self::block::Block;
use self::guest::Program;
use self::steps::Taste;
use super::{here, random::Random};

/// Steps of a block; with groups and loops about half as many instructions again are executed.
const STEPS: usize = 24;

/// Blocks that together execute more than 100,000 instructions.
const BLOCKS: usize = 4_000;

fn blocks(seed: u64, count: usize) -> Vec<Block> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| steps::block(&mut random, STEPS))
        .collect()
}

/// Fails with the smallest program that shows a difference between `run` and QEMU, if there is one.
fn assert_equal(blocks: &[Block], ours: &str, theirs: &str, qemu: &Qemu) {
    let differing = report::differing(blocks.len(), ours, theirs);
    if let Some(&first) = differing.first() {
        println!("blocks {differing:?} differ; looking for the reason");
        let small = minimise::minimise(
            blocks,
            first,
            &mut |program| here::run(&program.image),
            qemu,
        );
        panic!(
            "{} of {} blocks differ; block {first} in short:\n{small}",
            differing.len(),
            blocks.len()
        );
    }
}

#[test]
fn rv_30_programs_of_the_newer_extensions_equal_qemu() {
    let qemu = need!(qemu);
    let blocks: Vec<Block> = seeds(1_000)
        .map(|seed| steps::block_of(Taste::Additions, &mut Random::new(seed), STEPS))
        .collect();
    let program = Program::new(&blocks, false);
    let theirs = sides::in_qemu(&qemu, &program, true);
    assert_equal(&blocks, &here::run(&program.image), &theirs.text, &qemu);
    for op in Op::all().filter(|op| steps::ADDITIONS.contains(&op.extension())) {
        let count = theirs.coverage.count(op);
        assert!(count >= 100, "{} ran {count} times", op.mnemonic());
    }
}

#[test]
fn rv_22_random_programs_equal_qemu() {
    let qemu = need!(qemu);
    for round in rounds() {
        let blocks = blocks(1 + round, BLOCKS);
        let program = Program::new(&blocks, false);
        let theirs = sides::in_qemu(&qemu, &program, true);
        assert_equal(&blocks, &here::run(&program.image), &theirs.text, &qemu);

        let counted = sides::here_counted(&program);
        assert_equal(&blocks, &counted.text, &theirs.text, &qemu);
        assert_eq!(counted.coverage.to_string(), theirs.coverage.to_string());
        assert!(theirs.coverage.missing().is_empty(), "{}", theirs.coverage);
        let executed = theirs.coverage.executed();
        assert!(executed >= 100_000, "only {executed} instructions");
        println!("round {round}: {executed} instructions");
    }
}
