//! The structures, and requests through a whole function: with its pin, and with messages.

use super::*;
use crate::testing::{Buffer, DATA, RAM, RAM_BYTES, areas};
use crate::transport::TRANSPORT_FEATURES;
use crate::{Block, Console, MemoryDisk, Net, Rng};
use maquette_model::testing::conformance::{Random, saved};
use maquette_model::testing::{Seen, TestHost};
use maquette_model::{Reader, SimTime, Snapshot};
use maquette_pci::{CONFIG, Function, PciFunction};
use maquette_pci_protocol::{Command, header, msix};
use maquette_virtio_protocol::pci::common;
use maquette_virtio_protocol::queue::{Desc, DescFlags};
use maquette_virtio_protocol::{DeviceStatus, Features, queue as layout};
use zerocopy::IntoBytes;

maquette_model::conformance!(
    virtio_pci,
    || VirtioPci::new(Rng::new(1)),
    VirtioPci::<Rng>::SIZE
);
maquette_model::conformance!(
    virtio_pci_block,
    || VirtioPci::new(block(SimTime::from_us(3))),
    VirtioPci::<Block>::SIZE
);

const STRUCTURES: Region = Region(4);
const TABLE: Region = Region(1);
const ISR: u64 = 0x1000;
const DEVICE: u64 = 0x2000;
const NOTIFY: u64 = 0x3000;
const SIZE: u16 = 16;

fn block(latency: SimTime) -> Block {
    let disk = MemoryDisk::new(vec![0x5a; 1 << 16]);
    Block::new(Box::new(disk), "over pci", latency)
}

/// A driver of a whole function. Its requests begin at descriptor 0 of a queue, one at a time.
struct Rig<D> {
    function: Function<VirtioPci<D>>,
    host: TestHost,
    served: u16,
}

impl<D: VirtioDevice> Rig<D> {
    fn new(device: D) -> Self {
        let function = Function::new(VirtioPci::new(device)).expect("a function");
        let mut rig = Self {
            function,
            host: TestHost::with_ram(RAM, RAM_BYTES),
            served: 0,
        };
        let on = Command::MEMORY | Command::BUS_MASTER;
        rig.write(CONFIG, header::COMMAND.into(), Width::B2, on.bits().into());
        rig
    }

    /// With all features but event indices, and queues of 16.
    fn ready(device: D) -> Self {
        let mut rig = Self::new(device);
        rig.start();
        rig
    }

    fn read(&mut self, region: Region, at: u64, w: Width) -> u64 {
        match self
            .function
            .read(&mut Cx::new(&mut self.host), region, at, w)
        {
            Access::Done(v) => v,
            other => panic!("{at:#x}: {other:?}"),
        }
    }

    fn write(&mut self, region: Region, at: u64, w: Width, v: u64) {
        let cx = &mut Cx::new(&mut self.host);
        let answer = self.function.write(cx, region, at, w, v);
        assert_eq!(answer, Access::Done(()));
    }

    fn set(&mut self, at: u64, w: Width, v: u64) {
        self.write(STRUCTURES, at, w, v);
    }

    fn get(&mut self, at: u64, w: Width) -> u64 {
        self.read(STRUCTURES, at, w)
    }

    fn offered(&mut self) -> Features {
        let mut all = Features::empty();
        for word in 0..2 {
            self.set(common::DEVICE_FEATURE_SELECT, Width::B4, word.into());
            let bits = self.get(common::DEVICE_FEATURE, Width::B4);
            all = all.with_word(word, u32::try_from(bits).unwrap());
        }
        all
    }

    fn add_status(&mut self, bits: DeviceStatus) -> DeviceStatus {
        let old = self.get(common::DEVICE_STATUS, Width::B1);
        self.set(
            common::DEVICE_STATUS,
            Width::B1,
            old | u64::from(bits.bits()),
        );
        let now = self.get(common::DEVICE_STATUS, Width::B1);
        DeviceStatus::from_bits_retain(u32::try_from(now).unwrap())
    }

