//! A hart that reads one register for ever and always gets the same value.

use super::{Access, Place};
use maquette_model::{LoadError, PhysAddr, Reader, Writer};
use std::collections::BTreeMap;

/// So many equal reads in a row are a spin. At a few instructions a turn this is about a millisecond
/// of a 1 GHz hart; drivers that poll a device wait microseconds.
pub const SPIN_READS: u64 = 100_000;

/// So many different spins are kept.
const KEPT: usize = 64;

/// A hart that read the same register at the same pc and got the same value again and again, with no
/// other access, firmware call or wait in between.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spin {
    /// Which hart was the first.
    pub hart: usize,
    /// Where it reads.
    pub pc: u64,
    /// What it reads.
    pub place: Place,
    /// The register's address.
    pub addr: PhysAddr,
    /// What it gets.
    pub value: u64,
    /// How often in a row, at most.
    pub reads: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Poll {
    pc: u64,
    addr: u64,
    value: u64,
    reads: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) hart: usize,
    pub(crate) value: u64,
    pub(crate) reads: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Polling {
    /// By hart, as far as harts have accessed anything.
    harts: Vec<Poll>,
    /// By pc and address.
    pub(crate) spins: BTreeMap<(u64, u64), Entry>,
}

impl Polling {
    /// A hart has accessed something; from `least` equal reads in a row on, it spins.
    pub(super) fn access(&mut self, a: &Access, least: u64) {
        if self.harts.len() <= a.hart {
            self.harts.resize(a.hart + 1, Poll::default());
        }
        let Some(poll) = self.harts.get_mut(a.hart) else {
            return;
        };
        let Some(value) = a.value else {
            *poll = Poll::default();
            return;
        };
        let same = poll.pc == a.pc && poll.addr == a.addr.0 && poll.value == value;
        *poll = Poll {
            pc: a.pc,
            addr: a.addr.0,
            value,
            reads: if same { poll.reads + 1 } else { 1 },
        };
        if poll.reads >= least {
            let poll = *poll;
            self.spins(a.hart, poll);
        }
    }

    #[cold]
    fn spins(&mut self, hart: usize, poll: Poll) {
        let key = (poll.pc, poll.addr);
        let (value, reads) = (poll.value, poll.reads);
        let is_full = self.spins.len() >= KEPT;
        match self.spins.get_mut(&key) {
            Some(entry) if entry.reads < reads => {
                entry.value = value;
                entry.reads = reads;
            }
            Some(_) => {}
            None if is_full => {}
            None => {
                self.spins.insert(key, Entry { hart, value, reads });
            }
        }
    }

    pub(super) fn forget(&mut self, hart: usize) {
        if let Some(poll) = self.harts.get_mut(hart) {
            *poll = Poll::default();
        }
    }

    pub(super) fn restart(&mut self) {
        self.harts.clear();
    }

    pub(super) fn save(&self, w: &mut Writer) {
        w.u64(self.harts.len() as u64);
        for poll in &self.harts {
            for v in [poll.pc, poll.addr, poll.value, poll.reads] {
                w.u64(v);
            }
        }
        w.u64(self.spins.len() as u64);
        for ((pc, addr), entry) in &self.spins {
            for v in [*pc, *addr, entry.hart as u64, entry.value, entry.reads] {
                w.u64(v);
            }
        }
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let mut polling = Self::default();
        for _ in 0..r.u64()? {
            polling.harts.push(Poll {
                pc: r.u64()?,
                addr: r.u64()?,
                value: r.u64()?,
                reads: r.u64()?,
            });
        }
        for _ in 0..r.u64()? {
            let key = (r.u64()?, r.u64()?);
            let entry = Entry {
                hart: usize::try_from(r.u64()?).unwrap_or(usize::MAX),
                value: r.u64()?,
                reads: r.u64()?,
            };
            polling.spins.insert(key, entry);
        }
        Ok(polling)
    }
}
