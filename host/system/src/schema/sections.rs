//! The sections of a system file.

use super::{Kind, Param, Presence, Section};

/// Most harts of a machine.
pub const HARTS_MAX: u64 = 8;
/// Slots for virtio devices.
pub const SLOTS: u64 = 8;
/// Slots of the PCI root bus for devices, from 1 on.
pub const PCI_SLOTS: u64 = 31;
/// Most instructions of a block.
pub const BLOCK_LIMIT_MAX: u64 = 1024;
/// Most machines of a system.
pub const MACHINES_MAX: usize = 16;
/// The sections of each machine. With `[[machine]]` they are written below it: `[machine.boot]`.
pub const OF_A_MACHINE: &[&str] = &["boot", "device", "console", "expect"];
/// The name of the serial line among the consoles.
pub const CONSOLE_UART: &str = "uart";

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// All sections; the one with the empty path is the top of the file.
pub static SECTIONS: &[Section] = &[
    Section {
        path: "",
        repeated: false,
        summary: "the top of the file, before any section",
        params: &[Param {
            name: "description",
            kind: Kind::Text,
            presence: Presence::Optional("none"),
            summary: "what this system shows, in one line; `maquette list` prints it",
        }],
    },
    Section {
        path: "machine",
        repeated: false,
        summary: "the board: a RISC-V machine with the memory map of QEMU's `virt`; `[[machine]]` for each of several",
        params: MACHINE,
    },
    Section {
        path: "boot",
        repeated: false,
        summary: "what runs on it",
        params: BOOT,
    },
    Section {
        path: "device",
        repeated: true,
        summary: "a virtio device in one of the board's slots, or on PCI; more parameters by type",
        params: super::devices::COMMON,
    },
    Section {
        path: "console",
        repeated: false,
        summary: "which line is the console: shown, scripted, and joined to the terminal",
        params: &[Param {
            name: "device",
            kind: Kind::Word,
            presence: Presence::Default(CONSOLE_UART),
            summary: "`uart`, or the name of a virtio-console",
        }],
    },
    Section {
        path: "console.script",
        repeated: true,
        summary: "one step of the scripted input: wait for a text, then type another",
        params: SCRIPT,
    },
    Section {
        path: "link",
        repeated: true,
        summary: "a cable between two network devices; order is kept, and nothing is lost unless `loss` says so",
        params: LINK,
    },
    Section {
        path: "accelerator",
        repeated: true,
        summary: "a model that works for the system's virtio-sst devices; see docs/accelerator.md",
        params: ACCELERATOR,
    },
    Section {
        path: "limits",
        repeated: false,
        summary: "how long a run may take; reaching a limit ends it with exit code 124",
        params: LIMITS,
    },
    Section {
        path: "diagnostics",
        repeated: false,
        summary: "from when on a run says what drivers do wrong; docs/tracing.md says what is meant",
        params: DIAGNOSTICS,
    },
    Section {
        path: "expect",
        repeated: false,
        summary: "what a good run looks like; anything else ends with exit code 2",
        params: EXPECT,
    },
];

const MACHINE: &[Param] = &[
    Param {
        name: "name",
        kind: Kind::Word,
        presence: Presence::Default("machine0"),
        summary: "name of the machine in paths, traces and statistics; `machine1` by default for the second, and so on",
    },
    Param {
        name: "harts",
        kind: Kind::Count {
            min: 1,
            max: HARTS_MAX,
        },
        presence: Presence::Default("1"),
        summary: "number of harts (CPUs)",
    },
    Param {
        name: "memory",
        kind: Kind::Size {
            min: MIB,
            max: 64 * GIB,
            multiple: 4096,
        },
        presence: Presence::Default("128MiB"),
        summary: "RAM, beginning at 0x8000_0000",
    },
    Param {
        name: "clock",
        kind: Kind::Rate {
            min: 1_000,
            max: 1_000_000_000_000,
        },
        presence: Presence::Default("1GHz"),
        summary: "clock of every hart",
    },
    Param {
        name: "cpi",
        kind: Kind::Ratio { max: 1_000_000 },
        presence: Presence::Default("1"),
        summary: "clock cycles that one instruction takes",
    },
    Param {
        name: "quantum",
        kind: Kind::Count {
            min: 1,
            max: 1_000_000_000,
        },
        presence: Presence::Default("10000"),
        summary: "instructions that a hart runs before the next has its turn; the trace hash depends on it",
    },
    Param {
        name: "block_limit",
        kind: Kind::Count {
            min: 1,
            max: BLOCK_LIMIT_MAX,
        },
        presence: Presence::Default("64"),
        summary: "most instructions in a decoded block; nothing a guest can see depends on it",
    },
    Param {
        name: "seed",
        kind: Kind::Count {
            min: 0,
            max: u64::MAX,
        },
        presence: Presence::Default("1"),
        summary: "seed of everything random in the machine",
    },
    Param {
        name: "rtc",
        kind: Kind::Date,
        presence: Presence::Default("2026-01-01T00:00:00Z"),
        summary: "what the real-time clock shows when the run begins, in UTC; `host`: the host's clock",
    },
];

