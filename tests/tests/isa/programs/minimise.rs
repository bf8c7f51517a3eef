//! From a block on which two machines differ to the few steps that matter.

use maquette_tests::qemu::Qemu;

use super::block::Block;
use super::guest::Program;
use super::{report, sides};

/// A machine under test.
pub type Side<'s> = dyn FnMut(&Program) -> String + 's;

/// The smallest part of `blocks`, up to and including number `bad`, whose last block still differs
/// between `ours` and QEMU, explained.
pub fn minimise(blocks: &[Block], bad: usize, ours: &mut Side, qemu: &Qemu) -> String {
    let mut differs = |case: &[Block]| {
        let program = Program::new(case, false);
        let theirs = sides::in_qemu(qemu, &program, true).text;
        report::differing(case.len(), &ours(&program), &theirs).contains(&(case.len() - 1))
    };
    // Perhaps it matters where in a page the instructions are.
    let start = Program::new(&blocks[..=bad], false).extents[bad].0;
    let offset = Some(start % 4096);
    let placed = [Block {
        offset,
        ..blocks[bad].clone()
    }];
    // Blocks are meant to be independent. If this one is not, its predecessors matter.
    let mut context = 0;
    let alone = differs(&blocks[bad..=bad]) || differs(&placed);
    while context < bad && !alone && !differs(&blocks[bad - context..=bad]) {
        context = (2 * context + 1).min(bad);
    }
    let mut case = blocks[bad - context..=bad].to_vec();
    if context == 0 && !differs(&case) {
        case = placed.to_vec();
    }
    drop_blocks(&mut case, &mut differs);
    for index in 0..case.len() {
        drop_steps(&mut case, index, &mut differs);
    }
    explain(&case, ours, qemu)
}

/// Drops blocks before the last while the last still differs.
fn drop_blocks(case: &mut Vec<Block>, differs: &mut dyn FnMut(&[Block]) -> bool) {
    let mut chunk = case.len() / 2;
    while chunk > 0 {
        let mut start = 0;
        while start + chunk < case.len() {
            let mut smaller = case.clone();
            smaller.drain(start..start + chunk);
            if differs(&smaller) {
                *case = smaller;
            } else {
                start += chunk;
            }
        }
        chunk /= 2;
    }
}

/// Drops steps of block `index` while the last block still differs.
fn drop_steps(case: &mut [Block], index: usize, differs: &mut dyn FnMut(&[Block]) -> bool) {
    let mut chunk = case[index].steps.len().div_ceil(2);
    while chunk > 0 {
        let mut start = 0;
        while start < case[index].steps.len() {
            let end = (start + chunk).min(case[index].steps.len());
            let before = case[index].clone();
            case[index] = before.without(start..end);
            if differs(case) {
                continue;
            }
            // Perhaps only the places of the others matter.
            case[index] = before.idle(start..end);
            if !differs(case) {
                case[index] = before;
            }
            start = end;
        }
        chunk /= 2;
    }
}

/// The case as text, with the first values that differ.
fn explain(case: &[Block], ours: &mut Side, qemu: &Qemu) -> String {
    let program = Program::new(case, true);
    let theirs = sides::in_qemu(qemu, &program, true).text;
    let starts = case.iter().map(|block| {
        format!(
            "{:?} mode, mstatus {:#x}, fcsr {:#x}\n",
            block.mode, block.mstatus, block.fcsr
        )
    });
    starts.collect::<String>() + &report::explain(&program, &ours(&program), &theirs)
}
