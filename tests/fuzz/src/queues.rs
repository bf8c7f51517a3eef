//! Virtio devices, driven through their registers by a driver that means harm.

use maquette_model::testing::TestHost;
use maquette_model::testing::conformance::saved;
use maquette_model::{
    Access, Cx, Device, Event, Message, PortId, Reader, Region, SimTime, Snapshot, Width,
};
use maquette_virtio::{Block, Console, MemoryDisk, Overlay, Rng, VirtioDevice, VirtioMmio};
use maquette_virtio_protocol::queue::{Desc, DescFlags};
use maquette_virtio_protocol::{DeviceStatus, mmio};
use zerocopy::IntoBytes;

use crate::bytes::Bytes;

const RAM: u64 = 0x8000_0000;
const RAM_BYTES: usize = 0x1_0000;
/// Where requests, data and indirect tables are.
const DATA: u64 = RAM + 0x4000;
const SIZE: u16 = 16;

type AnyDevice = Box<dyn VirtioDevice>;

/// The first byte chooses a device, the rest is what its driver does.
///
/// The device never reaches outside RAM (the host would refuse), it saves and loads whatever state it
/// is in, and after a reset through its status register it is idle.
pub fn queues(data: &[u8]) {
    let mut input = Bytes::new(data);
    let kind = input.u8();
    let mut driver = Driver {
        mmio: VirtioMmio::new(device(kind)),
        host: TestHost::with_ram(RAM, RAM_BYTES),
        offered: [0; 4],
    };
    driver.start();
    while !input.is_empty() {
        driver.step(&mut input);
        driver.host.log.clear();
    }
    let state = saved(&driver.mmio);
    let mut copy = VirtioMmio::new(device(kind));
    let loaded = copy.load(&mut Reader::new(&state));
    assert!(loaded.is_ok(), "what was saved does not load: {loaded:?}");
    assert!(saved(&copy) == state, "what was loaded is another state");
    driver.write(mmio::STATUS, 0);
    assert_eq!(driver.read(mmio::STATUS), 0, "a reset does not end");
    assert_eq!(driver.read(mmio::INTERRUPT_STATUS), 0);
    assert!(!driver.host.level(0), "an interrupt survives a reset");
}

fn device(kind: u8) -> AnyDevice {
    let disk = || Box::new(Overlay::new(MemoryDisk::new(vec![0x5a; 1 << 13])));
    match kind % 4 {
        0 => Box::new(Block::new(disk(), "fuzz", SimTime::ZERO)),
        1 => Box::new(Block::new(disk(), "fuzz", SimTime::from_us(3))),
        2 => Box::new(Console::new()),
        _ => Box::new(Rng::new(kind.into())),
    }
}

struct Driver {
    mmio: VirtioMmio<AnyDevice>,
    host: TestHost,
    /// The available index of each queue.
    offered: [u16; 4],
}

/// Descriptors, available ring, used ring of a queue.
const fn areas(queue: u16) -> [u64; 3] {
    let base = RAM + 0x1000 * queue as u64;
    [base, base + 0x400, base + 0x800]
}

impl Driver {
    fn write(&mut self, off: u64, v: u32) {
        let _ = self.mmio.write(
            &mut Cx::new(&mut self.host),
            Region(0),
            off,
            Width::B4,
            v.into(),
        );
    }

    fn read(&mut self, off: u64) -> u64 {
        let cx = &mut Cx::new(&mut self.host);
        match self.mmio.read(cx, Region(0), off, Width::B4) {
            Access::Done(v) => v,
            _ => u64::MAX,
        }
    }

    /// As virtio 1.3 §3.1.1 has it, with all that is offered.
    fn start(&mut self) {
        self.offered = [0; 4];
        self.write(mmio::STATUS, 0);
        let mut status = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        self.write(mmio::STATUS, status.bits());
        for word in 0..2 {
            self.write(mmio::DEVICE_FEATURES_SEL, word);
            let offered = self.read(mmio::DEVICE_FEATURES);
            self.write(mmio::DRIVER_FEATURES_SEL, word);
            self.write(mmio::DRIVER_FEATURES, u32::try_from(offered).unwrap_or(0));
        }
        status |= DeviceStatus::FEATURES_OK;
        self.write(mmio::STATUS, status.bits());
        for queue in 0..4 {
            let [desc, avail, used] = areas(queue);
            for area in [avail, used] {
                assert!(self.host.poke(area, &[0; 256]));
            }
            self.write(mmio::QUEUE_SEL, queue.into());
            self.write(mmio::QUEUE_SIZE, SIZE.into());
            let halves = [
                (mmio::QUEUE_DESC_LOW, mmio::QUEUE_DESC_HIGH, desc),
                (mmio::QUEUE_DRIVER_LOW, mmio::QUEUE_DRIVER_HIGH, avail),
                (mmio::QUEUE_DEVICE_LOW, mmio::QUEUE_DEVICE_HIGH, used),
            ];
            for (low, high, at) in halves {
                self.write(low, u32::try_from(at).unwrap_or(0));
                self.write(high, 0);
            }
            self.write(mmio::QUEUE_READY, 1);
        }
        status |= DeviceStatus::DRIVER_OK;
        self.write(mmio::STATUS, status.bits());
    }

