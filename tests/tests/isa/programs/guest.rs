//! The M-mode program around the blocks: it starts each from its row, logs every trap, skips what
//! trapped, and prints a hash per block (or every logged value).

use maquette_rv64::isa::Op;

use super::block::{Block, CODE, CODE_SIZE, MEMORY, ROW, SCRATCH, SCRATCH_SIZE};
use crate::asm::{Asm, Image, Label, reg};
use crate::board::{self, RAM, csr};

/// The trap handler, its variables, and the blocks' rows.
const TRAP: u64 = RAM + 0x1000;
const VARIABLES: u64 = RAM + 0x8000;
const TABLE: u64 = RAM + 0x100_0000;

/// Offsets in the variables; the registers at the trap come first.
const SAVED_F: i32 = 256;
const SAVED_MSTATUS: i32 = 512;
const SAVED_HASH: i32 = 520;
const AT: i32 = 528;
const LEFT: i32 = 536;
const VERBOSE: i32 = 544;
/// Never reserved by a block: storing here conditionally drops its reservation.
const UNRESERVED: i32 = 552;

/// Offsets in a row.
const START: i32 = 0;
const END: i32 = 8;
const MSTATUS: i32 = 16;
const FCSR: i32 = 24;
const X: i32 = 32;
const F: i32 = X + 31 * 8;
const MEMORY_AT: i32 = F + 32 * 8;

const FS: u64 = 0x6000;
/// How dirty the floating-point state is may be known more or less precisely.
const MSTATUS_LOGGED: u64 = !(1 << 63 | FS);

/// CSRs that each block finds as zero.
const CLEARED: [u16; 17] = [
    0x100, 0x104, 0x105, 0x106, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180, 0x304, 0x306, 0x320,
    0x323, 0x342, 0x343, 0x3bf,
];

/// Registers of the handler's own, while it runs.
const VARS: u8 = reg::S0;
const ROW_AT: u8 = reg::S2;
const HASH: u8 = reg::S3;
const FACTOR: u8 = reg::S4;
const TALKS: u8 = reg::S5;

/// A program and, for whoever reads its output, where its blocks lie.
pub struct Program {
    pub image: Image,
    /// Start and end of each block's code; the instruction at the end is the one that ends it.
    pub extents: Vec<(u64, u64)>,
    /// The code of all blocks, from [`CODE`] on.
    pub code: Vec<u8>,
}

impl Program {
    /// The program that runs `blocks`; `verbose` prints all that is logged.
    pub fn new(blocks: &[Block], verbose: bool) -> Self {
        let (mut code, mut table, mut extents) = (Vec::new(), Vec::new(), Vec::new());
        for block in blocks {
            let start = block.place(CODE + code.len() as u64);
            code.resize((start - CODE) as usize, 0);
            let bytes = block.assemble(start);
            table.extend(block.row(start, bytes.len() as u64));
            extents.push((start, start + bytes.len() as u64 - 4));
            code.extend(bytes);
        }
        assert!(code.len() as u64 <= CODE_SIZE && TABLE + table.len() as u64 <= TABLE_LIMIT);
        let monitor = monitor(blocks.len() as u64, verbose);
        let image = Image(vec![(RAM, monitor), (TABLE, table), (CODE, code.clone())]);
        Self {
            image,
            extents,
            code,
        }
    }

