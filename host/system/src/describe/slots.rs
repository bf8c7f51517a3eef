//! Where devices are plugged in.

use super::Describer;
use crate::description::{Device, Slot};
use crate::problem::Fault;
use crate::reader::Sections;
use crate::schema::{PCI_SLOTS, SLOTS};
use crate::values::Group;
use core::ops::RangeInclusive;

/// The bus that a device is to be on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bus {
    Mmio,
    Pci,
}

impl Bus {
    fn of(group: &Group) -> Self {
        match group.text("bus") {
            Some("pci") => Self::Pci,
            _ => Self::Mmio,
        }
    }

    const fn numbers(self) -> RangeInclusive<u64> {
        match self {
            Self::Mmio => 0..=SLOTS - 1,
            Self::Pci => 1..=PCI_SLOTS,
        }
    }

    /// The slot of a number, which the bus may not have.
    fn slot(self, number: u64) -> Option<Slot> {
        let number = self.numbers().contains(&number).then_some(number)?;
        let number = u8::try_from(number).ok()?;
        Some(match self {
            Self::Mmio => Slot::Mmio(number),
            Self::Pci => Slot::Pci(number),
        })
    }
}

/// The slots that devices ask for.
pub(super) fn wanted(sections: &Sections) -> Vec<Slot> {
    let own = |group: &Group| Bus::of(group).slot(group.number("slot")?);
    sections.all("device").filter_map(own).collect()
}

/// What a device is called that has no name.
pub(super) fn default_name(kind: &str, slot: Slot) -> String {
    match slot {
        Slot::Mmio(number) => format!("{kind}{number}"),
        Slot::Pci(number) => format!("{kind}-pci{number}"),
    }
}

impl Describer<'_> {
    /// The device's own slot, or the lowest of its bus that no device has and none asks for.
    pub(super) fn slot(
        &mut self,
        group: &Group,
        devices: &[Device],
        wanted: &[Slot],
    ) -> Option<Slot> {
        let bus = Bus::of(group);
        let taken = |slot: Slot| devices.iter().find(|d| d.slot == slot);
        let is_free = |slot: &u64| {
            let slot = bus.slot(*slot);
            slot.is_some_and(|slot| taken(slot).is_none() && !wanted.contains(&slot))
        };
        let free = bus.numbers().find(is_free);
        let Some(number) = group.number("slot") else {
            if free.is_none() {
                let what = format!("all {} slots of the bus are taken", bus.numbers().count());
                let remedy = "remove a device, or put it on the other `bus`";
                self.combination(group, "slot", &what, remedy);
            }
            return bus.slot(free?);
        };
        let Some(slot) = bus.slot(number) else {
            let (least, most) = (bus.numbers().start().to_owned(), *bus.numbers().end());
            let what = match bus {
                Bus::Mmio => format!("{number} is more than {most}"),
                Bus::Pci => "slot 0 of PCI is the host bridge's".to_owned(),
            };
            let remedy = format!("write a number from {least} to {most}");
            self.combination(group, "slot", &what, &remedy);
            return None;
        };
        let Some(other) = taken(slot) else {
            return Some(slot);
        };
        let fault = Fault::SlotTaken {
            slot: number,
            other: format!("`{}`", other.name),
            free,
        };
        self.problem(group, "slot", fault);
        None
    }
}
