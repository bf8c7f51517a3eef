//! Configuration space against a table of its registers, memory that follows it, and function-level resets.

use super::gadget::{FETCH, RAM, SCRATCH, STORE};
use super::*;
use maquette_model::DmaError;
use maquette_model::Iova;
use maquette_pci_protocol::capability::CapabilityId;
use proptest::prelude::*;

/// Registers of the gadget that are not all zero: place, value after a reset, bits that a driver may change.
const REGISTERS: [(usize, u32, u32); 24] = [
    (0x00, 0x5678_1234, 0),
    (0x04, 0x0010_0000, 0x0546),
    (0x08, 0xff00_0009, 0),
    (0x0c, 0, 0xff),
    (0x10, 0, 0xffff_f000),
    (0x14, 0, 0xffff_f000),
    (0x18, 0xc, 0),
    (0x1c, 0, 0xffff_fffc),
    (0x2c, 0xef01_abcd, 0),
    (0x34, 0x40, 0),
    (0x3c, 0x100, 0xff),
    // PCI Express: version 2 of an integrated endpoint; role-based errors and function-level reset.
    (0x40, 0x0092_7c10, 0),
    (0x44, 0x1000_8000, 0),
    (0x48, 0x2810, 0x781f),
    // MSI-X with three vectors in register 1.
    (0x7c, 0x0002_8811, 0xc000_0000),
    (0x80, 1, 0),
    (0x84, 0x801, 0),
    // The vendor's window of 20 bytes.
    (0x88, 0x0014_0009, 0),
    (0x8c, 0, 0xff),
    (0x90, 0, u32::MAX),
    (0x94, 0, u32::MAX),
    (0x98, 0, u32::MAX),
    (0x9c, 0, 0),
    (0xa0, 0, 0),
];
/// The window's data.
const DATA: core::ops::Range<usize> = 0x98..0x9c;
/// The bit of [`DeviceControl`] that resets, in its second byte.
const RESET: (usize, u8) = (0x49, 0x80);

/// The bytes and the bits that a driver may change.
fn model() -> (Vec<u8>, Vec<u8>) {
    let (mut bytes, mut writable) = (vec![0; 0x1000], vec![0; 0x1000]);
    for (at, value, mask) in REGISTERS {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        writable[at..at + 4].copy_from_slice(&mask.to_le_bytes());
    }
    (bytes, writable)
}

fn width() -> impl Strategy<Value = Width> {
    prop::sample::select(Width::ALL.to_vec())
}

proptest! {
    #[test]
    fn config_space_is_what_the_table_says(
        writes in prop::collection::vec((0u64..0xc0, width(), any::<u64>()), 0..60),
    ) {
        let mut rig = Rig::new();
        let (fresh, writable) = model();
        let mut bytes = fresh.clone();
        for (at, w, v) in writes {
            let start = usize::try_from(at).unwrap();
            let len = usize::try_from(w.bytes()).unwrap();
            // What the window does is another test's.
            if start < DATA.end && start + len > DATA.start {
                continue;
            }
            rig.write(CONFIG, at, w, v & w.mask());
            let mut reset = false;
            for (i, new) in v.to_le_bytes().into_iter().take(len).enumerate() {
                let at = start + i;
                reset |= at == RESET.0 && new & RESET.1 != 0;
                bytes[at] = bytes[at] & !writable[at] | new & writable[at];
            }
            if reset {
                bytes.clone_from(&fresh);
            }
            for w in Width::ALL {
                for at in 0..DATA.start - 8 {
                    let len = usize::try_from(w.bytes()).unwrap();
                    let mut expected = [0; 8];
                    expected[..len].copy_from_slice(&bytes[at..at + len]);
                    let read = rig.read(CONFIG, at as u64, w);
                    prop_assert_eq!(read, u64::from_le_bytes(expected), "{:#x} {:?}", at, w);
                }
            }
        }
    }
}

#[test]
fn space_past_the_capabilities_is_empty_and_ends() {
    let mut rig = Rig::new();
    for at in (0xa0..0x1000).step_by(4) {
        rig.write(CONFIG, at, Width::B4, u32::MAX.into());
        assert_eq!(rig.read(CONFIG, at, Width::B4), 0, "{at:#x}");
    }
    assert_eq!(rig.read(CONFIG, 0xffe, Width::B4), 0xffff_0000);
    assert_eq!(rig.read(CONFIG, u64::MAX, Width::B8), u64::MAX);
}

#[test]
fn pci_01_sizes_are_read_back_after_all_ones() {
    let mut rig = Rig::new();
    for at in [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30] {
        rig.set_config(at, Width::B4, u32::MAX.into());
    }
    let sizes = [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30].map(|at| rig.config(at, Width::B4));
    assert_eq!(sizes, [0xffff_f000, 0xffff_f000, 0xc, 0xffff_fffc, 0, 0, 0]);
}

