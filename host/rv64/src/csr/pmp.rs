//! Physical memory protection: 16 entries (privileged ISA §3.7).

use crate::mmu::Access;
use crate::trap::Privilege;

/// Entries.
pub const ENTRIES: usize = 16;
const R: u8 = 1;
const W: u8 = 2;
const X: u8 = 4;
const LOCK: u8 = 0x80;
/// `pmpaddr` holds bits 55:2 of an address.
const ADDR_MASK: u64 = (1 << 54) - 1;

/// How an entry matches (field A of its configuration).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matching {
    Off,
    /// From the entry before to this one.
    TopOfRange,
    /// Four bytes.
    Na4,
    /// A naturally aligned power of two.
    Napot,
}

const fn matching(cfg: u8) -> Matching {
    match cfg >> 3 & 3 {
        1 => Matching::TopOfRange,
        2 => Matching::Na4,
        3 => Matching::Napot,
        _ => Matching::Off,
    }
}

/// What PMP says about a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// One entry (or none) decides for the whole range.
    Uniform(bool),
    /// An entry covers only part of the range.
    Partial,
}

/// The protection unit of one hart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pmp {
    cfg: [u8; ENTRIES],
    addr: [u64; ENTRIES],
    /// Inclusive byte ranges, derived; `None` where the entry is off or empty.
    ranges: [Option<(u64, u64)>; ENTRIES],
}

impl Pmp {
    /// Whether an access of `prv` to all of `start..=last` is allowed, and uniformly so.
    #[must_use]
    pub fn check(&self, start: u64, last: u64, access: Access, prv: Privilege) -> Verdict {
        for (range, &cfg) in self.ranges.iter().zip(&self.cfg) {
            let Some((lo, hi)) = *range else { continue };
            if last < lo || start > hi {
                continue;
            }
            if start < lo || last > hi {
                return Verdict::Partial;
            }
            if prv == Privilege::Machine && cfg & LOCK == 0 {
                return Verdict::Uniform(true);
            }
            let need = match access {
                Access::Fetch => X,
                Access::Load => R,
                Access::Store => W,
            };
            return Verdict::Uniform(cfg & need != 0);
        }
        Verdict::Uniform(prv == Privilege::Machine)
    }

    /// Reads eight configurations: `pmpcfg0` with `first` = 0, `pmpcfg2` with 8.
    #[must_use]
    pub fn read_cfg(&self, first: usize) -> u64 {
        self.cfg
            .iter()
            .skip(first)
            .take(8)
            .rev()
            .fold(0, |v, &c| v << 8 | u64::from(c))
    }

    /// Writes eight configurations, as far as they are not locked.
    pub fn write_cfg(&mut self, first: usize, v: u64) {
        for (cfg, new) in self.cfg.iter_mut().skip(first).zip(v.to_le_bytes()) {
            if *cfg & LOCK == 0 {
                // W without R is reserved; it reads back as no access.
                let new = new & !0x60;
                *cfg = if new & (R | W) == W { new & !W } else { new };
            }
        }
        self.derive();
    }

    /// Reads `pmpaddr<i>`.
    #[must_use]
    pub fn read_addr(&self, i: usize) -> u64 {
        self.addr.get(i).copied().unwrap_or(0)
    }

    /// Writes `pmpaddr<i>` unless it is locked, by its own entry or by a locked range above it.
    pub fn write_addr(&mut self, i: usize, v: u64) {
        let locked = |i: usize| self.cfg.get(i).is_some_and(|c| c & LOCK != 0);
        let next_is_tor = self
            .cfg
            .get(i + 1)
            .is_some_and(|&c| matching(c) == Matching::TopOfRange);
        if locked(i) || (locked(i + 1) && next_is_tor) {
            return;
        }
        if let Some(a) = self.addr.get_mut(i) {
            *a = v & ADDR_MASK;
        }
        self.derive();
    }

    fn derive(&mut self) {
        let mut below = 0;
        for ((range, &cfg), &addr) in self.ranges.iter_mut().zip(&self.cfg).zip(&self.addr) {
            *range = match matching(cfg) {
                Matching::Off => None,
                Matching::TopOfRange if addr > below => Some((below << 2, (addr << 2) - 1)),
                Matching::TopOfRange => None,
                Matching::Na4 => Some((addr << 2, (addr << 2) + 3)),
                Matching::Napot => {
                    let ones = addr.trailing_ones().min(54);
                    let size_mask = (8u64 << ones) - 1;
                    let lo = (addr << 2) & !size_mask;
                    Some((lo, lo | size_mask))
                }
            };
            below = addr;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(p: &Pmp, at: u64, len: u64, a: Access, prv: Privilege) -> bool {
        p.check(at, at + len - 1, a, prv) == Verdict::Uniform(true)
    }

    #[test]
    fn rv_14_pmp_without_entries_stops_all_but_machine_mode() {
        let p = Pmp::default();
        assert!(allows(&p, 0x8000_0000, 8, Access::Load, Privilege::Machine));
        assert!(!allows(
            &p,
            0x8000_0000,
            8,
            Access::Load,
            Privilege::Supervisor
        ));
    }

    #[test]
    fn rv_14_pmp_first_matching_entry_decides_and_straddling_fails() {
        let mut p = Pmp::default();
        p.write_addr(0, 0x8000_1000 >> 2 | 0x1ff); // NAPOT, 4 KiB
        p.write_addr(1, u64::MAX);
        p.write_cfg(0, 0x1f << 8 | 0x19); // entry 1: all, RWX; entry 0: R
        assert!(!allows(&p, 0x8000_1000, 8, Access::Store, Privilege::User));
        assert!(allows(&p, 0x8000_1ff8, 8, Access::Load, Privilege::User));
        assert_eq!(
            p.check(0x8000_1ffc, 0x8000_2003, Access::Load, Privilege::User),
            Verdict::Partial
        );
        assert!(allows(&p, 0x8000_2000, 8, Access::Store, Privilege::User));
        assert!(allows(
            &p,
            0x8000_1000,
            8,
            Access::Store,
            Privilege::Machine
        ));
    }

    #[test]
    fn rv_14_pmp_locked_entry_binds_machine_mode_and_cannot_change() {
        let mut p = Pmp::default();
        p.write_addr(0, 0x8000_0000 >> 2);
        p.write_addr(1, 0x8000_1000 >> 2);
        p.write_cfg(0, 0x89 << 8); // entry 1: locked TOR, read
        assert!(!allows(
            &p,
            0x8000_0800,
            4,
            Access::Store,
            Privilege::Machine
        ));
        p.write_cfg(0, 0x0f << 8);
        p.write_addr(1, 0);
        p.write_addr(0, 0);
        assert_eq!(
            (p.read_cfg(0), p.read_addr(1), p.read_addr(0)),
            (0x8900, 0x2000_0400, 0x2000_0000)
        );
    }

    #[test]
    fn rv_14_pmp_reserved_write_only_reads_back_as_no_access() {
        let mut p = Pmp::default();
        p.write_cfg(8, 0x1a);
        assert_eq!(p.read_cfg(8), 0x18);
    }
}
