//! The machine as a component of a simulation.

mod bus;
mod config;
pub(crate) mod debugging;
mod device_host;
mod exits;
mod findings;
mod firmware;
mod harts;
mod inspect;
mod intx;
mod schedule;
mod snapshot;
mod statistics;
mod stores;

pub use bus::{CONSOLE, pci_port};
pub use config::{BootMode, BootSource, Config, MachineError, PciSlot, Slot};
pub use statistics::{HartStatistics, Progress, Statistics};

use crate::board::{Board, TIMEBASE_HZ, TreeOptions, View};
use crate::boot::{self, BootFiles};
use bus::Bus;
use debugging::Debugging;
use device_host::{Core, DeviceHost};
use harts::{Doing, HartSlot, Turn};
use maquette_model::{
    Cx, Fail, Frequency, Inspect, PortId, PowerRequest, Ram, ResetKind, RestoreError, SaveError,
    Sections, SimTime, Token, Tree, Vcpu, Writer,
};
use maquette_rv64::csr::counters::HartClock;
use maquette_rv64::{Hart, ISA_EXTENSIONS};
use maquette_sim::{Component, Port, SimCx, SimEvent, Source, WakeId};
use maquette_trace::{Kind, Trace};
use std::rc::Rc;

/// How a machine is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// It runs, or waits.
    Running,
    /// The guest switched the power off.
    PoweredOff,
    /// The guest reported a failure.
    GuestFailed(u32),
    /// A hart cannot go on.
    HartFailed {
        /// Which.
        hart: usize,
        /// Where.
        pc: u64,
        /// Why.
        what: Fail,
    },
    /// The machine could not be restarted.
    RestartFailed(String),
    /// All harts together have retired as many instructions as they may.
    InstructionLimit,
}

/// A machine.
pub struct Machine {
    name: String,
    board: Board,
    seed: u64,
    quantum: u64,
    boot: BootSource,
    harts: Vec<HartSlot>,
    bus: Bus,
    core: Core,
    turn: Option<Turn>,
    /// The hart that had the last turn.
    last_hart: usize,
    /// The latest event that was delivered.
    event_time: SimTime,
    /// What the access being made will be answered under.
    pending: Option<Token>,
    resume: Option<WakeId>,
    /// Work done since the engine was last heard, in instructions; decides pauses and nothing else.
    effort: u64,
    /// What all harts together may retire.
    most_instructions: u64,
    status: Status,
    statistics: Statistics,
    /// Who looks on, and what they know already.
    progress: Option<(Rc<Progress>, u64, u64)>,
    /// What a debugger wants, if there is one.
    debugging: Option<Box<Debugging>>,
}

impl Machine {
    /// Builds the machine and loads what it boots.
    ///
    /// # Errors
    /// When the configuration is impossible or the boot files cannot be used.
    pub fn new(config: Config) -> Result<Self, MachineError> {
        let mut machine = Self::unbooted(config)?;
        machine.load()?;
        Ok(machine)
    }

    /// Builds the machine with empty RAM, for a saved state to be loaded into.
    ///
    /// # Errors
    /// When the configuration is impossible.
    pub fn unbooted(config: Config) -> Result<Self, MachineError> {
        if config.quantum == 0 {
            return Err(MachineError::Quantum);
        }
        let mut board = Board::virt(config.harts, config.ram_bytes)?;
        if !config.functions.is_empty() {
            board = board.with_pci()?;
        }
        let ram = Rc::new(Ram::new(board.ram().start(), board.ram().len())?);
        let Config {
            slots, functions, ..
        } = config;
        let bus = Bus::new(&board, &config.name, config.rtc, slots, functions)?;
        let clock = HartClock::new(
            config.clock,
            config.cpi,
            Frequency::from_hz(TIMEBASE_HZ.into()),
        );
        let stray = Trace::new().path("");
        let harts = (0..u64::from(config.harts)).map(|id| HartSlot {
            hart: Hart::new(id, clock, Rc::clone(&ram), config.block_limit),
            doing: Doing::Stopped,
            path: stray,
        });
        Ok(Self {
            harts: harts.collect(),
            core: Core::new(ram, config.harts),
            name: config.name,
            board,
            seed: config.seed,
            quantum: config.quantum,
            boot: config.boot,
            bus,
            turn: None,
            last_hart: 0,
            event_time: SimTime::ZERO,
            pending: None,
            resume: None,
            effort: 0,
            most_instructions: u64::MAX,
            status: Status::Running,
            statistics: Statistics::default(),
            progress: None,
            debugging: None,
        })
    }

    /// Puts the boot files into RAM and the harts to their first instruction.
    fn load(&mut self) -> Result<(), MachineError> {
        let mode = self.boot.mode;
        let firmware = self.boot.firmware.as_deref();
        let firmware = firmware.filter(|_| mode == BootMode::Firmware);
        if mode == BootMode::Firmware && firmware.is_none() {
            return Err(MachineError::NoFirmware);
        }
        let options = TreeOptions {
            view: match mode {
                BootMode::Bare | BootMode::Firmware => View::Machine,
                BootMode::Sbi => View::Supervisor,
            },
            isa_extensions: ISA_EXTENSIONS,
            cmdline: &self.boot.cmdline,
            initrd: None,
            seed: self.seed,
        };
        let files = BootFiles {
            firmware,
            kernel: &self.boot.kernel,
            initrd: self.boot.initrd.as_deref(),
        };
        let entry = boot::prepare(&self.board, files, &options)?.write(&self.core.ram)?;
        for (i, slot) in self.harts.iter_mut().enumerate() {
            let (pc, dtb) = (entry.pc.0, entry.dtb.0);
            let info = entry.info.map_or(0, |info| info.0);
            slot.doing = Doing::Running;
            match (mode, i) {
                (BootMode::Bare, _) => slot.hart.start_bare(pc, dtb),
                (BootMode::Firmware, _) => slot.hart.start_firmware(pc, dtb, info),
                (BootMode::Sbi, 0) => slot.hart.start_supervisor(pc, dtb),
                (BootMode::Sbi, _) => slot.doing = Doing::Stopped,
            }
        }
        Ok(())
    }

