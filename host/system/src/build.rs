//! From a description to a system that is ready to run: files are read, the machine is made, links are
//! plugged in. What cannot be done is a problem at the place that asks for it.

mod accelerators;

use crate::causes::with_causes;
use crate::console::{self, Console};
use crate::description::{
    self, ConsoleLine, Description, DeviceKind, Disk, DiskMode, FileRef, Fill, Link as Cable, Plug,
    RtcStart, UserNetwork,
};
use crate::locate;
use crate::open::Opened;
use crate::problem::{Fault, Problem};
use crate::render::Problems;
use crate::source::At;
use maquette_machine::boot::{BootError, PlaceError};
use maquette_machine::{
    BootMode, BootSource, CONSOLE, Config, Machine, MachineError, PciSlot, Slot, UnixTime, pci_port,
};
use maquette_model::{Frequency, PortId, SimTime};
use maquette_network::{GUEST, Gateway, Quality, Requests, Setup, Wire};
use maquette_pci::Function;
use maquette_rim::{DiskAccess, FileDisk, Output};
use maquette_sim::{ComponentId, End, Link, Serial, WiringError};
use maquette_trace::Level;
use maquette_virtio::{
    Block, BlockBackend, Net, Overlay, Pattern, PatternDisk, Rng, VirtioDevice, VirtioMmio,
    VirtioPci,
};
use tracing::debug;

/// Larger files are no kernels, however many symbols they carry.
const MOST_KERNEL: u64 = 1 << 30;
/// Larger files are no firmware, even with a kernel in it.
const MOST_FIRMWARE: u64 = 256 << 20;
/// How long a frame takes between a device and the gateway of its user network.
const GATEWAY_LATENCY: SimTime = SimTime::from_us(10);
/// How long a byte takes between the machine's serial line and the console.
const LINE_LATENCY: SimTime = SimTime::from_us(1);

/// A system that is ready to run.
pub struct System {
    /// Runs it.
    pub serial: Serial,
    /// The machines in it, in the order of the description.
    pub machines: Vec<Seat>,
    /// The gateways that reach the world outside.
    pub gateways: Vec<Outlet>,
}

/// A gateway that reaches the world outside.
pub struct Outlet {
    /// The gateway.
    pub gateway: ComponentId,
    /// What it asks for.
    pub requests: Requests,
    /// What was described.
    pub network: UserNetwork,
}

impl System {
    /// Does something with every console.
    pub(crate) fn each_console(&mut self, mut f: impl FnMut(&mut Console)) {
        for seat in &self.machines {
            if let Some(console) = self.serial.get_mut::<Console>(seat.console) {
                f(console);
            }
        }
    }
}

/// A machine of a system, and its console.
pub struct Seat {
    /// The machine's name.
    pub name: String,
    /// The machine.
    pub machine: ComponentId,
    /// What its real-time clock showed at first, if that came from the host.
    pub host_date: Option<UnixTime>,
    /// The console.
    pub console: ComponentId,
}

/// Builds the system; the guest's console text will go to `output`.
///
/// # Errors
/// Everything that keeps the system from being built, together.
pub fn build(opened: &Opened, output: Output) -> Result<System, Problems> {
    build_for(opened, output, Machine::new)
}

/// Builds the system with nothing loaded, for a saved state to be loaded into.
///
/// # Errors
/// Everything that keeps the system from being built, together.
pub fn build_unbooted(opened: &Opened, output: Output) -> Result<System, Problems> {
    build_for(opened, output, Machine::unbooted)
}

fn build_for(opened: &Opened, output: Output, make: Make) -> Result<System, Problems> {
    let mut builder = Builder {
        make,
        problems: Vec::new(),
    };
    let system = builder.system(&opened.description, output);
    match system {
        Some(system) if builder.problems.is_empty() => Ok(system),
        _ => Err(Problems::new(
            opened.sources.clone(),
            &opened.file,
            builder.problems,
        )),
    }
}

/// Checks that the system can be built, without running it.
///
/// # Errors
/// Everything that keeps the system from being built, together.
pub fn check(opened: &Opened) -> Result<(), Problems> {
    build(opened, Output::discarded()).map(drop)
}

/// How machines are made.
type Make = fn(Config) -> Result<Machine, MachineError>;

/// A device behind its transport.
enum Built {
    Mmio(Slot),
    Pci(PciSlot),
}

struct Builder {
    make: Make,
    problems: Vec<Problem>,
}

impl Builder {
    fn problem(&mut self, at: Option<At>, field: &str, fault: Fault) {
        self.problems.push(Problem {
            at,
            field: field.to_owned(),
            fault,
        });
    }