    /// The steps of virtio 1.3 §3.1.1.
    fn start(&mut self) {
        let features = self.offered() - Features::EVENT_IDX;
        self.set(common::DEVICE_STATUS, Width::B1, 0);
        self.add_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER);
        for word in 0..2 {
            self.set(common::DRIVER_FEATURE_SELECT, Width::B4, word.into());
            let bits = features.word(word);
            self.set(common::DRIVER_FEATURE, Width::B4, bits.into());
            assert_eq!(self.get(common::DRIVER_FEATURE, Width::B4), u64::from(bits));
        }
        let status = self.add_status(DeviceStatus::FEATURES_OK);
        assert!(status.contains(DeviceStatus::FEATURES_OK));
        for q in 0..self.get(common::NUM_QUEUES, Width::B2) {
            let [desc, driver, device] = areas(u16::try_from(q).unwrap());
            assert!(self.host.poke(driver, &[0; 4]) && self.host.poke(device, &[0; 4]));
            self.set(common::QUEUE_SELECT, Width::B2, q);
            self.set(common::QUEUE_SIZE, Width::B2, SIZE.into());
            assert_eq!(self.get(common::QUEUE_NOTIFY_OFF, Width::B2), q);
            self.set(common::QUEUE_DESC, Width::B8, desc);
            self.set(common::QUEUE_DRIVER, Width::B4, driver & 0xffff_ffff);
            self.set(common::QUEUE_DRIVER + 4, Width::B4, driver >> 32);
            self.set(common::QUEUE_DEVICE, Width::B8, device);
            assert_eq!(self.get(common::QUEUE_DRIVER, Width::B8), driver);
            self.set(common::QUEUE_ENABLE, Width::B2, 1);
            assert_eq!(self.get(common::QUEUE_ENABLE, Width::B2), 1);
        }
        self.served = 0;
        self.add_status(DeviceStatus::DRIVER_OK);
    }

    fn add(&mut self, q: u16, buffers: &[Buffer]) {
        let [desc, avail, _] = areas(q);
        for (i, &(addr, len, write)) in (0_u16..).zip(buffers) {
            let mut flags = DescFlags::empty();
            flags.set(DescFlags::WRITE, write);
            flags.set(DescFlags::NEXT, usize::from(i) + 1 < buffers.len());
            let entry = Desc::new(addr, len, flags, i + 1);
            let at = desc + layout::DESC_SIZE * u64::from(i);
            assert!(self.host.poke(at, entry.as_bytes()));
        }
        let entry = avail + layout::avail_entry(SIZE, self.served);
        assert!(self.host.poke(entry, &[0, 0]));
        self.served += 1;
        let index = self.served.to_le_bytes();
        assert!(self.host.poke(avail + layout::RING_IDX, &index));
    }

    fn kick(&mut self, q: u16) {
        self.set(NOTIFY + 4 * u64::from(q), Width::B2, q.into());
    }

    /// How many requests came back.
    fn used(&self, q: u16) -> u16 {
        let bytes = self.host.peek(areas(q)[2] + layout::RING_IDX, 2).unwrap();
        u16::from_le_bytes([bytes[0], bytes[1]])
    }

    fn run_for(&mut self, t: SimTime) {
        let end = self.host.now.saturating_add(t);
        self.host.run_until(&mut self.function, end);
    }

    /// Where the MSI-X capability is.
    fn message_control(&mut self) -> u64 {
        let mut at = self.read(CONFIG, header::CAPABILITIES.into(), Width::B1);
        while self.read(CONFIG, at, Width::B1) != 0x11 {
            at = self.read(CONFIG, at + 1, Width::B1);
            assert_ne!(at, 0, "there is no table");
        }
        at + u64::from(msix::CONTROL)
    }

    fn use_messages(&mut self) {
        let control = self.message_control();
        let on = msix::Control::ENABLE.bits();
        self.write(CONFIG, control, Width::B2, on.into());
        let vectors = (self.read(CONFIG, control, Width::B2) & 0x7ff) + 1;
        for vector in 0..vectors {
            let at = vector * msix::ENTRY_BYTES + msix::ENTRY_CONTROL;
            self.write(TABLE, at, Width::B4, 0);
        }
    }

    fn messages(&mut self) -> Vec<u16> {
        let log = self.host.take_log().into_iter();
        log.filter_map(|seen| match seen {
            Seen::Msi(vector) => Some(vector),
            _ => None,
        })
        .collect()
    }
}

