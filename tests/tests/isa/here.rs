//! Our hart on the smallest of boards.
//!
//! Not `maquette-machine`: here the engine can be replaced, so that instructions can be watched one
//! by one, or spoilt.

use std::rc::Rc;

use maquette_model::{Answer, Exit, MmioOp, PhysAddr, Ram, Vcpu};
use maquette_rv64::{BlockExec, BlockExit, Hart, HartState, Interpreter};

use crate::asm::Image;
use crate::board::{FINISHER, RAM, RAM_SIZE, UART};

/// The longest block, as in a machine.
const BLOCK_LIMIT: u16 = 64;

/// Runs `program` in blocks, as in a machine.
pub fn run(program: &Image) -> String {
    boot(program, Interpreter::new(BLOCK_LIMIT))
}

/// Runs `program` one instruction at a time under `watch`.
pub fn run_watched(program: &Image, watch: impl Watch) -> String {
    boot(
        program,
        Stepped {
            inner: Interpreter::new(BLOCK_LIMIT),
            watch,
        },
    )
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

/// A board of RAM, a serial port that is always ready, and the finisher.
fn boot(program: &Image, engine: impl BlockExec) -> String {
    /// Instructions after which a program is taken to run in circles.
    const BUDGET: u64 = 2_000_000_000;
    let ram = Rc::new(Ram::new(PhysAddr(RAM), RAM_SIZE).unwrap());
    for (address, bytes) in &program.0 {
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
