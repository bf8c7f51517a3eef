//! Boots through firmware: where everything goes, what the firmware is told, what is refused.

use super::build::{Seg, elf, image};
use crate::board::{AddrRange, Board, TreeOptions, View};
use crate::boot::{BootError, BootFiles, FirmwareError, PlaceError, Placement, Prepared, prepare};
use maquette_model::{PhysAddr, Ram};
use proptest::prelude::*;

const MIB: u64 = 1 << 20;
const RAW: &[u8] = &[0x13, 0, 0, 0, 0x81, 0xff, 0x02, 0x90, 1, 2, 3, 4];

fn at(start: u64, len: u64) -> AddrRange {
    AddrRange::new(PhysAddr(start), len).unwrap()
}

fn boot<'a>(
    firmware: &'a [u8],
    kernel: &'a [u8],
    initrd: Option<&'a [u8]>,
    ram_bytes: u64,
) -> Result<Prepared<'a>, BootError> {
    let board = Board::virt(2, ram_bytes).unwrap();
    let files = BootFiles {
        firmware: Some(firmware),
        kernel,
        initrd,
    };
    let options = TreeOptions {
        view: View::Machine,
        isa_extensions: &["i", "m"],
        cmdline: "",
        initrd: None,
        seed: 0,
    };
    prepare(&board, files, &options)
}

/// All ranges of a placement, what firmware uses beyond its bytes not counted.
fn ranges(p: &Placement) -> Vec<AddrRange> {
    let firmware = p.firmware.as_ref().unwrap();
    let mut all = [p.segments.as_slice(), &firmware.segments].concat();
    all.extend([p.dtb, at(firmware.info.0, 48)]);
    all.extend(p.initrd);
    all.extend(firmware.jump);
    all
}

#[test]
fn firmware_finds_the_kernel_at_2_mib_and_is_told_so() {
    let kernel = image(0x20_0000, 0x1000, 700, true);
    let prepared = boot(RAW, &kernel, Some(b"initrd"), 128 * MIB).unwrap();
    let ram = Ram::new(PhysAddr(0x8000_0000), 128 * MIB).unwrap();
    let entry = prepared.write(&ram).unwrap();
    assert_eq!(entry.pc, PhysAddr(0x8000_0000));
    assert_eq!(entry.dtb, prepared.placement().dtb.start());
    let info = entry.info.unwrap();
    assert_eq!(info.0 % 8, 0);
    let word = |i: u64| ram.read_u64(PhysAddr(info.0 + 8 * i)).unwrap();
    assert_eq!(
        [0, 1, 2, 3, 4, 5].map(word),
        [
            u64::from_le_bytes(*b"OSBI\0\0\0\0"),
            2,
            0x8020_0000,
            1,
            0,
            0
        ]
    );
    let placement = prepared.placement();
    assert_eq!(placement.firmware.as_ref().unwrap().jump, None);
    let mut start = [0; RAW.len()];
    assert!(ram.read(entry.pc, &mut start));
    assert_eq!(start, RAW);
    // Room for what firmware adds to the tree in place.
    let dtb = placement.dtb;
    assert!(info.0 >= dtb.end().0 + 0xf000, "{dtb} {info}");
}

/// `fw_jump` copies the tree to 34 MiB; Debian's kernel reaches beyond.
#[test]
fn kernel_that_reaches_the_tree_of_fw_jump_goes_above_with_a_jump_to_it() {
    let kernel = image(0x20_0000, 33 * MIB, 700, true);
    let prepared = boot(RAW, &kernel, None, 128 * MIB).unwrap();
    let placement = prepared.placement();
    assert_eq!(placement.entry, PhysAddr(0x8240_0000));
    assert_eq!(
        placement.firmware.as_ref().unwrap().jump,
        Some(at(0x8020_0000, 24))
    );
    let ram = Ram::new(PhysAddr(0x8000_0000), 128 * MIB).unwrap();
    prepared.write(&ram).unwrap();
    let code = [0, 4, 8, 12].map(|i| ram.read_u32(PhysAddr(0x8020_0000 + i)).unwrap());
    // auipc t0, 0; ld t0, 16(t0); jr t0; nop (llvm-mc)
    assert_eq!(code, [0x0000_0297, 0x0102_b283, 0x0002_8067, 0x0000_0013]);
    assert_eq!(ram.read_u64(PhysAddr(0x8020_0010)), Some(0x8240_0000));
    let error = boot(RAW, &kernel, None, 64 * MIB).unwrap_err();
    assert!(
        error.to_string().contains("give the machine at least"),
        "{error}"
    );
}

