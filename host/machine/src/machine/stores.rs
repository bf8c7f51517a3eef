//! Stores that no hart makes: what devices write by DMA, and firmware for its caller. No hart meets a
//! watchpoint over them, so that they are looked at here, and only while a debugger watches.

use super::Machine;
use super::debugging::{Stop, Why};
use maquette_model::{DebugStop, PhysAddr, VirtAddr, Watch};

/// Of a watchpoint, so many pages are looked up: a walk each.
const MOST_PAGES: usize = 4096;

/// Who stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Author {
    /// The device with this index on the bus.
    Device(usize),
    /// The built-in SBI, called by this hart.
    Firmware(usize),
}

/// A store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Store {
    pub(super) by: Author,
    pub(super) at: PhysAddr,
    pub(super) len: u64,
}

/// The stores since they were last looked at.
#[derive(Default)]
pub(super) struct Stores {
    /// Somebody wants to know of them.
    pub(super) wanted: bool,
    seen: Vec<Store>,
}

impl Stores {
    /// Somebody has stored.
    pub(super) fn note(&mut self, by: Author, at: PhysAddr, len: usize) {
        if self.wanted {
            let len = len as u64;
            self.seen.push(Store { by, at, len });
        }
    }

    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }
}

impl Machine {
    /// Stops the machine if watched memory has been stored to by anybody but a hart.
    pub(super) fn look_at_stores(&mut self) {
        for store in core::mem::take(&mut self.core.stores.seen) {
            let Some((hart, met)) = self.watched(store) else {
                continue;
            };
            let words = self.words(store);
            let why = Why::Met(met);
            if let Some(d) = self.debugging() {
                d.stop_for_store(Stop { hart, why }, words);
            }
        }
    }

    /// The first watchpoint that the store meets, and the hart whose page tables lead there.
    fn watched(&self, store: Store) -> Option<(usize, DebugStop)> {
        let first = self.current_hart();
        let others = (0..self.hart_count()).filter(|i| *i != first);
        core::iter::once(first)
            .chain(others)
            .find_map(|i| Some((i, self.watched_of(i, store)?)))
    }

    fn watched_of(&self, hart: usize, store: Store) -> Option<DebugStop> {
        let watches = self.watches().iter();
        let mut watches = watches.filter(|w| w.kind.concerns(false, true));
        watches.find_map(|w| {
            let addr = self.first_byte(hart, w, store)?;
            let kind = w.kind;
            Some(DebugStop::Watchpoint { kind, addr })
        })
    }

    /// The first watched byte that was stored to, as the hart addresses it.
    fn first_byte(&self, hart: usize, watch: &Watch, store: Store) -> Option<VirtAddr> {
        let mut va = watch.start;
        for (pa, len) in self.pieces(hart, va, watch.len).take(MOST_PAGES) {
            // Physical addresses are compared as a watchpoint compares virtual ones.
            let piece = pa.map(|pa| {
                (
                    pa,
                    Watch {
                        start: VirtAddr(pa.0),
                        len: len as u64,
                        ..*watch
                    },
                )
            });
            let met = piece.and_then(|(pa, w)| Some((pa, w.overlap(store.at.0, store.len)?)));
            if let Some((pa, at)) = met {
                return Some(va.wrapping_add(at.0 - pa.0));
            }
            va = va.wrapping_add(len as u64);
        }
        None
    }

    fn words(&self, store: Store) -> String {
        let Store { by, at, len } = store;
        let who = match by {
            Author::Device(i) => {
                let name = self
                    .bus
                    .nodes
                    .get(i)
                    .map_or("a device", |n| n.name.as_str());
                format!("{name} stored by DMA")
            }
            Author::Firmware(hart) => format!("the built-in SBI, called by hart{hart}, stored"),
        };
        format!("watched memory was not stored to by an instruction: {who} at {at}, length {len}")
    }
}
