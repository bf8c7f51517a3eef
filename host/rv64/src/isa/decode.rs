//! From a word to an [`Insn`]: two look-ups and a short list.
//!
//! The opcode (bits 6:2) selects a slice of buckets; funct3 selects the bucket, except under OP-FP,
//! where funct3 is mostly a rounding mode and funct7 selects. A bucket lists the lines of the table
//! that can match, in table order; the longest has eleven. All of it is computed at compile time.

use super::table::Entry;
use super::{Insn, Op, TABLE, decode16};

/// Bits 6:2 of the opcode OP-FP.
const OP_FP: usize = 0x14;
/// Buckets before those of OP-FP: 32 opcodes times 8.
const FP_BASE: usize = 32 * 8;
const BUCKETS: usize = FP_BASE + 128;

/// The buckets' bounds and, one after another, their contents.
struct Index {
    /// Bucket `b` is `ops[start[b]..start[b + 1]]`.
    start: [u16; BUCKETS + 1],
    ops: [u8; CANDIDATES],
}

/// How many (bucket, instruction) pairs there are.
const CANDIDATES: usize = count_candidates();

static INDEX: Index = build_index();

/// The bits that all words of `bucket` share, and which bits those are.
const fn bucket_bits(bucket: usize) -> (u32, u32) {
    if bucket >= FP_BASE {
        (
            ((bucket - FP_BASE) as u32) << 25 | (OP_FP as u32) << 2 | 3,
            0xfe00_007f,
        )
    } else {
        (
            ((bucket % 8) as u32) << 12 | ((bucket / 8) as u32) << 2 | 3,
            0x0000_707f,
        )
    }
}

/// True if some word of `bucket` can be this instruction.
const fn may_match(bucket: usize, entry: &Entry) -> bool {
    if bucket / 8 == OP_FP {
        return false; // never looked up: OP-FP has buckets of its own
    }
    let (value, mask) = bucket_bits(bucket);
    (value ^ entry.matches) & mask & entry.mask == 0
}

const fn count_candidates() -> usize {
    let mut count = 0;
    let mut bucket = 0;
    while bucket < BUCKETS {
        let mut op = 0;
        while op < Op::COUNT {
            if may_match(bucket, &Op::ENTRIES[op]) {
                count += 1;
            }
            op += 1;
        }
        bucket += 1;
    }
    count
}

const fn build_index() -> Index {
    const { assert!(Op::COUNT <= 256 && CANDIDATES <= 0xffff) };
    let mut index = Index {
        start: [0; BUCKETS + 1],
        ops: [0; CANDIDATES],
    };
    let mut filled = 0;
    let mut bucket = 0;
    while bucket < BUCKETS {
        let mut op = 0;
        while op < Op::COUNT {
            if may_match(bucket, &Op::ENTRIES[op]) {
                index.ops[filled] = op as u8;
                filled += 1;
            }
            op += 1;
        }
        bucket += 1;
        index.start[bucket] = filled as u16;
    }
    index
}

/// The instructions that a 32-bit `word` may be.
fn candidates(word: u32) -> &'static [u8] {
    let opcode = (word >> 2 & 0x1f) as usize;
    let bucket = if opcode == OP_FP {
        FP_BASE + (word >> 25) as usize
    } else {
        opcode * 8 + (word >> 12 & 7) as usize
    };
    // Masked above: `bucket + 1` never exceeds BUCKETS. The bounds come from `build_index`.
    let (start, end) = (INDEX.start[bucket], INDEX.start[bucket + 1]);
    &INDEX.ops[usize::from(start)..usize::from(end)]
}

/// Decodes the instruction that starts in the low bits of `word`. The two low bits give the length;
/// for a 16-bit instruction the upper half of `word` does not matter. `None`: illegal.
pub fn decode(word: u32) -> Option<Insn> {
    if word & 3 == 3 {
        decode32(word)
    } else {
        decode16((word & 0xffff) as u16)
    }
}

/// Decodes a 32-bit instruction.
pub fn decode32(word: u32) -> Option<Insn> {
    if word & 3 != 3 {
        return None;
    }
    for &op in candidates(word) {
        let entry = &TABLE[usize::from(op)];
        if (word ^ entry.matches) & entry.mask == 0 {
            return extract(entry, word);
        }
    }
    None
}

/// Reads the operands of an instruction known to be `entry`.
fn extract(entry: &Entry, word: u32) -> Option<Insn> {
    let mut insn = Insn::new(entry.op);
    let legal = entry
        .format
        .operands()
        .iter()
        .all(|operand| operand.extract(word, &mut insn));
    legal.then_some(insn)
}