#[test]
fn pci_02_memory_follows_its_registers_while_it_is_enabled() {
    let mut rig = Rig::new();
    rig.set_config(0x10, Width::B4, 0x4000_5000);
    rig.set_config(0x18, Width::B4, 0);
    rig.set_config(0x1c, Width::B4, 8);
    assert_eq!(rig.function.decode(0x4000_5000), None, "memory is off");
    rig.change_command(Command::empty(), Command::MEMORY);
    let decode = |rig: &Rig, at| rig.function.decode(at).map(|(r, off)| (r.0, off));
    assert_eq!(decode(&rig, 0x4000_5000), Some((0, 0)));
    assert_eq!(decode(&rig, 0x4000_5fff), Some((0, 0xfff)));
    assert_eq!(decode(&rig, 0x4000_6000), None);
    assert_eq!(decode(&rig, 0x4000_4fff), None);
    assert_eq!(decode(&rig, (8 << 32) + 0x1_2345), Some((2, 0x1_2345)));
    rig.set_config(0x10, Width::B4, 0x4abc_d000);
    assert_eq!(decode(&rig, 0x4000_5000), None);
    assert_eq!(decode(&rig, 0x4abc_d010), Some((0, 0x10)));
}

#[test]
fn pci_03_unsupported_access_reads_all_ones() {
    let mut rig = Rig::enabled();
    assert_eq!(rig.read(Region(0), 0x800, Width::B2), 0xffff);
    assert_eq!(
        rig.read(Region(0), 0xffe, Width::B4),
        0xffff_ffff,
        "past the end"
    );
    assert_eq!(
        rig.read(Region(5), 0, Width::B8),
        u64::MAX,
        "no such register"
    );
    rig.write(Region(5), 0, Width::B8, 0);
    assert_eq!(rig.host.guest_errors().len(), 4);
}

#[test]
fn pci_04_device_that_is_no_master_reaches_no_memory() {
    let mut rig = Rig::enabled();
    rig.set(STORE, RAM);
    assert_eq!(rig.host.peek(RAM, 1), Some(&[0x5a][..]));
    rig.change_command(Command::BUS_MASTER, Command::empty());
    let addr = Iova(RAM + 1);
    for register in [STORE, FETCH] {
        rig.set(register, addr.0);
        let refused = rig.function.device().refused;
        assert_eq!(refused, Some(DmaError::NotMaster { addr }));
        rig.change_command(Command::empty(), Command::BUS_MASTER);
        rig.set(FETCH, RAM);
        assert_eq!(rig.function.device().refused, None);
        rig.change_command(Command::BUS_MASTER, Command::empty());
    }
    assert_eq!(rig.host.peek(RAM + 1, 1), Some(&[0][..]));
}

#[test]
fn pci_05_function_level_reset_leaves_a_fresh_function() {
    let fresh = maquette_model::testing::conformance::saved(&Rig::new().function);
    let mut rig = Rig::enabled();
    rig.set_config(0x10, Width::B4, 0x4000_5000);
    rig.set(SCRATCH, 7);
    rig.set(gadget::LATER, 500);
    rig.set(gadget::PIN, 1);
    assert!(rig.host.level(0));
    let express = rig.capability(CapabilityId::EXPRESS.0);
    let control = express + express::DEVICE_CONTROL;
    let bit = DeviceControl::FUNCTION_LEVEL_RESET.bits();
    rig.set_config(control, Width::B2, bit.into());
    assert!(!rig.host.level(0), "the pin");
    assert_eq!(rig.host.next_timer(), None);
    assert_eq!(rig.config(control, Width::B2), 0x2810, "the bit reads as 0");
    let now = maquette_model::testing::conformance::saved(&rig.function);
    assert!(now == fresh, "something is left");
}

#[test]
fn window_shows_what_a_driver_without_memory_asks_for() {
    let mut rig = Rig::new();
    let at = rig.capability(CapabilityId::VENDOR.0);
    let look = |rig: &mut Rig, bar, offset: u64, length: u64| {
        rig.set_config(at + 4, Width::B1, bar);
        rig.set_config(at + 8, Width::B4, offset);
        rig.set_config(at + 12, Width::B4, length);
    };
    look(&mut rig, 0, SCRATCH, 4);
    rig.set_config(at + 16, Width::B4, 0x1234_5678);
    assert_eq!(rig.read(Region(0), SCRATCH, Width::B4), 0x1234_5678);
    look(&mut rig, 0, SCRATCH, 2);
    assert_eq!(rig.config(at + 16, Width::B2), 0x5678);
    look(&mut rig, 2, 0x1_0203, 1);
    assert_eq!(rig.config(at + 16, Width::B4), 3);
    assert_eq!(rig.host.guest_errors(), [""; 0]);
    for (bar, offset, length) in [(0, SCRATCH, 3), (0, SCRATCH + 1, 4), (5, 0, 4), (99, 0, 4)] {
        look(&mut rig, bar, offset, length);
        rig.set_config(at + 16, Width::B4, 0);
        assert_eq!(
            rig.host.guest_errors().len(),
            1,
            "{bar} {offset:#x} {length}"
        );
        rig.host.log.clear();
    }
}

#[test]
fn saved_space_of_another_function_is_refused() {
    let mut other = Gadget::default();
    other.change = Some(|l| l.identity.device += 1);
    let saved = maquette_model::testing::conformance::saved(&Function::new(other).unwrap());
    let mut function = Rig::new().function;
    let (field, value) = ("byte of configuration space", 2);
    let refused = LoadError::Value { field, value };
    assert_eq!(function.load(&mut Reader::new(&saved)), Err(refused));
}
