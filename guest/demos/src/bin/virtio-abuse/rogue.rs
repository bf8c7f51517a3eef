//! The tools of a bad driver: it programs what it is told and checks nothing.

use core::sync::atomic::{AtomicU16, AtomicU64, Ordering, fence};

use maquette_guest_rt::arch::Mmio;
use maquette_guest_rt::check;
use maquette_guest_rt::paging::{PAGE, Page};
use maquette_virtio_protocol::blk::{RequestHeader, RequestType};
use maquette_virtio_protocol::queue::{self, Desc};
use maquette_virtio_protocol::{DeviceStatus, Features, mmio};
use zerocopy::transmute;

/// Entries of the rogue's queue.
pub const SIZE: u16 = 64;
/// Largest number of descriptors that a 16-bit index can tell apart, less one.
pub const LONGEST: usize = 65_535;

type Entry = [AtomicU64; 2];

/// All memory that the device is pointed at, on purpose.
#[repr(C, align(4096))]
struct Memory {
    data: Page,
    header: Page,
    status: Page,
    desc: [Entry; SIZE as usize],
    avail: [AtomicU16; 256],
    used: [AtomicU64; 512],
    /// A table of [`LONGEST`] descriptors.
    indirect: [Page; 16 * (LONGEST + 1) / PAGE],
}

static MEMORY: Memory = Memory {
    data: Page::ZERO,
    header: Page::ZERO,
    status: Page::ZERO,
    desc: [const { [const { AtomicU64::new(0) }; 2] }; SIZE as usize],
    avail: [const { AtomicU16::new(0) }; 256],
    used: [const { AtomicU64::new(0) }; 512],
    indirect: [const { Page::ZERO }; 16 * (LONGEST + 1) / PAGE],
};

/// Where a descriptor points.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A well-formed request header.
    Header,
    /// A page for sectors.
    Data,
    /// A byte for the status.
    Status,
    /// The descriptor table itself.
    Table,
    /// The used ring.
    Used,
    /// The table of indirect descriptors.
    Indirect,
    /// Any address at all.
    At(u64),
}

impl Place {
    fn address(self) -> u64 {
        let address = match self {
            Self::Header => MEMORY.header.address(),
            Self::Data => MEMORY.data.address(),
            Self::Status => MEMORY.status.address(),
            Self::Table => MEMORY.desc.as_ptr().addr(),
            Self::Used => MEMORY.used.as_ptr().addr(),
            Self::Indirect => MEMORY.indirect.as_ptr().addr(),
            Self::At(address) => return address,
        };
        address as u64
    }
}

/// A descriptor by place: address, length, flags, next.
pub type Raw = (Place, u32, u16, u16);

/// How the queue is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Written to `QueueSize`.
    pub size: u32,
    /// Descriptor table.
    pub desc: u64,
    /// Available ring.
    pub avail: u64,
    /// Used ring.
    pub used: u64,
    /// Features that are taken although nobody asked.
    pub features: Features,
}

impl Setup {
    /// A setup without a fault.
    pub fn honest() -> Self {
        Self {
            size: u32::from(SIZE),
            desc: Place::Table.address(),
            avail: MEMORY.avail.as_ptr().addr() as u64,
            used: Place::Used.address(),
            features: Features::VERSION_1,
        }
    }
}

/// The bad driver.
#[derive(Debug)]
pub struct Rogue {
    regs: Mmio,
}

impl Rogue {
    /// A bad driver for the device behind these registers.
    pub const fn new(regs: Mmio) -> Self {
        Self { regs }
    }

    /// Address of the registers.
    pub const fn base(&self) -> usize {
        self.regs.base()
    }

    /// Reads a register.
    pub fn get(&self, register: u64) -> u32 {
        self.regs.read32(register as usize)
    }

    /// Writes a register.
    pub fn set(&self, register: u64, value: u32) {
        self.regs.write32(register as usize, value);
    }

