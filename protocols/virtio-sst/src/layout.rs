//! The structures on the wire: sizes, offsets, numbers (docs/virtio-sst.md §1–3).
//!
//! This file uses `core` only, needs no derive of another crate and compiles in edition 2021: a
//! kernel module takes it by path. Everything is little-endian and packed without holes.

/// Declares a structure once: its fields with their offsets, its size, and its codec.
macro_rules! layout {
    (
        $(#[$about:meta])*
        $name:ident, $size:literal {
            $($(#[$field_about:meta])* $offset:literal $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
        }

        const _: () = assert!($crate::layout::has_no_holes($name::FIELDS, $size));

        impl $name {
            /// Bytes on the wire.
            pub const SIZE: usize = $size;
            /// Name, offset and size in bytes of each field.
            pub const FIELDS: &'static [(&'static str, usize, usize)] =
                &[$((stringify!($field), $offset, core::mem::size_of::<$type>()),)*];

            /// The structure as it stands in memory.
            #[must_use]
            pub fn encode(&self) -> [u8; $size] {
                let mut bytes = [0; $size];
                $($crate::layout::put(&mut bytes, $offset, &self.$field.to_le_bytes());)*
                bytes
            }

            /// Reads the structure at the beginning of `bytes`; what is missing is zero.
            #[must_use]
            pub fn decode(bytes: &[u8]) -> Self {
                Self { $($field: <$type>::from_le_bytes($crate::layout::take(bytes, $offset)),)* }
            }
        }
    };
}

pub(crate) use layout;

/// Whether the fields follow each other from 0 to `size`.
pub(crate) const fn has_no_holes(mut fields: &[(&str, usize, usize)], size: usize) -> bool {
    let mut end = 0;
    while let [(_, offset, length), rest @ ..] = fields {
        if *offset != end {
            return false;
        }
        end += *length;
        fields = rest;
    }
    end == size
}

pub(crate) fn put(bytes: &mut [u8], offset: usize, field: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(offset).zip(field) {
        *to = *from;
    }
}

pub(crate) fn take<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(bytes.iter().skip(offset)) {
        *to = *from;
    }
    field
}

/// Version of the protocol, 16.16.
pub const VERSION: u32 = 0x0001_0000;
/// Bytes of payload in a request and in an answer.
pub const PAYLOAD_SIZE: usize = 4080;
/// Bytes of a request.
pub const REQUEST_SIZE: usize = RequestHeader::SIZE + PAYLOAD_SIZE;
/// Bytes of an answer.
pub const RESPONSE_SIZE: usize = ResponseHeader::SIZE + PAYLOAD_SIZE;
/// Where the data of READ (in the answer: at 0) and WRITE begins in the payload.
pub const WRITE_DATA: usize = MemoryView::SIZE;
/// The most that one READ or WRITE moves.
pub const TRANSFER_MAX: usize = PAYLOAD_SIZE - WRITE_DATA;
/// Descriptors of each queue, and requests in flight.
pub const QUEUE_DEPTH: u16 = 128;
/// Bytes of memory that a device has unless it is told otherwise.
pub const MEMORY_SIZE: u64 = 0x1000_0000;
/// The largest COMPUTE unless the device is told otherwise.
pub const MAX_COMPUTE_UNITS: u64 = 1_000_000;
/// Cycles of a unit of COMPUTE unless the device is told otherwise.
pub const CYCLES_PER_UNIT: u64 = 100;
/// After this the device gives a request up.
pub const DEVICE_TIMEOUT_MS: u64 = 5000;
/// After this the driver gives a request up: later than the device.
pub const DRIVER_TIMEOUT_MS: u64 = 6000;

const _: () = assert!(REQUEST_SIZE == 4104 && RESPONSE_SIZE == 4112 && TRANSFER_MAX == 4064);

/// What number the device goes by: virtio has none registered for it.
pub mod device_type {
    /// On virtio-mmio, as the original's driver expects. (On PCI it would read as a modern disk.)
    pub const MMIO: u32 = 0x1042;
    /// On PCI: device 0x107F, the last that Linux's `virtio_pci` takes.
    pub const PCI: u32 = 63;
    /// On the vhost-user door: borrowed, because QEMU aborts at numbers that it has no name for.
    pub const VHOST_USER: u32 = 38;
}

/// Queues, in their order.
pub mod queue {
    /// Requests: one readable and one writable part each.
    pub const REQUEST: u16 = 0;
    /// Reserved for answers of its own; answers go back on the request queue.
    pub const RESPONSE: u16 = 1;
    /// Writable buffers for events.
    pub const EVENT: u16 = 2;
    /// Queues without [`super::feature::MULTI_QUEUE`]; further request queues follow.
    pub const BASE_COUNT: u16 = 3;
    /// The most request queues.
    pub const MAX_REQUEST_QUEUES: u16 = 8;
}

/// Feature bits of the device type.
pub mod feature {
    /// ECHO works.
    pub const ECHO: u64 = 1;
    /// COMPUTE works.
    pub const COMPUTE: u64 = 1 << 1;
    /// READ and WRITE work.
    pub const MEMORY: u64 = 1 << 2;
    /// Events reach the guest. Offered while a simulator is there.
    pub const EVENTS: u64 = 1 << 3;
    /// More than one request queue.
    pub const MULTI_QUEUE: u64 = 1 << 4;
    /// RESET resets.
    pub const RESET: u64 = 1 << 5;
    /// What a device offers without a simulator.
    pub const ALONE: u64 = ECHO | COMPUTE | MEMORY | RESET;
    /// What a device offers with a simulator.
    pub const CONNECTED: u64 = ALONE | EVENTS;
}