    /// Ends the run when all harts together have retired exactly `most` instructions, in the order of
    /// their turns. Where the engine pauses the machine makes no difference.
    pub const fn limit_instructions(&mut self, most: u64) {
        self.most_instructions = most;
    }

    /// How the machine is doing.
    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// Each hart's number and pc.
    #[must_use]
    pub fn program_counters(&self) -> Vec<(usize, u64)> {
        self.harts
            .iter()
            .enumerate()
            .map(|(i, s)| (i, s.hart.pc()))
            .collect()
    }

    /// Failures of the host that devices reported.
    #[must_use]
    pub fn host_errors(&self) -> &[String] {
        &self.core.host_errors
    }

    /// What a power controller, or firmware, was asked for.
    fn power(&mut self, cx: &mut SimCx<'_>, request: PowerRequest) {
        match request {
            PowerRequest::Off => self.status = Status::PoweredOff,
            PowerRequest::Fail(code) => self.status = Status::GuestFailed(code),
            PowerRequest::Reset => {
                if let Err(e) = self.restart(cx) {
                    self.status = Status::RestartFailed(e.to_string());
                }
            }
        }
    }

    /// Starts over: the boot files are loaded anew, devices are reset; other RAM and time stay.
    fn restart(&mut self, cx: &mut SimCx<'_>) -> Result<(), MachineError> {
        self.statistics.restarts = self.statistics.restarts.saturating_add(1);
        self.effort += schedule::RESTART_EFFORT;
        let now = self.reached();
        for i in 0..self.bus.nodes.len() {
            let source = Source(u32::try_from(i).unwrap_or(u32::MAX));
            self.core.events.cancel_source(source);
            let Some(node) = self.bus.nodes.get_mut(i) else {
                continue;
            };
            let Some(d) = node.model.device_mut() else {
                continue;
            };
            let mut host = DeviceHost {
                core: &mut self.core,
                trace: cx.trace(),
                wiring: &node.wiring,
                device: i,
                now,
            };
            d.reset(&mut Cx::new(&mut host), ResetKind::Warm);
        }
        self.core.shared.clear();
        self.core.plic = maquette_devices::Plic::new(self.board.harts());
        self.core.diagnostics.restart(now);
        self.core.irqs.clear();
        self.core.completions.clear();
        self.turn = None;
        for slot in &mut self.harts {
            for line in 0..16 {
                slot.hart.set_irq(maquette_model::CpuLine(line), false);
            }
            slot.hart.reset();
            slot.hart.skip_to(now);
        }
        self.load()
    }
}

impl Component for Machine {
    fn path(&self) -> &str {
        &self.name
    }

    fn ports(&self) -> Vec<Port> {
        let slots = (1..=8).map(|n| Port {
            id: PortId(n),
            name: format!("virtio{}", n - 1).into(),
        });
        let prefix = format!("{}.", self.name);
        let functions = self.bus.pins().filter_map(|(device, ..)| {
            let node = self.bus.nodes.get(device)?;
            Some(Port {
                id: node.wiring.port_base,
                name: node.name.strip_prefix(&prefix)?.to_owned().into(),
            })
        });
        core::iter::once(Port::new(CONSOLE.0, "console"))
            .chain(slots)
            .chain(functions)
            .collect()
    }

    fn start(&mut self, cx: &mut SimCx<'_>) {
        self.bus.intern(cx.trace());
        for (i, slot) in self.harts.iter_mut().enumerate() {
            slot.path = cx.trace().path(&format!("{}.hart{i}", self.name));
        }
        cx.wake_at(SimTime::ZERO, schedule::RESUME);
    }

    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        if self.status != Status::Running {
            return;
        }
        if let SimEvent::Message { port, msg } = ev
            && let Some((device, port)) = self.bus.behind(port)
        {
            let now = cx.now();
            let source = Source(u32::MAX);
            let event = maquette_model::Event::Message { port, msg };
            let value = device_host::DeviceEvent { device, event };
            self.core
                .events
                .push(now, maquette_sim::Priority::ARRIVAL, source, value);
        }
        self.advance(cx);
    }

    fn finish(&mut self, trace: &mut Trace) {
        let now = self.reached();
        for slot in &self.harts {
            let mut w = Writer::default();
            slot.hart.save_architecture(&mut w);
            trace.record(
                now,
                slot.path,
                Kind::Digest,
                blake3::hash(&w.into_bytes()).as_bytes(),
            );
        }
        let mut hasher = blake3::Hasher::new();
        self.core.ram.for_each_used_page(|i, page| {
            hasher.update(&(i as u64).to_le_bytes());
            hasher.update(page);
        });
        let ram = trace.path(&format!("{}.ram", self.name));
        trace.record(now, ram, Kind::Digest, hasher.finalize().as_bytes());
    }

    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        self.save_parts(to)
    }

    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        self.restore_parts(from)
    }

    fn inspect(&self, tree: &mut Tree) {
        Inspect::inspect(self, tree);
    }

    fn idle_report(&self) -> Option<String> {
        if self.status != Status::Running {
            return None;
        }
        let harts = self
            .harts
            .iter()
            .enumerate()
            .map(|(i, s)| format!("hart{i} {} at pc {:#x}", s.doing.words(), s.hart.pc()));
        Some(harts.collect::<Vec<_>>().join(", "))
    }
}
