//! A driver for unit tests: it brings a device up through its registers and works its queues.

use crate::{VirtioDevice, VirtioMmio};
use maquette_model::testing::TestHost;
use maquette_model::{Access, Cx, Device, Region, SimTime, Width};
use maquette_virtio_protocol::queue::{Desc, DescFlags};
use maquette_virtio_protocol::{DeviceStatus, Features, mmio, queue as layout};
use zerocopy::IntoBytes;

/// Where memory begins.
pub(crate) const RAM: u64 = 0x8000_0000;
/// How much there is.
pub(crate) const RAM_BYTES: usize = 1 << 20;
/// Where the buffers of requests begin.
pub(crate) const DATA: u64 = RAM + 0x8_0000;

/// A buffer: address, length, whether the device writes it.
pub(crate) type Buffer = (u64, u32, bool);

/// Where queue `q` lies: descriptors, available ring, used ring.
pub(crate) const fn areas(q: u16) -> [u64; 3] {
    let base = RAM + 0x1_0000 * q as u64;
    [base, base + 0x4000, base + 0x8000]
}

#[derive(Clone, Default)]
struct Ring {
    next_desc: u16,
    avail: u16,
    used: u16,
}

pub(crate) struct Driver<D> {
    pub(crate) mmio: VirtioMmio<D>,
    pub(crate) host: TestHost,
    pub(crate) size: u16,
    rings: Vec<Ring>,
}

impl<D: VirtioDevice> Driver<D> {
    /// A device that nobody has touched.
    pub(crate) fn cold(device: D) -> Self {
        let queues = device.queue_sizes().len();
        Self {
            mmio: VirtioMmio::new(device),
            host: TestHost::with_ram(RAM, RAM_BYTES),
            size: 16,
            rings: vec![Ring::default(); queues],
        }
    }

    /// A device with all features negotiated but event indices, and queues of 16.
    pub(crate) fn ready(device: D) -> Self {
        let mut d = Self::cold(device);
        let offered = d.offered();
        d.start(offered - Features::EVENT_IDX);
        d
    }

    pub(crate) fn offered(&mut self) -> Features {
        let mut all = Features::empty();
        for sel in 0..2 {
            self.write(mmio::DEVICE_FEATURES_SEL, sel);
            all = all.with_word(sel, self.read(mmio::DEVICE_FEATURES));
        }
        all
    }

    /// The steps of virtio 1.3 §3.1.1.
    pub(crate) fn start(&mut self, features: Features) {
        self.negotiate(features);
        for q in 0..u16::try_from(self.rings.len()).unwrap() {
            let [_, avail, used] = areas(q);
            assert!(self.host.poke(avail, &[0; 4]) && self.host.poke(used, &[0; 4]));
            self.set_up(q, areas(q));
        }
        self.add_status(DeviceStatus::DRIVER_OK);
    }

    pub(crate) fn negotiate(&mut self, features: Features) {
        self.write(mmio::STATUS, 0);
        self.rings.fill(Ring::default());
        self.add_status(DeviceStatus::ACKNOWLEDGE);
        self.add_status(DeviceStatus::DRIVER);
        for sel in 0..2 {
            self.write(mmio::DRIVER_FEATURES_SEL, sel);
            self.write(mmio::DRIVER_FEATURES, features.word(sel));
        }
        self.add_status(DeviceStatus::FEATURES_OK);
    }

    pub(crate) fn set_up(&mut self, q: u16, areas: [u64; 3]) {
        self.write(mmio::QUEUE_SEL, q.into());
        self.write(mmio::QUEUE_SIZE, self.size.into());
        let registers = [
            (mmio::QUEUE_DESC_LOW, mmio::QUEUE_DESC_HIGH),
            (mmio::QUEUE_DRIVER_LOW, mmio::QUEUE_DRIVER_HIGH),
            (mmio::QUEUE_DEVICE_LOW, mmio::QUEUE_DEVICE_HIGH),
        ];
        for ((low, high), at) in registers.into_iter().zip(areas) {
            self.write(low, u32::try_from(at & 0xffff_ffff).unwrap());
            self.write(high, u32::try_from(at >> 32).unwrap());
        }
        self.write(mmio::QUEUE_READY, 1);
    }

    pub(crate) fn write(&mut self, off: u64, v: u32) {
        let cx = &mut Cx::new(&mut self.host);
        let answer = self.mmio.write(cx, Region(0), off, Width::B4, v.into());
        assert_eq!(answer, Access::Done(()));
    }

    pub(crate) fn read(&mut self, off: u64) -> u32 {
        u32::try_from(self.read_as(off, Width::B4)).unwrap()
    }

