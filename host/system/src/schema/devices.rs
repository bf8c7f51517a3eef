//! The types of devices that a system file can put into a slot.

use super::sections::PCI_SLOTS;
use super::{Kind, Param, Presence, Section};

/// Most descriptors in a queue (virtio 1.3 §2.7).
const QUEUE_MAX: u64 = 32_768;
const GIB: u64 = 1 << 30;

/// What every `[[device]]` has.
pub(super) const COMMON: &[Param] = &[
    Param {
        name: "type",
        kind: Kind::Word,
        presence: Presence::Required("\"virtio-blk\""),
        summary: "what device it is",
    },
    Param {
        name: "bus",
        kind: Kind::Choice(&[
            ("mmio", "one of the board's eight slots for virtio-mmio"),
            (
                "pci",
                "a slot of the PCI root bus, which is there if a device is on it",
            ),
        ]),
        presence: Presence::Default("mmio"),
        summary: "how the device is attached",
    },
    Param {
        name: "slot",
        kind: Kind::Count {
            min: 0,
            max: PCI_SLOTS,
        },
        presence: Presence::Optional("the lowest that is free"),
        summary: "slot on the bus: 0 to 7 of `mmio`, from 0x1000_1000 on, each next one 0x1000 further; 1 to 31 of `pci`",
    },
    Param {
        name: "name",
        kind: Kind::Word,
        presence: Presence::Optional(
            "type and slot, for example `virtio-blk0`, or `virtio-blk-pci1`",
        ),
        summary: "name in messages, and for `console.device`",
    },
    Param {
        name: "queue_size",
        kind: Kind::PowerOfTwo {
            max: QUEUE_MAX,
            unit: "descriptors",
        },
        presence: Presence::Default("256"),
        summary: "descriptors that the driver may have in each of the device's queues (`QueueNumMax`); 128 for virtio-sst",
    },
];

/// All types of devices.
pub static DEVICES: &[Section] = &[
    Section {
        path: "virtio-blk",
        repeated: false,
        summary: "a disk",
        params: &[
            Param {
                name: "file",
                kind: Kind::File,
                presence: Presence::Optional("a disk in memory, see `size`"),
                summary: "disk image, a whole number of 512-byte sectors",
            },
            Param {
                name: "size",
                kind: Kind::Size {
                    min: 512,
                    max: 4 * GIB,
                    multiple: 512,
                },
                presence: Presence::Optional("the file's"),
                summary: "size of a disk in memory, instead of `file`",
            },
            Param {
                name: "fill",
                kind: Kind::Choice(&[
                    ("zero", "zero bytes"),
                    (
                        "counter",
                        "each 8 bytes hold their own number, little endian: 0, 1, 2, …",
                    ),
                ]),
                presence: Presence::Optional("zero"),
                summary: "first content of a disk in memory",
            },
            Param {
                name: "mode",
                kind: Kind::Choice(&[
                    (
                        "copy-on-write",
                        "writes are kept in memory and forgotten at the end",
                    ),
                    ("read-only", "the guest is told that it cannot write"),
                    ("raw", "writes go to the file"),
                ]),
                presence: Presence::Default("copy-on-write"),
                summary: "what happens to what the guest writes",
            },
            Param {
                name: "latency",
                kind: Kind::Time { min: 0 },
                presence: Presence::Default("10us"),
                summary: "virtual time from a request to its completion",
            },
            Param {
                name: "serial",
                kind: Kind::Text,
                presence: Presence::Default("maquette"),
                summary: "identity that the guest can ask for, at most 20 bytes",
            },
        ],
    },
    Section {
        path: "virtio-console",
        repeated: false,
        summary: "a second serial line, `hvc0` of a Linux guest",
        params: &[],
    },
    Section {
        path: "virtio-net",
        repeated: false,
        summary: "a network device; see docs/network.md",
        params: NET,
    },
    Section {
        path: "virtio-rng",
        repeated: false,
        summary: "a source of random bytes, the same in every run",
        params: &[Param {
            name: "seed",
            kind: Kind::Count {
                min: 0,
                max: u64::MAX,
            },
            presence: Presence::Optional("the machine's seed"),
            summary: "what the random bytes are made from",
        }],
    },
    Section {
        path: "virtio-sst",
        repeated: false,
        summary: "hands the guest's work to a modelled accelerator; see docs/accelerator.md",
        params: SST,
    },
];

const SST: &[Param] = &[
    Param {
        name: "accelerator",
        kind: Kind::Word,
        presence: Presence::Optional(
            "the first `[[accelerator]]`; one of its own with the default parameters, if there is none",
        ),
        summary: "name of the `[[accelerator]]` that does the work, or `none`",
    },
    Param {
        name: "latency",
        kind: Kind::Time { min: 1 },
        presence: Presence::Default("1us"),
        summary: "virtual time that a request, and its answer, travels between device and accelerator",
    },
    Param {
        name: "timeout",
        kind: Kind::Time { min: 1 },
        presence: Presence::Default("5s"),
        summary: "virtual time after which a request without answer ends with TIMEOUT",
    },
    Param {
        name: "request_queues",
        kind: Kind::Count { min: 1, max: 8 },
        presence: Presence::Default("1"),
        summary: "queues for requests; more than one is offered as a feature",
    },
    Param {
        name: "device_id",
        kind: Kind::Count {
            min: 0,
            max: u32::MAX as u64,
        },
        presence: Presence::Default("0"),
        summary: "what the device calls itself in its configuration space",
    },
    Param {
        name: "type_number",
        kind: Kind::Count {
            min: 1,
            max: u32::MAX as u64,
        },
        presence: Presence::Default("4162"),
        summary: "virtio device type that the driver looks for (0x1042); none is registered for virtio-sst",
    },
];

const NET: &[Param] = &[
    Param {
        name: "mac",
        kind: Kind::Word,
        presence: Presence::Optional(
            "made from the machine's seed, its place in the file and the slot",
        ),
        summary: "Ethernet address, such as `52:54:00:12:34:56`",
    },
    Param {
        name: "backend",
        kind: Kind::Choice(&[
            ("none", "nothing, or what a `[[link]]` joins it to"),
            (
                "user",
                "a gateway to the host's network: address by DHCP, names, outgoing TCP and UDP",
            ),
        ]),
        presence: Presence::Default("none"),
        summary: "what the cable is plugged into",
    },
    Param {
        name: "restrict",
        kind: Kind::Flag,
        presence: Presence::Default("false"),
        summary: "with `user`: only the gateway itself can be reached, and the run is deterministic",
    },
    Param {
        name: "forward",
        kind: Kind::Texts,
        presence: Presence::Default(""),
        summary: "with `user`: ports of the host that lead into the guest, such as `tcp:127.0.0.1:2222:22` or `udp::5353:53`",
    },
];
