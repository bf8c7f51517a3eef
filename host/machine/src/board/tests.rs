//! The board's checks, and the device tree read back with another crate.

use super::*;
use dtoolkit::fdt::Fdt;
use dtoolkit::{Node as _, Property as _};
use maquette_model::PhysAddr;
use proptest::prelude::*;

const ISA: [&str; 8] = ["i", "m", "a", "f", "d", "c", "zicbom", "zicboz"];

fn options(view: View) -> TreeOptions<'static> {
    TreeOptions {
        view,
        isa_extensions: &ISA,
        cmdline: "console=ttyS0",
        initrd: None,
        seed: 7,
    }
}

fn tree(board: &Board, options: &TreeOptions<'_>) -> Vec<u8> {
    device_tree(board, options).unwrap()
}

/// The value of a property of a node; empty if either is missing.
fn value(dtb: &[u8], path: &str, name: &str) -> Vec<u8> {
    let fdt = Fdt::new(dtb).unwrap();
    let Some(node) = fdt.find_node(path) else {
        return Vec::new();
    };
    node.property(name)
        .map(|p| p.value().to_vec())
        .unwrap_or_default()
}

fn cells(dtb: &[u8], path: &str, name: &str) -> Vec<u32> {
    value(dtb, path, name)
        .chunks(4)
        .map(|c| u32::from_be_bytes(c.try_into().unwrap()))
        .collect()
}

fn exists(dtb: &[u8], path: &str) -> bool {
    Fdt::new(dtb).unwrap().find_node(path).is_some()
}

#[test]
fn board_virt_has_the_map_of_qemu() {
    let board = Board::virt(2, 128 << 20).unwrap();
    let places: Vec<_> = board
        .devices()
        .iter()
        .map(|d| (d.name.as_str(), d.range.start().0, d.range.len(), d.irq))
        .collect();
    assert_eq!(places.len(), 13);
    assert_eq!(
        places[..6],
        [
            ("finisher", 0x10_0000, 0x1000, None),
            ("rtc", 0x10_1000, 0x1000, Some(11)),
            ("clint", 0x200_0000, 0x1_0000, None),
            ("plic", 0xc00_0000, 0x60_0000, None),
            ("uart0", 0x1000_0000, 0x100, Some(10)),
            ("virtio0", 0x1000_1000, 0x1000, Some(1)),
        ]
    );
    assert_eq!(places[12], ("virtio7", 0x1000_8000, 0x1000, Some(8)));
    assert_eq!(board.ram().end().0, 0x8800_0000);
}

#[test]
fn board_refuses_absurd_harts_and_ram() {
    for harts in [0, 9, 255] {
        assert_eq!(
            Board::virt(harts, 1 << 20),
            Err(BoardError::Harts { harts })
        );
    }
    for bytes in [0, 1, 4095, 4097, MAX_RAM + 4096, u64::MAX, u64::MAX - 4095] {
        assert_eq!(Board::virt(1, bytes), Err(BoardError::Ram { bytes }));
    }
    assert!(Board::virt(1, 4096).is_ok());
    assert!(Board::virt(8, MAX_RAM).is_ok());
}

fn at(name: &str, start: u64, len: u64, irq: Option<u32>) -> DeviceNode {
    DeviceNode {
        name: name.to_owned(),
        range: AddrRange::new(PhysAddr(start), len).unwrap(),
        irq,
        kind: DeviceKind::Uart,
    }
}

