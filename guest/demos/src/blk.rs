//! A driver for the virtio block device, small enough to read in one sitting.
//!
//! One request at a time, by polling or by interrupt. The memory that the device also uses is one
//! static of atomics ([`Shared`]), so the driver needs no `unsafe`.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering, fence};

use maquette_guest_rt::arch::Mmio;
use maquette_guest_rt::paging::Page;
use maquette_virtio_protocol::blk::{self, RequestHeader, RequestStatus, RequestType};
use maquette_virtio_protocol::queue::{self, Desc, DescFlags};
use maquette_virtio_protocol::{DeviceId, DeviceStatus, Features, InterruptStatus, mmio};
use zerocopy::transmute;

/// Entries of the queue; a request takes three.
const SIZE: u16 = 8;
/// Sectors that fit into the data page of a request.
pub const SECTORS_PER_PAGE: u64 = 4096 / blk::SECTOR_SIZE;

/// Everything that driver and device share.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Shared {
    /// The sectors of a request.
    pub data: Page,
    desc: [[AtomicU64; 2]; SIZE as usize],
    avail: [AtomicU16; queue::avail_bytes(SIZE) as usize / 2],
    // Behind an odd number of halfwords the used ring would not be aligned.
    used: UsedRing,
    header: [AtomicU64; 2],
    status: AtomicU8,
}

#[derive(Debug)]
#[repr(C, align(8))]
struct UsedRing([AtomicU16; queue::used_bytes(SIZE) as usize / 2]);

impl Shared {
    /// All zeros.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "used to initialise a static"
    )]
    pub const ZERO: Self = Self {
        data: Page::ZERO,
        desc: [const { [const { AtomicU64::new(0) }; 2] }; SIZE as usize],
        avail: [const { AtomicU16::new(0) }; queue::avail_bytes(SIZE) as usize / 2],
        used: UsedRing([const { AtomicU16::new(0) }; queue::used_bytes(SIZE) as usize / 2]),
        header: [const { AtomicU64::new(0) }; 2],
        status: AtomicU8::new(0),
    };
}

/// Why the device cannot be used, or why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The transport has the legacy interface (in QEMU: `-global virtio-mmio.force-legacy=false`).
    Legacy,
    /// The device refused the features that the driver chose.
    Features,
    /// The queue is missing, too short, or in use.
    Queue,
    /// The device answered another request than the one that was made.
    WrongBuffer(u32),
    /// The device reports failure.
    Status(RequestStatus),
}

/// A block device that is up.
#[derive(Debug)]
pub struct Disk {
    regs: Mmio,
    shared: &'static Shared,
    features: Features,
    made: u16,
}

/// Whether this transport leads to a block device.
#[must_use]
pub fn is_disk(regs: Mmio) -> bool {
    regs.read32(mmio::MAGIC_VALUE as usize) == mmio::MAGIC
        && DeviceId(regs.read32(mmio::DEVICE_ID as usize)) == DeviceId::BLOCK
}

impl Disk {
    /// Brings the device up (virtio 1.3 §3.1.1).
    pub fn start(regs: Mmio, shared: &'static Shared) -> Result<Self, Error> {
        let disk = Self {
            regs,
            shared,
            features: Features::empty(),
            made: 0,
        };
        if disk.get(mmio::VERSION) != mmio::VERSION_MODERN {
            return Err(Error::Legacy);
        }
        disk.set(mmio::STATUS, 0);
        while disk.get(mmio::STATUS) != 0 {}
        disk.add_status(DeviceStatus::ACKNOWLEDGE);
        disk.add_status(DeviceStatus::DRIVER);
        let disk = disk.negotiate()?;
        disk.set_up_queue()?;
        disk.add_status(DeviceStatus::DRIVER_OK);
        Ok(disk)
    }

