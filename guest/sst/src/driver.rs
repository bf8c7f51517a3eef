//! The driver.

use core::sync::atomic::{Ordering, fence};

use maquette_guest_rt::arch::Mmio;
use maquette_virtio_protocol::queue::{Desc, DescFlags};
use maquette_virtio_protocol::{DeviceStatus, Features, InterruptStatus, mmio};
use maquette_virtio_sst_protocol::layout::{
    Config, Event, REQUEST_SIZE, RESPONSE_SIZE, RequestHeader, feature, queue,
};

use crate::queue::{Rings, SIZE};
use crate::shared::{EVENTS, SLOTS, Shared, Slot};

/// Why the device cannot be used, or what it did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The transport has the legacy interface (in QEMU: `-global virtio-mmio.force-legacy=false`).
    Legacy,
    /// The device refused the features that the driver chose.
    Features,
    /// The queue is missing, too short, or in use.
    Queue(u16),
    /// [`SLOTS`] requests are in flight.
    Full,
    /// The device returned what it was not given.
    WrongBuffer(u32),
    /// The device wrote so many bytes of an answer.
    WrongLength(u32),
}

/// A request that was answered. Its slot is free again at the next [`Driver::submit`].
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Where request and answer are.
    pub slot: &'static Slot,
    /// What [`Driver::submit`] called it.
    pub number: usize,
}

/// A virtio-sst device that is up.
#[derive(Debug)]
pub struct Driver {
    regs: Mmio,
    shared: &'static Shared,
    features: u64,
    /// A bit for each slot in flight.
    in_flight: u64,
    made: u16,
    taken: u16,
    events_made: u16,
    events_taken: u16,
    next_id: u64,
}

const _: () = assert!(SLOTS <= u64::BITS as usize && 2 * SLOTS <= SIZE as usize);

impl Driver {
    /// Whether this transport leads to a device of this type number.
    #[must_use]
    pub fn is_device(regs: Mmio, type_number: u32) -> bool {
        regs.read32(mmio::MAGIC_VALUE as usize) == mmio::MAGIC
            && regs.read32(mmio::DEVICE_ID as usize) == type_number
    }

    /// Brings the device up (virtio 1.3 §3.1.1), with interrupts off.
    ///
    /// # Errors
    /// When the device is not as the driver needs it.
    pub fn start(regs: Mmio, shared: &'static Shared) -> Result<Self, Error> {
        let mut driver = Self {
            regs,
            shared,
            features: 0,
            in_flight: 0,
            made: 0,
            taken: 0,
            events_made: 0,
            events_taken: 0,
            next_id: 1,
        };
        if driver.get(mmio::VERSION) != mmio::VERSION_MODERN {
            return Err(Error::Legacy);
        }
        driver.set(mmio::STATUS, 0);
        while driver.get(mmio::STATUS) != 0 {}
        driver.add_status(DeviceStatus::ACKNOWLEDGE);
        driver.add_status(DeviceStatus::DRIVER);
        driver.negotiate()?;
        driver.set_up(queue::REQUEST, &shared.requests)?;
        driver.set_up(queue::EVENT, &shared.events)?;
        driver.add_status(DeviceStatus::DRIVER_OK);
        for number in 0..EVENTS {
            driver.lend(number);
        }
        driver.notify(queue::EVENT);
        Ok(driver)
    }

