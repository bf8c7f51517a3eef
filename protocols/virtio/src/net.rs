//! Network device (virtio 1.3 §5.1).

use core::mem::offset_of;

use zerocopy::little_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Features;

/// `receiveq1`: the driver offers writable buffers (virtio 1.3 §5.1.2).
pub const RECEIVE_QUEUE: u16 = 0;
/// `transmitq1`: the driver offers readable buffers (virtio 1.3 §5.1.2).
pub const TRANSMIT_QUEUE: u16 = 1;
/// Number of queues without [`feature::MQ`] and [`feature::CTRL_VQ`].
pub const QUEUES: u16 = 2;

/// Addresses and type in front of an Ethernet frame's payload (IEEE 802.3 §3.1.1).
pub const ETHERNET_HEADER: usize = 14;
/// Largest payload of an Ethernet frame.
pub const ETHERNET_PAYLOAD: usize = 1500;
/// Largest frame without offloads; with [`Header`] in front it is the 1,526 bytes that a receive
/// buffer must hold at least (virtio 1.3 §5.1.6.3.1).
pub const FRAME_MAX: usize = ETHERNET_HEADER + ETHERNET_PAYLOAD;

/// Feature bits (virtio 1.3 §5.1.3).
pub mod feature {
    use super::Features;

    /// `VIRTIO_NET_F_CSUM`: the device completes checksums of what the driver sends.
    pub const CSUM: Features = Features::from_bits_retain(1);
    /// `VIRTIO_NET_F_GUEST_CSUM`: the driver takes frames whose checksum is incomplete.
    pub const GUEST_CSUM: Features = Features::from_bits_retain(1 << 1);
    /// `VIRTIO_NET_F_MTU`: `mtu` is valid.
    pub const MTU: Features = Features::from_bits_retain(1 << 3);
    /// `VIRTIO_NET_F_MAC`: `mac` is valid.
    pub const MAC: Features = Features::from_bits_retain(1 << 5);
    /// `VIRTIO_NET_F_MRG_RXBUF`: a frame may fill several receive buffers.
    pub const MRG_RXBUF: Features = Features::from_bits_retain(1 << 15);
    /// `VIRTIO_NET_F_STATUS`: `status` is valid.
    pub const STATUS: Features = Features::from_bits_retain(1 << 16);
    /// `VIRTIO_NET_F_CTRL_VQ`: there is a control queue.
    pub const CTRL_VQ: Features = Features::from_bits_retain(1 << 17);
    /// `VIRTIO_NET_F_MQ`: there may be several pairs of queues.
    pub const MQ: Features = Features::from_bits_retain(1 << 22);
}

/// `VIRTIO_NET_S_LINK_UP` in [`Config::status`] (virtio 1.3 §5.1.4).
pub const STATUS_LINK_UP: u16 = 1;

/// `struct virtio_net_config` as far as one pair of queues needs it (virtio 1.3 §5.1.4).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Config {
    /// The device's address, with [`feature::MAC`].
    pub mac: [u8; 6],
    /// [`STATUS_LINK_UP`] and others, with [`feature::STATUS`].
    pub status: U16,
    /// Pairs of queues, with [`feature::MQ`].
    pub max_virtqueue_pairs: U16,
    /// Largest payload, with [`feature::MTU`].
    pub mtu: U16,
}

/// `struct virtio_net_hdr`, in front of each frame in both directions (virtio 1.3 §5.1.6).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(C)]
pub struct Header {
    /// What is said about checksums; 0 without offloads.
    pub flags: u8,
    /// How the frame is to be cut; [`GSO_NONE`] without offloads.
    pub gso_type: u8,
    /// Bytes of headers, a hint.
    pub hdr_len: U16,
    /// Payload of each piece.
    pub gso_size: U16,
    /// Where the checksum begins.
    pub csum_start: U16,
    /// Where it is put, from there.
    pub csum_offset: U16,
    /// Receive buffers that the frame fills: 1 without [`feature::MRG_RXBUF`].
    pub num_buffers: U16,
}

/// `VIRTIO_NET_HDR_GSO_NONE` (virtio 1.3 §5.1.6).
pub const GSO_NONE: u8 = 0;

const _: () = {
    assert!(size_of::<Config>() == 12);
    assert!(offset_of!(Config, status) == 6);
    assert!(offset_of!(Config, mtu) == 10);
    assert!(size_of::<Header>() == 12);
    assert!(offset_of!(Header, num_buffers) == 10);
    assert!(size_of::<Header>() + FRAME_MAX == 1526);
};
