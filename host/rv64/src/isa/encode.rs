//! From an [`Insn`] to a word: the decoder read backwards, for tests and program generators.

use super::{Insn, decode32};

/// An instruction whose operands do not fit its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot hold these operands: {0:?}", name = .0.op.mnemonic())]
pub struct EncodeError(pub Insn);

/// The 32-bit encoding of `insn` (its `len` does not matter).
///
/// # Errors
///
/// An operand is out of its field's range, or set though the instruction has no such operand.
pub fn encode(insn: &Insn) -> Result<u32, EncodeError> {
    let entry = insn.op.entry();
    let operands = entry.format.operands();
    let word = operands
        .iter()
        .fold(entry.matches, |word, operand| word | operand.insert(insn));
    // Of `pause` and the prefetches, which are a `fence` and an `ori`, the operands of the latter encode
    // but decode under the other name.
    if decode32(word) == Some(Insn { len: 4, ..*insn }) {
        Ok(word)
    } else {
        Err(EncodeError(*insn))
    }
}
