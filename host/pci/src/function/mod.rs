//! A device behind configuration space.

mod host;
mod inspect;
mod names;
mod saved;
#[cfg(test)]
mod tests;
pub(crate) mod window;

use crate::msix::Table;
use crate::space::{Places, Space};
use crate::{Bar, LayoutError, PciDevice};
use host::{FunctionHost, Wants};
use maquette_model::{Access, BusError, Cx, Device, Event, Region, RegisterInfo, ResetKind, Width};
use maquette_pci_protocol::express::{self, DeviceControl};
use maquette_pci_protocol::{Command, Status, bar, header, msix};

/// The region that is configuration space. Those below 6 are base address registers.
pub const CONFIG: Region = Region(7);
/// Such a read gives all ones, and such a write is lost (PCIe 5.0 §2.3.2).
const UNSUPPORTED: &str = "pci: access that the function does not support";
/// Bits of [`Status`] that are not stored.
const INTERRUPT: u64 = Status::INTERRUPT.bits() as u64;

/// A function of any device, as the machine sees it.
pub trait PciFunction: Device {
    /// The register at an address of the bus, if the driver has put one there and lets the function answer.
    fn decode(&self, address: u64) -> Option<(Region, u64)>;
    /// The level of INTA#.
    fn interrupt(&self) -> bool;
}

/// A device behind configuration space. Line 0 is INTA#; links and timers are the device's own, and its messages
/// carry the numbers of the table.
pub struct Function<D> {
    device: D,
    bars: [Option<Bar>; bar::COUNT as usize],
    /// Configuration space after a reset.
    fresh: Space,
    space: Space,
    places: Places,
    table: Table,
    /// In which base address register the table is, if there is one.
    table_bar: Option<u8>,
    /// The device wants its pin.
    wants_pin: bool,
    /// The level of INTA#.
    pin: bool,
}

impl<D: PciDevice> Function<D> {
    /// Puts a device behind configuration space.
    ///
    /// # Errors
    /// When there can be no configuration space as the device describes it.
    pub fn new(device: D) -> Result<Self, LayoutError> {
        let layout = device.layout();
        let (space, places) = Space::new(&layout)?;
        let (vectors, table_bar) = layout.vectors;
        Ok(Self {
            device,
            bars: layout.all_bars()?,
            fresh: space.clone(),
            space,
            places,
            table: Table::new(vectors),
            table_bar: (vectors > 0).then_some(table_bar),
            wants_pin: false,
            pin: false,
        })
    }
}

impl<D> Function<D> {
    /// The device.
    pub const fn device(&self) -> &D {
        &self.device
    }

    /// Address and data of a message, as the driver has set them up.
    pub fn message(&self, vector: u16) -> Option<(u64, u32)> {
        self.table.message(vector)
    }

    fn command(&self) -> Command {
        Command::from_bits_retain(self.space.word(header::COMMAND))
    }

    fn message_control(&self) -> msix::Control {
        let place = self.places.msix;
        let bits = place.map(|at| self.space.word(at + msix::CONTROL));
        msix::Control::from_bits_retain(bits.unwrap_or(0))
    }

    /// The address that a base address register holds.
    fn base(&self, own: Bar) -> u64 {
        let at = bar::offset(own.index);
        let low = self.space.long(at) & !bar::FLAGS;
        let high = if own.wide { self.space.long(at + 4) } else { 0 };
        u64::from(high) << 32 | u64::from(low)
    }

    fn bar(&self, region: Region) -> Option<Bar> {
        *self.bars.get(usize::from(region.0))?
    }

    /// Calls into the device, and then passes on what it wants.
    fn call<T>(&mut self, cx: &mut Cx<'_>, f: impl FnOnce(&mut D, &mut Cx<'_>) -> T) -> T {
        let master = self.command().contains(Command::BUS_MASTER);
        let messages = self.message_control().contains(msix::Control::ENABLE);
        let mut host = FunctionHost {
            outer: cx,
            master,
            wants: Wants {
                pin: &mut self.wants_pin,
                table: messages.then_some(&mut self.table),
            },
        };
        let result = f(&mut self.device, &mut Cx::new(&mut host));
        self.settle(cx);
        result
    }

    /// Sends the messages that may be sent, and drives the pin.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        let (command, control) = (self.command(), self.message_control());
        let messages = control.contains(msix::Control::ENABLE);
        if !messages {
            self.table.forget();
        }
        let may_send = messages
            && !control.contains(msix::Control::MASK_ALL)
            && command.contains(Command::BUS_MASTER);
        while may_send && let Some(vector) = self.table.take() {
            cx.msi(vector);
        }
        // PCI 3.0 §6.8.3.3: a function that uses messages does not use its pin.
        let pin = self.wants_pin && !messages && !command.contains(Command::INTX_DISABLE);
        if pin != self.pin {
            self.pin = pin;
            cx.line(0, pin);
        }
    }

    fn is_table(&self, region: Region) -> bool {
        self.table_bar == Some(region.0)
    }
}

