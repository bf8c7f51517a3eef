//! A system as its file describes it: checked, typed, and still nothing but data.

use crate::source::At;
use maquette_devices::AcceleratorSettings;
use maquette_machine::UnixTime;
use maquette_machine::diagnostics::Thresholds;
use maquette_model::SimTime;
use std::path::PathBuf;

/// A whole system.
#[derive(Clone, Debug)]
pub struct Description {
    /// What it shows, in one line.
    pub summary: Option<String>,
    /// The machines; at least one.
    pub machines: Vec<Machine>,
    /// Cables between network devices.
    pub links: Vec<Link>,
    /// Models that virtio-sst devices send work to.
    pub accelerators: Vec<Accelerator>,
    /// When a run is cut short.
    pub limits: Limits,
    /// From when on a run says what drivers do wrong.
    pub thresholds: Thresholds,
}

impl Description {
    /// The files that the system uses.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        self.machines.iter().flat_map(|machine| {
            let disks = machine.devices.iter().filter_map(Device::image);
            let boot = &machine.boot;
            boot.firmware
                .iter()
                .chain(&boot.kernel)
                .chain(&boot.initrd)
                .chain(disks)
        })
    }

    /// The images that the guest writes to.
    pub fn written_files(&self) -> impl Iterator<Item = &FileRef> {
        let devices = self.machines.iter().flat_map(|machine| &machine.devices);
        devices.filter_map(|device| match &device.kind {
            DeviceKind::Block {
                mode: DiskMode::Raw,
                ..
            } => device.image(),
            _ => None,
        })
    }

    /// Sets aside what would get in the way of a person at the keyboard.
    pub fn leave_to_a_person(&mut self) {
        self.limits = Limits::NONE;
        for machine in &mut self.machines {
            machine.console.script.clear();
            machine.expect.console.clear();
            machine.expect.forbid.clear();
            machine.expect.time = None;
        }
    }
}

/// A machine with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The board.
    pub board: Board,
    /// What runs on it.
    pub boot: Boot,
    /// Virtio devices, each in a slot of its own.
    pub devices: Vec<Device>,
    /// The console and its script.
    pub console: Console,
    /// What a good run of it looks like.
    pub expect: Expect,
    /// What the paths of its sections begin with in messages: empty, or `machine[1].`.
    pub prefix: String,
}

impl Machine {
    /// The path in messages of what would be `path` in a file of one machine.
    #[must_use]
    pub fn field(&self, path: &str) -> String {
        match path.strip_prefix("machine") {
            Some(rest) if !self.prefix.is_empty() => {
                format!("{}{rest}", self.prefix.trim_end_matches('.'))
            }
            _ => format!("{}{path}", self.prefix),
        }
    }
}

/// A cable between two network devices.
#[derive(Clone, Debug)]
pub struct Link {
    /// One end.
    pub from: Plug,
    /// The other end.
    pub to: Plug,
    /// How long a frame travels.
    pub latency: SimTime,
    /// Bits a second in each direction; without, sending takes no time.
    pub bandwidth: Option<u64>,
    /// The share of the frames that are lost, as a fraction; without, none.
    pub loss: Option<(u64, u64)>,
    /// What decides which.
    pub seed: u64,
    /// Where the section is written.
    pub at: Option<At>,
    /// The section's path in messages.
    pub field: String,
}

/// A model that virtio-sst devices send work to.
#[derive(Clone, Debug)]
pub struct Accelerator {
    /// What it is made from; how many devices it serves is counted when the system is built.
    pub settings: AcceleratorSettings,
    /// Where the section is written.
    pub at: Option<At>,
    /// The section's path in messages.
    pub field: String,
}

/// What works for a virtio-sst device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worker {
    /// Nothing.
    None,
    /// An accelerator of the device's own.
    Own,
    /// The accelerator of a number.
    Shared(usize),
}

/// Where a cable is plugged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plug {
    /// Which machine, counted from 0.
    pub machine: usize,
    /// The slot of its network device.
    pub slot: Slot,
}

/// A place for a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A virtio-mmio slot of the board, 0 to 7.
    Mmio(u8),
    /// A slot of the PCI root bus, 1 to 31.
    Pci(u8),
}

/// The board.
#[derive(Clone, Debug)]
pub struct Board {
    /// Name in paths and statistics.
    pub name: String,
    /// Number of harts.
    pub harts: u8,
    /// Bytes of RAM.
    pub memory: u64,
    /// Clock of the harts in hertz.
    pub clock: u64,
    /// Cycles an instruction, as a fraction.
    pub cpi: (u64, u64),
    /// Instructions of a turn.
    pub quantum: u64,
    /// Most instructions in a block.
    pub block_limit: u16,
    /// Seed of everything random.
    pub seed: u64,
    /// What the real-time clock shows when the run begins.
    pub rtc: RtcStart,
    /// Where the section is written.
    pub at: Option<At>,
    /// Where the memory is written.
    pub memory_at: Option<At>,
}

/// What a real-time clock shows when the run begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RtcStart {
    /// This.
    At(UnixTime),
    /// What the host's clock showed when the file was opened.
    Host(UnixTime),
}

