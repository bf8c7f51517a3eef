//! Instruction words and short programs.

use std::rc::Rc;

use maquette_model::{
    Answer, BusError, Exit, MmioOp, PhysAddr, Ram, SimTime, Snapshot, Vcpu, Writer,
};
use maquette_rv64::isa::{Op, decode, disassemble, encode};
use maquette_rv64::{Hart, HartState};

const BASE: u64 = 0x8000_0000;
const RAM_BYTES: u64 = 0x4000;
/// How many instructions a program may take.
const STEPS: u64 = 600;
/// Where traps go, behind the program: over the word that trapped, with `t0` lost.
const HANDLER: u64 = BASE + 0x3000;
/// `csrr t0, mepc; addi t0, t0, 4; csrw mepc, t0; mret`
const SKIP: [u32; 4] = [0x3410_22f3, 0x0042_8293, 0x3412_9073, 0x3020_0073];
/// `mstatus`: floating point is on.
const FS: u64 = 3 << 13;

/// A program, with any words in it.
///
/// Each word decodes to what encodes to the same instruction; the program, run as a whole with long
/// blocks and in pieces with short ones, leaves the same hart and the same memory.
pub fn instructions(data: &[u8]) {
    for word in data.chunks(4) {
        let mut bytes = [0; 4];
        bytes[..word.len()].copy_from_slice(word);
        same_instruction(u32::from_le_bytes(bytes));
    }
    let whole = outcome(data, 64, STEPS);
    assert!(
        whole == outcome(data, 1, 7),
        "block limit 1 and pieces of 7 differ"
    );
    assert!(whole == outcome(data, 5, STEPS), "block limit 5 differs");
}

fn same_instruction(word: u32) {
    let Some(insn) = decode(word) else { return };
    assert!(!disassemble(&insn, BASE).is_empty());
    let Ok(again) = encode(&insn) else {
        // A `fence w, 0` with other bits in its reserved fields, without which it would be `pause`
        // (unprivileged ISA, Zihintpause).
        assert_eq!(insn.op, Op::Fence, "{word:#010x} cannot be encoded");
        return;
    };
    let mut expected = insn;
    // The long form of a compressed instruction.
    expected.len = 4;
    assert_eq!(decode(again), Some(expected), "{word:#010x}");
}

/// The hart's state and the memory after [`STEPS`] instructions, run in pieces.
fn outcome(program: &[u8], block_limit: u16, piece: u64) -> (Vec<u8>, Vec<u8>) {
    let ram = Ram::new(PhysAddr(BASE), RAM_BYTES).expect("16 KiB");
    let ram = Rc::new(ram);
    let length = program.len().min((HANDLER - BASE) as usize);
    assert!(ram.write(PhysAddr(BASE), &program[..length]));
    let handler: Vec<u8> = SKIP.into_iter().flat_map(u32::to_le_bytes).collect();
    assert!(ram.write(PhysAddr(HANDLER), &handler));
    let mut hart = Hart::new(0, HartState::default_clock(), Rc::clone(&ram), block_limit);
    hart.set_up(|h| {
        h.pc = BASE;
        h.csr.mtvec = HANDLER;
        h.csr.mstatus |= FS;
        for (number, x) in (1..32).zip(&mut h.x[1..]) {
            *x = BASE + 0x80 * number;
        }
    });
    while hart.retired() < STEPS {
        let before = hart.retired();
        let asked = piece.min(STEPS - before);
        let exit = hart.run(asked);
        assert!(hart.retired() - before <= asked, "too many instructions");
        if !answer(&mut hart, &exit) {
            break;
        }
    }
    let mut state = Writer::default();
    hart.save(&mut state);
    let mut memory = vec![0; RAM_BYTES as usize];
    assert!(ram.read(PhysAddr(BASE), &mut memory));
    (state.into_bytes(), memory)
}

/// Answers by a rule that depends on the hart only; `false` if it cannot go on.
fn answer(hart: &mut Hart, exit: &Exit) -> bool {
    match *exit {
        Exit::Mmio { addr, op, .. } => hart.finish(match op {
            _ if addr.0 & 0x40 != 0 => Answer::Fault(BusError::Unmapped),
            MmioOp::Read => Answer::Value(addr.0 ^ hart.retired()),
            MmioOp::Write(_) => Answer::Done,
        }),
        Exit::Sbi(call) => hart.finish(Answer::Sbi {
            a0: call.function,
            a1: Some(call.extension),
        }),
        Exit::Wfi if !hart.wakes() => {
            let timer = hart.timer_deadline();
            if timer == SimTime::MAX {
                return false;
            }
            hart.skip_to(timer);
        }
        Exit::Fail(_) => return false,
        _ => {}
    }
    true
}
