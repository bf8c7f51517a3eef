//! The soft TLB: host pointers for loads and stores, physical pages for fetches.
//!
//! What a guest sees of it — translations that outlive their page tables until `sfence.vma` — is a
//! function of the guest's accesses alone: neither blocks nor pauses fill or evict anything.
//!
//! An entry's tag is the virtual page with the translation context in its low bits, so that one
//! compare checks page, privilege class, address space and natural alignment:
//!
//! ```text
//! 63                    12 11      3 2   0
//! [     virtual page      ] [context] [ 0 ]     tag
//! [     virtual page      ] [context] [low]     key: low address bits that must be zero
//! ```

#![expect(
    unsafe_code,
    reason = "loads and stores through host pointers are the hot path"
)]

mod saved;

use crate::csr::mstatus;
use crate::trap::Privilege;

/// Entries in each table.
pub(crate) const ENTRIES: usize = 512;
/// No key equals it: its context would be 0x1ff, which [`ContextTable`] never gives out.
const INVALID: u64 = u64::MAX;
const PAGE_MASK: u64 = !0xfff;

#[derive(Clone, Copy)]
struct Entry {
    tag: u64,
    /// Load and store: host address of the page minus its virtual address. Fetch: the physical page.
    addend: u64,
}

const EMPTY: Entry = Entry {
    tag: INVALID,
    addend: 0,
};

type Table = Box<[Entry; ENTRIES]>;

/// The tables of a hart and the contexts in force.
pub(crate) struct Tlbs {
    load: Table,
    /// The fast paths of stores. A page loses its own while it holds cached code, which depends on the
    /// shape of blocks; the translation stays in `store_page`, so that no guest can notice.
    store: Table,
    /// The physical pages that stores go to. `store` has an entry only where this has the same one.
    store_page: Table,
    fetch: Table,
    data_context: u64,
    fetch_context: u64,
    /// Bloom filter of the superpages that pieces were cached of.
    superpages: [u64; 4],
}

const fn index(va: u64) -> usize {
    ((va >> 12) & (ENTRIES as u64 - 1)) as usize
}

impl Tlbs {
    pub(crate) fn new() -> Self {
        let table = || Box::new([EMPTY; ENTRIES]);
        Self {
            load: table(),
            store: table(),
            store_page: table(),
            fetch: table(),
            data_context: 0,
            fetch_context: 0,
            superpages: [0; 4],
        }
    }

    /// Forgets everything.
    pub(crate) fn flush(&mut self) {
        self.load.fill(EMPTY);
        self.store.fill(EMPTY);
        self.store_page.fill(EMPTY);
        self.fetch.fill(EMPTY);
        self.superpages = [0; 4];
    }

    /// Forgets the fast paths of stores, and no translation.
    pub(crate) fn close_stores(&mut self) {
        self.store.fill(EMPTY);
    }

    /// The same for one physical page.
    pub(crate) fn close_stores_to(&mut self, pa_page: u64) {
        for (fast, known) in self.store.iter_mut().zip(self.store_page.iter()) {
            if known.addend == pa_page {
                *fast = EMPTY;
            }
        }
    }

    /// Forgets the translation of one address in every context.
    pub(crate) fn flush_address(&mut self, va: u64) {
        let in_superpage = (1..=4).any(|level| {
            let (word, bit) = superpage_bit(va, level);
            self.superpages[word] & bit != 0
        });
        if in_superpage {
            self.flush();
            return;
        }
        for table in [
            &mut self.load,
            &mut self.store,
            &mut self.store_page,
            &mut self.fetch,
        ] {
            table[index(va)] = EMPTY;
        }
    }

    /// Puts the contexts into force that belong to this privilege and status.
    pub(crate) fn select(&mut self, slot: u64, fetch: Privilege, data: Privilege, status: u64) {
        let sum = u64::from(status & mstatus::SUM != 0);
        let mxr = u64::from(status & mstatus::MXR != 0);
        self.fetch_context = (slot << 4 | (fetch as u64) << 2) << 3;
        self.data_context = (slot << 4 | (data as u64) << 2 | sum << 1 | mxr) << 3;
    }

    /// The host address for an aligned load of `size` bytes, if cached.
    #[inline(always)]
    pub(crate) fn load_address(&self, va: u64, size: u64) -> Option<HostAddr> {
        let e = &self.load[index(va)];
        let key = va & (PAGE_MASK | (size - 1)) | self.data_context;
        (e.tag == key).then(|| HostAddr(va.wrapping_add(e.addend)))
    }

    /// The host address for an aligned store of `size` bytes, if cached.
    #[inline(always)]
    pub(crate) fn store_address(&self, va: u64, size: u64) -> Option<HostAddr> {
        let e = &self.store[index(va)];
        let key = va & (PAGE_MASK | (size - 1)) | self.data_context;
        (e.tag == key).then(|| HostAddr(va.wrapping_add(e.addend)))
    }

    /// The physical page that an aligned store of `size` bytes goes to, if cached.
    pub(crate) fn store_page(&self, va: u64, size: u64) -> Option<u64> {
        let e = &self.store_page[index(va)];
        let key = va & (PAGE_MASK | (size - 1)) | self.data_context;
        (e.tag == key).then_some(e.addend)
    }

    /// The physical page that `va` is fetched from, if cached.
    #[inline(always)]
    pub(crate) fn fetch_page(&self, va: u64) -> Option<u64> {
        let e = &self.fetch[index(va)];
        (e.tag == va & PAGE_MASK | self.fetch_context).then_some(e.addend)
    }

    pub(crate) fn fill_load(&mut self, va: u64, level: u32, page: *const u8) {
        self.note_superpage(va, level);
        self.load[index(va)] = self.data_entry(va, page);
    }