    fn system(&mut self, d: &Description, output: Output) -> Option<System> {
        // Every machine is tried, so that what is wrong with each is said at once.
        let tried: Vec<Option<Machine>> = (0..d.machines.len())
            .map(|index| self.machine(d, index))
            .collect();
        let machines: Vec<Machine> = tried.into_iter().collect::<Option<_>>()?;
        let mut system = System {
            serial: Serial::default(),
            machines: Vec::new(),
            gateways: Vec::new(),
        };
        let several = machines.len() > 1;
        for (machine, described) in machines.into_iter().zip(&d.machines) {
            let console = Console::new(described, several, output.clone());
            self.seat(&mut system, described, machine, console)?;
        }
        for (number, cable) in d.links.iter().enumerate() {
            self.cable(&mut system, number, cable)?;
        }
        for (index, machine) in d.machines.iter().enumerate() {
            for device in &machine.devices {
                self.gateway(&mut system, index, device)?;
            }
        }
        self.accelerators(&mut system, d)?;
        let count = u32::try_from(system.machines.len()).unwrap_or(u32::MAX);
        system.serial.stop_after_ends(count);
        Some(system)
    }

    fn machine(&mut self, description: &Description, index: usize) -> Option<Machine> {
        let d = description.machines.get(index)?;
        let before = self.problems.len();
        let firmware = d.boot.firmware.as_ref();
        let firmware = firmware.map(|f| {
            let too_large = "no firmware is that large: name the firmware itself";
            self.file(f, MOST_FIRMWARE, too_large)
        });
        let kernel = d.boot.kernel.as_ref();
        let kernel = kernel.map(|f| {
            self.file(
                f,
                MOST_KERNEL,
                "no kernel is that large: name the kernel itself",
            )
        });
        let initrd = d.boot.initrd.as_ref();
        let initrd = initrd.map(|f| {
            // What does not fit beside the kernel is refused with the memory that both need.
            let most = d.board.memory.max(MOST_KERNEL);
            let too_large = "name a smaller file, or give the machine more memory";
            self.file(f, most, too_large)
        });
        let (slots, functions) = self.devices(description, index);
        if self.problems.len() > before {
            return None;
        }
        let config = Config {
            name: d.board.name.clone(),
            harts: d.board.harts,
            ram_bytes: d.board.memory,
            clock: Frequency::from_hz(d.board.clock),
            cpi: d.board.cpi,
            quantum: d.board.quantum,
            block_limit: d.board.block_limit,
            seed: d.board.seed,
            rtc: match d.board.rtc {
                RtcStart::At(date) | RtcStart::Host(date) => date,
            },
            boot: BootSource {
                mode: match d.boot.mode {
                    description::BootMode::Bare => BootMode::Bare,
                    description::BootMode::Sbi => BootMode::Sbi,
                    description::BootMode::Firmware => BootMode::Firmware,
                },
                firmware: firmware.flatten(),
                kernel: kernel.flatten()?,
                initrd: initrd.flatten(),
                cmdline: d.boot.cmdline.clone(),
            },
            slots,
            functions,
        };
        let mut machine = (self.make)(config)
            .map_err(|error| self.refused(d, &error))
            .ok()?;
        machine.set_thresholds(description.thresholds);
        if let Some(most) = description.limits.instructions {
            machine.limit_instructions(most);
        }
        Some(machine)
    }

    fn file(&mut self, file: &FileRef, most: u64, too_large: &str) -> Option<Vec<u8>> {
        let bytes = locate::read_file(&file.path, most, too_large)
            .map_err(|fault| self.problem(file.at, &file.field, fault))
            .ok()?;
        debug!(file = %file.path.display(), bytes = bytes.len(), "{} is read", file.field);
        Some(bytes)
    }

    /// The devices of a machine: those in slots of the board, and those on PCI.
    fn devices(&mut self, system: &Description, index: usize) -> (Vec<Slot>, Vec<PciSlot>) {
        let (mut slots, mut functions) = (Vec::new(), Vec::new());
        let machine = system.machines.get(index);
        for device in machine.iter().flat_map(|machine| &machine.devices) {
            let plug = Plug {
                machine: index,
                slot: device.slot,
            };
            match self.device(system, device, is_plugged(system, plug)) {
                Some(Built::Mmio(slot)) => slots.push(slot),
                Some(Built::Pci(slot)) => functions.push(slot),
                None => {}
            }
        }
        (slots, functions)
    }

    fn device(
        &mut self,
        system: &Description,
        d: &description::Device,
        plugged: bool,
    ) -> Option<Built> {
        match &d.kind {
            DeviceKind::Block {
                disk,
                mode,
                latency,
                serial,
            } => {
                let backend = self.disk(disk, *mode)?;
                self.attach(d, Block::new(backend, serial, *latency))
            }
            DeviceKind::Console => self.attach(d, maquette_virtio::Console::new()),
            DeviceKind::Rng { seed } => self.attach(d, Rng::new(*seed)),
            DeviceKind::Net { mac, .. } => self.attach(d, Net::new(*mac, plugged)),
            DeviceKind::Sst { .. } => self.attach(d, accelerators::device(system, &d.kind)),
        }
    }