const FILL: &[Buffer] = &[(DATA, 16, true)];
const READ: &[Buffer] = &[
    (DATA, 16, false),
    (DATA + 0x100, 512, true),
    (DATA + 0x400, 1, true),
];

fn identity<D: VirtioDevice>(device: D) -> (u64, u64, u64) {
    let mut rig = Rig::new(device);
    let number = rig.read(CONFIG, 0, Width::B4);
    let class = rig.read(CONFIG, 8, Width::B4);
    (number, class, rig.get(common::NUM_QUEUES, Width::B2))
}

#[test]
fn identity_is_that_of_a_modern_device() {
    assert_eq!(
        identity(block(SimTime::ZERO)),
        (0x1042_1af4, 0x0100_0001, 1)
    );
    assert_eq!(identity(Console::new()), (0x1043_1af4, 0x0780_0001, 2));
    assert_eq!(identity(Rng::new(1)), (0x1044_1af4, 0xff00_0001, 1));
    let net = Net::new([2, 0, 0, 0, 0, 1], true);
    assert_eq!(identity(net), (0x1041_1af4, 0x0200_0001, 2));
}

#[test]
fn request_is_served_and_the_pin_stays_until_the_status_is_read() {
    let mut rig = Rig::ready(Rng::new(1));
    assert_eq!(rig.offered(), TRANSPORT_FEATURES);
    rig.add(0, FILL);
    rig.kick(0);
    assert_eq!(rig.used(0), 1);
    assert_ne!(rig.host.peek(DATA, 16).unwrap(), [0; 16]);
    assert!(rig.host.level(0) && rig.function.interrupt());
    assert_eq!(rig.get(ISR, Width::B1), 1);
    assert!(!rig.host.level(0), "the read takes it back");
    assert_eq!(rig.get(ISR, Width::B1), 0);
    assert_eq!(rig.host.guest_errors(), [""; 0]);
}

#[test]
fn pci_08_request_is_served_with_the_message_of_its_queue() {
    let mut rig = Rig::new(block(SimTime::from_us(1)));
    rig.use_messages();
    rig.set(common::CONFIG_MSIX_VECTOR, Width::B2, 0);
    rig.start();
    rig.set(common::QUEUE_SELECT, Width::B2, 0);
    for (wanted, mapped) in [(1, 1), (2, 0xffff), (0xffff, 0xffff), (1, 1)] {
        rig.set(common::QUEUE_MSIX_VECTOR, Width::B2, wanted);
        assert_eq!(rig.get(common::QUEUE_MSIX_VECTOR, Width::B2), mapped);
    }
    rig.add(0, READ);
    rig.kick(0);
    rig.messages();
    rig.run_for(SimTime::from_us(10));
    assert_eq!(rig.used(0), 1);
    assert_eq!(rig.messages(), [1]);
    assert!(!rig.host.level(0), "the pin is not used");
    assert_eq!(rig.host.peek(DATA + 0x100, 512).unwrap(), [0x5a; 512]);
    // A reset forgets the vectors.
    rig.start();
    rig.add(0, READ);
    rig.kick(0);
    rig.run_for(SimTime::from_us(10));
    assert_eq!((rig.used(0), rig.messages().len()), (1, 0));
}

#[test]
fn device_that_breaks_sends_the_message_of_its_configuration() {
    let mut rig = Rig::new(Rng::new(1));
    rig.use_messages();
    rig.start();
    rig.set(common::CONFIG_MSIX_VECTOR, Width::B2, 0);
    rig.messages();
    rig.add(0, &[(0x1000, 16, true)]);
    rig.kick(0);
    let status = rig.add_status(DeviceStatus::empty());
    assert!(status.contains(DeviceStatus::DEVICE_NEEDS_RESET));
    assert_eq!(rig.messages(), [0]);
}