    /// The fast path comes with [`Tlbs::open_store`], if the page may have one.
    pub(crate) fn fill_store(&mut self, va: u64, level: u32, pa_page: u64) {
        self.note_superpage(va, level);
        self.store[index(va)] = EMPTY;
        self.store_page[index(va)] = Entry {
            tag: va & PAGE_MASK | self.data_context,
            addend: pa_page,
        };
    }

    /// Gives stores to the page of `va`, which [`Tlbs::store_page`] knows, a fast path.
    pub(crate) fn open_store(&mut self, va: u64, page: *mut u8) {
        self.store[index(va)] = self.data_entry(va, page.cast_const());
    }

    pub(crate) fn fill_fetch(&mut self, va: u64, level: u32, pa_page: u64) {
        self.note_superpage(va, level);
        self.fetch[index(va)] = Entry {
            tag: va & PAGE_MASK | self.fetch_context,
            addend: pa_page,
        };
    }

    fn data_entry(&self, va: u64, page: *const u8) -> Entry {
        Entry {
            tag: va & PAGE_MASK | self.data_context,
            addend: (page.expose_provenance() as u64).wrapping_sub(va & PAGE_MASK),
        }
    }

    fn note_superpage(&mut self, va: u64, level: u32) {
        if level > 0 {
            let (word, bit) = superpage_bit(va, level);
            self.superpages[word] |= bit;
        }
    }
}

/// Where the superpage of `level` that holds `va` is noted in the filter.
fn superpage_bit(va: u64, level: u32) -> (usize, u64) {
    let page = (va >> (12 + 9 * level)).wrapping_add(u64::from(level) << 60);
    let hash = page.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

/// A host address inside guest RAM, valid for one naturally aligned access at once.
///
/// Only [`Tlbs`] makes them, from pages that RAM gave out; entries are dropped before RAM is, and a
/// store entry before its page becomes code.
#[derive(Clone, Copy)]
pub(crate) struct HostAddr(u64);

macro_rules! word_access {
    ($($load:ident $store:ident $ty:ty),+) => {
        impl HostAddr {
            $(
                #[inline(always)]
                pub(crate) fn $load(self) -> $ty {
                    let p = core::ptr::with_exposed_provenance::<$ty>(self.0 as usize);
                    // SAFETY: see `HostAddr`: aligned, inside the mapping of RAM, which outlives the
                    // TLB's entries; nobody else runs meanwhile.
                    <$ty>::from_le(unsafe { p.read() })
                }
                #[inline(always)]
                pub(crate) fn $store(self, v: $ty) {
                    let p = core::ptr::with_exposed_provenance_mut::<$ty>(self.0 as usize);
                    // SAFETY: as above; the page was given out for writing.
                    unsafe { p.write(v.to_le()) }
                }
            )+
        }
    };
}

word_access!(load_u8 store_u8 u8, load_u16 store_u16 u16, load_u32 store_u32 u32, load_u64 store_u64 u64);

/// Which address spaces have a context number: the last few values of `satp`.
#[derive(Default)]
pub(crate) struct ContextTable {
    known: Vec<u64>,
    next: usize,
}

/// 31, so that no context is 0x1ff and no tag equals [`INVALID`].
const SLOTS: usize = 31;

impl ContextTable {
    /// The slot of `satp`; a slot that changes hands takes the TLB's content with it.
    pub(crate) fn slot(&mut self, satp: u64, tlb: &mut Tlbs) -> u64 {
        if let Some(i) = self.known.iter().position(|&s| s == satp) {
            return i as u64;
        }
        if self.known.len() < SLOTS {
            self.known.push(satp);
            return self.known.len() as u64 - 1;
        }
        tlb.flush();
        self.next = (self.next + 1) % SLOTS;
        if let Some(s) = self.known.get_mut(self.next) {
            *s = satp;
        }
        self.next as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tlb_context_alignment_and_page_must_all_match() {
        let mut t = Tlbs::new();
        let page = vec![0u8; 8192];
        t.select(3, Privilege::User, Privilege::User, 0);
        t.fill_load(0x4000, 0, page.as_ptr());
        assert!(t.load_address(0x4008, 8).is_some());
        assert!(t.load_address(0x4004, 8).is_none(), "misaligned");
        assert!(
            t.load_address(0x4008 + (ENTRIES as u64) * 4096, 8)
                .is_none(),
            "other page"
        );
        assert!(t.store_address(0x4008, 8).is_none(), "other table");
        t.select(3, Privilege::User, Privilege::User, mstatus::MXR);
        assert!(t.load_address(0x4008, 8).is_none(), "other context");
    }

    #[test]
    fn tlb_address_flush_drops_the_whole_superpage_but_not_others() {
        let mut t = Tlbs::new();
        let page = vec![0u8; 4096];
        t.fill_load(0x20_0000, 1, page.as_ptr());
        t.fill_load(0x9000, 0, page.as_ptr());
        t.flush_address(0x8000);
        assert!(t.load_address(0x20_0000, 8).is_some());
        t.flush_address(0x20_5000);
        assert!(t.load_address(0x20_0000, 8).is_none());
        for level in 1..=4 {
            t.fill_load(3 << (12 + 9 * level), level, page.as_ptr());
            t.flush_address((3 << (12 + 9 * level)) + 0x5000);
            assert!(t.load_address(3 << (12 + 9 * level), 8).is_none());
        }
    }

    #[test]
    fn tlb_empty_entries_match_no_address() {
        let t = Tlbs::new();
        for va in [0, u64::MAX, !0xfff, 0xffff_ffff_ffff_f007] {
            for size in [1, 2, 4, 8] {
                assert!(t.load_address(va, size).is_none());
            }
        }
    }
}