    /// What the device says of itself.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut bytes = [0; Config::SIZE];
        loop {
            // The fields may change between two reads (virtio 1.3 §2.5.1).
            let before = self.get(mmio::CONFIG_GENERATION);
            for (offset, word) in (0u64..).step_by(4).zip(bytes.chunks_exact_mut(4)) {
                word.copy_from_slice(&self.get(mmio::CONFIG + offset).to_le_bytes());
            }
            if self.get(mmio::CONFIG_GENERATION) == before {
                return Config::decode(&bytes);
            }
        }
    }

    /// Asks the device for interrupts, or to be spared of them.
    pub fn set_interrupts(&self, on: bool) {
        self.shared.requests.set_interrupts(on);
        self.shared.events.set_interrupts(on);
    }

    /// Acknowledges an interrupt; says whether the device had one.
    #[must_use]
    pub fn acknowledge(&self) -> bool {
        let bits = self.get(mmio::INTERRUPT_STATUS);
        self.set(mmio::INTERRUPT_ACK, bits);
        InterruptStatus::from_bits_retain(bits).contains(InterruptStatus::USED_BUFFER)
    }

    /// Prepares a request; the device learns of it by [`Driver::kick`]. Its payload is `parts` one after the
    /// other, and zeros. Returns what it is called here.
    ///
    /// # Errors
    /// When too many are in flight.
    pub fn submit(&mut self, kind: u32, user_data: u64, parts: &[&[u8]]) -> Result<usize, Error> {
        let number = self.in_flight.trailing_ones() as usize;
        let slot = self.shared.slots.get(number).ok_or(Error::Full)?;
        let header = RequestHeader {
            kind,
            flags: 0,
            request_id: self.next_id,
            user_data,
        };
        self.next_id = self.next_id.wrapping_add(1);
        slot.fill(&header, parts);
        let head = 2 * number;
        let (to, from) = (slot.request.as_ptr().addr(), slot.response.as_ptr().addr());
        let rings = &self.shared.requests;
        let next = head as u16 + 1;
        rings.describe(
            head,
            Desc::new(to as u64, REQUEST_SIZE as u32, DescFlags::NEXT, next),
        );
        rings.describe(
            head + 1,
            Desc::new(from as u64, RESPONSE_SIZE as u32, DescFlags::WRITE, 0),
        );
        rings.offer(self.made, head as u16);
        self.made = self.made.wrapping_add(1);
        self.in_flight |= 1 << number;
        Ok(number)
    }

    /// Shows the device what was submitted.
    pub fn kick(&self) {
        self.shared.requests.show(self.made);
        self.notify(queue::REQUEST);
    }

    /// The next answer, if there is one.
    ///
    /// # Errors
    /// When the device returns what it was not given.
    pub fn poll(&mut self) -> Result<Option<Answer>, Error> {
        let Some((head, length)) = self.shared.requests.used(self.taken) else {
            return Ok(None);
        };
        self.taken = self.taken.wrapping_add(1);
        let number = head as usize / 2;
        let is_ours = head % 2 == 0 && number < SLOTS && self.in_flight >> number & 1 == 1;
        let slot = self.shared.slots.get(number).filter(|_| is_ours);
        let slot = slot.ok_or(Error::WrongBuffer(head))?;
        self.in_flight &= !(1 << number);
        if length != RESPONSE_SIZE as u32 {
            return Err(Error::WrongLength(length));
        }
        Ok(Some(Answer { slot, number }))
    }

    /// The next event, if there is one. Its buffer goes back to the device.
    ///
    /// # Errors
    /// When the device returns what it was not given.
    pub fn event(&mut self) -> Result<Option<Event>, Error> {
        let Some((number, length)) = self.shared.events.used(self.events_taken) else {
            return Ok(None);
        };
        self.events_taken = self.events_taken.wrapping_add(1);
        let buffer = self.shared.event_buffers.get(number as usize);
        let event = buffer.ok_or(Error::WrongBuffer(number))?.read();
        if length != Event::SIZE as u32 {
            return Err(Error::WrongLength(length));
        }
        self.lend(number as usize);
        self.notify(queue::EVENT);
        Ok(Some(event))
    }

    /// The features that driver and device agreed on.
    #[must_use]
    pub const fn features(&self) -> u64 {
        self.features
    }

    /// Gives the device a buffer for an event.
    fn lend(&mut self, number: usize) {
        let Some(buffer) = self.shared.event_buffers.get(number) else {
            return;
        };
        let at = buffer.0.as_ptr().addr() as u64;
        let rings = &self.shared.events;
        rings.describe(
            number,
            Desc::new(at, Event::SIZE as u32, DescFlags::WRITE, 0),
        );
        rings.offer(self.events_made, number as u16);
        self.events_made = self.events_made.wrapping_add(1);
        rings.show(self.events_made);
    }

    fn notify(&self, queue: u16) {
        // The device must see the index before the notification (virtio 1.3 §2.7.13).
        fence(Ordering::SeqCst);
        self.set(mmio::QUEUE_NOTIFY, u32::from(queue));
    }

    fn negotiate(&mut self) -> Result<(), Error> {
        let mut offered = Features::empty();
        for word in 0..2 {
            self.set(mmio::DEVICE_FEATURES_SEL, word);
            offered = offered.with_word(word, self.get(mmio::DEVICE_FEATURES));
        }
        let wanted = Features::from_bits_retain(feature::CONNECTED) | Features::VERSION_1;
        let chosen = offered & wanted;
        self.features = chosen.bits();
        for word in 0..2 {
            self.set(mmio::DRIVER_FEATURES_SEL, word);
            self.set(mmio::DRIVER_FEATURES, chosen.word(word));
        }
        self.add_status(DeviceStatus::FEATURES_OK);
        if self.status().contains(DeviceStatus::FEATURES_OK) {
            Ok(())
        } else {
            Err(Error::Features)
        }
    }

    fn set_up(&self, number: u16, rings: &'static Rings) -> Result<(), Error> {
        self.set(mmio::QUEUE_SEL, u32::from(number));
        let longest = self.get(mmio::QUEUE_SIZE_MAX);
        if self.get(mmio::QUEUE_READY) != 0 || longest < u32::from(SIZE) {
            return Err(Error::Queue(number));
        }
        rings.clear();
        rings.set_interrupts(false);
        self.set(mmio::QUEUE_SIZE, u32::from(SIZE));
        self.set_address(mmio::QUEUE_DESC_LOW, rings.desc.as_ptr().addr());
        self.set_address(mmio::QUEUE_DRIVER_LOW, rings.avail.as_ptr().addr());
        self.set_address(mmio::QUEUE_DEVICE_LOW, rings.used.as_ptr().addr());
        self.set(mmio::QUEUE_READY, 1);
        Ok(())
    }

    fn set_address(&self, low: u64, address: usize) {
        self.set(low, address as u32);
        self.set(low + 4, (address >> 32) as u32);
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
