//! From virtual addresses to RAM: the soft TLB in front, page-table walk, PMP and MMIO behind.
//!
//! The fast paths are in the interpreter, over [`tlb`]; everything here is the slow path. It fills
//! the TLB for accesses that the fast path may repeat: in RAM, with one PMP verdict for the whole
//! page, and for stores a page without cached code.

mod inspect;
mod tlb;
mod walk;

#[cfg(test)]
mod tests;

use crate::csr::pmp::Verdict;
use crate::state::HartState;
use crate::trap::{Exception, Privilege, cause};
pub use inspect::{Walk, WalkEnd, WalkStep, inspect};
use maquette_model::{MmioOp, PhysAddr, Ram, Width};
pub(crate) use tlb::{ContextTable, Tlbs};

/// What an access is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// An instruction fetch.
    Fetch,
    /// A load.
    Load,
    /// A store or an atomic.
    Store,
}

/// The two ways in which an access is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// By the page tables.
    Page,
    /// By PMP or by the bus.
    Access,
}

/// Why a data access did not complete at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// It raised an exception.
    Exception(Exception),
    /// It would have succeeded, but setting A on the way changed cached code, perhaps of the running
    /// block: begin the instruction again.
    Again,
    /// It belongs to a device.
    Mmio {
        addr: PhysAddr,
        width: Width,
        op: MmioOp,
    },
}

impl From<Exception> for Stop {
    fn from(e: Exception) -> Self {
        Self::Exception(e)
    }
}

/// The exception that `fault` is for `access` at `va`.
pub(crate) const fn exception(access: Access, fault: Fault, va: u64) -> Exception {
    let cause = match (access, fault) {
        (Access::Fetch, Fault::Page) => cause::FETCH_PAGE,
        (Access::Fetch, Fault::Access) => cause::FETCH_ACCESS,
        (Access::Load, Fault::Page) => cause::LOAD_PAGE,
        (Access::Load, Fault::Access) => cause::LOAD_ACCESS,
        (Access::Store, Fault::Page) => cause::STORE_PAGE,
        (Access::Store, Fault::Access) => cause::STORE_ACCESS,
    };
    Exception { cause, tval: va }
}

/// A translated piece of an access that lies in one page.
#[derive(Clone, Copy)]
struct Piece {
    pa: u64,
    /// Level of the page; for the TLB.
    level: u32,
    /// Whether the TLB may have it.
    caching: Caching,
}

/// What the TLB has to do with a [`Piece`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// It was found there.
    Known,
    /// It may go there: PMP gives one answer for the whole page.
    Allowed,
    /// PMP splits the page: each access is checked by itself.
    Refused,
}

/// Translates and checks `len` bytes at `va` that lie in one page.
fn resolve(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    len: u64,
    access: Access,
    prv: Privilege,
) -> Result<Piece, Exception> {
    let fault = |f| exception(access, f, va);
    let t = walk::translate(h, ram, va, access, prv).map_err(fault)?;
    let page = t.pa & !0xfff;
    let whole = h.csr.pmp.check(page, page | 0xfff, access, prv);
    let (allowed, caching) = match whole {
        Verdict::Uniform(ok) => (ok, Caching::Allowed),
        Verdict::Partial => {
            let part = h
                .csr
                .pmp
                .check(t.pa, t.pa.wrapping_add(len - 1), access, prv);
            (part == Verdict::Uniform(true), Caching::Refused)
        }
    };
    if allowed {
        Ok(Piece {
            pa: t.pa,
            level: t.level,
            caching,
        })
    } else {
        Err(fault(Fault::Access))
    }
}

/// Where an aligned store goes: by the translation that the TLB holds, even while the page has no fast
/// path, or else by a walk.
fn resolve_store(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    size: u64,
    prv: Privilege,
) -> Result<Piece, Exception> {
    match h.tlb.store_page(va, size) {
        Some(page) => Ok(Piece {
            pa: page | (va & 0xfff),
            level: 0,
            caching: Caching::Known,
        }),
        None => resolve(h, ram, va, size, Access::Store, prv),
    }
}

/// Remembers where a store to RAM went, and lets the next one take the fast path if the page may have
/// one.
fn remember_store(h: &mut HartState, ram: &Ram, va: u64, p: Piece) {
    if p.caching == Caching::Allowed {
        h.tlb.fill_store(va, p.level, p.pa & !0xfff);
    }
    if p.caching != Caching::Refused
        && let Some(page) = ram.fast_write_page(PhysAddr(p.pa))
    {
        h.tlb.open_store(va, page);
    }
}

/// The physical address of the instruction at `va`, and whether the page may be cached.
pub(crate) fn fetch_slow(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    len: u64,
) -> Result<(u64, bool), Exception> {
    h.profile.fetch_misses += 1;
    let p = resolve(h, ram, va, len, Access::Fetch, h.prv)?;
    if ram.offset(PhysAddr(p.pa), len).is_none() {
        return Err(exception(Access::Fetch, Fault::Access, va));
    }
    let cacheable = p.caching == Caching::Allowed;
    if cacheable {
        h.tlb.fill_fetch(va, p.level, p.pa & !0xfff);
    }
    Ok((p.pa, cacheable))
}

/// Bytes of an access at `va` that lie in its first page.
const fn first_part(va: u64, size: u64) -> u64 {
    let room = 0x1000 - (va & 0xfff);
    if room < size { room } else { size }
}

