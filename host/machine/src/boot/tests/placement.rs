//! Where things go, and what is said when they do not fit.

use super::build::{Seg, elf, hello, image};
use crate::board::{AddrRange, Board, TreeOptions, View};
use crate::boot::{BootError, BootFiles, PlaceError, Placement, load, place, prepare};
use maquette_model::{PhysAddr, Ram};
use proptest::prelude::*;

const MIB: u64 = 1 << 20;
const RAM_START: u64 = 0x8000_0000;

fn ram(bytes: u64) -> AddrRange {
    AddrRange::new(PhysAddr(RAM_START), bytes).unwrap()
}

fn at(start: u64, len: u64) -> AddrRange {
    AddrRange::new(PhysAddr(start), len).unwrap()
}

fn options(view: View) -> TreeOptions<'static> {
    TreeOptions {
        view,
        isa_extensions: &["i", "m"],
        cmdline: "",
        initrd: None,
        seed: 0,
    }
}

#[test]
fn placement_linux_goes_to_its_offset_and_the_rest_to_the_top() {
    let file = image(0x20_0000, 0x1000, 1000, true);
    let image = load(&file).unwrap();
    let p = place(&image, View::Supervisor, Some(5 * MIB), 6000, ram(64 * MIB)).unwrap();
    assert_eq!(p.entry, PhysAddr(0x8020_0000));
    assert_eq!(p.kernel, at(0x8020_0000, file.len() as u64 + 0x1000));
    assert_eq!(p.dtb, at(0x83e0_0000, 6000));
    assert_eq!(p.initrd, Some(at(0x8380_0000, 5 * MIB)));
}

#[test]
fn placement_floating_elf_leaves_room_for_firmware_only_below_a_supervisor() {
    let file = elf(3, 4, &[Seg::load(0, &[1; 8], 8)]);
    let image = load(&file).unwrap();
    let entry = |view| place(&image, view, None, 100, ram(16 * MIB)).unwrap().entry;
    assert_eq!(entry(View::Machine), PhysAddr(0x8000_0004));
    assert_eq!(entry(View::Supervisor), PhysAddr(0x8020_0004));
}

#[test]
fn placement_in_small_ram_falls_back_to_pages() {
    let file = hello();
    let image = load(&file).unwrap();
    let p = place(&image, View::Machine, Some(10), 5000, ram(0x8000)).unwrap();
    assert_eq!(p.dtb, at(0x8000_6000, 5000));
    assert_eq!(p.initrd, Some(at(0x8000_5000, 10)));
}

#[test]
fn placement_avoids_a_kernel_at_the_top_of_ram() {
    let file = elf(2, 0x80ff_f000, &[Seg::load(0x80ff_f000, &[1; 8], 0x1000)]);
    let image = load(&file).unwrap();
    let p = place(&image, View::Machine, None, 5000, ram(16 * MIB)).unwrap();
    assert_eq!(p.dtb, at(0x80e0_0000, 5000));
}

#[test]
fn placement_elf_outside_ram_says_where_to_link_it() {
    let file = elf(2, 0x1_0000, &[Seg::load(0x1_0000, &[1; 8], 8)]);
    let image = load(&file).unwrap();
    let error = place(&image, View::Machine, None, 100, ram(MIB)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the kernel's segment at 0x10000..0x10008 lies outside RAM at 0x80000000..0x80100000; link it at 0x80000000"
    );
}

#[test]
fn placement_elf_behind_a_small_ram_says_how_much_ram_would_do() {
    let segments = [
        Seg::load(RAM_START + 2 * MIB, &[1; 8], 8),
        Seg::load(RAM_START + 9 * MIB, &[1; 8], MIB),
    ];
    let file = elf(2, RAM_START + 2 * MIB, &segments);
    let image = load(&file).unwrap();
    let place = |mib| place(&image, View::Supervisor, None, 100, ram(mib * MIB));
    let error = place(1).unwrap_err();
    assert!(error.wants_memory());
    let text = error.to_string();
    assert!(text.ends_with("give the machine at least 14 MiB"), "{text}");
    place(14).unwrap();
}

#[test]
fn placement_too_large_kernel_says_how_much_ram_it_needs() {
    let file = image(0x20_0000, 100 * MIB, 0, false);
    let image = load(&file).unwrap();
    let error = place(&image, View::Supervisor, None, 100, ram(64 * MIB)).unwrap_err();
    assert!(matches!(error, PlaceError::KernelTooLarge { .. }));
    let text = error.to_string();
    assert!(
        text.ends_with("give the machine at least 107 MiB"),
        "{text}"
    );
    place(&image, View::Supervisor, None, 100, ram(107 * MIB)).unwrap();
}

#[test]
fn placement_too_large_initrd_says_how_much_ram_it_needs() {
    let file = image(0x20_0000, 0, 1000, false);
    let image = load(&file).unwrap();
    let place = |mib| {
        place(
            &image,
            View::Supervisor,
            Some(70 * MIB),
            100,
            ram(mib * MIB),
        )
    };
    let error = place(64).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the initrd of 73400320 bytes does not fit into RAM"),
        "{text}"
    );
    assert!(text.ends_with("at least 138 MiB"), "{text}");
    place(138).unwrap();
}