const BOOT: &[Param] = &[
    Param {
        name: "mode",
        kind: Kind::Choice(&[
            (
                "bare",
                "an ELF file starts in M-mode on every hart; no firmware",
            ),
            (
                "sbi",
                "a kernel (ELF, Image, EFI zboot) starts in S-mode; the machine answers SBI calls",
            ),
            (
                "firmware",
                "`firmware` starts in M-mode on every hart, as on a real board, and starts the kernel",
            ),
        ]),
        presence: Presence::Required("\"sbi\""),
        summary: "in which world the guest starts",
    },
    Param {
        name: "firmware",
        kind: Kind::File,
        presence: Presence::Optional("none"),
        summary: "OpenSBI or another firmware, ELF or raw (mode `firmware`), such as `part:opensbi/fw_dynamic.bin`",
    },
    Param {
        name: "kernel",
        kind: Kind::File,
        presence: Presence::Required("\"guest:hello\""),
        summary: "the program: a path, `guest:NAME` or `part:NAME/FILE`",
    },
    Param {
        name: "initrd",
        kind: Kind::File,
        presence: Presence::Optional("none"),
        summary: "initial RAM disk of a kernel (modes `sbi` and `firmware`)",
    },
    Param {
        name: "cmdline",
        kind: Kind::Text,
        presence: Presence::Default(""),
        summary: "command line of a kernel (modes `sbi` and `firmware`)",
    },
];

const SCRIPT: &[Param] = &[
    Param {
        name: "expect",
        kind: Kind::Word,
        presence: Presence::Required("\"# \""),
        summary: "text to wait for, after what an earlier step has found",
    },
    Param {
        name: "send",
        kind: Kind::Text,
        presence: Presence::Required("\"ls\\n\""),
        summary: "text to type then",
    },
];

const LINK: &[Param] = &[
    Param {
        name: "from",
        kind: Kind::Word,
        presence: Presence::Required("\"a.net0\""),
        summary: "one end: machine and virtio-net device by their names",
    },
    Param {
        name: "to",
        kind: Kind::Word,
        presence: Presence::Required("\"b.net0\""),
        summary: "the other end",
    },
    Param {
        name: "latency",
        kind: Kind::Time { min: 1 },
        presence: Presence::Default("10us"),
        summary: "virtual time that a frame travels; the longer, the faster the run",
    },
    Param {
        name: "bandwidth",
        kind: Kind::Bandwidth {
            min: 1_000,
            max: 1_000_000_000_000,
        },
        presence: Presence::Optional("sending takes no time"),
        summary: "how fast frames are sent, in each direction",
    },
    Param {
        name: "loss",
        kind: Kind::Ratio { max: 1_000_000_000 },
        presence: Presence::Optional("none"),
        summary: "share of the frames that are lost, such as `1/1000`",
    },
    Param {
        name: "seed",
        kind: Kind::Count {
            min: 0,
            max: u64::MAX,
        },
        presence: Presence::Default("1"),
        summary: "what decides which frames are lost",
    },
];