    /// Puts a device behind the transport of its bus.
    fn attach(
        &mut self,
        d: &description::Device,
        device: impl VirtioDevice + 'static,
    ) -> Option<Built> {
        debug!(slot = ?d.slot, name = d.name, "a device is plugged in");
        match d.slot {
            description::Slot::Mmio(index) => {
                let transport = VirtioMmio::new(device).with_queue_size(d.queue_size);
                let device = Box::new(transport);
                Some(Built::Mmio(Slot { index, device }))
            }
            description::Slot::Pci(slot) => {
                let transport = VirtioPci::new(device).with_queue_size(d.queue_size);
                match Function::new(transport) {
                    Ok(function) => Some(Built::Pci(PciSlot {
                        device: slot,
                        function: Box::new(function),
                    })),
                    Err(error) => {
                        let fault = Fault::Refused {
                            message: error.to_string(),
                            remedy: "put the device on `bus = \"mmio\"`".to_owned(),
                        };
                        self.problem(d.at, &d.field, fault);
                        None
                    }
                }
            }
        }
    }

    fn disk(&mut self, disk: &Disk, mode: DiskMode) -> Option<Box<dyn BlockBackend>> {
        match disk {
            Disk::Unresolved => None,
            Disk::Memory { size, fill } => {
                let pattern = match fill {
                    Fill::Zero => Pattern::Zero,
                    Fill::Counter => Pattern::Counter,
                };
                let disk = PatternDisk::new(*size, pattern);
                Some(match mode {
                    DiskMode::ReadOnly => Box::new(disk),
                    DiskMode::Raw | DiskMode::CopyOnWrite => Box::new(Overlay::new(disk)),
                })
            }
            Disk::File(file) => {
                let access = match mode {
                    DiskMode::Raw => DiskAccess::ReadWrite,
                    DiskMode::ReadOnly | DiskMode::CopyOnWrite => DiskAccess::ReadOnly,
                };
                let opened = FileDisk::open(&file.path, access);
                let disk = opened
                    .map_err(|error| {
                        let (message, remedy) = (with_causes(&error), error.remedy());
                        let fault = Fault::Refused { message, remedy };
                        self.problem(file.at, &file.field, fault);
                    })
                    .ok()?;
                Some(match mode {
                    DiskMode::CopyOnWrite => Box::new(Overlay::new(disk)),
                    DiskMode::Raw | DiskMode::ReadOnly => Box::new(disk),
                })
            }
        }
    }

    /// Adds a machine and its console.
    fn seat(
        &mut self,
        system: &mut System,
        d: &description::Machine,
        machine: Machine,
        console: Console,
    ) -> Option<()> {
        let port = match d.console.line {
            ConsoleLine::Uart => CONSOLE,
            ConsoleLine::Slot(slot) => slot_port(slot),
        };
        let System {
            serial, machines, ..
        } = system;
        let host_date = match d.board.rtc {
            RtcStart::At(_) => None,
            RtcStart::Host(date) => Some(date),
        };
        if host_date.is_some() {
            serial.trace_mut().weaken(Level::Replayable);
        }
        let wired = || -> Result<Seat, WiringError> {
            let machine = serial.add(Box::new(machine))?;
            let console = serial.add(Box::new(console))?;
            serial.link(Link {
                a: (machine, port),
                b: (console, console::LINE),
                latency: LINE_LATENCY,
            })?;
            let name = d.board.name.clone();
            Ok(Seat {
                name,
                machine,
                host_date,
                console,
            })
        };
        wired()
            .map(|seat| machines.push(seat))
            .map_err(|error| {
                let fault = Fault::Refused {
                    message: error.to_string(),
                    remedy: "give the machine another name".to_owned(),
                };
                self.problem(d.board.at, &d.field("machine.name"), fault);
            })
            .ok()
    }

    /// Plugs a device into its user network, if it has one.
    fn gateway(
        &mut self,
        system: &mut System,
        index: usize,
        device: &description::Device,
    ) -> Option<()> {
        let DeviceKind::Net {
            user: Some(network),
            ..
        } = &device.kind
        else {
            return Some(());
        };
        let seat = system.machines.get(index)?;
        let requests = Requests::default();
        let gateway = Gateway::new(Setup {
            path: format!("{}.{}.gateway", seat.name, device.name),
            outside: (!network.restrict).then(|| requests.clone()),
        });
        let end = (seat.machine, slot_port(device.slot));
        let serial = &mut system.serial;
        let wired = serial.add(Box::new(gateway)).and_then(|id| {
            let (a, b, latency) = (end, (id, GUEST), GATEWAY_LATENCY);
            serial.link(Link { a, b, latency }).map(|()| id)
        });
        let id = wired
            .map_err(|error| {
                let fault = Fault::Refused {
                    message: error.to_string(),
                    remedy: "give the device another name".to_owned(),
                };
                self.problem(device.at, &device.field, fault);
            })
            .ok()?;
        if !network.restrict {
            system.gateways.push(Outlet {
                gateway: id,
                requests,
                network: network.clone(),
            });
        }
        Some(())
    }

