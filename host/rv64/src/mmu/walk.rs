//! Page-table walks: Sv39, Sv48 and Sv57 (privileged ISA §4.3 to §4.6), with A and D by Svade or Svadu.

use super::{Access, Fault};
use crate::csr::pmp::Verdict;
use crate::csr::{envcfg, mstatus};
use crate::state::HartState;
use crate::trap::Privilege;
use maquette_model::{PhysAddr, Ram};

pub(super) const V: u64 = 1;
pub(super) const R: u64 = 1 << 1;
pub(super) const W: u64 = 1 << 2;
pub(super) const X: u64 = 1 << 3;
pub(super) const U: u64 = 1 << 4;
pub(super) const A: u64 = 1 << 6;
pub(super) const D: u64 = 1 << 7;
/// Bits 63:54: no Svnapot, no Svpbmt, the rest reserved.
pub(super) const RESERVED: u64 = !0 << 54;
pub(super) const PPN_SHIFT: u32 = 10;
pub(super) const PPN_MASK: u64 = (1 << 44) - 1;

/// Where an address leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Translation {
    pub(crate) pa: u64,
    /// 0 for a 4 KiB page, 1 for 2 MiB, …; 0 if there is no translation.
    pub(crate) level: u32,
}

/// Translates `va` for an access with the privilege `prv`.
pub(crate) fn translate(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    access: Access,
    prv: Privilege,
) -> Result<Translation, Fault> {
    let levels = match h.csr.satp >> 60 {
        8 if prv != Privilege::Machine => 3,
        9 if prv != Privilege::Machine => 4,
        10 if prv != Privilege::Machine => 5,
        _ => return Ok(Translation { pa: va, level: 0 }),
    };
    let bits = 12 + 9 * levels;
    let sign_extended = ((va << (64 - bits)).cast_signed() >> (64 - bits)).cast_unsigned();
    if sign_extended != va {
        return Err(Fault::Page);
    }
    h.profile.walks += 1;
    let mut table = (h.csr.satp & PPN_MASK) << 12;
    for level in (0..levels).rev() {
        let at = table + (va >> (12 + 9 * level) & 0x1ff) * 8;
        let pte = read_pte(h, ram, at)?;
        if pte & V == 0 || pte & (R | W) == W || pte & RESERVED != 0 {
            return Err(Fault::Page);
        }
        let ppn = pte >> PPN_SHIFT & PPN_MASK;
        if pte & (R | X) == 0 {
            if pte & (A | D | U) != 0 {
                return Err(Fault::Page);
            }
            table = ppn << 12;
            continue;
        }
        let offset_mask = (1u64 << (12 + 9 * level)) - 1;
        if (ppn << 12) & offset_mask != 0 || !permitted(h, pte, access, prv) {
            return Err(Fault::Page);
        }
        accessed(h, ram, at, pte, access)?;
        return Ok(Translation {
            pa: (ppn << 12) | (va & offset_mask),
            level,
        });
    }
    Err(Fault::Page)
}

fn read_pte(h: &HartState, ram: &Ram, at: u64) -> Result<u64, Fault> {
    check_pte_access(h, at, Access::Load)?;
    ram.read_u64(PhysAddr(at)).ok_or(Fault::Access)
}

/// Page tables are read and written with the rights of S (§3.7.2).
fn check_pte_access(h: &HartState, at: u64, access: Access) -> Result<(), Fault> {
    match h
        .csr
        .pmp
        .check(at, at.wrapping_add(7), access, Privilege::Supervisor)
    {
        Verdict::Uniform(true) => Ok(()),
        _ => Err(Fault::Access),
    }
}

fn permitted(h: &HartState, pte: u64, access: Access, prv: Privilege) -> bool {
    let status = h.csr.mstatus;
    let user_page = pte & U != 0;
    let level_ok = match (prv, user_page) {
        (Privilege::User, user) => user,
        (_, false) => true,
        (_, true) => access != Access::Fetch && status & mstatus::SUM != 0,
    };
    let right = match access {
        Access::Fetch => pte & X != 0,
        Access::Load => pte & R != 0 || (pte & X != 0 && status & mstatus::MXR != 0),
        Access::Store => pte & W != 0,
    };
    level_ok && right
}

/// Step 7 of §4.3.2: A, and D for stores, are set by hardware (Svadu) or by the fault's handler.
fn accessed(h: &HartState, ram: &Ram, at: u64, pte: u64, access: Access) -> Result<(), Fault> {
    let needs = if access == Access::Store { A | D } else { A };
    if pte & needs == needs {
        return Ok(());
    }
    if h.csr.menvcfg & envcfg::ADUE == 0 {
        return Err(Fault::Page);
    }
    check_pte_access(h, at, Access::Store)?;
    if ram.write(PhysAddr(at), &(pte | needs).to_le_bytes()) {
        Ok(())
    } else {
        Err(Fault::Access)
    }
}
