//! ELF files: what is accepted, and each way to be wrong.

use super::build::{Seg, elf, hello};
use crate::boot::{Base, ImageError, ImageKind, load};

#[test]
fn elf_bare_metal_program_is_taken_apart() {
    let file = hello();
    let image = load(&file).unwrap();
    assert_eq!(image.kind(), ImageKind::Elf);
    assert_eq!(image.base(), Base::Absolute);
    assert_eq!(image.entry(), 0x8000_0000);
    let shape: Vec<_> = image
        .segments()
        .iter()
        .map(|s| (s.addr, s.mem_len, image.data(s).to_vec()))
        .collect();
    assert_eq!(
        shape,
        [
            (0x8000_0000, 40, vec![0x13; 40]),
            (0x8000_1000, 100, vec![7; 9])
        ]
    );
}

#[test]
fn elf_at_an_odd_host_address_is_taken_apart() {
    let mut shifted = vec![0];
    shifted.extend(hello());
    assert!(load(&shifted[1..]).is_ok());
}

#[test]
fn elf_segments_out_of_order_are_sorted() {
    let file = elf(
        2,
        0x8000_0000,
        &[
            Seg::load(0x8000_1000, &[7; 9], 100),
            Seg::load(0x8000_0000, &[1; 4], 4),
        ],
    );
    let image = load(&file).unwrap();
    assert_eq!(image.segments()[0].addr, 0x8000_0000);
    assert_eq!(image.data(&image.segments()[1]), [7; 9]);
}

#[test]
fn elf_kernel_in_the_upper_half_begins_at_its_physical_address() {
    let mut seg = Seg::load(0x8020_0000, &[0; 64], 64);
    seg.vaddr = 0xffff_ffff_8000_0000;
    let file = elf(2, 0xffff_ffff_8000_0010, &[seg.clone()]);
    let image = load(&file).unwrap();
    assert_eq!((image.entry(), image.base()), (0x8020_0010, Base::Absolute));
    // Linux' vmlinux: physical addresses count from 0, and it runs anywhere.
    seg.paddr = 0;
    let file = elf(2, 0xffff_ffff_8000_0010, &[seg]);
    let image = load(&file).unwrap();
    assert_eq!(image.entry(), 0x10);
    assert_eq!(image.base(), Base::Ram { offset: None });
}

#[test]
fn elf_position_independent_program_at_zero_floats() {
    let file = elf(3, 0, &[Seg::load(0, &[0; 8], 8)]);
    assert_eq!(load(&file).unwrap().base(), Base::Ram { offset: None });
    let fixed = elf(2, 0, &[Seg::load(0, &[0; 8], 8)]);
    assert_eq!(load(&fixed).unwrap().base(), Base::Absolute);
}

fn message(file: &[u8]) -> String {
    load(file).unwrap_err().to_string()
}

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = hello();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn elf_for_another_cpu_names_that_cpu() {
    for (machine, name) in [
        (62u16, "x86-64"),
        (183, "64-bit Arm"),
        (9999, "machine 9999"),
    ] {
        let text = message(&patched(18, &machine.to_le_bytes()));
        assert_eq!(
            text,
            format!(
                "this is an ELF file for {name}, not a RISC-V kernel; build or download it for riscv64"
            )
        );
    }
    let text = message(&patched(4, &[1]));
    assert!(text.contains("32-bit RISC-V"), "{text}");
    let mut big = patched(5, &[2]);
    big[18..20].copy_from_slice(&22u16.to_be_bytes());
    let text = message(&big);
    assert!(text.contains("big-endian ELF file for s390"), "{text}");
}

#[test]
fn elf_object_core_and_dynamic_files_are_named() {
    assert!(message(&patched(16, &[1, 0])).contains("an object file"));
    assert!(message(&patched(16, &[4, 0])).contains("a core dump"));
    let mut interp = Seg::load(0, b"/lib/ld-linux-riscv64-lp64d.so.1\0", 33);
    interp.kind = 3;
    let file = elf(
        3,
        0x8000_0000,
        &[interp, Seg::load(0x8000_0000, &[0; 8], 8)],
    );
    let text = message(&file);
    assert!(
        text.contains("`/lib/ld-linux-riscv64-lp64d.so.1`"),
        "{text}"
    );
}