#[test]
fn kernel_on_the_firmware_says_where_to_link_it() {
    let kernel = elf(2, 0x8000_0000, &[Seg::load(0x8000_0000, &[1; 8], 8)]);
    let error = boot(RAW, &kernel, None, 64 * MIB).unwrap_err();
    assert!(matches!(
        error,
        BootError::Place(PlaceError::OnFirmware { .. })
    ));
    assert!(
        error
            .to_string()
            .ends_with("; link the kernel at 0x80200000"),
        "{error}"
    );
}

#[test]
fn what_is_no_firmware_is_refused_by_name() {
    let kernel = image(0x20_0000, 0, 700, true);
    for (file, what) in [
        (&kernel[..], "a Linux kernel"),
        (b"\x1f\x8b\x08\0", "a gzip file"),
        (b"#!/bin/sh\n", "a script"),
        (b"just words\n", "a text file"),
        (&[0; 64], "a file of zeros"),
        (b"MZ\x90\0 and so on", "a DOS or Windows program"),
    ] {
        match boot(file, &kernel, None, 64 * MIB) {
            Err(BootError::Firmware(FirmwareError::NotFirmware { what: seen })) => {
                assert_eq!(seen, what);
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    let empty = boot(b"", &kernel, None, 64 * MIB).unwrap_err();
    assert!(matches!(empty, BootError::Firmware(FirmwareError::Empty)));
    let high = elf(2, 0x1000, &[Seg::load(0x1000, &[1; 8], 8)]);
    let outside = boot(&high, &kernel, None, 64 * MIB).unwrap_err();
    assert!(
        outside
            .to_string()
            .starts_with("the firmware needs 8 bytes at 0x1000, but RAM is "),
        "{outside}"
    );
}

proptest! {
    #[test]
    fn placement_with_firmware_never_overlaps_or_leaves_ram(
        pages in 1u64..20_000, initrd in proptest::option::of(1usize..100_000),
        bss in 0u64..40 * MIB, kind in 0u8..4, at_page in 0u64..20_000, firmware_bss in 0u64..4 * MIB,
        raw in any::<bool>(), firmware_page in 0u64..2000,
    ) {
        let addr = 0x8000_0000 + at_page * 4096;
        let kernel = match kind {
            0 => image(0x20_0000, bss, 100, true),
            1 => elf(3, 0, &[Seg::load(0, &[1; 8], 8 + bss)]),
            2 => elf(2, addr, &[Seg::load(addr, &[1; 8], 8 + bss)]),
            _ => elf(2, addr, &[
                Seg::load(addr, &[1; 8], 8), Seg::load(addr + 5 * MIB, &[1; 8], 8 + bss),
            ]),
        };
        let base = 0x8000_0000 + firmware_page * 4096;
        let firmware = match raw {
            true => RAW.to_vec(),
            false if firmware_page % 2 == 0 => elf(3, 0, &[Seg::load(0, &[1; 8], 8 + firmware_bss)]),
            false => elf(2, base, &[Seg::load(base, &[1; 8], 8 + firmware_bss)]),
        };
        let initrd = initrd.map(|len| vec![7; len]);
        let ram = at(0x8000_0000, pages * 4096);
        if let Ok(prepared) = boot(&firmware, &kernel, initrd.as_deref(), ram.len()) {
            let p = prepared.placement();
            let all = ranges(p);
            for (i, a) in all.iter().enumerate() {
                prop_assert!(ram.covers(*a), "{a} outside {ram}");
                for b in all.iter().skip(i + 1) {
                    prop_assert!(!a.overlaps(*b), "{a} and {b}");
                }
            }
            let moved = at(0x8220_0000, 0x1_0000);
            if kind < 2 && (raw || firmware_page % 2 == 0) {
                prop_assert!(all.iter().all(|a| !a.overlaps(moved)), "{all:?}");
            }
        }
    }
}