    /// Plugs a cable in.
    fn cable(&mut self, system: &mut System, number: usize, cable: &Cable) -> Option<()> {
        let end = |plug: Plug| {
            let seat = system.machines.get(plug.machine)?;
            Some((seat.machine, slot_port(plug.slot)))
        };
        let (a, b) = (end(cable.from)?, end(cable.to)?);
        wire(&mut system.serial, number, cable, [a, b])
            .map_err(|error| {
                let fault = Fault::Refused {
                    message: error.to_string(),
                    remedy: "name other ends, or another latency".to_owned(),
                };
                self.problem(cable.at, &cable.field, fault);
            })
            .ok()
    }

    /// The machine refused: finds out which field asked for it.
    fn refused<'a>(&mut self, d: &'a description::Machine, error: &MachineError) {
        let named = |field, file: &'a Option<FileRef>| {
            let file = file.as_ref();
            (file.and_then(|f| f.at), field, file)
        };
        let memory = (d.board.memory_at.or(d.board.at), "machine.memory", None);
        let (at, field, file) = match error {
            MachineError::Ram(_) => memory,
            MachineError::Boot(BootError::Place(PlaceError::EmptyInitrd)) => {
                named("boot.initrd", &d.boot.initrd)
            }
            MachineError::NoFirmware | MachineError::Boot(BootError::Firmware(_)) => {
                named("boot.firmware", &d.boot.firmware)
            }
            MachineError::Boot(BootError::Place(place)) if place.wants_memory() => memory,
            MachineError::Boot(BootError::Tree(_)) => (d.board.at, "boot", None),
            MachineError::Boot(_) => named("boot.kernel", &d.boot.kernel),
            MachineError::Board(_)
            | MachineError::NoSlot { .. }
            | MachineError::SlotTaken { .. }
            | MachineError::NoPciSlot { .. }
            | MachineError::PciSlotTaken { .. }
            | MachineError::Layout(_)
            | MachineError::Quantum => (d.board.at, "machine", None),
        };
        let (message, remedy) = words(error);
        let message = match file {
            Some(file) => format!("{}: {message}", file.path.display()),
            None => message,
        };
        self.problem(at, &d.field(field), Fault::Refused { message, remedy });
    }
}

/// Joins two ends: by a link of the engine, or by a component if the cable is not perfect.
fn wire(
    serial: &mut Serial,
    number: usize,
    cable: &Cable,
    [a, b]: [End; 2],
) -> Result<(), WiringError> {
    let latency = cable.latency;
    if cable.bandwidth.is_none() && cable.loss.is_none() {
        return serial.link(Link { a, b, latency });
    }
    let wire = serial.add(Box::new(Wire::new(Quality {
        path: format!("link{number}"),
        bandwidth: cable.bandwidth,
        loss: cable.loss.unwrap_or((0, 1)),
        seed: cable.seed,
    })))?;
    let half = SimTime::from_ps(latency.as_ps() / 2);
    let [from, to] = Wire::ENDS.map(|port| (wire, port));
    serial.link(Link {
        a,
        b: from,
        latency: half,
    })?;
    serial.link(Link {
        a: to,
        b,
        latency: latency.saturating_sub(half),
    })
}

/// The machine's port for the device in a slot.
const fn slot_port(slot: description::Slot) -> PortId {
    match slot {
        description::Slot::Mmio(slot) => PortId(CONSOLE.0 + 1 + slot as u16),
        description::Slot::Pci(slot) => pci_port(slot),
    }
}

/// Whether a cable ends at a device.
fn is_plugged(d: &Description, plug: Plug) -> bool {
    let machine = d.machines.get(plug.machine);
    let device = machine.and_then(|m| m.devices.iter().find(|device| device.slot == plug.slot));
    if device.is_some_and(|d| matches!(d.kind, DeviceKind::Net { user: Some(_), .. })) {
        return true;
    }
    d.links.iter().any(|l| l.from == plug || l.to == plug)
}

/// Message and remedy of the machine's errors, which have the remedy after the last semicolon.
fn words(error: &MachineError) -> (String, String) {
    let text = with_causes(error);
    match text.rsplit_once("; ") {
        Some((message, remedy)) => (message.to_owned(), remedy.to_owned()),
        None => (text, "correct what the message names".to_owned()),
    }
}
