//! The accelerator's own memory: zero until written, and only what was written takes room.

use maquette_model::{LoadError, Reader, Writer};
use std::collections::BTreeMap;

const PAGE: u64 = 4096;

/// Sparse memory.
#[derive(Debug)]
pub(super) struct Memory {
    size: u64,
    pages: BTreeMap<u64, Box<[u8]>>,
}

impl Memory {
    pub(super) const fn new(size: u64) -> Self {
        Self {
            size,
            pages: BTreeMap::new(),
        }
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Whether so many bytes from `address` on are in it.
    pub(super) fn holds(&self, address: u64, bytes: u64) -> bool {
        address
            .checked_add(bytes)
            .is_some_and(|end| end <= self.size)
    }

    pub(super) fn clear(&mut self) {
        self.pages.clear();
    }

    /// Bytes of pages that were written.
    pub(super) fn in_use(&self) -> u64 {
        self.pages.len() as u64 * PAGE
    }

    pub(super) fn read(&self, address: u64, into: &mut [u8]) {
        for (at, part) in pieces(address, into) {
            match self.pages.get(&(at / PAGE)) {
                Some(page) => {
                    let from = page.iter().skip(offset(at));
                    part.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
                None => part.fill(0),
            }
        }
    }

    pub(super) fn write(&mut self, address: u64, from: &mut [u8]) {
        for (at, part) in pieces(address, from) {
            let page = self.pages.entry(at / PAGE);
            let page = page.or_insert_with(|| vec![0; offset(PAGE - 1) + 1].into_boxed_slice());
            let to = page.iter_mut().skip(offset(at));
            to.zip(part).for_each(|(to, from)| *to = *from);
        }
    }

    pub(super) fn save(&self, w: &mut Writer) {
        w.u64(self.pages.len() as u64);
        for (number, page) in &self.pages {
            w.u64(*number);
            w.raw(page);
        }
    }

    pub(super) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.pages.clear();
        for _ in 0..r.u64()? {
            let number = r.u64()?;
            if !self.holds(number.saturating_mul(PAGE), 1) {
                let (field, value) = ("page of an accelerator's memory", number);
                return Err(LoadError::Value { field, value });
            }
            let page = r.raw(offset(PAGE - 1) + 1)?;
            self.pages.insert(number, page.into());
        }
        Ok(())
    }
}

/// Where in its page an address lies.
fn offset(address: u64) -> usize {
    usize::try_from(address % PAGE).unwrap_or(0)
}

/// The bytes, page by page, each with its address.
fn pieces(address: u64, bytes: &mut [u8]) -> impl Iterator<Item = (u64, &mut [u8])> {
    let first = offset(PAGE - 1) + 1 - offset(address);
    let (head, tail) = bytes.split_at_mut(first.min(bytes.len()));
    let tail_at = address.saturating_add(head.len() as u64);
    let tail = tail.chunks_mut(offset(PAGE - 1) + 1).enumerate();
    let tail = tail.map(move |(n, part)| (tail_at.saturating_add(n as u64 * PAGE), part));
    std::iter::once((address, head)).chain(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn memory_reads_as_an_array_does(
            writes in prop::collection::vec((0u64..20_000, prop::collection::vec(any::<u8>(), 0..9000)), 1..8),
        ) {
            let mut memory = Memory::new(32 << 10);
            let mut array = vec![0; 32 << 10];
            for (address, mut bytes) in writes {
                let at = usize::try_from(address).unwrap();
                array[at..at + bytes.len()].copy_from_slice(&bytes);
                memory.write(address, &mut bytes);
            }
            let mut w = Writer::default();
            memory.save(&mut w);
            let saved = w.into_bytes();
            let mut other = Memory::new(32 << 10);
            other.load(&mut Reader::new(&saved)).unwrap();
            for memory in [&memory, &other] {
                let mut all = vec![1; array.len()];
                memory.read(0, &mut all);
                prop_assert!(all == array);
                let mut part = vec![1; 5000];
                memory.read(4000, &mut part);
                prop_assert!(part == array[4000..9000]);
            }
        }
    }
}