    /// Size in sectors.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        let at = mmio::CONFIG;
        loop {
            // The field may change between two reads (virtio 1.3 §2.5.1).
            let before = self.get(mmio::CONFIG_GENERATION);
            let value = u64::from(self.get(at)) | u64::from(self.get(at + 4)) << 32;
            if self.get(mmio::CONFIG_GENERATION) == before {
                return value;
            }
        }
    }

    /// Whether writes would fail.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.features.contains(blk::feature::RO)
    }

    /// Asks the device for interrupts, or to be spared of them (virtio 1.3 §2.7.7).
    pub fn set_interrupts(&self, on: bool) {
        let flags = if on { 0 } else { queue::AVAIL_NO_INTERRUPT };
        self.avail(queue::RING_FLAGS)
            .store(flags, Ordering::Release);
    }

    /// Acknowledges an interrupt; says whether the device had one.
    #[must_use]
    pub fn acknowledge(regs: Mmio) -> bool {
        let bits = regs.read32(mmio::INTERRUPT_STATUS as usize);
        regs.write32(mmio::INTERRUPT_ACK as usize, bits);
        InterruptStatus::from_bits_retain(bits).contains(InterruptStatus::USED_BUFFER)
    }

    /// The data page of the request.
    #[must_use]
    pub fn data(&self) -> &'static Page {
        &self.shared.data
    }

    /// Hands a request over: `sectors` (at most [`SECTORS_PER_PAGE`]) of the data page.
    pub fn submit(&mut self, kind: RequestType, sector: u64, sectors: u64) {
        let words: [u64; 2] = transmute!(RequestHeader::new(kind, sector));
        for (word, slot) in words.iter().zip(&self.shared.header) {
            slot.store(*word, Ordering::Relaxed);
        }
        self.shared.status.store(0xff, Ordering::Relaxed);
        let bytes = (sectors.min(SECTORS_PER_PAGE) * blk::SECTOR_SIZE) as u32;
        let data_flags = if kind == RequestType::IN {
            DescFlags::NEXT | DescFlags::WRITE
        } else {
            DescFlags::NEXT
        };
        let header = self.shared.header.as_ptr().addr() as u64;
        let status = core::ptr::from_ref(&self.shared.status).addr() as u64;
        let data = self.shared.data.address() as u64;
        self.describe(0, Desc::new(header, 16, DescFlags::NEXT, 1));
        self.describe(1, Desc::new(data, bytes, data_flags, 2));
        self.describe(2, Desc::new(status, 1, DescFlags::WRITE, 0));
        self.avail(queue::avail_entry(SIZE, self.made))
            .store(0, Ordering::Relaxed);
        self.made = self.made.wrapping_add(1);
        self.avail(queue::RING_IDX)
            .store(self.made, Ordering::Release);
        // The device must see the index before the notification (virtio 1.3 §2.7.13).
        fence(Ordering::SeqCst);
        self.set(mmio::QUEUE_NOTIFY, u32::from(blk::REQUEST_QUEUE));
    }

    /// Whether the request is answered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.used(queue::RING_IDX).load(Ordering::Acquire) == self.made
    }

    /// Takes the answer to the request; returns how many bytes the device wrote.
    pub fn answer(&mut self) -> Result<u32, Error> {
        let at = queue::used_entry(SIZE, self.made.wrapping_sub(1));
        let id = self.used_word(at);
        if id != 0 {
            return Err(Error::WrongBuffer(id));
        }
        match RequestStatus(self.shared.status.load(Ordering::Acquire)) {
            RequestStatus::OK => Ok(self.used_word(at + 4)),
            status => Err(Error::Status(status)),
        }
    }

    fn negotiate(mut self) -> Result<Self, Error> {
        let mut offered = Features::empty();
        for word in 0..2 {
            self.set(mmio::DEVICE_FEATURES_SEL, word);
            offered = offered.with_word(word, self.get(mmio::DEVICE_FEATURES));
        }
        self.features = offered & (Features::VERSION_1 | blk::feature::RO);
        for word in 0..2 {
            self.set(mmio::DRIVER_FEATURES_SEL, word);
            self.set(mmio::DRIVER_FEATURES, self.features.word(word));
        }
        self.add_status(DeviceStatus::FEATURES_OK);
        if self.status().contains(DeviceStatus::FEATURES_OK) {
            Ok(self)
        } else {
            Err(Error::Features)
        }
    }

    fn set_up_queue(&self) -> Result<(), Error> {
        self.set(mmio::QUEUE_SEL, u32::from(blk::REQUEST_QUEUE));
        let longest = self.get(mmio::QUEUE_SIZE_MAX);
        if self.get(mmio::QUEUE_READY) != 0 || longest < u32::from(SIZE) {
            return Err(Error::Queue);
        }
        for ring in [&self.shared.avail[..], &self.shared.used.0[..]] {
            ring.iter().for_each(|w| w.store(0, Ordering::Relaxed));
        }
        self.set(mmio::QUEUE_SIZE, u32::from(SIZE));
        self.set_address(mmio::QUEUE_DESC_LOW, self.shared.desc.as_ptr().addr());
        self.set_address(mmio::QUEUE_DRIVER_LOW, self.shared.avail.as_ptr().addr());
        self.set_address(mmio::QUEUE_DEVICE_LOW, self.shared.used.0.as_ptr().addr());
        self.set(mmio::QUEUE_READY, 1);
        Ok(())
    }

    fn set_address(&self, low: u64, address: usize) {
        self.set(low, address as u32);
        self.set(low + 4, (address >> 32) as u32);
    }

    fn describe(&self, index: usize, desc: Desc) {
        let words: [u64; 2] = transmute!(desc);
        if let Some(slots) = self.shared.desc.get(index) {
            for (word, slot) in words.iter().zip(slots) {
                slot.store(*word, Ordering::Relaxed);
            }
        }
    }

    fn avail(&self, offset: u64) -> &AtomicU16 {
        &self.shared.avail[offset as usize / 2]
    }

    fn used(&self, offset: u64) -> &AtomicU16 {
        &self.shared.used.0[offset as usize / 2]
    }

    fn used_word(&self, offset: u64) -> u32 {
        let half = |at| u32::from(self.used(at).load(Ordering::Acquire));
        half(offset) | half(offset + 2) << 16
    }

    fn status(&self) -> DeviceStatus {
        DeviceStatus::from_bits_retain(self.get(mmio::STATUS))
    }

    fn add_status(&self, bits: DeviceStatus) {
        self.set(mmio::STATUS, (self.status() | bits).bits());
    }

    fn get(&self, register: u64) -> u32 {
        self.regs.read32(register as usize)
    }

    fn set(&self, register: u64, value: u32) {
        self.regs.write32(register as usize, value);
    }
}

/// FNV-1a of 64 bits over the first `bytes` of a page, going on from `hash`.
#[must_use]
pub fn fnv1a(mut hash: u64, page: &Page, bytes: usize) -> u64 {
    for word in page.0.iter().take(bytes / 8) {
        for byte in word.load(Ordering::Relaxed).to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// What [`fnv1a`] starts from.
pub const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
