//! Requests in the steady state allocate nothing.

use maquette_model::{
    Access, BusError, Cx, Device, DmaError, Event, Host, Iova, Message, PhysAddr, PortId,
    PowerRequest, Ram, Region, SimTime, TimerId, Token, Width,
};
use maquette_tests::allocation::{self, Counting};
use maquette_virtio::{Block, MemoryDisk, Overlay, Rng, VirtioDevice, VirtioMmio};
use maquette_virtio_protocol::blk::{RequestHeader, RequestType};
use maquette_virtio_protocol::queue::{Desc, DescFlags, RING_IDX, avail_entry};
use maquette_virtio_protocol::{Features, mmio};
use zerocopy::IntoBytes;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A host that has memory and forgets everything else.
struct Bare(Ram);

impl Host for Bare {
    fn now(&self) -> SimTime {
        SimTime::ZERO
    }
    fn guest_clock(&mut self) -> SimTime {
        SimTime::ZERO
    }
    fn at(&mut self, _: SimTime, _: Event) -> TimerId {
        TimerId(0)
    }
    fn cancel(&mut self, _: TimerId) {}
    fn line(&mut self, _: u8, _: bool) {}
    fn msi(&mut self, _: u16) {}
    fn dma_read(&mut self, addr: Iova, buf: &mut [u8]) -> Result<(), DmaError> {
        let len = buf.len() as u64;
        let done = self.0.read(PhysAddr(addr.0), buf);
        done.then_some(()).ok_or(DmaError::NotRam { addr, len })
    }
    fn dma_write(&mut self, addr: Iova, buf: &[u8]) -> Result<(), DmaError> {
        let len = buf.len() as u64;
        let done = self.0.write(PhysAddr(addr.0), buf);
        done.then_some(()).ok_or(DmaError::NotRam { addr, len })
    }
    fn send(&mut self, _: PortId, _: Message) {}
    fn complete(&mut self, _: Token, _: Result<u64, BusError>) {}
    fn guest_error(&mut self, what: &'static str, value: u64) {
        panic!("{what}: {value:#x}");
    }
    fn power(&mut self, _: PowerRequest) {}
}

const BASE: u64 = 0x8000_0000;
const DESC: u64 = BASE;
const AVAIL: u64 = BASE + 0x1000;
const USED: u64 = BASE + 0x2000;
const DATA: u64 = BASE + 0x1_0000;
const SIZE: u16 = 16;

fn write<D: VirtioDevice>(d: &mut VirtioMmio<D>, h: &mut Bare, off: u64, v: u64) {
    let answer = d.write(&mut Cx::new(h), Region(0), off, Width::B4, v);
    assert_eq!(answer, Access::Done(()));
}

/// Serves 200 chains of these buffers and gives the allocations of the last hundred.
fn allocations<D: VirtioDevice>(
    device: D,
    prepare: impl Fn(&Ram),
    buffers: &[(u64, u32, bool)],
) -> u64 {
    let h = &mut Bare(Ram::new(PhysAddr(BASE), 1 << 20).unwrap());
    let d = &mut VirtioMmio::new(device);
    prepare(&h.0);
    for (off, v) in [
        (mmio::STATUS, 3),
        (mmio::DRIVER_FEATURES_SEL, 1),
        (mmio::DRIVER_FEATURES, Features::VERSION_1.word(1).into()),
        (mmio::STATUS, 11),
        (mmio::QUEUE_SIZE, SIZE.into()),
        (mmio::QUEUE_DESC_LOW, DESC),
        (mmio::QUEUE_DRIVER_LOW, AVAIL),
        (mmio::QUEUE_DEVICE_LOW, USED),
        (mmio::QUEUE_READY, 1),
        (mmio::STATUS, 15),
    ] {
        write(d, h, off, v);
    }
    for (i, &(addr, len, writable)) in (0_u16..).zip(buffers) {
        let mut flags = DescFlags::empty();
        flags.set(DescFlags::WRITE, writable);
        flags.set(DescFlags::NEXT, usize::from(i) + 1 < buffers.len());
        let desc = Desc::new(addr, len, flags, i + 1);
        assert!(h.0.write(PhysAddr(DESC + 16 * u64::from(i)), desc.as_bytes()));
    }
    let mut before = 0;
    for n in 0..200_u16 {
        if n == 100 {
            before = allocation::allocations();
        }
        assert!(h.0.write(PhysAddr(AVAIL + avail_entry(SIZE, n)), &[0, 0]));
        assert!(h.0.write(PhysAddr(AVAIL + RING_IDX), &(n + 1).to_le_bytes()));
        write(d, h, mmio::QUEUE_NOTIFY, 0);
        write(d, h, mmio::INTERRUPT_ACK, 1);
    }
    let after = allocation::allocations();
    let used: [u8; 2] = h.0.read_array(PhysAddr(USED + RING_IDX)).unwrap();
    assert_eq!(u16::from_le_bytes(used), 200, "all were served");
    after - before
}

fn disk_allocations(kind: RequestType, writable: bool) -> u64 {
    let disk = Overlay::new(MemoryDisk::new(vec![1; 1 << 20]));
    let block = Block::new(Box::new(disk), "d", SimTime::ZERO);
    let header = RequestHeader::new(kind, 5);
    let prepare = |ram: &Ram| assert!(ram.write(PhysAddr(DATA), header.as_bytes()));
    let body = DATA + 0x1000;
    let buffers = [
        (DATA, 16, false),
        (body, 4096, writable),
        (body + 0x2000, 0x1_8000, writable),
        (DATA + 0x100, 1, true),
    ];
    allocations(block, prepare, &buffers)
}

#[test]
fn disk_requests_allocate_nothing_in_the_steady_state() {
    assert_eq!(disk_allocations(RequestType::IN, true), 0);
    // An overlay allocates a cluster once, on its first write.
    assert_eq!(disk_allocations(RequestType::OUT, false), 0);
}

#[test]
fn entropy_requests_allocate_nothing_in_the_steady_state() {
    let buffers = [(DATA, 64, true), (DATA + 0x100, 64, true)];
    assert_eq!(allocations(Rng::new(1), |_| (), &buffers), 0);
}

#[test]
fn allocations_are_counted() {
    let before = allocation::allocations();
    drop(std::hint::black_box(Box::new(1)));
    assert_ne!(allocation::allocations(), before);
}