/// In which world the guest starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootMode {
    /// M-mode, no firmware.
    Bare,
    /// S-mode on the built-in SBI.
    Sbi,
    /// M-mode, in a firmware that starts the kernel.
    Firmware,
}

/// A file that the description names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRef {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is named.
    pub at: Option<At>,
    /// The field that names it.
    pub field: String,
}

/// What runs.
#[derive(Clone, Debug)]
pub struct Boot {
    /// In which world.
    pub mode: BootMode,
    /// What starts the program; there is one in mode [`BootMode::Firmware`] alone, unless its name
    /// could not be resolved.
    pub firmware: Option<FileRef>,
    /// The program; `None` when its name could not be resolved, which is a problem already.
    pub kernel: Option<FileRef>,
    /// The initial RAM disk.
    pub initrd: Option<FileRef>,
    /// The command line.
    pub cmdline: String,
}

/// A device in its slot.
#[derive(Clone, Debug)]
pub struct Device {
    /// The slot.
    pub slot: Slot,
    /// Its name.
    pub name: String,
    /// Most descriptors in each of its queues.
    pub queue_size: u16,
    /// What it is.
    pub kind: DeviceKind,
    /// Where the section is written.
    pub at: Option<At>,
    /// The section's path in messages.
    pub field: String,
}

impl Device {
    /// The file that holds what is on it, if one does.
    #[must_use]
    pub const fn image(&self) -> Option<&FileRef> {
        match &self.kind {
            DeviceKind::Block {
                disk: Disk::File(file),
                ..
            } => Some(file),
            _ => None,
        }
    }
}

/// What a device is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceKind {
    /// A disk.
    Block {
        /// What is on it.
        disk: Disk,
        /// What happens to writes.
        mode: DiskMode,
        /// Time from a request to its completion.
        latency: SimTime,
        /// Its identity.
        serial: String,
    },
    /// A serial line.
    Console,
    /// A network device; what it is joined to is a [`Link`]'s or the back end's business.
    Net {
        /// Its Ethernet address.
        mac: [u8; 6],
        /// The user network that it is plugged into, if any.
        user: Option<UserNetwork>,
    },
    /// A device that hands work to an accelerator.
    Sst {
        /// What works for it.
        worker: Worker,
        /// Time between the device and its accelerator.
        latency: SimTime,
        /// Time after which it gives a request up.
        timeout: SimTime,
        /// Its queues for requests.
        request_queues: u16,
        /// What it calls itself.
        device_id: u32,
        /// What type of device it says it is.
        type_number: u32,
    },
    /// Random bytes from a seed.
    Rng {
        /// The seed.
        seed: u64,
    },
}

/// A gateway to the host's network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserNetwork {
    /// Nothing outside can be reached.
    pub restrict: bool,
    /// Ports of the host that lead into the guest.
    pub forwards: Vec<Forward>,
    /// Where they are written.
    pub at: Option<At>,
    /// The field that holds them.
    pub field: String,
}

/// What a port is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// A port of the host that leads to one of the guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forward {
    /// What it carries.
    pub protocol: Protocol,
    /// Where the host listens.
    pub host: std::net::SocketAddrV4,
    /// The guest's port.
    pub guest: u16,
}

/// What is on a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disk {
    /// A file of the host.
    File(FileRef),
    /// Memory.
    Memory {
        /// Bytes.
        size: u64,
        /// What they are at first.
        fill: Fill,
    },
    /// A file whose name could not be resolved, which is a problem already.
    Unresolved,
}

/// First content of a disk in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fill {
    /// Zero bytes.
    Zero,
    /// Each 8 bytes hold their own number, little endian.
    Counter,
}

/// What happens to what the guest writes to a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskMode {
    /// It goes to the file.
    Raw,
    /// It is refused.
    ReadOnly,
    /// It is kept in memory and forgotten.
    CopyOnWrite,
}

/// Which line is the console.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConsoleLine {
    /// The board's serial line.
    Uart,
    /// The virtio-console in a slot.
    Slot(Slot),
}

/// The console.
#[derive(Clone, Debug)]
pub struct Console {
    /// Which line.
    pub line: ConsoleLine,
    /// What is typed without a person.
    pub script: Vec<Step>,
}

/// One step of the script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Wait for this.
    pub expect: String,
    /// Then type this.
    pub send: String,
}

/// When a run is cut short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// After so many instructions of all harts.
    pub instructions: Option<u64>,
    /// At this virtual time.
    pub time: Option<SimTime>,
    /// After so much time on the host's clock.
    pub host_time: Option<std::time::Duration>,
}

impl Limits {
    /// A run that may take as long as it likes.
    pub const NONE: Self = Self {
        instructions: None,
        time: None,
        host_time: None,
    };
}

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The guest switched the machine off.
    PowerOff,
    /// The guest reported a failure.
    Failure,
    /// Every hart waits for ever.
    Deadlock,
    /// A hart cannot go on.
    HartFailure,
}

/// What a good run looks like.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Texts on the console, in this order.
    pub console: Vec<String>,
    /// Texts that never appear.
    pub forbid: Vec<String>,
    /// How it ends.
    pub end: End,
    /// The guest's own status.
    pub status: Option<u32>,
    /// The virtual time within which it ends.
    pub time: Option<SimTime>,
}
