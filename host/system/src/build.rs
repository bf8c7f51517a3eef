//! From a description to a system that is ready to run: files are read, the machine is made, links are
//! plugged in. What cannot be done is a problem at the place that asks for it.

use crate::console::{self, Console};
use crate::description::{
    self, ConsoleLine, Description, DeviceKind, Disk, DiskMode, FileRef, Fill,
};
use crate::locate;
use crate::open::Opened;
use crate::problem::{Fault, Problem, Problems};
use crate::source::At;
use maquette_machine::boot::{BootError, PlaceError};
use maquette_machine::{BootMode, BootSource, CONSOLE, Config, Machine, MachineError, Slot};
use maquette_model::{Device, Frequency, PortId, SimTime};
use maquette_rim::{DiskAccess, FileDisk, Output};
use maquette_sim::{ComponentId, Link, Serial, WiringError};
use maquette_virtio::{Block, BlockBackend, Overlay, Pattern, PatternDisk, Rng, VirtioMmio};
use tracing::debug;

/// Larger files are no kernels, however many symbols they carry.
const MOST_KERNEL: u64 = 1 << 30;
/// How long a byte takes between the machine's serial line and the console.
const LINE_LATENCY: SimTime = SimTime::from_us(1);

/// A system that is ready to run.
pub struct System {
    /// Runs it.
    pub serial: Serial,
    /// The machine in it.
    pub machine: ComponentId,
    /// The console in it.
    pub console: ComponentId,
}

/// Builds the system; the guest's console text will go to `output`.
///
/// # Errors
/// Everything that keeps the system from being built, together.
pub fn build(opened: &Opened, output: Output) -> Result<System, Problems> {
    let mut builder = Builder {
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

struct Builder {
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
        let kernel = d.boot.kernel.as_ref().map(|f| self.file(f, MOST_KERNEL));
        let initrd = d.boot.initrd.as_ref();
        let initrd = initrd.map(|f| self.file(f, d.machine.memory));
        let slots: Vec<Slot> = (d.devices.iter())
            .filter_map(|device| self.slot(device))
            .collect();
        if !self.problems.is_empty() {
            return None;
        }
        let config = Config {
            name: d.machine.name.clone(),
            harts: d.machine.harts,
            ram_bytes: d.machine.memory,
            clock: Frequency::from_hz(d.machine.clock),
            cpi: d.machine.cpi,
            quantum: d.machine.quantum,
            block_limit: d.machine.block_limit,
            seed: d.machine.seed,
            boot: BootSource {
                mode: match d.boot.mode {
                    description::BootMode::Bare => BootMode::Bare,
                    description::BootMode::Sbi => BootMode::Sbi,
                },
                kernel: kernel.flatten()?,
                initrd: initrd.flatten(),
                cmdline: d.boot.cmdline.clone(),
            },
            slots,
        };
        match Machine::new(config) {
            Ok(mut machine) => {
                if let Some(most) = d.limits.instructions {
                    machine.limit_instructions(most);
                }
                self.wire(d, machine, output)
            }
            Err(error) => {
                self.refused(d, &error);
                None
            }
        }
    }

    fn file(&mut self, file: &FileRef, most: u64) -> Option<Vec<u8>> {
        let bytes = locate::read_file(&file.path, most)
            .map_err(|fault| self.problem(file.at, &file.field, fault))
            .ok()?;
        debug!(file = %file.path.display(), bytes = bytes.len(), "{} is read", file.field);
        Some(bytes)
    }

    fn slot(&mut self, d: &description::Device) -> Option<Slot> {
        let size = d.queue_size;
        let device: Box<dyn Device> = match &d.kind {
            DeviceKind::Block {
                disk,
                mode,
                latency,
                serial,
            } => {
                let backend = self.disk(disk, *mode)?;
                let disk = Block::new(backend, serial, *latency);
                Box::new(VirtioMmio::new(disk).with_queue_size(size))
            }
            DeviceKind::Console => {
                let console = maquette_virtio::Console::new();
                Box::new(VirtioMmio::new(console).with_queue_size(size))
            }
            DeviceKind::Rng { seed } => {
                Box::new(VirtioMmio::new(Rng::new(*seed)).with_queue_size(size))
            }
        };
        debug!(slot = d.slot, name = d.name, "a device is plugged in");
        Some(Slot {
            index: d.slot,
            device,
        })
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
                        let (message, remedy) = (chain(&error), error.remedy());
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

    fn wire(&mut self, d: &Description, machine: Machine, output: Output) -> Option<System> {
        let port = match d.console.line {
            ConsoleLine::Uart => CONSOLE,
            ConsoleLine::Slot(slot) => PortId(CONSOLE.0 + 1 + u16::from(slot)),
        };
        let wired = || -> Result<System, WiringError> {
            let mut serial = Serial::default();
            let machine = serial.add(Box::new(machine))?;
            let console = serial.add(Box::new(Console::new(d, output)))?;
            serial.link(Link {
                a: (machine, port),
                b: (console, console::LINE),
                latency: LINE_LATENCY,
            })?;
            Ok(System {
                serial,
                machine,
                console,
            })
        };
        wired()
            .map_err(|error| {
                let fault = Fault::Refused {
                    message: error.to_string(),
                    remedy: "give the machine another name".to_owned(),
                };
                self.problem(d.machine.at, "machine.name", fault);
            })
            .ok()
    }

    /// The machine refused: finds out which field asked for it.
    fn refused(&mut self, d: &Description, error: &MachineError) {
        let kernel = || {
            let file = d.boot.kernel.as_ref();
            (file.and_then(|f| f.at), "boot.kernel", file)
        };
        let memory = (d.machine.memory_at.or(d.machine.at), "machine.memory", None);
        let (at, field, file) = match error {
            MachineError::Ram(_) => memory,
            MachineError::Boot(BootError::Place(PlaceError::EmptyInitrd)) => {
                let file = d.boot.initrd.as_ref();
                (file.and_then(|f| f.at), "boot.initrd", file)
            }
            MachineError::Boot(BootError::Place(
                PlaceError::KernelTooLarge { .. } | PlaceError::NoRoom { .. },
            )) => memory,
            MachineError::Boot(BootError::Tree(_)) => (d.machine.at, "boot", None),
            MachineError::Boot(_) => kernel(),
            MachineError::Board(_)
            | MachineError::NoSlot { .. }
            | MachineError::SlotTaken { .. }
            | MachineError::Quantum => (d.machine.at, "machine", None),
        };
        let (message, remedy) = words(error);
        let message = match file {
            Some(file) => format!("{}: {message}", file.path.display()),
            None => message,
        };
        self.problem(at, field, Fault::Refused { message, remedy });
    }
}

/// An error and its sources as one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Message and remedy of the machine's errors, which have the remedy after the last semicolon.
fn words(error: &MachineError) -> (String, String) {
    let text = chain(error);
    match text.rsplit_once("; ") {
        Some((message, remedy)) => (message.to_owned(), remedy.to_owned()),
        None => (text, "correct what the message names".to_owned()),
    }
}
