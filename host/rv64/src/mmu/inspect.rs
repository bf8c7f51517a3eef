//! Page-table walks for people: level by level, changing nothing and refusing nothing that leads somewhere.

use super::walk::{PPN_MASK, PPN_SHIFT, R, RESERVED, V, W, X};
use crate::state::HartState;
use crate::trap::Privilege;
use maquette_model::{PhysAddr, Ram, VirtAddr};

/// One level of a walk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalkStep {
    /// The level, 0 for 4 KiB pages.
    pub level: u32,
    /// Where the entry is.
    pub at: PhysAddr,
    /// The entry, if there is RAM.
    pub entry: Option<u64>,
}

/// Where a walk leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalkEnd {
    /// To this address.
    Mapped(PhysAddr),
    /// The bits above the virtual address are not copies of its highest one.
    NotCanonical,
    /// An entry lies outside RAM.
    NoMemory,
    /// An entry is not valid.
    NotValid,
    /// An entry is malformed: reserved bits, write without read, a misaligned superpage or no leaf.
    Malformed,
}

/// A walk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk {
    /// `Bare`, `Sv39`, `Sv48` or `Sv57`; in M-mode addresses are physical.
    pub mode: &'static str,
    /// Its levels, from the root.
    pub steps: Vec<WalkStep>,
    /// Where it leads.
    pub end: WalkEnd,
}

/// Walks the page tables that are in force for `va` (privileged ISA §4.3.2 without steps 5 to 7: rights, A
/// and D do not matter to who only looks).
#[must_use]
pub fn inspect(h: &HartState, ram: &Ram, va: VirtAddr) -> Walk {
    let (mode, levels) = match h.csr.satp >> 60 {
        _ if h.prv == Privilege::Machine => ("Bare", 0u32),
        8 => ("Sv39", 3),
        9 => ("Sv48", 4),
        10 => ("Sv57", 5),
        _ => ("Bare", 0),
    };
    let mut steps = Vec::new();
    let end = descend(h.csr.satp, ram, va.0, levels, &mut steps);
    Walk { mode, steps, end }
}

fn descend(satp: u64, ram: &Ram, va: u64, levels: u32, steps: &mut Vec<WalkStep>) -> WalkEnd {
    if levels == 0 {
        return WalkEnd::Mapped(PhysAddr(va));
    }
    let unused = 64 - (12 + 9 * levels);
    if ((va << unused).cast_signed() >> unused).cast_unsigned() != va {
        return WalkEnd::NotCanonical;
    }
    let mut table = (satp & PPN_MASK) << 12;
    for level in (0..levels).rev() {
        let at = PhysAddr(table + (va >> (12 + 9 * level) & 0x1ff) * 8);
        let entry = ram.read_u64(at);
        steps.push(WalkStep { level, at, entry });
        let Some(pte) = entry else {
            return WalkEnd::NoMemory;
        };
        if pte & V == 0 {
            return WalkEnd::NotValid;
        }
        if pte & (R | W) == W || pte & RESERVED != 0 {
            return WalkEnd::Malformed;
        }
        let base = (pte >> PPN_SHIFT & PPN_MASK) << 12;
        if pte & (R | X) == 0 {
            table = base;
            continue;
        }
        let offset = (1u64 << (12 + 9 * level)) - 1;
        return if base & offset == 0 {
            WalkEnd::Mapped(PhysAddr(base | va & offset))
        } else {
            WalkEnd::Malformed
        };
    }
    WalkEnd::Malformed
}
