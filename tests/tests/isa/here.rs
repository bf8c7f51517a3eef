//! Our hart on the smallest of boards.
//!
//! Not `maquette-machine`: here the engine can be replaced, so that instructions can be watched one
//! by one, or spoilt.

use std::rc::Rc;

use maquette_model::{Answer, CpuLine, Exit, MmioOp, PhysAddr, Ram, SimTime, Vcpu};
use maquette_rv64::{BlockExec, BlockExit, Hart, HartState, Interpreter};

use crate::asm::Image;
use crate::board::{FINISHER, MTIME, MTIMECMP, RAM, RAM_SIZE, UART};

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

/// Instructions after which a program is taken to run in circles.
const BUDGET: u64 = 2_000_000_000;
/// A tick of `mtime`, at 10 MHz.
const TICK_PS: u64 = 100_000;
/// The machine timer's bit in `mip`.
const TIMER: CpuLine = CpuLine(7);

/// A board of RAM, a serial port that is always ready, a timer, and the finisher.
struct Board {
    text: String,
    mtimecmp: u64,
    finished: bool,
}

impl Board {
    fn read(&self, addr: u64, now: SimTime) -> u64 {
        match addr {
            MTIME => now.as_ps() / TICK_PS,
            // The line status: ready.
            _ if addr == UART + 5 => 0x20,
            _ => 0,
        }
    }

    fn write(&mut self, addr: u64, value: u64) {
        match addr {
            UART => self.text.push(char::from(value as u8)),
            MTIMECMP => self.mtimecmp = value,
            FINISHER => self.finished = true,
            _ => {}
        }
    }

    /// When the timer next changes its line.
    fn alarm(&self, now: SimTime) -> SimTime {
        let due = SimTime::from_ps(self.mtimecmp.saturating_mul(TICK_PS));
        if now < due { due } else { SimTime::MAX }
    }
}

fn boot(program: &Image, engine: impl BlockExec) -> String {
    let ram = Rc::new(Ram::new(PhysAddr(RAM), RAM_SIZE).unwrap());
    for (address, bytes) in &program.0 {
        assert!(ram.write(PhysAddr(*address), bytes));
    }
    let mut hart = Hart::with_engine(0, HartState::default_clock(), ram, engine);
    hart.start_bare(RAM, 0);
    let mut board = Board {
        text: String::new(),
        mtimecmp: u64::MAX,
        finished: false,
    };
    while !board.finished {
        let now = hart.time();
        let alarm = board.alarm(now);
        hart.set_irq(TIMER, board.mtimecmp.saturating_mul(TICK_PS) <= now.as_ps());
        let left = BUDGET
            .checked_sub(hart.retired())
            .expect("the program runs in circles");
        match hart.run(left.min(hart.instructions_until(alarm))) {
            Exit::Limit | Exit::Pause => {}
            Exit::Mmio {
                addr,
                op: MmioOp::Read,
                ..
            } => {
                hart.finish(Answer::Value(board.read(addr.0, hart.time())));
            }
            Exit::Mmio {
                addr,
                op: MmioOp::Write(value),
                ..
            } => {
                board.write(addr.0, value);
                hart.finish(Answer::Done);
            }
            exit => panic!("the hart stopped at {:#x}: {exit:?}", hart.pc()),
        }
    }
    board.text
}
