//! Block device (virtio 1.3 §5.2).
//!
//! A request is one descriptor chain: a [`RequestHeader`] that the device reads, the data (read or
//! written by the device, whole sectors), and one status byte that the device writes (§5.2.6). How
//! the driver cuts that into descriptors is its own affair (§2.7.4.1).

use core::mem::offset_of;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Features;

/// The first request queue (virtio 1.3 §5.2.2).
pub const REQUEST_QUEUE: u16 = 0;
/// Number of queues without [`feature::MQ`].
pub const QUEUES: u16 = 1;
/// Unit of `capacity` and `sector`, whatever `blk_size` says (virtio 1.3 §5.2.4).
pub const SECTOR_SIZE: u64 = 512;
/// Length of the string that [`RequestType::GET_ID`] returns (virtio 1.3 §5.2.6).
pub const ID_BYTES: usize = 20;

/// Feature bits (virtio 1.3 §5.2.3).
pub mod feature {
    use super::Features;

    /// `VIRTIO_BLK_F_SIZE_MAX`: `size_max` is valid.
    pub const SIZE_MAX: Features = Features::from_bits_retain(1 << 1);
    /// `VIRTIO_BLK_F_SEG_MAX`: `seg_max` is valid.
    pub const SEG_MAX: Features = Features::from_bits_retain(1 << 2);
    /// `VIRTIO_BLK_F_GEOMETRY`: `geometry` is valid.
    pub const GEOMETRY: Features = Features::from_bits_retain(1 << 4);
    /// `VIRTIO_BLK_F_RO`: the device is read-only.
    pub const RO: Features = Features::from_bits_retain(1 << 5);
    /// `VIRTIO_BLK_F_BLK_SIZE`: `blk_size` is valid.
    pub const BLK_SIZE: Features = Features::from_bits_retain(1 << 6);
    /// `VIRTIO_BLK_F_FLUSH`: the flush command exists.
    pub const FLUSH: Features = Features::from_bits_retain(1 << 9);
    /// `VIRTIO_BLK_F_TOPOLOGY`: `topology` is valid.
    pub const TOPOLOGY: Features = Features::from_bits_retain(1 << 10);
    /// `VIRTIO_BLK_F_CONFIG_WCE`: the driver may switch write-back by `writeback`.
    pub const CONFIG_WCE: Features = Features::from_bits_retain(1 << 11);
    /// `VIRTIO_BLK_F_MQ`: `num_queues` is valid.
    pub const MQ: Features = Features::from_bits_retain(1 << 12);
    /// `VIRTIO_BLK_F_DISCARD`: the discard command exists.
    pub const DISCARD: Features = Features::from_bits_retain(1 << 13);
    /// `VIRTIO_BLK_F_WRITE_ZEROES`: the write-zeroes command exists.
    pub const WRITE_ZEROES: Features = Features::from_bits_retain(1 << 14);
    /// `VIRTIO_BLK_F_LIFETIME`: the lifetime command exists.
    pub const LIFETIME: Features = Features::from_bits_retain(1 << 15);
    /// `VIRTIO_BLK_F_SECURE_ERASE`: the secure-erase command exists.
    pub const SECURE_ERASE: Features = Features::from_bits_retain(1 << 16);
    /// `VIRTIO_BLK_F_ZONED`: `zoned` is valid.
    pub const ZONED: Features = Features::from_bits_retain(1 << 17);
}

/// `type` of a request (virtio 1.3 §5.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestType(pub u32);

impl RequestType {
    /// `VIRTIO_BLK_T_IN`: read sectors.
    pub const IN: Self = Self(0);
    /// `VIRTIO_BLK_T_OUT`: write sectors.
    pub const OUT: Self = Self(1);
    /// `VIRTIO_BLK_T_FLUSH`: make completed writes durable.
    pub const FLUSH: Self = Self(4);
    /// `VIRTIO_BLK_T_GET_ID`: an identifying string of [`ID_BYTES`] bytes, padded with zeros.
    pub const GET_ID: Self = Self(8);
    /// `VIRTIO_BLK_T_GET_LIFETIME`.
    pub const GET_LIFETIME: Self = Self(10);
    /// `VIRTIO_BLK_T_DISCARD`.
    pub const DISCARD: Self = Self(11);
    /// `VIRTIO_BLK_T_WRITE_ZEROES`.
    pub const WRITE_ZEROES: Self = Self(13);
    /// `VIRTIO_BLK_T_SECURE_ERASE`.
    pub const SECURE_ERASE: Self = Self(14);
}

/// The status byte at the end of a request (virtio 1.3 §5.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestStatus(pub u8);

impl RequestStatus {
    /// `VIRTIO_BLK_S_OK`.
    pub const OK: Self = Self(0);
    /// `VIRTIO_BLK_S_IOERR`: device or driver error.
    pub const IOERR: Self = Self(1);
    /// `VIRTIO_BLK_S_UNSUPP`: the device does not know the request.
    pub const UNSUPP: Self = Self(2);
}

