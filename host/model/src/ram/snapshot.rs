//! What of RAM is saved: the pages that are not all zero, in order. Flags and logs are book-keeping of
//! the process that runs, and begin anew.

use super::{PAGE, Ram};
use crate::{LoadError, PhysAddr, Reader, Snapshot, Writer};
use std::rc::Rc;

/// Stands after the last page.
const END: u64 = u64::MAX;

impl Snapshot for Rc<Ram> {
    fn kind(&self) -> &'static str {
        "ram"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.u64(self.base().0);
        w.u64(self.size());
        w.reserve(self.written_pages().saturating_mul(PAGE + 8));
        self.for_each_used_page(|index, page| {
            w.u64(index as u64);
            w.raw(page);
        });
        w.u64(END);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        r.same("RAM base", self.base().0)?;
        r.same("RAM size", self.size())?;
        let pages = self.size() / PAGE as u64;
        let mut next = 0;
        loop {
            let index = r.u64()?;
            let until = if index == END { pages } else { index };
            let field = "RAM page";
            if until < next || until > pages || index == pages {
                return Err(LoadError::Value {
                    field,
                    value: index,
                });
            }
            // What lies between was zero.
            let gap = self.page_address(next);
            if !self.fill_zero(gap, (until - next) * PAGE as u64) {
                return Err(LoadError::Value { field, value: next });
            }
            if index == END {
                return Ok(());
            }
            if !self.write(self.page_address(index), r.raw(PAGE)?) {
                return Err(LoadError::Value {
                    field,
                    value: index,
                });
            }
            next = index + 1;
        }
    }
}

impl Ram {
    fn page_address(&self, index: u64) -> PhysAddr {
        self.base().wrapping_add(index.wrapping_mul(PAGE as u64))
    }
}