#[test]
fn elf_damaged_header_names_the_field() {
    for (at, bytes, field) in [
        (4, &[9u8][..], "EI_CLASS"),
        (5, &[9], "EI_DATA"),
        (6, &[9], "EI_VERSION"),
        (16, &[9, 9], "e_type"),
        (54, &[9, 0], "e_phentsize"),
    ] {
        let text = message(&patched(at, bytes));
        assert!(text.contains(field) && text.contains("damaged"), "{text}");
    }
    for at in [32, 56] {
        let error = load(&patched(at, &[0; 2])).map(|_| ()).unwrap_err();
        assert!(matches!(error, ImageError::NoSegments), "{error}");
    }
    let text = message(&patched(56, &[0xff, 0xff]));
    assert!(text.contains("program header table"), "{text}");
    let text = message(&patched(40, &[0xff; 4]));
    assert!(text.contains("section header table"), "{text}");
}

#[test]
fn elf_segment_larger_in_file_than_in_memory_is_refused() {
    let file = elf(2, 0x8000_0000, &[Seg::load(0x8000_0000, &[0; 8], 4)]);
    assert!(message(&file).contains("p_filesz of segment 0"));
}

#[test]
fn elf_segment_past_the_address_space_is_refused() {
    let file = elf(2, 0, &[Seg::load(u64::MAX - 3, &[0; 4], 8)]);
    assert!(message(&file).contains("p_memsz of segment 0"));
}

#[test]
fn elf_overlapping_segments_name_both() {
    let file = elf(
        2,
        0x8000_0000,
        &[
            Seg::load(0x8000_0008, &[0; 8], 8),
            Seg::load(0x8000_0000, &[0; 9], 9),
        ],
    );
    assert_eq!(
        message(&file),
        "ELF segments 1 at 0x80000000..0x80000009 and 0 at 0x80000008..0x80000010 overlap; correct the linker script"
    );
}

#[test]
fn elf_large_segment_over_several_later_ones_is_refused() {
    let file = elf(
        2,
        0x8000_0000,
        &[
            Seg::load(0x8000_0000, &[], 0x1000),
            Seg::load(0x8000_0100, &[], 0x10),
            Seg::load(0x8000_0200, &[], 0x10),
        ],
    );
    assert!(message(&file).contains("overlap"));
}

#[test]
fn elf_entry_outside_or_odd_is_refused() {
    let segments = [Seg::load(0x8000_0000, &[0; 8], 8)];
    assert!(message(&elf(2, 0x8000_0008, &segments)).contains("0x80000008 lies in no"));
    assert!(message(&elf(2, 0x8000_0001, &segments)).contains("odd"));
}

#[test]
fn elf_without_bytes_to_load_is_refused() {
    let file = elf(2, 0x8000_0000, &[Seg::load(0x8000_0000, &[], 0)]);
    assert!(matches!(load(&file), Err(ImageError::NoSegments)));
}

#[test]
fn elf_offset_past_any_file_is_damage_and_no_truncation() {
    let good = hello();
    // e_phoff, e_shoff; p_offset of the first segment.
    for (field, at) in [
        ("e_phoff", 32),
        ("e_shoff", 40),
        ("p_offset of segment 0", 72),
    ] {
        for value in [u64::MAX, u64::MAX - 7, 1 << 48] {
            let mut file = good.clone();
            file[at..at + 8].copy_from_slice(&value.to_le_bytes());
            let text = load(&file).unwrap_err().to_string();
            assert!(text.contains(&format!("{field} of the ELF file")), "{text}");
            assert!(
                text.contains(&format!("is {value:#x}, past the end of any file")),
                "{text}"
            );
        }
    }
}
