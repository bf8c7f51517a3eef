//! The bus: which device answers at an address, and what its lines and ports are wired to.

use super::config::{MachineError, PciSlot, Slot};
use crate::board::{AddrRange, Board, DeviceKind, DeviceNode, PciWindow, pci_irq};
use maquette_devices::{Clint, Finisher, Rtc, Uart16550, UnixTime};
use maquette_model::{Device, Frequency, PhysAddr, PortId, Region};
use maquette_pci::{CONFIG, Function, HostBridge, PciFunction, RootComplex};
use maquette_pci_protocol::{ecam, header};
use maquette_trace::{PathId, Trace};
use maquette_virtio::EmptySlot;

/// The console's port; virtio slots follow from 1 on.
pub const CONSOLE: PortId = PortId(0);
/// The port of PCI slot 0.
const PCI_PORTS: u16 = 0x100;
/// Pin INTA#.
const INTA: u8 = 1;

/// The port of the function in a PCI slot.
#[must_use]
pub const fn pci_port(device: u8) -> PortId {
    PortId(PCI_PORTS + device as u16)
}

/// What a device is wired to.
#[derive(Clone, Copy)]
pub(super) struct Wiring {
    pub(super) path: PathId,
    /// Its source at the PLIC.
    pub(super) irq: Option<u32>,
    /// Others drive that source too.
    pub(super) shared: bool,
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
    Function(Box<dyn PciFunction>),
}

impl Model {
    /// The device, if it is the node's own.
    pub(super) fn device(&self) -> Option<&dyn Device> {
        match self {
            Self::Plic => None,
            Self::Device(device) => Some(&**device),
            Self::Function(function) => Some(&**function),
        }
    }

    /// The device, if it is the node's own.
    pub(super) fn device_mut(&mut self) -> Option<&mut dyn Device> {
        match self {
            Self::Plic => None,
            Self::Device(device) => Some(&mut **device),
            Self::Function(function) => Some(&mut **function),
        }
    }
}

pub(super) struct Node {
    pub(super) name: String,
    /// Its registers; of a function, its configuration space.
    pub(super) range: AddrRange,
    pub(super) wiring: Wiring,
    pub(super) model: Model,
    /// Accesses by harts.
    pub(super) accesses: u64,
}

/// Where an access leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Target {
    /// Index of the node.
    pub(super) device: usize,
    pub(super) region: Region,
    /// The distance from the region's first register.
    pub(super) off: u64,
}

/// The devices in order of their addresses, and then the PCI functions.
pub(super) struct Bus {
    pub(super) nodes: Vec<Node>,
    /// What addresses of the nodes before the functions are for, if it is PCI.
    windows: Vec<Option<PciWindow>>,
}

