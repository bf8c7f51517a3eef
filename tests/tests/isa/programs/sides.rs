//! The two machines that run a program of blocks: QEMU, and our hart.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;

use maquette_model::Ram;
use maquette_rv64::HartState;
use maquette_rv64::isa::Coverage;
use maquette_tests::qemu::Qemu;

use super::block::CODE;
use super::guest::Program;
use crate::board;
use crate::here::{self, Watch};

/// What the program printed, and the coverage of the blocks' instructions where it was asked for.
pub struct Outcome {
    pub text: String,
    pub coverage: Coverage,
}

/// Runs `program` in QEMU. With `trace`, one instruction at a time with a log of each.
pub fn in_qemu(qemu: &Qemu, program: &Program, trace: bool) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trace.log");
    let range = format!("{:#x}+{:#x}", CODE, program.code.len());
    let log_name = log.to_str().unwrap();
    let tracing = [
        "-accel",
        "tcg,one-insn-per-tb=on",
        "-d",
        "exec,nochain",
        "-dfilter",
        &range,
        "-D",
        log_name,
    ];
    let more = if trace { &tracing[..] } else { &[] };
    let run = board::run_in_qemu(qemu, &program.image, more);
    run.expect_code(0);
    let mut coverage = Coverage::new();
    if trace {
        let mut last = None;
        for line in fs::read_to_string(&log).unwrap().lines() {
            // Trace 0: 0x7f… [00000000/0000000080800000/00001003/ff020001]
            let Some(pc) = line.split('/').nth(1) else {
                continue;
            };
            // A line that repeats was left before it executed; no block jumps to itself.
            if last.replace(pc.to_owned()).is_none_or(|last| last != pc) {
                let pc = u64::from_str_radix(pc, 16).unwrap();
                program
                    .word_at(pc)
                    .into_iter()
                    .for_each(|word| coverage.record(word));
            }
        }
    }
    Outcome {
        text: run.stdout,
        coverage,
    }
}

/// Counts the blocks' instructions.
struct Counting<'p> {
    program: &'p Program,
    coverage: Rc<RefCell<Coverage>>,
}

impl Watch for Counting<'_> {
    fn before(&mut self, h: &HartState, _: &Ram) {
        let word = self.program.word_at(h.pc);
        word.into_iter()
            .for_each(|word| self.coverage.borrow_mut().record(word));
    }

    fn after(&mut self, _: &mut HartState, _: &Ram) {}
}

/// Runs `program` on our hart, counting its instructions.
pub fn here_counted(program: &Program) -> Outcome {
    let coverage = Rc::default();
    let watch = Counting {
        program,
        coverage: Rc::clone(&coverage),
    };
    let text = here::run_watched(&program.image, watch);
    Outcome {
        text,
        coverage: coverage.take(),
    }
}
