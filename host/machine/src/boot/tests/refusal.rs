//! Files that are no kernel at all: each is named.

use super::build::{gzip, xz, zstd};
use crate::boot::{ImageError, load};

fn message(file: &[u8]) -> String {
    load(file).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn refusal_empty_file() {
    assert!(matches!(load(&[]), Err(ImageError::Empty)));
}

#[test]
fn refusal_packed_files_name_the_packing_and_the_remedy() {
    for (file, what) in [
        (gzip(b"x"), "a gzip file"),
        (xz(b"x"), "an xz file"),
        (zstd(b"x"), "a zstd file"),
    ] {
        let text = message(&file);
        assert!(
            text.contains(what) && text.contains("unpack it first"),
            "{text}"
        );
    }
}

#[test]
fn refusal_known_files_are_named() {
    let at = |offset: usize, magic: &[u8]| {
        let mut f = vec![1; offset + magic.len() + 40];
        f[offset..offset + magic.len()].copy_from_slice(magic);
        f
    };
    for (file, what) in [
        (at(0, b"070701"), "a cpio archive"),
        (at(0, b"\xd0\x0d\xfe\xed"), "a device tree blob"),
        (at(0, b"QFI\xfb"), "qcow2"),
        (at(56, b"ARM\x64"), "Linux Image for 64-bit Arm"),
        (at(0x202, b"HdrS"), "Linux kernel for x86"),
        (at(510, b"\x55\xaa"), "boot sector"),
        (b"#!/bin/sh\n".to_vec(), "a script"),
        (b"[machine]\nharts = 2\n".to_vec(), "a text file"),
        (vec![0; 100], "a file of zeros"),
        (vec![0x13, 0x05], "bytes 13 05"),
        (at(0, b"MZ"), "DOS or Windows"),
    ] {
        let text = message(&file);
        assert!(text.contains(what), "{what}: {text}");
    }
}

#[test]
fn refusal_first_bytes_of_an_elf_file_are_a_truncated_one() {
    for len in 1..=4 {
        let text = message(&b"\x7fELF"[..len]);
        assert!(text.contains("the ELF header needs 64 bytes"), "{text}");
    }
    let text = message(b"\x7f\x7f\x7f");
    assert!(text.contains("begins with the bytes 7f 7f 7f"), "{text}");
}

#[test]
fn refusal_big_endian_elf_names_its_machine() {
    for (machine, name) in [(21u16, "64-bit PowerPC"), (22, "s390"), (8, "MIPS")] {
        let mut file = vec![0; 64];
        file[..7].copy_from_slice(b"\x7fELF\x02\x02\x01");
        file[18..20].copy_from_slice(&machine.to_be_bytes());
        let text = message(&file);
        let what = format!("a big-endian ELF file for {name},");
        assert!(text.contains(&what), "{text}");
    }
}

#[test]
fn refusal_efi_program_names_its_cpu() {
    let mut file = vec![0; 200];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 128;
    for (machine, what) in [
        (0x8664u16, "x86-64"),
        (0xaa64, "64-bit Arm"),
        (0x5064, "RISC-V"),
    ] {
        file[132..134].copy_from_slice(&machine.to_le_bytes());
        let text = message(&file);
        assert!(
            text.contains("an EFI program for") && text.contains(what),
            "{text}"
        );
    }
}