const ACCELERATOR: &[Param] = &[
    Param {
        name: "name",
        kind: Kind::Word,
        presence: Presence::Default("accelerator0"),
        summary: "name in paths and traces; `accelerator1` by default for the second, and so on",
    },
    Param {
        name: "clock",
        kind: Kind::Rate {
            min: 1_000,
            max: 1_000_000_000_000,
        },
        presence: Presence::Default("1GHz"),
        summary: "its clock",
    },
    Param {
        name: "timing",
        kind: Kind::Choice(&[
            ("fixed", "a request begins when the one before is done"),
            (
                "pipelined",
                "a request begins `initiation_interval` cycles after the one before",
            ),
            ("instant", "answers come at once; their cycles are a number"),
        ]),
        presence: Presence::Default("fixed"),
        summary: "how requests follow each other",
    },
    Param {
        name: "initiation_interval",
        kind: Kind::Count {
            min: 1,
            max: u64::MAX,
        },
        presence: Presence::Default("1"),
        summary: "with `pipelined`: cycles between the beginnings of two requests",
    },
    Param {
        name: "cycles_per_unit",
        kind: Kind::Count {
            min: 0,
            max: u64::MAX,
        },
        presence: Presence::Default("100"),
        summary: "cycles of a unit of COMPUTE, until the guest configures another number",
    },
    Param {
        name: "max_compute_units",
        kind: Kind::Count {
            min: 0,
            max: u64::MAX,
        },
        presence: Presence::Default("1000000"),
        summary: "the largest COMPUTE; more is INVALID",
    },
    Param {
        name: "memory",
        kind: Kind::Size {
            min: 1,
            max: 1 << 60,
            multiple: 1,
        },
        presence: Presence::Default("256MiB"),
        summary: "its own memory, for READ and WRITE; only what is written takes room on the host",
    },
    Param {
        name: "memory_cycles",
        kind: Kind::Count {
            min: 0,
            max: u64::MAX,
        },
        presence: Presence::Default("100"),
        summary: "cycles of a READ or WRITE",
    },
    Param {
        name: "completion_events",
        kind: Kind::Flag,
        presence: Presence::Default("false"),
        summary: "whether each COMPUTE that is done is told by an event too",
    },
];

const LIMITS: &[Param] = &[
    Param {
        name: "instructions",
        kind: Kind::Count {
            min: 1,
            max: u64::MAX,
        },
        presence: Presence::Optional("no limit"),
        summary: "instructions of all harts of a machine together, in the order of their turns; the run ends after exactly so many",
    },
    Param {
        name: "time",
        kind: Kind::Time { min: 1 },
        presence: Presence::Optional("no limit"),
        summary: "virtual time",
    },
    Param {
        name: "host_time",
        kind: Kind::Time { min: 1 },
        presence: Presence::Optional("no limit"),
        summary: "time on the host's clock: a safety net, not reproducible",
    },
];

const DIAGNOSTICS: &[Param] = &[
    Param {
        name: "spin_reads",
        kind: Kind::Count {
            min: 2,
            max: u64::MAX,
        },
        presence: Presence::Default("100000"),
        summary: "equal reads of one register in a row that are a spin",
    },
    Param {
        name: "storm_claims",
        kind: Kind::Count {
            min: 2,
            max: u64::MAX,
        },
        presence: Presence::Default("1000"),
        summary: "claims of one interrupt without progress that are a storm",
    },
    Param {
        name: "storm_window",
        kind: Kind::Time { min: 1 },
        presence: Presence::Default("10ms"),
        summary: "virtual time within which they come",
    },
    Param {
        name: "lost_after",
        kind: Kind::Time { min: 1 },
        presence: Presence::Default("100ms"),
        summary: "virtual time after which an external interrupt that no hart claims is lost",
    },
];

const EXPECT: &[Param] = &[
    Param {
        name: "console",
        kind: Kind::Texts,
        presence: Presence::Default(""),
        summary: "texts that the console shows, in this order",
    },
    Param {
        name: "forbid",
        kind: Kind::Texts,
        presence: Presence::Default(""),
        summary: "texts that the console never shows",
    },
    Param {
        name: "end",
        kind: Kind::Choice(&[
            ("power-off", "the guest switches the machine off"),
            ("failure", "the guest reports the failure `status`"),
            (
                "deadlock",
                "every hart waits and nothing is left to wake one",
            ),
            ("hart-failure", "a hart cannot go on, as in a trap loop"),
        ]),
        presence: Presence::Default("power-off"),
        summary: "how the run ends",
    },
    Param {
        name: "status",
        kind: Kind::Count {
            min: 0,
            max: u32::MAX as u64,
        },
        presence: Presence::Optional("any"),
        summary: "the guest's own status: 0 after a power-off, its code after a failure",
    },
    Param {
        name: "time",
        kind: Kind::Time { min: 1 },
        presence: Presence::Optional("any"),
        summary: "virtual time within which the run ends",
    },
];
