//! The two machines that run a program: QEMU, and our hart on the smallest of boards.
//!
//! The board here is not `maquette-machine`: the engine can be replaced, so that instructions can be
//! watched one by one, or spoilt.

use std::fs;
use std::rc::Rc;

use maquette_model::{Answer, Exit, MmioOp, PhysAddr, Ram, Vcpu};
use maquette_rv64::isa::Coverage;
use maquette_rv64::{BlockExec, BlockExit, Hart, HartState, Interpreter};
use maquette_tests::qemu::Qemu;

use super::guest::Program;
use crate::board::{self, FINISHER, RAM, UART};

/// RAM of both machines.
const RAM_SIZE: u64 = 64 << 20;

/// What the program printed, and the coverage of the blocks' instructions where it was asked for.
pub struct Outcome {
    pub text: String,
    pub coverage: Coverage,
}

/// Runs `program` in QEMU. With `trace`, one instruction at a time with a log of each.
pub fn in_qemu(qemu: &Qemu, program: &Program, trace: bool) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let elf = folder.path().join("program.elf");
    fs::write(&elf, &program.elf).unwrap();
    let log = folder.path().join("trace.log");
    let range = format!("{:#x}+{:#x}", super::block::CODE, program.code.len());
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
    let run = board::run_in_qemu(qemu, &elf, more);
    run.expect_code(0);
    let mut coverage = Coverage::new();
    if trace {
        for line in fs::read_to_string(&log).unwrap().lines() {
            // Trace 0: 0x7f… [00000000/0000000080800000/00001003/ff020001]
            let Some(pc) = line.split('/').nth(1) else {
                continue;
            };
            let pc = u64::from_str_radix(pc, 16).unwrap();
            program
                .word_at(pc)
                .into_iter()
                .for_each(|word| coverage.record(word));
        }
    }
    Outcome {
        text: run.stdout,
        coverage,
    }
}

/// Looks at, and may spoil, every instruction.
pub trait Watch {
    /// An instruction at `h.pc` is about to run.
    fn before(&mut self, h: &HartState, ram: &Ram);
    /// It has run, or trapped.
    fn after(&mut self, h: &mut HartState, ram: &Ram);
}

/// The interpreter, one instruction at a time.
struct Stepped<W> {
    inner: Interpreter,
    watch: W,
}

impl<W: Watch> BlockExec for Stepped<W> {
    fn run(&mut self, h: &mut HartState, ram: &Ram, _max: u64) -> (u64, BlockExit) {
        self.watch.before(h, ram);
        let (retired, exit) = self.inner.run(h, ram, 1);
        self.watch.after(h, ram);
        let exit = if exit == BlockExit::Limit {
            BlockExit::Reschedule
        } else {
            exit
        };
        (retired, exit)
    }

    fn clear(&mut self) {
        self.inner.clear();
    }
}

/// Counts the blocks' instructions.
struct Counting<'p> {
    program: &'p Program,
    coverage: Rc<std::cell::RefCell<Coverage>>,
}

impl Watch for Counting<'_> {
    fn before(&mut self, h: &HartState, _: &Ram) {
        let word = self.program.word_at(h.pc);
        word.into_iter()
            .for_each(|word| self.coverage.borrow_mut().record(word));
    }

    fn after(&mut self, _: &mut HartState, _: &Ram) {}
}

/// Runs `program` on our hart, in blocks as in a machine.
pub fn here(program: &Program) -> String {
    boot(program, Interpreter::new(64))
}

/// Runs `program` on our hart, counting its instructions.
pub fn here_counted(program: &Program) -> Outcome {
    let coverage = Rc::default();
    let watch = Counting {
        program,
        coverage: Rc::clone(&coverage),
    };
    let text = here_watched(program, watch);
    Outcome {
        text,
        coverage: coverage.take(),
    }
}

/// Runs `program` on our hart, one instruction at a time under `watch`.
pub fn here_watched(program: &Program, watch: impl Watch) -> String {
    boot(
        program,
        Stepped {
            inner: Interpreter::new(64),
            watch,
        },
    )
}

/// A board of RAM, a serial port that is always ready, and the finisher.
fn boot(program: &Program, engine: impl BlockExec) -> String {
    const BUDGET: u64 = 2_000_000_000;
    let ram = Rc::new(Ram::new(PhysAddr(RAM), RAM_SIZE).unwrap());
    for (address, bytes) in &program.segments {
        assert!(ram.write(PhysAddr(*address), bytes));
    }
    let mut hart = Hart::with_engine(0, HartState::default_clock(), ram, engine);
    hart.start_bare(RAM, 0);
    let mut text = String::new();
    loop {
        let exit = hart.run(BUDGET - hart.retired());
        let answer = match exit {
            Exit::Mmio {
                addr,
                op: MmioOp::Read,
                ..
            } if addr.0 == UART + 5 => Answer::Value(0x20),
            Exit::Mmio {
                op: MmioOp::Read, ..
            } => Answer::Value(0),
            Exit::Mmio {
                addr,
                op: MmioOp::Write(value),
                ..
            } => {
                match addr.0 {
                    UART => text.push(char::from(value as u8)),
                    FINISHER => return text,
                    _ => {}
                }
                Answer::Done
            }
            Exit::Pause => continue,
            exit => panic!("the hart stopped at {:#x}: {exit:?}", hart.pc()),
        };
        hart.finish(answer);
    }
}
