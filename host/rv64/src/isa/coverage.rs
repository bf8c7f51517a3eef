//! Which instructions a run executed, and which lines of the tables it never reached.

use std::collections::BTreeSet;
use std::fmt;

use super::{COMPRESSED, Insn, Op, decode, decode16_entry};

/// Counts executed instructions per line of the two tables. Displayed as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    long: Vec<u64>,
    short: Vec<u64>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            long: vec![0; Op::COUNT],
            short: vec![0; COMPRESSED.len()],
        }
    }
}

impl Coverage {
    /// Nothing executed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the instruction that starts in the low bits of `word`; an illegal one counts nowhere.
    pub fn record(&mut self, word: u32) {
        let Some(insn) = decode(word) else { return };
        // A 16-bit instruction counts under both spellings.
        self.long[insn.op as usize] += 1;
        if insn.len == 2 {
            self.record_short(word);
        }
    }

    fn record_short(&mut self, word: u32) {
        let found = decode16_entry((word & 0xffff) as u16);
        let Some((entry, _)) = found else { return };
        let position = COMPRESSED
            .iter()
            .position(|other| other.mnemonic == entry.mnemonic);
        if let Some(count) = position.and_then(|index| self.short.get_mut(index)) {
            *count += 1;
        }
    }

    /// Counts a decoded instruction, under its 32-bit name only.
    pub fn record_op(&mut self, insn: &Insn) {
        self.long[insn.op as usize] += 1;
    }

    /// How often `op` ran, in either spelling.
    pub fn count(&self, op: Op) -> u64 {
        self.long[op as usize]
    }

    /// How many instructions ran.
    pub fn executed(&self) -> u64 {
        self.long.iter().sum()
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.long.iter_mut().zip(&other.long) {
            *mine += theirs;
        }
        for (mine, theirs) in self.short.iter_mut().zip(&other.short) {
            *mine += theirs;
        }
    }

    /// (name, extension, count) of every line, the 16-bit ones last.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, String, u64)> {
        let long = Op::all()
            .zip(&self.long)
            .map(|(op, &count)| (op.mnemonic(), format!("{:?}", op.extension()), count));
        let short = COMPRESSED
            .iter()
            .zip(&self.short)
            .map(|(entry, &count)| (entry.mnemonic, String::from("C"), count));
        long.chain(short)
    }

    /// Names of the lines never reached.
    pub fn missing(&self) -> BTreeSet<&'static str> {
        self.rows()
            .filter(|&(_, _, count)| count == 0)
            .map(|(name, _, _)| name)
            .collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<14} {:<12} {:>12}",
            "instruction", "extension", "executed"
        )?;
        for (name, extension, count) in self.rows() {
            writeln!(out, "{name:<14} {extension:<12} {count:>12}")?;
        }
        let missing = self.missing();
        let lines = self.long.len() + self.short.len();
        writeln!(out, "{} of {lines} executed", lines - missing.len())?;
        if !missing.is_empty() {
            writeln!(out, "never: {}", Vec::from_iter(missing).join(" "))?;
        }
        Ok(())
    }
}