/// A load that missed the TLB.
#[cold]
#[inline(never)]
pub(crate) fn load_slow(h: &mut HartState, ram: &Ram, va: u64, width: Width) -> Result<u64, Stop> {
    let v = load(h, ram, va, width)?;
    if ram.code_cursor() == h.code_cursor {
        Ok(v)
    } else {
        Err(Stop::Again)
    }
}

fn load(h: &mut HartState, ram: &Ram, va: u64, width: Width) -> Result<u64, Stop> {
    h.profile.data_misses += 1;
    let prv = h.data_privilege();
    let size = width.bytes();
    let first = first_part(va, size);
    let p = resolve(h, ram, va, first, Access::Load, prv)?;
    if first < size {
        return load_split(h, ram, va, size, p, prv);
    }
    let mut bytes = [0; 8];
    let len = usize::try_from(size).unwrap_or(8).min(8);
    if ram.read(PhysAddr(p.pa), bytes.split_at_mut(len).0) {
        if p.caching == Caching::Allowed
            && let Some(page) = ram.read_page(PhysAddr(p.pa))
        {
            h.tlb.fill_load(va, p.level, page);
        }
        return Ok(u64::from_le_bytes(bytes));
    }
    if !va.is_multiple_of(size) {
        // Devices take aligned accesses only.
        return Err(exception(Access::Load, Fault::Access, va).into());
    }
    Err(Stop::Mmio {
        addr: PhysAddr(p.pa),
        width,
        op: MmioOp::Read,
    })
}

/// A load over a page end: both pieces must be RAM.
fn load_split(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    size: u64,
    low: Piece,
    prv: Privilege,
) -> Result<u64, Stop> {
    let first = first_part(va, size);
    let second_va = va.wrapping_add(first);
    let high = resolve(h, ram, second_va, size - first, Access::Load, prv)?;
    let mut value = 0u64;
    for i in 0..size {
        let (pa, at) = if i < first {
            (low.pa + i, va)
        } else {
            (high.pa + i - first, second_va)
        };
        let Some([b]) = ram.read_array(PhysAddr(pa)) else {
            return Err(exception(Access::Load, Fault::Access, at).into());
        };
        value |= u64::from(b) << (8 * i);
    }
    Ok(value)
}

/// A store that missed the TLB.
#[cold]
#[inline(never)]
pub(crate) fn store_slow(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    width: Width,
    v: u64,
) -> Result<(), Stop> {
    h.profile.data_misses += 1;
    let prv = h.data_privilege();
    let size = width.bytes();
    let first = first_part(va, size);
    let p = if first == size {
        resolve_store(h, ram, va, size, prv)?
    } else {
        resolve(h, ram, va, first, Access::Store, prv)?
    };
    let bytes = v.to_le_bytes();
    let (data, _) = bytes.split_at(usize::try_from(size).unwrap_or(8).min(8));
    if first < size {
        let second_va = va.wrapping_add(first);
        let q = resolve(h, ram, second_va, size - first, Access::Store, prv)?;
        let (low, high) = data.split_at(usize::try_from(first).unwrap_or(0).min(data.len()));
        let both = [(p.pa, low, va), (q.pa, high, second_va)];
        for (pa, part, at) in both {
            if ram.offset(PhysAddr(pa), part.len() as u64).is_none() {
                return Err(exception(Access::Store, Fault::Access, at).into());
            }
        }
        for (pa, part, _) in both {
            let _in_ram = ram.write(PhysAddr(pa), part);
        }
        return Ok(());
    }
    if ram.write(PhysAddr(p.pa), data) {
        remember_store(h, ram, va, p);
        return Ok(());
    }
    if !va.is_multiple_of(size) {
        return Err(exception(Access::Store, Fault::Access, va).into());
    }
    Err(Stop::Mmio {
        addr: PhysAddr(p.pa),
        width,
        op: MmioOp::Write(v & width.mask()),
    })
}

/// The physical address of an aligned atomic access, which must lie in RAM.
#[inline(never)]
pub(crate) fn atomic_address(
    h: &mut HartState,
    ram: &Ram,
    va: u64,
    size: u64,
    access: Access,
) -> Result<PhysAddr, Exception> {
    if !va.is_multiple_of(size) {
        let cause = if access == Access::Load {
            cause::LOAD_MISALIGNED
        } else {
            cause::STORE_MISALIGNED
        };
        return Err(Exception { cause, tval: va });
    }
    let prv = h.data_privilege();
    let p = if access == Access::Store {
        resolve_store(h, ram, va, size, prv)?
    } else {
        resolve(h, ram, va, size, access, prv)?
    };
    let pa = PhysAddr(p.pa);
    if ram.offset(pa, size).is_none() {
        return Err(exception(access, Fault::Access, va));
    }
    if access == Access::Store {
        remember_store(h, ram, va, p);
    }
    Ok(pa)
}

/// The address of a cache block, whose management needs the right to load or to store (CMO §2.5.2).
pub(crate) fn cache_block_address(h: &mut HartState, ram: &Ram, va: u64) -> Result<(), Exception> {
    let prv = h.data_privilege();
    match resolve(h, ram, va, 1, Access::Load, prv) {
        Ok(_) => Ok(()),
        Err(_) => resolve(h, ram, va, 1, Access::Store, prv).map(|_| ()),
    }
}

/// Translates `va` as a load of the supervisor would, without side effects on the TLB: how the
/// machine reads the arguments of legacy firmware calls.
pub(crate) fn probe(h: &mut HartState, ram: &Ram, va: u64) -> Option<PhysAddr> {
    let prv = h.data_privilege();
    resolve(h, ram, va, 1, Access::Load, prv)
        .ok()
        .map(|p| PhysAddr(p.pa))
}
