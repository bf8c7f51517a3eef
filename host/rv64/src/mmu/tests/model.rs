//! Address translation as the privileged specification's prose has it, one sentence a line, with no
//! cache and no cleverness. It shares nothing with the code under test but names.

use super::{BASE, Kind, Outcome};

/// Everything that a translation depends on.
pub(super) struct Model {
    /// RAM from [`BASE`].
    pub(super) mem: Vec<u8>,
    pub(super) satp: u64,
    pub(super) svadu: bool,
    /// (configuration, address) of each PMP entry.
    pub(super) pmp: Vec<(u8, u64)>,
    pub(super) sum: bool,
    pub(super) mxr: bool,
    /// Privilege of the access: 0, 1 or 3.
    pub(super) prv: u8,
}

/// Causes: page fault and access fault of fetch, load and store.
const PAGE: [u64; 3] = [12, 13, 15];
const ACCESS: [u64; 3] = [1, 5, 7];
const MISALIGNED: [u64; 3] = [0, 4, 6];

/// What an access needs, as the bit of a PMP configuration, and its place in the lists above.
fn right(kind: Kind) -> (u8, usize) {
    match kind {
        Kind::Fetch => (4, 0),
        Kind::Load | Kind::Reserve => (1, 1),
        Kind::Store | Kind::Swap => (2, 2),
    }
}

impl Model {
    fn in_ram(&self, pa: u64, len: u64) -> bool {
        pa >= BASE && pa - BASE + len <= self.mem.len() as u64
    }

    fn load(&self, pa: u64, len: u64) -> u64 {
        (0..len).fold(0, |v, i| {
            v | u64::from(self.mem[(pa - BASE + i) as usize]) << (8 * i)
        })
    }

    fn store(&mut self, pa: u64, len: u64, v: u64) {
        for i in 0..len {
            self.mem[(pa - BASE + i) as usize] = (v >> (8 * i)) as u8;
        }
    }

    /// Whether PMP entry `i` matches the byte at `pa` (§3.7.1.1).
    fn pmp_matches(&self, i: usize, pa: u64) -> bool {
        let (cfg, addr) = self.pmp[i];
        let word = pa >> 2;
        match cfg >> 3 & 3 {
            0 => false,
            1 => word < addr && (i == 0 || word >= self.pmp[i - 1].1),
            2 => word == addr,
            _ => {
                let within = addr ^ (addr + 1);
                word & !within == addr & !within
            }
        }
    }

    /// §3.7.1.3: the first entry that matches any byte must match all of them, and decides.
    fn pmp_allows(&self, pa: u64, len: u64, right: u8, prv: u8) -> bool {
        for (i, &(cfg, _)) in self.pmp.iter().enumerate() {
            let bytes = (0..len).map(|n| pa + n);
            let matched = bytes.filter(|&b| self.pmp_matches(i, b)).count() as u64;
            if matched == 0 {
                continue;
            }
            let binds = prv != 3 || cfg & 0x80 != 0;
            return matched == len && (!binds || cfg & right != 0);
        }
        prv == 3
    }

    /// §4.3.2. The error is the cause.
    fn translate(&mut self, va: u64, kind: Kind) -> Result<u64, u64> {
        let (_, k) = right(kind);
        let levels = match self.satp >> 60 {
            _ if self.prv == 3 => return Ok(va),
            0 => return Ok(va),
            8 => 3,
            9 => 4,
            _ => 5,
        };
        let top = 12 + 9 * levels - 1;
        if (top..64).any(|bit| va >> bit & 1 != va >> top & 1) {
            return Err(PAGE[k]);
        }
        let mut a = (self.satp & ((1 << 44) - 1)) * 4096;
        for level in (0..levels).rev() {
            let at = a + (va >> (12 + 9 * level) & 511) * 8;
            if !self.pmp_allows(at, 8, 1, 1) || !self.in_ram(at, 8) {
                return Err(ACCESS[k]);
            }
            let pte = self.load(at, 8);
            let [v, r, w, x, u, _, accessed, dirty] = core::array::from_fn(|b| pte >> b & 1 == 1);
            let ppn = pte >> 10 & ((1 << 44) - 1);
            if !v || (!r && w) || pte >> 54 != 0 {
                return Err(PAGE[k]);
            }
            if !r && !x {
                if accessed || dirty || u {
                    return Err(PAGE[k]);
                }
                a = ppn * 4096;
                continue;
            }
            let by_kind = match kind {
                Kind::Fetch => x,
                Kind::Load | Kind::Reserve => r || (x && self.mxr),
                Kind::Store | Kind::Swap => w,
            };
            let by_mode = match self.prv {
                0 => u,
                _ => !u || (self.sum && kind != Kind::Fetch),
            };
            if !by_kind || !by_mode || !ppn.is_multiple_of(1 << (9 * level)) {
                return Err(PAGE[k]);
            }
            let stores = matches!(kind, Kind::Store | Kind::Swap);
            if !accessed || (stores && !dirty) {
                if !self.svadu {
                    return Err(PAGE[k]);
                }
                if !self.pmp_allows(at, 8, 2, 1) {
                    return Err(ACCESS[k]);
                }
                self.store(at, 8, pte | 1 << 6 | u64::from(stores) << 7);
            }
            return Ok(ppn * 4096 + va % (4096 << (9 * level)));
        }
        Err(PAGE[k])
    }

    /// Translates and checks a piece that lies in one page.
    fn piece(&mut self, va: u64, len: u64, kind: Kind) -> Result<u64, Outcome> {
        let (bit, k) = right(kind);
        let pa = self
            .translate(va, kind)
            .map_err(|cause| Outcome::Trap(cause, va))?;
        if self.pmp_allows(pa, len, bit, self.prv) {
            Ok(pa)
        } else {
            Err(Outcome::Trap(ACCESS[k], va))
        }
    }

    /// What the access does; `v` is what it stores.
    pub(super) fn access(&mut self, va: u64, len: u64, kind: Kind, v: u64) -> Outcome {
        self.try_access(va, len, kind, v).unwrap_or_else(|o| o)
    }

    fn try_access(&mut self, va: u64, len: u64, kind: Kind, v: u64) -> Result<Outcome, Outcome> {
        let (_, k) = right(kind);
        let atomic = matches!(kind, Kind::Reserve | Kind::Swap);
        if atomic && !va.is_multiple_of(len) {
            return Err(Outcome::Trap(MISALIGNED[k], va));
        }
        let first = len.min(4096 - va % 4096);
        let mut pieces = vec![(va, self.piece(va, first, kind)?, first)];
        if first < len {
            let next = va.wrapping_add(first);
            pieces.push((next, self.piece(next, len - first, kind)?, len - first));
        }
        for &(at, pa, n) in &pieces {
            if self.in_ram(pa, n) {
                continue;
            }
            // Devices take plain, aligned accesses.
            if atomic || kind == Kind::Fetch || !va.is_multiple_of(len) {
                return Err(Outcome::Trap(ACCESS[k], at));
            }
            return Ok(Outcome::Device(pa));
        }
        if kind == Kind::Fetch {
            return Ok(Outcome::At(pieces[0].1));
        }
        let (mut old, mut done) = (0, 0);
        for (_, pa, n) in pieces {
            old |= self.load(pa, n) << (8 * done);
            if matches!(kind, Kind::Store | Kind::Swap) {
                self.store(pa, n, v >> (8 * done));
            }
            done += n;
        }
        let old = if kind == Kind::Store { 0 } else { old };
        Ok(Outcome::Value(old))
    }
}