    pub(crate) fn read_as(&mut self, off: u64, w: Width) -> u64 {
        match self
            .mmio
            .read(&mut Cx::new(&mut self.host), Region(0), off, w)
        {
            Access::Done(v) => v,
            other => panic!("{off:#x}: {other:?}"),
        }
    }

    pub(crate) fn status(&mut self) -> DeviceStatus {
        DeviceStatus::from_bits_retain(self.read(mmio::STATUS))
    }

    pub(crate) fn add_status(&mut self, bits: DeviceStatus) {
        let status = self.status() | bits;
        self.write(mmio::STATUS, status.bits());
    }

    pub(crate) fn broken(&mut self) -> bool {
        self.status().contains(DeviceStatus::DEVICE_NEEDS_RESET)
    }

    pub(crate) fn descriptor(&mut self, q: u16, index: u16, desc: Desc) {
        let at = areas(q)[0] + layout::DESC_SIZE * u64::from(index);
        assert!(self.host.poke(at, desc.as_bytes()));
    }

    /// Makes the chain that begins at `head` available.
    pub(crate) fn offer(&mut self, q: u16, head: u16) {
        let ring = &mut self.rings[usize::from(q)];
        let at = areas(q)[1];
        let entry = at + layout::avail_entry(self.size, ring.avail);
        ring.avail = ring.avail.wrapping_add(1);
        assert!(self.host.poke(entry, &head.to_le_bytes()));
        let idx = ring.avail.to_le_bytes();
        assert!(self.host.poke(at + layout::RING_IDX, &idx));
    }

    /// Puts buffers into consecutive descriptors and makes them available; gives the head.
    pub(crate) fn add(&mut self, q: u16, buffers: &[Buffer]) -> u16 {
        let first = self.rings[usize::from(q)].next_desc;
        for (i, &(addr, len, write)) in buffers.iter().enumerate() {
            let index = (first + u16::try_from(i).unwrap()) % self.size;
            let mut flags = DescFlags::empty();
            flags.set(DescFlags::WRITE, write);
            flags.set(DescFlags::NEXT, i + 1 < buffers.len());
            let next = (index + 1) % self.size;
            self.descriptor(q, index, Desc::new(addr, len, flags, next));
            self.rings[usize::from(q)].next_desc = next;
        }
        self.offer(q, first);
        first
    }

    /// Whether buffers like those that the device still has fit into the queue beside them.
    pub(crate) fn has_room(&self, q: u16, buffers: &[Buffer]) -> bool {
        let index = self.bytes(areas(q)[2] + layout::RING_IDX, 2);
        let used = u16::from_le_bytes([index[0], index[1]]);
        let outstanding = self.rings[usize::from(q)].avail.wrapping_sub(used);
        buffers.len() * (usize::from(outstanding) + 1) <= usize::from(self.size)
    }

    pub(crate) fn kick(&mut self, q: u16) {
        self.write(mmio::QUEUE_NOTIFY, q.into());
    }

    /// The chains returned since the last call: head and length.
    pub(crate) fn used(&mut self, q: u16) -> Vec<(u32, u32)> {
        let (at, size) = (areas(q)[2], self.size);
        let ring = &mut self.rings[usize::from(q)];
        let word = |at| {
            let bytes = self.host.peek(at, 4).unwrap();
            u32::from_le_bytes(bytes.try_into().unwrap())
        };
        let idx = u16::try_from(word(at) >> 16).unwrap();
        let mut all = Vec::new();
        while ring.used != idx {
            let entry = at + layout::used_entry(size, ring.used);
            all.push((word(entry), word(entry + 4)));
            ring.used = ring.used.wrapping_add(1);
        }
        all
    }

    /// Adds one chain, notifies, and gives what was returned.
    pub(crate) fn exchange(&mut self, q: u16, buffers: &[Buffer]) -> Vec<(u32, u32)> {
        self.add(q, buffers);
        self.kick(q);
        self.used(q)
    }

    pub(crate) fn run_for(&mut self, t: SimTime) {
        let end = self.host.now.saturating_add(t);
        self.host.run_until(&mut self.mmio, end);
    }

    /// Takes over another driver's memory, time and place in the rings.
    pub(crate) fn copy_driver(&mut self, other: &Self) {
        self.host = other.host.clone();
        self.rings.clone_from(&other.rings);
    }

    pub(crate) fn bytes(&self, at: u64, len: usize) -> Vec<u8> {
        self.host.peek(at, len).unwrap().to_vec()
    }
}