/// What a request asks for.
pub mod kind {
    /// Nothing; it is answered.
    pub const NOOP: u32 = 0;
    /// The payload back.
    pub const ECHO: u32 = 1;
    /// [`super::ComputeView`] units of work; answered by [`super::ComputeAnswer`].
    pub const COMPUTE: u32 = 2;
    /// [`super::MemoryView`]: bytes out of the device's memory.
    pub const READ: u32 = 3;
    /// [`super::MemoryView`], then the bytes.
    pub const WRITE: u32 = 4;
    /// Memory, parameters and counters as at the start; requests in flight are aborted.
    pub const RESET: u32 = 5;
    /// Answered by [`super::InfoAnswer`].
    pub const GET_INFO: u32 = 6;
    /// [`super::ConfigureView`]: sets a parameter.
    pub const CONFIGURE: u32 = 7;
    /// Reserved: asks a peer on a socket for the framed stream. `S2` as no guest would number.
    pub const HELLO: u32 = 0x5354_5332;
}

/// How a request ended.
pub mod status {
    /// Done.
    pub const OK: u32 = 0;
    /// The request is shorter than a request.
    pub const ERROR: u32 = 1;
    /// No room for another request.
    pub const BUSY: u32 = 2;
    /// Unknown kind, bad address, unknown parameter.
    pub const INVALID: u32 = 3;
    /// No answer within [`super::DEVICE_TIMEOUT_MS`].
    pub const TIMEOUT: u32 = 4;
    /// There is no simulator, or it went away.
    pub const NO_DEVICE: u32 = 5;
}

/// What an event tells.
pub mod event {
    /// A request was done: `data` is its id.
    pub const COMPLETION: u32 = 0;
    /// The model met an error: `data` is its number.
    pub const ERROR: u32 = 1;
    /// Anything else that the model wants to say.
    pub const NOTIFICATION: u32 = 2;
    /// In `flags`: events before this one were lost.
    pub const OVERFLOW: u32 = 1;
}

/// Parameters that CONFIGURE sets.
pub mod parameter {
    /// Cycles of a unit of COMPUTE.
    pub const CYCLES_PER_UNIT: u32 = 0;
    /// Cycles between two requests that enter the pipeline; 0: each waits for the one before.
    pub const INITIATION_INTERVAL: u32 = 1;
}

layout! {
    /// The beginning of a request.
    RequestHeader, 24 {
        /// One of [`kind`].
        0 kind: u32,
        /// Reserved; ignored.
        4 flags: u32,
        /// Chosen by the driver; comes back in the answer.
        8 request_id: u64,
        /// For the program; comes back in the answer.
        16 user_data: u64,
    }
}

layout! {
    /// The beginning of an answer.
    ResponseHeader, 32 {
        /// One of [`status`].
        0 status: u32,
        /// 0.
        4 reserved: u32,
        /// The request's.
        8 request_id: u64,
        /// The request's.
        16 user_data: u64,
        /// What it says depends on the kind.
        24 result: u64,
    }
}

layout! {
    /// Payload of COMPUTE.
    ComputeView, 16 {
        /// Units of work.
        0 units: u64,
        /// Reserved; ignored.
        8 latency_model: u32,
        /// 0.
        12 reserved: u32,
    }
}

layout! {
    /// Payload of READ and WRITE.
    MemoryView, 16 {
        /// First byte in the device's memory.
        0 address: u64,
        /// Bytes, at most [`TRANSFER_MAX`].
        8 size: u32,
        /// 0.
        12 reserved: u32,
    }
}

layout! {
    /// Payload of CONFIGURE.
    ConfigureView, 16 {
        /// One of [`parameter`].
        0 parameter: u32,
        /// 0.
        4 reserved: u32,
        /// The value.
        8 value: u64,
    }
}

layout! {
    /// Payload of COMPUTE's answer; its result is the cycles too.
    ComputeAnswer, 16 {
        /// Cycles that the work took.
        0 cycles: u64,
        /// The model's cycle counter when the request was served.
        8 timestamp: u64,
    }
}

layout! {
    /// Payload of GET_INFO's answer.
    InfoAnswer, 24 {
        /// [`VERSION`].
        0 version: u32,
        /// The low half of the offered features.
        4 capabilities: u32,
        /// The largest COMPUTE.
        8 max_compute_units: u64,
        /// Bytes of the device's memory.
        16 memory_size: u64,
    }
}

layout! {
    /// What the device puts into a buffer of the event queue.
    Event, 24 {
        /// One of [`event`].
        0 kind: u32,
        /// [`event::OVERFLOW`] or 0.
        4 flags: u32,
        /// Simulated time in nanoseconds.
        8 timestamp: u64,
        /// What it says depends on the kind.
        16 data: u64,
    }
}

layout! {
    /// Configuration space; writes are ignored.
    Config, 24 {
        /// [`VERSION`].
        0 version: u32,
        /// Which of a machine's devices this is.
        4 device_id: u32,
        /// What is offered, of [`feature`].
        8 features: u64,
        /// Request queues.
        16 max_queues: u64,
    }
}
