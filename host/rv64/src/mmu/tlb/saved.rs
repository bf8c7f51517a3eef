//! What of the TLB a snapshot holds: the translations, without the host's addresses.
//!
//! A guest may see a translation that its page table no longer has until it fences, and rightly relies
//! on the hart not to set A again before; so going on from a snapshot needs what the TLB knew.

use super::{ContextTable, EMPTY, ENTRIES, Entry, PAGE_MASK, SLOTS, Tlbs, index};
use maquette_model::{LoadError, PhysAddr, Ram, Reader, Writer};

/// Bits of a tag that no entry has: an address's place in its page below the context.
const NEVER: u64 = 7;

impl Tlbs {
    /// Writes the translations and the superpage filter.
    pub(crate) fn save(&self, ram: &Ram, w: &mut Writer) {
        let host = host_base(ram);
        let of_load = |e: &Entry| {
            let page = e.addend.wrapping_add(e.tag & PAGE_MASK);
            page.wrapping_sub(host).wrapping_add(ram.base().0)
        };
        save_table(&self.load[..], of_load, w);
        save_table(&self.store_page[..], |e| e.addend, w);
        save_table(&self.fetch[..], |e| e.addend, w);
        self.superpages.iter().for_each(|&bits| w.u64(bits));
    }

    /// Replaces everything by what was saved. Stores get their fast paths again as they come.
    ///
    /// # Errors
    /// An entry that no hart could have, or that leads out of RAM.
    pub(crate) fn load(&mut self, ram: &Ram, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.flush();
        let host = host_base(ram);
        let into_load = |tag: u64, page: u64| {
            let at = page.wrapping_sub(ram.base().0).wrapping_add(host);
            at.wrapping_sub(tag & PAGE_MASK)
        };
        load_table(&mut self.load[..], into_load, ram, r)?;
        load_table(&mut self.store_page[..], |_, page| page, ram, r)?;
        load_table(&mut self.fetch[..], |_, page| page, ram, r)?;
        for bits in &mut self.superpages {
            *bits = r.u64()?;
        }
        Ok(())
    }
}

/// Where RAM begins on the host.
fn host_base(ram: &Ram) -> u64 {
    ram.read_page(ram.base())
        .map_or(0, |page| page.expose_provenance() as u64)
}

fn save_table(table: &[Entry], page: impl Fn(&Entry) -> u64, w: &mut Writer) {
    let known = || table.iter().filter(|e| e.tag != EMPTY.tag);
    w.u32(u32::try_from(known().count()).unwrap_or(0));
    for e in known() {
        w.u64(e.tag);
        w.u64(page(e));
    }
}

fn load_table(
    table: &mut [Entry],
    addend: impl Fn(u64, u64) -> u64,
    ram: &Ram,
    r: &mut Reader<'_>,
) -> Result<(), LoadError> {
    let refused = |field, value| Err(LoadError::Value { field, value });
    let count = r.u32()?;
    if u64::from(count) > ENTRIES as u64 {
        return refused("translations", count.into());
    }
    for _ in 0..count {
        let (tag, page) = (r.u64()?, r.u64()?);
        if tag & NEVER != 0 || tag == EMPTY.tag {
            return refused("translation", tag);
        }
        let whole = page & !PAGE_MASK == 0 && ram.offset(PhysAddr(page), 0x1000).is_some();
        if !whole {
            return refused("translated page", page);
        }
        if let Some(e) = table.get_mut(index(tag)) {
            *e = Entry {
                tag,
                addend: addend(tag, page),
            };
        }
    }
    Ok(())
}

impl ContextTable {
    /// Writes which address spaces have which number.
    pub(crate) fn save(&self, w: &mut Writer) {
        w.u32(u32::try_from(self.known.len()).unwrap_or(0));
        self.known.iter().for_each(|&satp| w.u64(satp));
        w.u32(u32::try_from(self.next).unwrap_or(0));
    }

    /// Reads what [`ContextTable::save`] wrote.
    ///
    /// # Errors
    /// More address spaces than there are numbers.
    pub(crate) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let slot = |r: &mut Reader<'_>, end: usize| {
            let v = r.u32()?;
            match usize::try_from(v) {
                Ok(n) if n <= end => Ok(n),
                _ => Err(LoadError::Value {
                    field: "address spaces",
                    value: v.into(),
                }),
            }
        };
        let count = slot(r, SLOTS)?;
        self.known = (0..count).map(|_| r.u64()).collect::<Result<_, _>>()?;
        self.next = slot(r, SLOTS - 1)?;
        Ok(())
    }
}
