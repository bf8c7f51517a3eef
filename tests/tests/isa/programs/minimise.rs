//! From a block on which two machines differ to the few steps that matter.

use maquette_tests::qemu::Qemu;

use super::block::Block;
use super::guest::Program;
use super::{report, sides};

/// The smallest part of `block` that still differs between `ours` and QEMU, explained.
pub fn minimise(block: &Block, ours: &mut dyn FnMut(&Program) -> String, qemu: &Qemu) -> String {
    let mut block = block.clone();
    let mut chunk = block.steps.len().div_ceil(2);
    while chunk > 0 {
        let starts = (0..block.steps.len()).step_by(chunk);
        let smaller: Vec<Block> = starts
            .map(|start| block.without(start..(start + chunk).min(block.steps.len())))
            .collect();
        // All candidates in one run.
        let program = Program::new(&smaller, false);
        let theirs = sides::in_qemu(qemu, &program, false).text;
        match report::differing(smaller.len(), &ours(&program), &theirs).first() {
            Some(&found) => block = smaller[found].clone(),
            None => chunk /= 2,
        }
        chunk = chunk.min(block.steps.len());
    }
    let program = Program::new(std::slice::from_ref(&block), true);
    let theirs = sides::in_qemu(qemu, &program, false).text;
    let text = report::explain(&program, &ours(&program), &theirs);
    format!(
        "{:?} mode, mstatus {:#x}, fcsr {:#x}\n{text}",
        block.mode, block.mstatus, block.fcsr
    )
}
