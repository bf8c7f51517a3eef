//! The table of message interrupts and its pending bits (PCI 3.0 §6.8.2).

use maquette_model::{LoadError, Reader, Tree, Width, Writer};
use maquette_pci_protocol::msix;

/// Bytes of the table's half of its memory; the pending bits are in the other half. Together they
/// fill a page at least, so that a guest can map them alone.
pub(crate) fn half(vectors: u16) -> u64 {
    let table = u64::from(vectors) * msix::ENTRY_BYTES;
    table.next_power_of_two().max(0x800)
}

/// One vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Vector {
    /// The entry as the driver sees it: address, data, control.
    entry: u128,
    pending: bool,
}

/// An entry after a reset: masked.
const MASKED: u128 = (msix::ENTRY_MASKED as u128) << (8 * msix::ENTRY_CONTROL);
/// The bits of an entry that hold something; of the control word only the mask.
const HELD: u128 = MASKED | ((1 << (8 * msix::ENTRY_CONTROL)) - 1);

/// The table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    vectors: Vec<Vector>,
    /// Where the pending bits begin.
    half: u64,
}

impl Table {
    pub(crate) fn new(vectors: u16) -> Self {
        let vector = Vector {
            entry: MASKED,
            pending: false,
        };
        Self {
            vectors: vec![vector; vectors.into()],
            half: half(vectors),
        }
    }

    pub(crate) fn reset(&mut self) {
        self.vectors.fill(Vector {
            entry: MASKED,
            pending: false,
        });
    }

    /// Address and data of a vector's message.
    pub(crate) fn message(&self, vector: u16) -> Option<(u64, u32)> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] =
            self.vectors.get(usize::from(vector))?.entry.to_le_bytes();
        let address = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Some((address, u32::from_le_bytes([i, j, k, l])))
    }

    /// The device wants to send; `false` if there is no such vector.
    pub(crate) fn raise(&mut self, vector: u16) -> bool {
        match self.vectors.get_mut(usize::from(vector)) {
            Some(vector) => {
                vector.pending = true;
                true
            }
            None => false,
        }
    }

    /// Forgets what was not sent.
    pub(crate) fn forget(&mut self) {
        for vector in &mut self.vectors {
            vector.pending = false;
        }
    }

    /// The lowest vector that waits and is not masked; it no longer waits.
    pub(crate) fn take(&mut self) -> Option<u16> {
        let ready = |v: &Vector| v.pending && v.entry & MASKED == 0;
        let index = self.vectors.iter().position(ready)?;
        self.vectors.get_mut(index)?.pending = false;
        u16::try_from(index).ok()
    }

    fn byte(&self, at: u64) -> u8 {
        let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        if let Some(bit) = at.checked_sub(self.half) {
            let first = index(bit.saturating_mul(8));
            let eight = self.vectors.iter().skip(first).take(8);
            return eight.rev().fold(0, |all, v| all << 1 | u8::from(v.pending));
        }
        let vector = self.vectors.get(index(at / msix::ENTRY_BYTES));
        let bytes = vector.map(|v| v.entry.to_le_bytes()).unwrap_or_default();
        let byte = bytes.get(index(at % msix::ENTRY_BYTES));
        byte.copied().unwrap_or(0)
    }

    pub(crate) fn read(&self, at: u64, width: Width) -> u64 {
        let mut bytes = [0; 8];
        for (byte, i) in bytes.iter_mut().zip(0..width.bytes()) {
            *byte = self.byte(at.saturating_add(i));
        }
        u64::from_le_bytes(bytes)
    }

    /// Changes entries; pending bits are read-only.
    pub(crate) fn write(&mut self, at: u64, width: Width, value: u64) {
        for (new, i) in value.to_le_bytes().into_iter().zip(0..width.bytes()) {
            let at = at.saturating_add(i);
            let index = usize::try_from(at / msix::ENTRY_BYTES).unwrap_or(usize::MAX);
            let Some(vector) = self.vectors.get_mut(index).filter(|_| at < self.half) else {
                continue;
            };
            let mut bytes = vector.entry.to_le_bytes();
            let byte = usize::try_from(at % msix::ENTRY_BYTES).unwrap_or(usize::MAX);
            if let Some(byte) = bytes.get_mut(byte) {
                *byte = new;
            }
            vector.entry = u128::from_le_bytes(bytes) & HELD;
        }
    }

    pub(crate) fn inspect(&self, tree: &mut Tree) {
        for (i, vector) in self.vectors.iter().enumerate() {
            let index = u16::try_from(i).unwrap_or(u16::MAX);
            let (address, data) = self.message(index).unwrap_or_default();
            tree.branch(&format!("vector{i}"), |t| {
                t.hex("address", address);
                t.hex("data", data);
                t.flag("masked", vector.entry & MASKED != 0);
                t.flag("pending", vector.pending);
            });
        }
    }

    pub(crate) fn save(&self, w: &mut Writer) {
        for vector in &self.vectors {
            w.raw(&vector.entry.to_le_bytes());
            w.bool(vector.pending);
        }
    }

    pub(crate) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        for vector in &mut self.vectors {
            let (low, high) = (r.u64()?, r.u64()?);
            vector.entry = (u128::from(low) | u128::from(high) << 64) & HELD;
            vector.pending = r.bool("vector pending")?;
        }
        Ok(())
    }
}