    /// Resets the device, which must come back.
    pub fn reset(&self) {
        self.set(mmio::STATUS, 0);
        let mut patience = 1_000_000_u32;
        while self.get(mmio::STATUS) != 0 {
            patience -= 1;
            check!(patience > 0, "the device does not come out of reset");
        }
        check!(
            self.get(mmio::MAGIC_VALUE) == mmio::MAGIC,
            "the device has lost its identity"
        );
    }

    /// Writes the setup to queue 0, whether or not the device likes it, and says that all is well.
    pub fn start(&self, setup: Setup) {
        self.reset();
        let up = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        self.set(mmio::STATUS, up.bits());
        for word in 0..2 {
            self.set(mmio::DRIVER_FEATURES_SEL, word);
            self.set(mmio::DRIVER_FEATURES, setup.features.word(word));
        }
        let up = up | DeviceStatus::FEATURES_OK;
        self.set(mmio::STATUS, up.bits());
        self.set(mmio::QUEUE_SEL, 0);
        self.set(mmio::QUEUE_SIZE, setup.size);
        for (register, address) in [
            (mmio::QUEUE_DESC_LOW, setup.desc),
            (mmio::QUEUE_DRIVER_LOW, setup.avail),
            (mmio::QUEUE_DEVICE_LOW, setup.used),
        ] {
            self.set(register, address as u32);
            self.set(register + 4, (address >> 32) as u32);
        }
        for word in &MEMORY.avail {
            word.store(0, Ordering::Relaxed);
        }
        self.set(mmio::QUEUE_READY, 1);
        self.set(mmio::STATUS, (up | DeviceStatus::DRIVER_OK).bits());
    }

    /// Writes `raw` to the start of the descriptor table, offers descriptor 0, and kicks.
    pub fn submit(&self, raw: &[Raw]) {
        for (slot, raw) in MEMORY.desc.iter().zip(raw) {
            write(slot, *raw);
        }
        self.offer(0, 1);
    }

    /// Writes an available index and the head in every entry of the ring, and kicks.
    pub fn offer(&self, head: u16, idx: u16) {
        for slot in MEMORY.avail.iter().skip(2).take(usize::from(SIZE)) {
            slot.store(head, Ordering::Relaxed);
        }
        let at = queue::RING_IDX as usize / 2;
        MEMORY.avail[at].store(idx, Ordering::Release);
        fence(Ordering::SeqCst);
        self.kick(0);
    }

    /// Notifies the device of queue `queue` and gives it a moment.
    pub fn kick(&self, queue: u32) {
        self.set(mmio::QUEUE_NOTIFY, queue);
        for _ in 0..100 {
            let _ = self.get(mmio::STATUS);
        }
        let pending = self.get(mmio::INTERRUPT_STATUS);
        self.set(mmio::INTERRUPT_ACK, pending);
    }
}

/// Writes the request header that [`Place::Header`] points to.
pub fn write_header(kind: RequestType, sector: u64) {
    let words: [u64; 2] = transmute!(RequestHeader::new(kind, sector));
    for (slot, word) in MEMORY.header.0.iter().zip(words) {
        slot.store(word, Ordering::Relaxed);
    }
}

/// Writes descriptor `index` of the indirect table.
pub fn write_indirect(index: usize, raw: Raw) {
    let per_page = PAGE / 16;
    let words = MEMORY.indirect.get(index / per_page).map(|page| &page.0);
    let slot = words.and_then(|words| words.as_chunks::<2>().0.get(index % per_page));
    if let Some(slot) = slot {
        write(slot, raw);
    }
}

fn write(slot: &Entry, (place, len, flags, next): Raw) {
    let flags = queue::DescFlags::from_bits_retain(flags);
    let words: [u64; 2] = transmute!(Desc::new(place.address(), len, flags, next));
    for (half, word) in slot.iter().zip(words) {
        half.store(word, Ordering::Relaxed);
    }
}