impl Bus {
    /// Builds the devices of `board`; paths begin with `name`.
    pub(super) fn new(
        board: &Board,
        name: &str,
        rtc: UnixTime,
        slots: Vec<Slot>,
        functions: Vec<PciSlot>,
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
                DeviceKind::Pci(_) => Model::Device(Box::new(RootComplex)),
            };
            let wiring = Wiring {
                path: stray,
                irq: d.irq,
                shared: false,
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
        let mut nodes: Vec<Node> = nodes.collect();
        nodes.extend(self::functions(board, name, functions)?);
        let window = |d: &DeviceNode| match d.kind {
            DeviceKind::Pci(window) => Some(window),
            _ => None,
        };
        let windows = board.devices().iter().map(window).collect();
        Ok(Self { nodes, windows })
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

    /// What answers at `pa`.
    pub(super) fn find(&self, pa: PhysAddr) -> Option<Target> {
        let fixed = self.nodes.get(..self.windows.len())?;
        let after = fixed.partition_point(|n| n.range.start() <= pa);
        let device = after.checked_sub(1)?;
        let own = Target {
            device,
            region: Region(0),
            off: fixed.get(device)?.range.offset(pa)?,
        };
        let function = match self.windows.get(device).copied().flatten() {
            None | Some(PciWindow::Ports) => None,
            Some(PciWindow::Config) => self.function(|node, _| {
                let off = node.range.offset(pa)?;
                Some((CONFIG, off))
            }),
            Some(PciWindow::Memory32 | PciWindow::Memory64) => {
                self.function(|_, function| function.decode(pa.0))
            }
        };
        Some(function.unwrap_or(own))
    }

    /// The first function that claims an access.
    fn function(
        &self,
        claim: impl Fn(&Node, &dyn PciFunction) -> Option<(Region, u64)>,
    ) -> Option<Target> {
        let functions = self.nodes.iter().enumerate().skip(self.windows.len());
        functions
            .filter_map(|(device, node)| match &node.model {
                Model::Function(function) => {
                    let (region, off) = claim(node, &**function)?;
                    Some(Target {
                        device,
                        region,
                        off,
                    })
                }
                _ => None,
            })
            .next()
    }

    /// The functions: their nodes, with the interrupt that each drives and its level.
    pub(super) fn pins(&self) -> impl Iterator<Item = (usize, u32, bool)> {
        self.nodes.iter().enumerate().filter_map(|(i, node)| {
            let Model::Function(function) = &node.model else {
                return None;
            };
            Some((i, node.wiring.irq?, function.interrupt()))
        })
    }

    /// The device behind a port, and its own number for it.
    pub(super) fn behind(&self, port: PortId) -> Option<(usize, PortId)> {
        let i = self.nodes.iter().position(|n| n.wiring.port_base == port)?;
        Some((i, PortId(0)))
    }
}

/// The host bridge and the functions behind it, if the board has PCI.
fn functions(
    board: &Board,
    name: &str,
    mut functions: Vec<PciSlot>,
) -> Result<Vec<Node>, MachineError> {
    let config = DeviceKind::Pci(PciWindow::Config);
    let Some(config) = board.devices().iter().find(|d| d.kind == config) else {
        return Ok(Vec::new());
    };
    functions.sort_by_key(|f| f.device);
    let mut slots = vec![PciSlot {
        device: 0,
        function: Box::new(Function::new(HostBridge)?),
    }];
    for function in functions {
        let device = function.device;
        if device == 0 || device >= ecam::DEVICES {
            return Err(MachineError::NoPciSlot { device });
        }
        if slots.last().is_some_and(|last| last.device == device) {
            return Err(MachineError::PciSlotTaken { device });
        }
        slots.push(function);
    }
    let stray = Trace::new().path("");
    let node = |PciSlot { device, function }: PciSlot| {
        let address = ecam::Address::root(device);
        let start = config.range.start().checked_add(address.offset())?;
        Some(Node {
            name: format!("{name}.pci.{address}"),
            range: AddrRange::new(start, header::EXPRESS_BYTES.into())?,
            wiring: Wiring {
                path: stray,
                // The host bridge has no pin.
                irq: (device != 0).then(|| pci_irq(device, INTA)),
                shared: true,
                clint: false,
                plic: stray,
                port_base: pci_port(device),
            },
            model: Model::Function(function),
            accesses: 0,
        })
    };
    Ok(slots.into_iter().filter_map(node).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bus_find_finds_what_a_search_finds(pa in 0u64..0x9000_0000) {
            let board = Board::virt(1, 1 << 20).unwrap();
            let bus = Bus::new(&board, "m", UnixTime::default(), Vec::new(), Vec::new()).unwrap();
            let found = bus.find(PhysAddr(pa)).map(|t| (bus.nodes[t.device].name.clone(), t.off));
            let searched = board.devices().iter().find(|d| {
                d.range.start().0 <= pa && pa < d.range.end().0
            }).map(|d| (format!("m.{}", d.name), pa - d.range.start().0));
            prop_assert_eq!(found, searched);
        }
    }
}
