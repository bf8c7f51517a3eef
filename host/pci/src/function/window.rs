//! The window in configuration space onto the memory behind a function's base address registers (virtio 1.3
//! §4.1.4.9): a driver that can reach no memory reaches registers all the same.

use super::Function;
use crate::PciDevice;
use maquette_model::{Access, Cx, Region, Width};
use maquette_virtio_protocol::pci::capability::{BAR, LENGTH, MORE as DATA, OFFSET};

/// Bytes of the data.
const DATA_BYTES: u16 = 4;

/// Lets the driver say where it looks, and change what it sees.
pub(crate) fn allow(at: u16, mut allow: impl FnMut(u16, &[u8])) {
    allow(at + BAR, &[0xff]);
    for field in [OFFSET, LENGTH, DATA] {
        allow(at + field, &[0xff; 4]);
    }
}

/// What the window shows.
struct View {
    region: Region,
    at: u64,
    width: Width,
    /// Where in configuration space.
    data: u16,
}

impl<D> Function<D> {
    /// Whether an access to configuration space meets the window's data.
    pub(super) fn touches_window(&self, at: u64, w: Width) -> bool {
        let Some(place) = self.places.window else {
            return false;
        };
        let data = u64::from(place + DATA);
        at < data + u64::from(DATA_BYTES) && data < at.saturating_add(w.bytes())
    }

    fn view(&self, cx: &mut Cx<'_>) -> Option<View> {
        let place = self.places.window?;
        let length = self.space.long(place + LENGTH);
        let offset = self.space.long(place + OFFSET);
        let width = match length {
            1 => Some(Width::B1),
            2 => Some(Width::B2),
            4 => Some(Width::B4),
            _ => None,
        };
        let at = u64::from(offset);
        let Some(width) = width.filter(|w| at.is_multiple_of(w.bytes())) else {
            let what = "pci: window of an unaligned place, or not of 1, 2 or 4 bytes";
            cx.guest_error(what, length.into());
            return None;
        };
        let [region, _] = self.space.word(place + BAR).to_le_bytes();
        Some(View {
            region: Region(region),
            at,
            width,
            data: place + DATA,
        })
    }
}

impl<D: PciDevice> Function<D> {
    /// Puts what lies behind the window into its data.
    pub(super) fn look_through_window(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.view(cx) else {
            return;
        };
        let seen = match self.read_memory(cx, view.region, view.at, view.width) {
            Access::Done(value) => value,
            Access::Pending(_) | Access::Fault(_) => view.width.mask(),
        };
        let seen = u32::try_from(seen & view.width.mask()).unwrap_or(u32::MAX);
        self.space.set_long(view.data, seen);
    }

    /// Writes the window's data to what lies behind it.
    pub(super) fn reach_through_window(&mut self, cx: &mut Cx<'_>) {
        let Some(view) = self.view(cx) else {
            return;
        };
        let value = u64::from(self.space.long(view.data)) & view.width.mask();
        let place = (view.at, view.width);
        let answer = self.write_memory(cx, view.region, place, value);
        if !matches!(answer, Access::Done(())) {
            cx.guest_error("pci: window onto nothing", view.at);
        }
    }
}