/// The part of `struct virtio_blk_req` in front of the data (virtio 1.3 §5.2.6).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct RequestHeader {
    /// See [`RequestType`].
    pub kind: U32,
    /// Reserved.
    pub reserved: U32,
    /// First sector, in units of [`SECTOR_SIZE`]; 0 for commands without one.
    pub sector: U64,
}

impl RequestHeader {
    /// A header for `kind` at `sector`.
    #[must_use]
    pub const fn new(kind: RequestType, sector: u64) -> Self {
        Self {
            kind: U32::new(kind.0),
            reserved: U32::ZERO,
            sector: U64::new(sector),
        }
    }
}

/// `struct virtio_blk_discard_write_zeroes`: the data of discard, write-zeroes and secure-erase
/// (virtio 1.3 §5.2.6).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Range {
    /// First sector.
    pub sector: U64,
    /// Number of sectors.
    pub num_sectors: U32,
    /// Bit 0: `unmap`.
    pub flags: U32,
}

/// `geometry` in [`Config`].
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Geometry {
    /// Cylinders.
    pub cylinders: U16,
    /// Heads.
    pub heads: u8,
    /// Sectors per track.
    pub sectors: u8,
}

/// `topology` in [`Config`].
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Topology {
    /// Logical blocks per physical block, as a power of two.
    pub physical_block_exp: u8,
    /// Offset of the first aligned logical block.
    pub alignment_offset: u8,
    /// Suggested smallest request in blocks.
    pub min_io_size: U16,
    /// Suggested best request in blocks.
    pub opt_io_size: U32,
}

/// `zoned` in [`Config`].
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Zoned {
    /// Sectors per zone.
    pub zone_sectors: U32,
    /// Largest number of open zones.
    pub max_open_zones: U32,
    /// Largest number of active zones.
    pub max_active_zones: U32,
    /// Largest zone append.
    pub max_append_sectors: U32,
    /// Write granularity in bytes.
    pub write_granularity: U32,
    /// Zone model.
    pub model: u8,
    /// Reserved.
    pub unused: [u8; 3],
}

/// `struct virtio_blk_config` (virtio 1.3 §5.2.4).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Config {
    /// Size of the device in units of [`SECTOR_SIZE`].
    pub capacity: U64,
    /// Largest segment, with [`feature::SIZE_MAX`].
    pub size_max: U32,
    /// Largest number of segments in a request, with [`feature::SEG_MAX`].
    pub seg_max: U32,
    /// With [`feature::GEOMETRY`].
    pub geometry: Geometry,
    /// Logical block size in bytes, with [`feature::BLK_SIZE`].
    pub blk_size: U32,
    /// With [`feature::TOPOLOGY`].
    pub topology: Topology,
    /// 0 write-through, 1 write-back, with [`feature::CONFIG_WCE`].
    pub writeback: u8,
    /// Reserved.
    pub unused0: u8,
    /// Number of request queues, with [`feature::MQ`].
    pub num_queues: U16,
    /// With [`feature::DISCARD`].
    pub max_discard_sectors: U32,
    /// With [`feature::DISCARD`].
    pub max_discard_seg: U32,
    /// With [`feature::DISCARD`].
    pub discard_sector_alignment: U32,
    /// With [`feature::WRITE_ZEROES`].
    pub max_write_zeroes_sectors: U32,
    /// With [`feature::WRITE_ZEROES`].
    pub max_write_zeroes_seg: U32,
    /// With [`feature::WRITE_ZEROES`].
    pub write_zeroes_may_unmap: u8,
    /// Reserved.
    pub unused1: [u8; 3],
    /// With [`feature::SECURE_ERASE`].
    pub max_secure_erase_sectors: U32,
    /// With [`feature::SECURE_ERASE`].
    pub max_secure_erase_seg: U32,
    /// With [`feature::SECURE_ERASE`].
    pub secure_erase_sector_alignment: U32,
    /// With [`feature::ZONED`].
    pub zoned: Zoned,
}

const _: () = {
    assert!(size_of::<RequestHeader>() == 16);
    assert!(offset_of!(RequestHeader, sector) == 8);
    assert!(size_of::<Range>() == 16);
    assert!(size_of::<Geometry>() == 4);
    assert!(size_of::<Topology>() == 8);
    assert!(size_of::<Zoned>() == 24);
    assert!(offset_of!(Config, size_max) == 8);
    assert!(offset_of!(Config, seg_max) == 12);
    assert!(offset_of!(Config, geometry) == 16);
    assert!(offset_of!(Config, blk_size) == 20);
    assert!(offset_of!(Config, topology) == 24);
    assert!(offset_of!(Config, writeback) == 32);
    assert!(offset_of!(Config, num_queues) == 34);
    assert!(offset_of!(Config, max_discard_sectors) == 36);
    assert!(offset_of!(Config, max_write_zeroes_sectors) == 48);
    assert!(offset_of!(Config, write_zeroes_may_unmap) == 56);
    assert!(offset_of!(Config, max_secure_erase_sectors) == 60);
    assert!(offset_of!(Config, zoned) == 72);
    assert!(size_of::<Config>() == 96);
};