    fn step(&mut self, input: &mut Bytes<'_>) {
        let kind = input.u8();
        let queue = u16::from(kind >> 6);
        match kind & 15 {
            0 => self.start(),
            1 => {
                let off = u64::from(input.u16() & 0x1fc);
                let v = input.number();
                self.write(off, u32::try_from(v & 0xffff_ffff).unwrap_or(0));
            }
            2 => {
                let off = u64::from(input.u16() & 0x1ff);
                let width = Width::ALL[usize::from(kind >> 4 & 3)];
                let _ = self
                    .mmio
                    .read(&mut Cx::new(&mut self.host), Region(0), off, width);
            }
            3 => {
                let at = RAM + u64::from(input.u16());
                let bytes = input.take(usize::from(kind >> 4));
                let _outside = self.host.poke(at, bytes);
            }
            4 => {
                let bytes = input.take(usize::from(kind >> 2));
                let msg = Message::Bytes(bytes.to_vec());
                let event = Event::Message {
                    port: PortId(0),
                    msg,
                };
                self.mmio.event(&mut Cx::new(&mut self.host), event);
            }
            5 => {
                let t = self
                    .host
                    .now
                    .saturating_add(SimTime::from_us(u64::from(kind >> 4)));
                self.host.run_until(&mut self.mmio, t);
            }
            6..10 => {
                let slot = u64::from(input.u8() % 32);
                let at = if kind & 0x20 == 0 {
                    areas(queue)[0]
                } else {
                    DATA
                };
                let desc = descriptor(input);
                assert!(self.host.poke(at + 16 * slot, desc.as_bytes()));
            }
            10 => {
                // A request's header: kind and sector (virtio 1.3 §5.2.6).
                let (request, sector) = (u32::from(input.u8() & 15), u64::from(input.u8() & 31));
                let at = DATA + 16 * u64::from(input.u8() % 32);
                assert!(self.host.poke(at, request.as_bytes()));
                assert!(self.host.poke(at + 8, sector.as_bytes()));
            }
            _ => self.offer(queue, u16::from(input.u8() % 18)),
        }
    }

    /// Makes a descriptor available and says so.
    fn offer(&mut self, queue: u16, head: u16) {
        let Some(index) = self.offered.get_mut(usize::from(queue)) else {
            return;
        };
        let [_, avail, _] = areas(queue);
        let slot = avail + 4 + 2 * u64::from(*index % SIZE);
        *index = index.wrapping_add(1);
        let index = *index;
        assert!(self.host.poke(slot, &head.to_le_bytes()));
        assert!(self.host.poke(avail + 2, &index.to_le_bytes()));
        self.write(mmio::QUEUE_NOTIFY, queue.into());
    }
}

/// A descriptor that is nearly right, most of the time.
fn descriptor(input: &mut Bytes<'_>) -> Desc {
    let kind = input.u8();
    let addr = match kind & 7 {
        0 => input.u64(),
        1 => RAM + RAM_BYTES as u64 - u64::from(input.u8()),
        2 => RAM + u64::from(input.u16()),
        _ => DATA + 16 * u64::from(input.u8()),
    };
    let len = match kind >> 3 & 7 {
        0 => input.u32(),
        1 => 1,
        2..5 => 512 * u32::from(input.u8() & 7),
        _ => 16,
    };
    let flags = match kind >> 6 {
        0 => DescFlags::NEXT,
        1 => DescFlags::NEXT | DescFlags::WRITE,
        2 => DescFlags::WRITE,
        _ => DescFlags::from_bits_retain(input.u8().into()),
    };
    Desc::new(addr, len, flags, u16::from(input.u8() % 18))
}