#[test]
fn device_that_is_no_master_breaks_and_touches_nothing() {
    let mut rig = Rig::ready(Rng::new(1));
    let memory = Command::MEMORY.bits().into();
    rig.write(CONFIG, header::COMMAND.into(), Width::B2, memory);
    rig.add(0, FILL);
    let before = rig.host.peek(RAM, RAM_BYTES).unwrap().to_vec();
    rig.kick(0);
    let status = rig.add_status(DeviceStatus::empty());
    assert!(status.contains(DeviceStatus::DEVICE_NEEDS_RESET));
    assert!(rig.host.peek(RAM, RAM_BYTES).unwrap() == before);
}

#[test]
fn function_level_reset_forgets_a_request() {
    let mut rig = Rig::new(block(SimTime::from_us(5)));
    let fresh = saved(&Function::new(VirtioPci::new(block(SimTime::from_us(5)))).unwrap());
    rig.start();
    rig.add(0, READ);
    rig.kick(0);
    assert!(rig.host.next_timer().is_some());
    // The capability of PCI Express is the first; its control register is 8 bytes further.
    rig.write(CONFIG, 0x48, Width::B2, 0x8000);
    assert_eq!(rig.host.next_timer(), None, "the request goes on");
    assert!(saved(&rig.function) == fresh, "the reset left something");
    let on = Command::MEMORY | Command::BUS_MASTER;
    rig.write(CONFIG, header::COMMAND.into(), Width::B2, on.bits().into());
    rig.start();
    rig.add(0, READ);
    rig.kick(0);
    rig.run_for(SimTime::from_us(10));
    assert_eq!(rig.used(0), 1);
}

#[test]
fn registers_are_read_whole_and_read_only_ones_stay() {
    let mut rig = Rig::ready(Console::new());
    rig.host.log.clear();
    assert_eq!(rig.get(common::QUEUE_SIZE, Width::B4), 0);
    assert_eq!(rig.get(common::DEVICE_STATUS + 4, Width::B1), 0);
    rig.set(common::NUM_QUEUES, Width::B2, 7);
    rig.set(common::QUEUE_ENABLE, Width::B2, 0);
    rig.set(ISR, Width::B1, 0xff);
    rig.set(common::QUEUE_RESET, Width::B2, 1);
    assert_eq!(rig.host.guest_errors().len(), 6);
    assert_eq!(rig.get(common::NUM_QUEUES, Width::B2), 2);
    assert_eq!(rig.get(common::QUEUE_ENABLE, Width::B2), 1);
    rig.set(common::QUEUE_SELECT, Width::B2, 2);
    for at in [
        common::QUEUE_SIZE,
        common::QUEUE_ENABLE,
        common::QUEUE_NOTIFY_OFF,
    ] {
        assert_eq!(rig.get(at, Width::B2), 0, "there is no third queue");
    }
    assert_eq!(rig.get(common::QUEUE_MSIX_VECTOR, Width::B2), 0xffff);
    let mut disk = Rig::new(block(SimTime::ZERO));
    assert_eq!(disk.get(DEVICE, Width::B4), 128, "sectors");
}

#[test]
fn pci_10_state_saved_while_it_serves_goes_on_alike() {
    for seed in 0..20 {
        let random = &mut Random(seed);
        let mut one = Rig::new(block(SimTime::from_us(3)));
        if seed % 2 == 0 {
            one.use_messages();
        }
        one.start();
        one.set(common::QUEUE_SELECT, Width::B2, 0);
        one.set(common::QUEUE_MSIX_VECTOR, Width::B2, 1);
        for _ in 0..random.below(9) {
            one.add(0, READ);
            one.kick(0);
            one.run_for(SimTime::from_us(random.below(4)));
        }
        let bytes = saved(&one.function);
        let mut two = Rig::new(block(SimTime::from_us(3)));
        let mut r = Reader::new(&bytes);
        let loaded = two.function.load(&mut r).and_then(|()| r.finish());
        assert_eq!(loaded, Ok(()), "seed {seed}");
        (two.host, two.served) = (one.host.clone(), one.served);
        for _ in 0..5 {
            for rig in [&mut one, &mut two] {
                rig.add(0, READ);
                rig.kick(0);
                rig.run_for(SimTime::from_us(2));
            }
            assert_eq!(one.host.take_log(), two.host.take_log(), "seed {seed}");
        }
        assert!(saved(&one.function) == saved(&two.function), "seed {seed}");
    }
}
