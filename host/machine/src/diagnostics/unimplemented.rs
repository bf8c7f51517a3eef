//! Registers that the guest touched and no model implements: the list of what is still to be modelled,
//! or of what the driver gets wrong.

use super::{Access, Place};
use maquette_model::{LoadError, PhysAddr, Reader, Writer};
use std::collections::BTreeMap;

/// So many registers are listed; accesses to further ones are only counted.
pub const UNIMPLEMENTED_KEPT: usize = 256;

/// One such register, reads and writes apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unimplemented {
    /// Where.
    pub place: Place,
    /// Its physical address.
    pub addr: PhysAddr,
    /// Written, not read.
    pub write: bool,
    /// How often.
    pub count: u64,
    /// The hart and the pc of the first access.
    pub first: (usize, u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) count: u64,
    pub(crate) first: (usize, u64),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Registers {
    /// By address, reads first.
    pub(crate) known: BTreeMap<(u64, bool), Entry>,
    /// Accesses beyond what is kept.
    pub(crate) more: u64,
}

impl Registers {
    #[cold]
    pub(super) fn touched(&mut self, a: &Access) {
        let key = (a.addr.0, a.write);
        let is_full = self.known.len() >= UNIMPLEMENTED_KEPT;
        match self.known.get_mut(&key) {
            Some(entry) => entry.count += 1,
            None if is_full => self.more += 1,
            None => {
                let first = (a.hart, a.pc);
                self.known.insert(key, Entry { count: 1, first });
            }
        }
    }

    pub(super) fn save(&self, w: &mut Writer) {
        w.u64(self.known.len() as u64);
        for ((addr, write), entry) in &self.known {
            w.u64(*addr);
            w.bool(*write);
            w.u64(entry.count);
            w.u64(entry.first.0 as u64);
            w.u64(entry.first.1);
        }
        w.u64(self.more);
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let mut known = BTreeMap::new();
        for _ in 0..r.u64()? {
            let key = (r.u64()?, r.bool("write")?);
            let count = r.u64()?;
            let hart = usize::try_from(r.u64()?).unwrap_or(usize::MAX);
            let first = (hart, r.u64()?);
            known.insert(key, Entry { count, first });
        }
        let more = r.u64()?;
        Ok(Self { known, more })
    }
}