impl<D: PciDevice> Function<D> {
    fn read_memory(&mut self, cx: &mut Cx<'_>, region: Region, at: u64, w: Width) -> Access<u64> {
        match self.bar(region) {
            Some(own)
                if at
                    .checked_add(w.bytes())
                    .is_some_and(|end| end <= own.bytes) => {}
            _ => return Access::Fault(BusError::Unmapped),
        }
        if self.is_table(region) {
            return Access::Done(self.table.read(at, w));
        }
        self.call(cx, |device, cx| device.read(cx, region, at, w))
    }

    fn write_memory(
        &mut self,
        cx: &mut Cx<'_>,
        region: Region,
        (at, w): (u64, Width),
        value: u64,
    ) -> Access<()> {
        match self.bar(region) {
            Some(own)
                if at
                    .checked_add(w.bytes())
                    .is_some_and(|end| end <= own.bytes) => {}
            _ => return Access::Fault(BusError::Unmapped),
        }
        if self.is_table(region) {
            self.table.write(at, w, value);
            self.settle(cx);
            return Access::Done(());
        }
        self.call(cx, |device, cx| device.write(cx, region, at, w, value))
    }

    fn read_config(&mut self, cx: &mut Cx<'_>, at: u64, w: Width) -> u64 {
        if self.touches_window(at, w) {
            self.look_through_window(cx);
        }
        let stored = self.space.read(at, w);
        // What is not stored: the first byte of the status register.
        let distance = u64::from(header::STATUS).wrapping_sub(at);
        if self.wants_pin && distance < w.bytes() {
            return stored | INTERRUPT << (8 * distance);
        }
        stored
    }

    fn write_config(&mut self, cx: &mut Cx<'_>, at: u64, w: Width, value: u64) {
        self.space.write(at, w, value);
        if self.touches_window(at, w) {
            self.reach_through_window(cx);
        }
        if let Some(place) = self.places.express {
            let control = place + express::DEVICE_CONTROL;
            let reset = DeviceControl::FUNCTION_LEVEL_RESET;
            if self.space.word(control) & reset.bits() != 0 {
                self.space.clear(control, reset.bits());
                return self.start_over(cx, ResetKind::Warm);
            }
        }
        self.settle(cx);
    }

    /// Everything back to the first state.
    fn start_over(&mut self, cx: &mut Cx<'_>, kind: ResetKind) {
        self.call(cx, |device, cx| device.reset(cx, kind));
        self.space = self.fresh.clone();
        self.table.reset();
        self.wants_pin = false;
        self.settle(cx);
    }
}

impl<D: PciDevice> PciFunction for Function<D> {
    fn decode(&self, address: u64) -> Option<(Region, u64)> {
        if !self.command().contains(Command::MEMORY) {
            return None;
        }
        self.bars.iter().flatten().find_map(|own| {
            let at = address.checked_sub(self.base(*own))?;
            (at < own.bytes).then_some((Region(own.index), at))
        })
    }

    fn interrupt(&self) -> bool {
        self.pin
    }
}

impl<D: PciDevice> Device for Function<D> {
    fn read(&mut self, cx: &mut Cx<'_>, region: Region, at: u64, w: Width) -> Access<u64> {
        match region {
            CONFIG => Access::Done(self.read_config(cx, at, w)),
            _ => match self.read_memory(cx, region, at, w) {
                Access::Fault(_) => {
                    cx.guest_error(UNSUPPORTED, at);
                    Access::Done(w.mask())
                }
                answer => answer,
            },
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, region: Region, at: u64, w: Width, v: u64) -> Access<()> {
        match region {
            CONFIG => {
                self.write_config(cx, at, w, v);
                Access::Done(())
            }
            _ => match self.write_memory(cx, region, (at, w), v) {
                Access::Fault(_) => {
                    cx.guest_error(UNSUPPORTED, at);
                    Access::Done(())
                }
                answer => answer,
            },
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        self.call(cx, |device, cx| device.event(cx, ev));
    }

    fn reset(&mut self, cx: &mut Cx<'_>, kind: ResetKind) {
        // Whoever resets the board has lowered all lines.
        (self.wants_pin, self.pin) = (false, false);
        self.start_over(cx, kind);
    }

    fn register(&self, region: Region, at: u64) -> Option<RegisterInfo> {
        match region {
            CONFIG => names::config(self, at),
            _ if self.is_table(region) => names::table(at, self.bar(region)?.bytes / 2),
            _ => self.device.register(region, at),
        }
    }
}