#[test]
fn placement_empty_initrd_is_refused() {
    let file = hello();
    let image = load(&file).unwrap();
    assert_eq!(
        place(&image, View::Machine, Some(0), 100, ram(MIB)),
        Err(PlaceError::EmptyInitrd)
    );
}

/// All ranges of a placement.
fn ranges(p: &Placement) -> Vec<AddrRange> {
    let mut all = p.segments.clone();
    all.push(p.dtb);
    all.extend(p.initrd);
    all
}

proptest! {
    #[test]
    fn placement_never_overlaps_or_leaves_ram(
        pages in 1u64..3000, initrd in proptest::option::of(0u64..4 * MIB), dtb in 1u64..40_000,
        bss in 0u64..4 * MIB, kind in 0u8..4, at_page in 0u64..3000, supervisor in any::<bool>(),
    ) {
        let addr = 0x8000_0000 + at_page * 4096;
        let file = match kind {
            0 => image(0x20_0000, bss, 100, true),
            1 => elf(3, 0, &[Seg::load(0, &[1; 8], 8 + bss)]),
            2 => elf(2, addr, &[Seg::load(addr, &[1; 8], 8 + bss)]),
            _ => elf(2, addr, &[
                Seg::load(addr, &[1; 8], 8), Seg::load(addr + 5 * MIB, &[1; 8], 8 + bss),
            ]),
        };
        let image = load(&file).unwrap();
        let ram = ram(pages * 4096);
        let view = if supervisor { View::Supervisor } else { View::Machine };
        if let Ok(p) = place(&image, view, initrd, dtb, ram) {
            let all = ranges(&p);
            for (i, a) in all.iter().enumerate() {
                prop_assert!(ram.covers(*a), "{a} outside {ram}");
                for b in all.iter().skip(i + 1) {
                    prop_assert!(!a.overlaps(*b), "{a} and {b}");
                }
            }
            prop_assert_eq!(p.dtb.start().0 % 4096, 0);
            prop_assert_eq!(p.initrd.map(|i| i.len()), initrd);
            prop_assert!(p.segments.iter().any(|s| s.offset(p.entry).is_some()));
        }
    }
}

#[test]
fn prepare_puts_everything_into_ram() {
    let kernel = image(0x20_0000, 0x1000, 1000, true);
    let initrd = vec![0xab; 5000];
    let board = Board::virt(2, 16 * MIB).unwrap();
    let files = BootFiles {
        firmware: None,
        kernel: &kernel,
        initrd: Some(&initrd),
    };
    let prepared = prepare(&board, files, &options(View::Supervisor)).unwrap();
    let ram = Ram::new(PhysAddr(0x8000_0000), 16 * MIB).unwrap();
    let entry = prepared.write(&ram).unwrap();
    let read = |range: AddrRange| {
        let mut bytes = vec![0; usize::try_from(range.len()).unwrap()];
        assert!(ram.read(range.start(), &mut bytes));
        bytes
    };
    assert_eq!(entry.pc, PhysAddr(0x8020_0000));
    assert_eq!(read(at(entry.pc.0, kernel.len() as u64)), kernel);
    let placement = prepared.placement();
    assert_eq!(read(placement.initrd.unwrap()), initrd);
    let dtb = read(placement.dtb);
    assert_eq!(entry.dtb, placement.dtb.start());
    let fdt = dtoolkit::fdt::Fdt::new(&dtb).unwrap();
    use dtoolkit::{Node as _, Property as _};
    let chosen = fdt.find_node("/chosen").unwrap();
    assert_eq!(
        chosen.property("linux,initrd-start").unwrap().value(),
        placement.initrd.unwrap().start().0.to_be_bytes()
    );
}

#[test]
fn prepare_written_to_another_ram_is_an_error() {
    let kernel = image(0x20_0000, 0, 1000, true);
    let board = Board::virt(1, 16 * MIB).unwrap();
    let files = BootFiles {
        firmware: None,
        kernel: &kernel,
        initrd: None,
    };
    let prepared = prepare(&board, files, &options(View::Supervisor)).unwrap();
    let small = Ram::new(PhysAddr(0x8000_0000), MIB).unwrap();
    assert!(matches!(prepared.write(&small), Err(BootError::Ram { .. })));
}

#[test]
fn placement_kernel_that_no_machine_can_hold_is_not_sent_for_memory() {
    let file = elf(2, RAM_START, &[Seg::load(RAM_START, &[0; 8], 1 << 40)]);
    let image = load(&file).unwrap();
    let error = place(&image, View::Machine, None, 4096, ram(128 << 20)).unwrap_err();
    assert!(!error.wants_memory());
    let text = error.to_string();
    assert!(text.contains("no machine has more than 64 GiB: "), "{text}");
    let file = elf(2, RAM_START, &[Seg::load(RAM_START, &[0; 8], 1 << 30)]);
    let image = load(&file).unwrap();
    let error = place(&image, View::Machine, None, 4096, ram(128 << 20)).unwrap_err();
    assert!(error.wants_memory());
    let text = error.to_string();
    assert!(
        text.contains("give the machine at least 1028 MiB"),
        "{text}"
    );
}
