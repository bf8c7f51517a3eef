//! The pin, and message interrupts.

use super::gadget::{PIN, SEND};
use super::*;
use maquette_pci_protocol::capability::CapabilityId;

const TABLE: Region = Region(1);
const PENDING: u64 = 0x800;

impl Rig {
    fn control(&mut self, bits: msix::Control) {
        let at = self.capability(CapabilityId::MSIX.0) + msix::CONTROL;
        self.set_config(at, Width::B2, bits.bits().into());
    }

    fn status(&mut self) -> Status {
        let status = self.config(header::STATUS, Width::B2);
        Status::from_bits_retain(u16::try_from(status).unwrap())
    }

    /// Sets a vector up and unmasks it.
    fn vector(&mut self, vector: u64, address: u64, data: u32) {
        let entry = vector * msix::ENTRY_BYTES;
        self.write(TABLE, entry, Width::B8, address);
        self.write(TABLE, entry + msix::ENTRY_DATA, Width::B4, data.into());
        self.mask(vector, false);
    }

    fn mask(&mut self, vector: u64, masked: bool) {
        let at = vector * msix::ENTRY_BYTES + msix::ENTRY_CONTROL;
        self.write(TABLE, at, Width::B4, masked.into());
    }

    fn pending(&mut self) -> u64 {
        self.read(TABLE, PENDING, Width::B8)
    }
}

#[test]
fn pci_06_pin_obeys_the_command_register_and_status_does_not() {
    let mut rig = Rig::enabled();
    rig.set(PIN, 1);
    assert!(rig.host.level(0) && rig.function.interrupt());
    assert!(rig.status().contains(Status::INTERRUPT));
    rig.change_command(Command::empty(), Command::INTX_DISABLE);
    assert!(!rig.host.level(0) && !rig.function.interrupt());
    assert!(rig.status().contains(Status::INTERRUPT));
    assert_eq!(rig.config(header::STATUS - 2, Width::B4) >> 16, 0x18);
    assert_eq!(rig.config(header::STATUS, Width::B1), 0x18);
    assert_eq!(rig.config(header::STATUS + 1, Width::B1), 0);
    rig.change_command(Command::INTX_DISABLE, Command::empty());
    assert!(rig.host.level(0));
    rig.set(PIN, 0);
    assert!(!rig.host.level(0));
    assert!(!rig.status().contains(Status::INTERRUPT));
}

#[test]
fn messages_take_the_place_of_the_pin() {
    let mut rig = Rig::enabled();
    rig.set(SEND, 1);
    assert_eq!(rig.messages(), [0; 0], "not enabled");
    rig.set(PIN, 1);
    rig.vector(1, 0xfee0_1000, 77);
    rig.control(msix::Control::ENABLE);
    assert!(!rig.host.level(0), "the pin while messages are in use");
    rig.messages();
    rig.set(SEND, 1);
    assert_eq!(rig.messages(), [1]);
    assert_eq!(rig.function.message(1), Some((0xfee0_1000, 77)));
    assert_eq!(rig.function.message(3), None);
    rig.set(SEND, 3);
    let what = "pci: message interrupt past the end of the table";
    assert_eq!(rig.host.guest_errors(), [what]);
    rig.control(msix::Control::empty());
    assert!(rig.host.level(0), "the pin comes back");
}

#[test]
fn pci_07_masked_messages_wait_and_are_sent_once() {
    let mut rig = Rig::enabled();
    rig.control(msix::Control::ENABLE);
    for _ in 0..3 {
        rig.set(SEND, 2);
    }
    assert_eq!(rig.messages(), [0; 0], "masked after a reset");
    assert_eq!(rig.pending(), 4);
    rig.write(TABLE, PENDING, Width::B8, 0);
    assert_eq!(rig.pending(), 4, "pending bits are read-only");
    rig.mask(2, false);
    assert_eq!(rig.messages(), [2]);
    assert_eq!(rig.pending(), 0);
    rig.mask(0, false);
    rig.control(msix::Control::ENABLE | msix::Control::MASK_ALL);
    rig.set(SEND, 2);
    rig.set(SEND, 0);
    assert_eq!((rig.messages().len(), rig.pending()), (0, 5));
    rig.control(msix::Control::ENABLE);
    assert_eq!(rig.messages(), [0, 2]);
}

#[test]
fn messages_wait_for_bus_mastering_and_end_with_their_use() {
    let mut rig = Rig::enabled();
    rig.control(msix::Control::ENABLE);
    rig.mask(0, false);
    rig.change_command(Command::BUS_MASTER, Command::empty());
    rig.set(SEND, 0);
    assert_eq!((rig.messages().len(), rig.pending()), (0, 1));
    rig.change_command(Command::empty(), Command::BUS_MASTER);
    assert_eq!(rig.messages(), [0]);
    rig.mask(0, true);
    rig.set(SEND, 0);
    rig.control(msix::Control::empty());
    rig.control(msix::Control::ENABLE);
    rig.mask(0, false);
    assert_eq!(rig.messages(), [0; 0], "an old message");
}

#[test]
fn table_holds_what_it_has_bits_for() {
    let mut rig = Rig::enabled();
    assert_eq!(rig.read(TABLE, 12, Width::B4), 1, "masked after a reset");
    for at in 0..0x40 {
        rig.write(TABLE, at, Width::B1, 0xff);
    }
    let control = msix::ENTRY_CONTROL;
    for entry in [0, 16, 32] {
        assert_eq!(rig.read(TABLE, entry, Width::B8), u64::MAX);
        assert_eq!(rig.read(TABLE, entry + control, Width::B4), 1);
    }
    assert_eq!(
        rig.read(TABLE, 48, Width::B8),
        0,
        "there is no fourth vector"
    );
    assert_eq!(rig.read(TABLE, 40, Width::B8), 0x1_ffff_ffff);
    assert_eq!(rig.read(TABLE, 13, Width::B2), 0);
}
