//! The bus: which device answers at an address, and what its lines and ports are wired to.

use super::config::{MachineError, Slot};
use crate::board::{AddrRange, Board, DeviceKind};
use maquette_devices::{Clint, Finisher, Rtc, Uart16550, UnixTime};
use maquette_model::{Device, Frequency, PhysAddr, PortId};
use maquette_trace::{PathId, Trace};
use maquette_virtio::EmptySlot;

/// The console's port; virtio slots follow from 1 on.
pub const CONSOLE: PortId = PortId(0);

/// What a device is wired to.
#[derive(Clone, Copy)]
pub(super) struct Wiring {
    pub(super) path: PathId,
    /// Its source at the PLIC.
    pub(super) irq: Option<u32>,
    /// It drives harts directly.
    pub(super) clint: bool,
    /// The PLIC's own path.
    pub(super) plic: PathId,
    /// What its port 0 is called outside.
    pub(super) port_base: PortId,
}

/// What stands at an address.
pub(super) enum Model {
    /// The PLIC lives in the core, since every device's line goes there.
    Plic,
    Device(Box<dyn Device>),
}

pub(super) struct Node {
    pub(super) name: String,
    pub(super) range: AddrRange,
    pub(super) wiring: Wiring,
    pub(super) model: Model,
    /// Accesses by harts.
    pub(super) accesses: u64,
}

/// The devices in order of their addresses.
pub(super) struct Bus {
    pub(super) nodes: Vec<Node>,
}

impl Bus {
    /// Builds the devices of `board`; paths begin with `name`.
    pub(super) fn new(
        board: &Board,
        name: &str,
        rtc: UnixTime,
        slots: Vec<Slot>,
    ) -> Result<Self, MachineError> {
        let mut taken: [Option<Box<dyn Device>>; 8] = Default::default();
        for Slot { index, device } in slots {
            let place = taken
                .get_mut(usize::from(index))
                .ok_or(MachineError::NoSlot { index })?;
            if place.replace(device).is_some() {
                return Err(MachineError::SlotTaken { index });
            }
        }
        // Paths are interned when the run's trace is there.
        let stray = Trace::new().path("");
        let timebase = Frequency::from_hz(board.timebase_hz().into());
        let nodes = board.devices().iter().map(|d| {
            let mut port_base = PortId(u16::MAX);
            let model = match d.kind {
                DeviceKind::Finisher => Model::Device(Box::new(Finisher)),
                DeviceKind::Clint => Model::Device(Box::new(Clint::new(board.harts(), timebase))),
                DeviceKind::Plic => Model::Plic,
                DeviceKind::Rtc => Model::Device(Box::new(Rtc::new(rtc))),
                DeviceKind::Uart => {
                    port_base = CONSOLE;
                    Model::Device(Box::new(Uart16550::new(Uart16550::VIRT_CLOCK)))
                }
                DeviceKind::VirtioMmio { slot } => {
                    port_base = PortId(CONSOLE.0 + 1 + u16::from(slot));
                    let device = taken.get_mut(usize::from(slot)).and_then(Option::take);
                    Model::Device(device.unwrap_or_else(|| Box::new(EmptySlot)))
                }
            };
            let wiring = Wiring {
                path: stray,
                irq: d.irq,
                clint: d.kind == DeviceKind::Clint,
                plic: stray,
                port_base,
            };
            Node {
                name: format!("{name}.{}", d.name),
                range: d.range,
                wiring,
                model,
                accesses: 0,
            }
        });
        Ok(Self {
            nodes: nodes.collect(),
        })
    }

    /// Asks the run's trace for paths.
    pub(super) fn intern(&mut self, trace: &mut Trace) {
        let plic = self
            .nodes
            .iter()
            .find(|n| matches!(n.model, Model::Plic))
            .map_or("", |n| n.name.as_str());
        let plic = trace.path(plic);
        for n in &mut self.nodes {
            n.wiring.path = trace.path(&n.name);
            n.wiring.plic = plic;
        }
    }

    /// The device at `pa` and the distance from its first register.
    pub(super) fn find(&self, pa: PhysAddr) -> Option<(usize, u64)> {
        let after = self.nodes.partition_point(|n| n.range.start() <= pa);
        let i = after.checked_sub(1)?;
        Some((i, self.nodes.get(i)?.range.offset(pa)?))
    }

    /// The device behind a port, and its own number for it.
    pub(super) fn behind(&self, port: PortId) -> Option<(usize, PortId)> {
        let i = self.nodes.iter().position(|n| n.wiring.port_base == port)?;
        Some((i, PortId(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bus_find_finds_what_a_search_finds(pa in 0u64..0x9000_0000) {
            let board = Board::virt(1, 1 << 20).unwrap();
            let bus = Bus::new(&board, "m", UnixTime::default(), Vec::new()).unwrap();
            let found = bus.find(PhysAddr(pa)).map(|(i, off)| (bus.nodes[i].name.clone(), off));
            let searched = board.devices().iter().find(|d| {
                d.range.start().0 <= pa && pa < d.range.end().0
            }).map(|d| (format!("m.{}", d.name), pa - d.range.start().0));
            prop_assert_eq!(found, searched);
        }
    }
}