#[test]
fn board_two_devices_at_one_address_names_both() {
    let devices = vec![at("b", 0x1800, 0x1000, None), at("a", 0x1000, 0x1000, None)];
    let error = Board::new(1, 4096, devices).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a` at 0x1000..0x2000 and `b` at 0x1800..0x2800 overlap; move one of them"
    );
}

#[test]
fn board_device_in_ram_is_refused() {
    let devices = vec![at("a", 0x8000_0000, 0x1000, None)];
    let error = Board::new(1, 4096, devices).unwrap_err();
    assert!(matches!(error, BoardError::Overlap { second, .. } if second == "ram"));
}

#[test]
fn board_shared_absent_and_zero_interrupts_are_refused() {
    let two = vec![
        at("a", 0x1000, 0x1000, Some(3)),
        at("b", 0x2000, 0x1000, Some(3)),
    ];
    assert!(matches!(
        Board::new(1, 4096, two),
        Err(BoardError::SharedIrq { irq: 3, .. })
    ));
    for irq in [0, PLIC_SOURCES + 1, u32::MAX] {
        assert!(matches!(
            Board::new(1, 4096, vec![at("a", 0x1000, 0x1000, Some(irq))]),
            Err(BoardError::NoSuchIrq { .. })
        ));
    }
}

proptest! {
    #[test]
    fn board_overlaps_are_found_like_by_comparing_all_pairs(
        places in proptest::collection::vec((0u64..64, 1u64..12), 0..8),
    ) {
        let devices: Vec<_> = places.iter().map(|&(s, l)| at("d", s, l, None)).collect();
        let overlap = places.iter().enumerate().any(|(i, a)| {
            places.iter().skip(i + 1).any(|b| a.0 < b.0 + b.1 && b.0 < a.0 + a.1)
        });
        prop_assert_eq!(Board::new(1, 4096, devices).is_err(), overlap);
    }
}

#[test]
fn tree_describes_harts() {
    let board = Board::virt(3, 128 << 20).unwrap();
    let dtb = tree(&board, &options(View::Machine));
    assert_eq!(cells(&dtb, "/cpus", "timebase-frequency"), [10_000_000]);
    for hart in 0..3 {
        let path = format!("/cpus/cpu@{hart}");
        assert_eq!(cells(&dtb, &path, "reg"), [hart]);
        assert_eq!(value(&dtb, &path, "riscv,isa-base"), b"rv64i\0");
        assert_eq!(
            value(&dtb, &path, "riscv,isa-extensions"),
            b"i\0m\0a\0f\0d\0c\0zicbom\0zicboz\0"
        );
        assert_eq!(
            value(&dtb, &path, "riscv,isa"),
            b"rv64imafdc_zicbom_zicboz\0"
        );
        assert_eq!(value(&dtb, &path, "mmu-type"), b"riscv,sv57\0");
        assert_eq!(cells(&dtb, &path, "riscv,cbom-block-size"), [64]);
        assert_eq!(cells(&dtb, &path, "riscv,cboz-block-size"), [64]);
        let core = cells(&dtb, &format!("/cpus/cpu-map/cluster0/core{hart}"), "cpu");
        assert_eq!(core, cells(&dtb, &path, "phandle"));
    }
    assert!(!exists(&dtb, "/cpus/cpu@3"));
}

#[test]
fn tree_without_cache_block_extensions_says_no_block_size() {
    let board = Board::virt(1, 128 << 20).unwrap();
    let options = TreeOptions {
        isa_extensions: &["c", "i", "a", "m", "svade"],
        ..options(View::Machine)
    };
    let dtb = tree(&board, &options);
    assert_eq!(value(&dtb, "/cpus/cpu@0", "riscv,isa"), b"rv64imac_svade\0");
    assert!(value(&dtb, "/cpus/cpu@0", "riscv,cbom-block-size").is_empty());
}

#[test]
fn tree_describes_each_device_of_the_board() {
    let board = Board::virt(1, 256 << 20).unwrap();
    let dtb = tree(&board, &options(View::Machine));
    let fdt = Fdt::new(&dtb).unwrap();
    let soc = fdt.find_node("/soc").unwrap();
    assert_eq!(soc.children().count(), board.devices().len());
    for d in board.devices() {
        let suffix = format!("@{:x}", d.range.start().0);
        let node = soc
            .children()
            .find(|c| c.name().ends_with(&suffix))
            .unwrap();
        let reg: Vec<u8> = [d.range.start().0, d.range.len()]
            .iter()
            .flat_map(|v| v.to_be_bytes())
            .collect();
        assert_eq!(node.property("reg").unwrap().value(), reg);
        let irq = node.property("interrupts").map(|p| p.value().to_vec());
        assert_eq!(irq, d.irq.map(|i| i.to_be_bytes().to_vec()));
    }
    assert_eq!(
        cells(&dtb, "/memory@80000000", "reg"),
        [0, 0x8000_0000, 0, 0x1000_0000]
    );
}

#[test]
fn tree_for_machine_mode_connects_clint_plic_and_power() {
    let board = Board::virt(2, 128 << 20).unwrap();
    let dtb = tree(&board, &options(View::Machine));
    let intc = |hart| {
        let path = format!("/cpus/cpu@{hart}/interrupt-controller");
        cells(&dtb, &path, "phandle")[0]
    };
    let (a, b) = (intc(0), intc(1));
    assert_eq!(
        cells(
            &dtb,
            "/soc/interrupt-controller@c000000",
            "interrupts-extended"
        ),
        [a, 11, a, 9, b, 11, b, 9]
    );
    assert_eq!(
        cells(&dtb, "/soc/clint@2000000", "interrupts-extended"),
        [a, 3, a, 7, b, 3, b, 7]
    );
    let finisher = cells(&dtb, "/soc/test@100000", "phandle");
    assert_eq!(cells(&dtb, "/poweroff", "regmap"), finisher);
    assert_eq!(cells(&dtb, "/poweroff", "value"), [0x5555]);
    assert_eq!(cells(&dtb, "/reboot", "value"), [0x7777]);
}

#[test]
fn tree_for_supervisor_hides_what_only_machine_mode_can_use() {
    let board = Board::virt(1, 128 << 20).unwrap();
    let dtb = tree(&board, &options(View::Supervisor));
    assert!(!exists(&dtb, "/soc/clint@2000000"));
    assert!(!exists(&dtb, "/poweroff"));
    let intc = cells(&dtb, "/cpus/cpu@0/interrupt-controller", "phandle")[0];
    assert_eq!(
        cells(
            &dtb,
            "/soc/interrupt-controller@c000000",
            "interrupts-extended"
        ),
        [intc, u32::MAX, intc, 9]
    );
}

#[test]
fn tree_phandles_are_unique_and_every_reference_resolves() {
    let board = Board::virt(8, 128 << 20).unwrap();
    let dtb = tree(&board, &options(View::Machine));
    let mut handles = Vec::new();
    for hart in 0..8 {
        handles.extend(cells(&dtb, &format!("/cpus/cpu@{hart}"), "phandle"));
        let intc = format!("/cpus/cpu@{hart}/interrupt-controller");
        handles.extend(cells(&dtb, &intc, "phandle"));
    }
    let plic = cells(&dtb, "/soc/interrupt-controller@c000000", "phandle");
    assert_eq!(
        cells(&dtb, "/soc/serial@10000000", "interrupt-parent"),
        plic
    );
    handles.extend(plic);
    handles.extend(cells(&dtb, "/soc/test@100000", "phandle"));
    assert_eq!(handles.len(), 18);
    handles.sort_unstable();
    handles.dedup();
    assert_eq!(handles.len(), 18);
}

#[test]
fn tree_chosen_tells_the_kernel_its_command_line_console_and_disk() {
    let board = Board::virt(1, 128 << 20).unwrap();
    let options = TreeOptions {
        initrd: AddrRange::new(PhysAddr(0x8400_0000), 0x1234),
        ..options(View::Supervisor)
    };
    let dtb = tree(&board, &options);
    assert_eq!(value(&dtb, "/chosen", "bootargs"), b"console=ttyS0\0");
    assert_eq!(
        value(&dtb, "/chosen", "stdout-path"),
        b"/soc/serial@10000000\0"
    );
    assert_eq!(
        value(&dtb, "/chosen", "linux,initrd-start"),
        0x8400_0000u64.to_be_bytes()
    );
    assert_eq!(
        value(&dtb, "/chosen", "linux,initrd-end"),
        0x8400_1234u64.to_be_bytes()
    );
}

#[test]
fn tree_seed_gives_the_kernel_equal_randomness_again() {
    let board = Board::virt(1, 128 << 20).unwrap();
    let with = |seed| {
        tree(
            &board,
            &TreeOptions {
                seed,
                ..options(View::Machine)
            },
        )
    };
    assert_eq!(with(1), with(1));
    assert_eq!(value(&with(1), "/chosen", "rng-seed").len(), 32);
    assert_ne!(
        value(&with(1), "/chosen", "rng-seed"),
        value(&with(2), "/chosen", "rng-seed")
    );
}

#[test]
fn tree_length_does_not_depend_on_where_the_initrd_lies() {
    let board = Board::virt(1, 128 << 20).unwrap();
    let with = |start| {
        let initrd = AddrRange::new(PhysAddr(start), 77);
        tree(
            &board,
            &TreeOptions {
                initrd,
                ..options(View::Machine)
            },
        )
        .len()
    };
    assert_eq!(with(0), with(0xffff_ffff_ffff_0000));
}

#[test]
fn tree_command_line_with_a_zero_byte_is_refused() {
    let board = Board::virt(1, 128 << 20).unwrap();
    let options = TreeOptions {
        cmdline: "a\0b",
        ..options(View::Machine)
    };
    let error = device_tree(&board, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the command line holds a zero byte at position 1; remove it"
    );
}

#[test]
fn pci_lines_are_swizzled_and_large_ram_moves_the_upper_window() {
    use super::{DeviceKind, PciWindow, pci_irq};
    assert_eq!([0, 1, 2, 3, 4].map(|d| pci_irq(d, 1)), [32, 33, 34, 35, 32]);
    assert_eq!([1, 2, 3, 4].map(|pin| pci_irq(3, pin)), [35, 32, 33, 34]);
    let upper = |ram| {
        let board = Board::virt(1, ram).unwrap().with_pci().unwrap();
        let kind = DeviceKind::Pci(PciWindow::Memory64);
        let mut devices = board.devices().iter();
        devices.find(|d| d.kind == kind).unwrap().range.start().0
    };
    assert_eq!(upper(1 << 30), 16 << 30);
    assert_eq!(upper(14 << 30), 16 << 30);
    assert_eq!(upper(15 << 30), 32 << 30);
}
