//! Console device (virtio 1.3 §5.3).

use core::mem::offset_of;

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Features;

/// `receiveq` of port 0: the driver offers writable buffers (virtio 1.3 §5.3.2).
pub const RECEIVE_QUEUE: u16 = 0;
/// `transmitq` of port 0: the driver offers readable buffers (virtio 1.3 §5.3.2).
pub const TRANSMIT_QUEUE: u16 = 1;
/// `control receiveq`, with [`feature::MULTIPORT`] only.
pub const CONTROL_RECEIVE_QUEUE: u16 = 2;
/// `control transmitq`, with [`feature::MULTIPORT`] only.
pub const CONTROL_TRANSMIT_QUEUE: u16 = 3;
/// Number of queues without [`feature::MULTIPORT`].
pub const QUEUES: u16 = 2;

/// Feature bits (virtio 1.3 §5.3.3).
pub mod feature {
    use super::Features;

    /// `VIRTIO_CONSOLE_F_SIZE`: `cols` and `rows` are valid.
    pub const SIZE: Features = Features::from_bits_retain(1);
    /// `VIRTIO_CONSOLE_F_MULTIPORT`: `max_nr_ports` and the control queues are valid.
    pub const MULTIPORT: Features = Features::from_bits_retain(1 << 1);
    /// `VIRTIO_CONSOLE_F_EMERG_WRITE`: `emerg_wr` may be written at any time.
    pub const EMERG_WRITE: Features = Features::from_bits_retain(1 << 2);
}

/// `struct virtio_console_config` (virtio 1.3 §5.3.4).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Config {
    /// Columns, with [`feature::SIZE`].
    pub cols: U16,
    /// Rows, with [`feature::SIZE`].
    pub rows: U16,
    /// Largest number of ports, with [`feature::MULTIPORT`].
    pub max_nr_ports: U32,
    /// A byte to print at once, with [`feature::EMERG_WRITE`].
    pub emerg_wr: U32,
}

const _: () = {
    assert!(size_of::<Config>() == 12);
    assert!(offset_of!(Config, max_nr_ports) == 4);
    assert!(offset_of!(Config, emerg_wr) == 8);
};