    /// The instruction word at `pc`, if it belongs to a block.
    pub fn word_at(&self, pc: u64) -> Option<u32> {
        let at = usize::try_from(pc.checked_sub(CODE)?).ok()?;
        // The last instruction, an `ebreak`, has four bytes.
        let bytes = self.code.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// The table must end before the next thing in memory.
const TABLE_LIMIT: u64 = RAM + 0x400_0000;

/// The program around the blocks.
fn monitor(blocks: u64, verbose: bool) -> Vec<u8> {
    let mut asm = Asm::new(RAM);
    let next_block = asm.label();
    emit_setup(&mut asm, blocks, verbose, next_block);
    asm.pad_to(TRAP);
    let trap = Labels {
        next_block,
        log: asm.label(),
        print: asm.label(),
        finish: asm.label(),
    };
    emit_trap(&mut asm, &trap);
    emit_finish(&mut asm, &trap);
    emit_start(&mut asm, &trap);
    emit_log(&mut asm, &trap);
    asm.finish()
}

struct Labels {
    /// Starts the block whose row is in [`ROW_AT`].
    next_block: Label,
    /// Takes a0 into the hash.
    log: Label,
    /// Prints a0 and a new line.
    print: Label,
    /// Ends the block.
    finish: Label,
}

/// Traps, PMP, counters and cache operations open to all; then the first block.
fn emit_setup(asm: &mut Asm, blocks: u64, verbose: bool, next_block: Label) {
    use reg::{T0, T1};
    let napot = |base: u64, size: u64| base >> 2 | (size / 8 - 1);
    let settings = [
        (csr::MTVEC, TRAP),
        (csr::MSCRATCH, VARIABLES),
        (csr::MENVCFG, 0xd0),
        // Supervisor software interrupts, so that `wfi` has something to find.
        (csr::MIDELEG, 2),
        (csr::PMPADDR0, napot(CODE, CODE_SIZE)),
        (csr::PMPADDR0 + 1, napot(SCRATCH, SCRATCH_SIZE)),
        // NAPOT: read and execute; read and write.
        (csr::PMPCFG0, 0x1b1d),
    ];
    for (csr, value) in settings {
        asm.li(T0, value);
        asm.csrw(csr, T0);
    }
    asm.li(VARS, VARIABLES);
    for (offset, value) in [(LEFT, blocks), (VERBOSE, verbose.into())] {
        asm.li(T0, value);
        asm.store(Op::Sd, T0, offset, VARS);
    }
    asm.li(T0, board::MTIMECMP);
    asm.li(T1, u64::MAX);
    asm.store(Op::Sd, T1, 0, T0);
    asm.li(ROW_AT, TABLE);
    asm.jump(next_block);
}

/// Saves everything, logs it, and goes on behind the instruction that trapped.
fn emit_trap(asm: &mut Asm, labels: &Labels) {
    use reg::{S1, T0, T1, T6};
    asm.csr(Op::Csrrw, T6, csr::MSCRATCH, T6);
    (1..31).for_each(|x| asm.store(Op::Sd, x, 8 * i32::from(x), T6));
    asm.csr(Op::Csrrw, T0, csr::MSCRATCH, T6);
    asm.store(Op::Sd, T0, 8 * 31, T6);
    asm.i(Op::Addi, VARS, T6, 0);
    asm.csrr(S1, csr::MSTATUS);
    asm.store(Op::Sd, S1, SAVED_MSTATUS, VARS);
    asm.li(T0, FS);
    asm.csr(Op::Csrrs, 0, csr::MSTATUS, T0);
    (0..32).for_each(|f| asm.store(Op::Fsd, f, SAVED_F + 8 * i32::from(f), VARS));
    for (register, offset) in [(ROW_AT, AT), (HASH, SAVED_HASH), (TALKS, VERBOSE)] {
        asm.i(Op::Ld, register, VARS, offset);
    }
    asm.li(FACTOR, 0x9e37_79b9_7f4a_7c15);
    emit_log_state(asm, labels);

    // The end of the block, or a place outside it?
    asm.csrr(T0, csr::MEPC);
    asm.i(Op::Ld, T1, ROW_AT, END);
    asm.branch(Op::Bgeu, T0, T1, labels.finish);
    asm.i(Op::Ld, T1, ROW_AT, START);
    asm.branch(Op::Bltu, T0, T1, labels.finish);

    asm.i(Op::Lhu, T1, T0, 0);
    asm.i(Op::Andi, T1, T1, 3);
    asm.i(Op::Sltiu, T1, T1, 3);
    asm.i(Op::Slli, T1, T1, 1);
    asm.i(Op::Addi, T0, T0, 4);
    asm.r(Op::Sub, T0, T0, T1);
    asm.csrw(csr::MEPC, T0);
    asm.store(Op::Sd, HASH, SAVED_HASH, VARS);
    asm.csrw(csr::MSTATUS, S1);
    asm.i(Op::Addi, T6, VARS, 0);
    (1..32).for_each(|x| asm.i(Op::Ld, x, T6, 8 * i32::from(x)));
    asm.bare(Op::Mret);
}

/// Logs cause, epc, tval, mstatus, fcsr, x1 to x31, f0 to f31.
fn emit_log_state(asm: &mut Asm, labels: &Labels) {
    use reg::{A0, S1, S6, S7, T0};
    for csr in [csr::MCAUSE, csr::MEPC, csr::MTVAL] {
        asm.csrr(A0, csr);
        asm.call(labels.log);
    }
    asm.li(T0, MSTATUS_LOGGED);
    asm.r(Op::And, A0, S1, T0);
    asm.call(labels.log);
    asm.csrr(A0, csr::FCSR);
    asm.call(labels.log);
    asm.i(Op::Addi, S6, VARS, 8);
    asm.i(Op::Addi, S7, VARS, SAVED_MSTATUS);
    emit_log_range(asm, labels);
}

/// Logs the doublewords from s6 to s7.
fn emit_log_range(asm: &mut Asm, labels: &Labels) {
    use reg::{A0, S6, S7};
    let next = asm.mark();
    asm.i(Op::Ld, A0, S6, 0);
    asm.call(labels.log);
    asm.i(Op::Addi, S6, S6, 8);
    asm.branch(Op::Bltu, S6, S7, next);
}

/// Logs the scratch page, prints the hash, and goes on with the next row or powers off.
fn emit_finish(asm: &mut Asm, labels: &Labels) {
    use reg::{A0, S6, S7, T0, T1};
    asm.bind(labels.finish);
    asm.li(S6, SCRATCH);
    asm.li(S7, SCRATCH + SCRATCH_SIZE);
    emit_log_range(asm, labels);
    asm.i(Op::Addi, A0, HASH, 0);
    asm.call(labels.print);
    asm.li(T0, ROW as u64);
    asm.r(Op::Add, ROW_AT, ROW_AT, T0);
    asm.i(Op::Ld, T1, VARS, LEFT);
    asm.i(Op::Addi, T1, T1, -1);
    asm.store(Op::Sd, T1, LEFT, VARS);
    asm.branch(Op::Bne, T1, reg::ZERO, labels.next_block);
    board::emit_power_off(asm);
}

/// Starts the block whose row is at [`ROW_AT`].
fn emit_start(asm: &mut Asm, labels: &Labels) {
    use reg::{S6, S7, T0, T1, T2, T6, ZERO};
    asm.bind(labels.next_block);
    asm.li(VARS, VARIABLES);
    asm.store(Op::Sd, ROW_AT, AT, VARS);
    asm.store(Op::Sd, ZERO, SAVED_HASH, VARS);
    CLEARED.iter().for_each(|&csr| asm.csrw(csr, ZERO));
    asm.li(T0, 0xd0);
    asm.csrw(csr::SENVCFG, T0);
    asm.i(Op::Addi, T0, VARS, UNRESERVED);
    asm.r(Op::ScD, ZERO, T0, ZERO);

    // The memory of the row, repeated over the page.
    asm.li(S6, SCRATCH);
    asm.li(S7, SCRATCH + SCRATCH_SIZE);
    let again = asm.mark();
    asm.i(Op::Addi, T0, ROW_AT, MEMORY_AT);
    asm.i(Op::Addi, T1, T0, MEMORY as i32 * 8);
    let copy = asm.mark();
    asm.i(Op::Ld, T2, T0, 0);
    asm.store(Op::Sd, T2, 0, S6);
    asm.i(Op::Addi, T0, T0, 8);
    asm.i(Op::Addi, S6, S6, 8);
    asm.branch(Op::Bltu, T0, T1, copy);
    asm.branch(Op::Bltu, S6, S7, again);

    asm.li(T0, FS);
    asm.csr(Op::Csrrs, ZERO, csr::MSTATUS, T0);
    (0..32).for_each(|f| asm.i(Op::Fld, f, ROW_AT, F + 8 * i32::from(f)));
    for (csr, offset) in [
        (csr::FCSR, FCSR),
        (csr::MSTATUS, MSTATUS),
        (csr::MEPC, START),
    ] {
        asm.i(Op::Ld, T0, ROW_AT, offset);
        asm.csrw(csr, T0);
    }
    asm.i(Op::Addi, T6, ROW_AT, 0);
    (1..32).for_each(|x| asm.i(Op::Ld, x, T6, X + 8 * (i32::from(x) - 1)));
    asm.bare(Op::Mret);
}

/// The routines `log` and `print`; they clobber t0 to t2, a0 to a2 and, if they print, ra's copy s8.
fn emit_log(asm: &mut Asm, labels: &Labels) {
    use reg::{A0, A1, A2, RA, S8, T0, ZERO};
    let silent = asm.label();
    asm.bind(labels.log);
    asm.r(Op::Xor, HASH, HASH, A0);
    asm.r(Op::Mul, HASH, HASH, FACTOR);
    asm.i(Op::Srli, T0, HASH, 29);
    asm.r(Op::Xor, HASH, HASH, T0);
    asm.branch(Op::Beq, TALKS, ZERO, silent);

    asm.bind(labels.print);
    let putchar = asm.label();
    asm.i(Op::Addi, S8, RA, 0);
    asm.i(Op::Addi, A1, A0, 0);
    asm.i(Op::Addi, A2, ZERO, 16);
    let digit = asm.mark();
    asm.i(Op::Srli, A0, A1, 60);
    asm.i(Op::Slli, A1, A1, 4);
    // '0' + digit, or 'a' - 10 + digit.
    asm.i(Op::Sltiu, T0, A0, 10);
    asm.i(Op::Addi, T0, T0, -1);
    asm.i(Op::Andi, T0, T0, 39);
    asm.r(Op::Add, A0, A0, T0);
    asm.i(Op::Addi, A0, A0, 48);
    asm.call(putchar);
    asm.i(Op::Addi, A2, A2, -1);
    asm.branch(Op::Bne, A2, ZERO, digit);
    asm.i(Op::Addi, A0, ZERO, 10);
    asm.call(putchar);
    asm.i(Op::Addi, RA, S8, 0);
    asm.bind(silent);
    asm.ret();
    board::emit_putchar(asm, putchar);
}
