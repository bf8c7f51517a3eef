//! Images that cannot be booted.

use crate::bench::{Bench, refused};
use crate::elf::{self, Elf, RAM};
use std::os::unix::fs::symlink;

/// Runs a kernel that must be refused at `boot.kernel`.
#[track_caller]
fn kernel(bytes: &[u8], words: &[&str]) {
    let bench = Bench::with(bytes, "");
    let before = bench.names();
    let done = bench.run();
    refused(&done, &["x.toml:3:10: error: boot.kernel: ", "guest.elf"]);
    refused(&done, words);
    assert_eq!(done.stdout, "", "the guest ran");
    assert_eq!(bench.names(), before, "something was left behind");
}

fn good() -> Vec<u8> {
    elf::says("x").file()
}

/// The good image with one field overwritten.
fn damaged(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut image = good();
    image[offset..offset + bytes.len()].copy_from_slice(bytes);
    image
}

#[test]
fn image_that_is_missing_empty_or_no_file_is_named() {
    kernel(b"", &["empty"]);
    let bench = Bench::with(b"", "");
    for (name, make) in [
        ("there is no such file", None),
        ("this link leads to a file that is not there", Some("link")),
        ("this is a directory", Some("folder")),
    ] {
        std::fs::remove_file(bench.path("guest.elf")).ok();
        match make {
            Some("link") => symlink("nowhere", bench.path("guest.elf")).expect("a link"),
            Some(_) => std::fs::create_dir(bench.path("guest.elf")).expect("a folder"),
            None => {}
        }
        refused(
            &bench.run(),
            &["x.toml:3:10: error: boot.kernel: ", name, "guest.elf"],
        );
    }
}

#[test]
fn image_whose_read_fails_is_named() {
    let bench = Bench::with(b"", "");
    let done = bench
        .tool("run")
        .arg("--set")
        .arg("boot.kernel=/proc/self/mem")
        .finish();
    refused(
        &done,
        &["--set boot.kernel=/proc/self/mem: error: boot.kernel: "],
    );
}

#[test]
fn image_of_another_kind_is_named() {
    kernel(b"#!/bin/sh\necho hello\n", &["script"]);
    kernel(&[0xff; 300], &["not a RISC-V kernel"]);
    kernel(b"MZ", &["not a RISC-V kernel"]);
}

#[test]
fn image_for_another_architecture_is_named() {
    for (machine, word) in [(62, "x86"), (183, "64-bit Arm"), (40, "Arm")] {
        let elf = Elf {
            machine,
            ..elf::says("x")
        };
        kernel(&elf.file(), &[word]);
    }
    let narrow = Elf {
        class: 1,
        ..elf::says("x")
    };
    kernel(&narrow.file(), &["32"]);
    let big = Elf {
        byte_order: 2,
        ..elf::says("x")
    };
    kernel(&big.file(), &["big"]);
}

#[test]
fn image_that_is_truncated_anywhere_is_refused() {
    let image = good();
    // Every cut, in one process each: a few are enough here; the loader's own tests make them all.
    for length in [1, 4, 16, 40, 63, 64, 100, 119, 120, image.len() - 1] {
        kernel(&image[..length], &[]);
    }
}

#[test]
fn image_with_damaged_headers_is_refused() {
    // e_phoff, e_phentsize, e_phnum, e_entry; p_offset, p_paddr, p_filesz, p_memsz of the first segment.
    kernel(&damaged(32, &u64::MAX.to_le_bytes()), &[]);
    kernel(&damaged(54, &1u16.to_le_bytes()), &[]);
    kernel(&damaged(56, &u16::MAX.to_le_bytes()), &[]);
    kernel(&damaged(56, &0u16.to_le_bytes()), &["segment"]);
    kernel(&damaged(24, &0x1234u64.to_le_bytes()), &["entry"]);
    kernel(&damaged(72, &(u64::MAX - 3).to_le_bytes()), &[]);
    kernel(&damaged(96, &u64::MAX.to_le_bytes()), &[]);
    kernel(&damaged(104, &1u64.to_le_bytes()), &[]);
    kernel(&damaged(104, &u64::MAX.to_le_bytes()), &[]);
}

#[test]
fn image_whose_segments_overlap_is_refused_with_both_named() {
    kernel(
        &elf::says("x").segment(RAM + 4, 64).file(),
        &["segments 0", "1", "overlap"],
    );
}

#[test]
fn image_outside_ram_is_refused() {
    kernel(&elf::says("x").segment(0x1000, 64).file(), &["outside RAM"]);
}

#[test]
fn image_larger_than_ram_is_refused_at_the_memory() {
    let image = elf::says("x").segment(RAM + (1 << 20), 4 << 20).file();
    let bench = Bench::with(&image, "[machine]\nmemory = \"2MiB\"");
    refused(
        &bench.run(),
        &["x.toml:5:10: error: machine.memory: ", "at least", "MiB"],
    );
}

#[test]
fn image_larger_than_any_machine_is_refused_at_the_kernel() {
    let huge = damaged(104, &(1u64 << 40).to_le_bytes());
    kernel(&huge, &["no machine has more than 64 GiB"]);
}

#[test]
fn image_or_disk_behind_a_path_that_cannot_be_is_refused_with_a_remedy() {
    let bench = Bench::with(&good(), "[[device]]\ntype = \"virtio-blk\"\nfile = \"d\"");
    symlink("loop", bench.path("loop")).expect("a link");
    let long = "x".repeat(300);
    for (name, words) in [
        ("loop", "point the link at"),
        (long.as_str(), "at most 255 bytes"),
        ("a\\u0000b", "zero byte"),
    ] {
        for key in ["boot.kernel", "device.0.file"] {
            let set = format!("{key}=\"{name}\"");
            let done = bench.tool("check").arg("--set").arg(&set).finish();
            refused(&done, &[&format!("--set {key}="), words]);
        }
    }
}

#[test]
fn initrd_that_is_missing_empty_or_too_large_is_named() {
    let text = "[boot]\nmode = \"sbi\"\nkernel = \"guest.elf\"\ninitrd = \"i.cpio\"\n[machine]\nmemory = \"4MiB\"";
    let bench = Bench::new();
    bench.put("guest.elf", &good());
    bench.put("x.toml", text.as_bytes());
    refused(
        &bench.run(),
        &[
            "x.toml:4:10: error: boot.initrd: there is no such file",
            "i.cpio",
        ],
    );
    bench.put("i.cpio", b"");
    refused(
        &bench.run(),
        &["x.toml:4:10: error: boot.initrd: ", "empty", "i.cpio"],
    );
    bench.put("i.cpio", &vec![0; 5 << 20]);
    refused(
        &bench.run(),
        &[
            "x.toml:6:10: error: machine.memory: the initrd of 5242880 bytes",
            "give the machine at least 13 MiB",
        ],
    );
    let enough = bench.tool("run").arg("--set").arg("machine.memory=13MiB");
    enough.finish().expect_code(0);
    // No RAM disk is larger than that, and nobody reads one.
    let sparse = std::fs::File::create(bench.path("i.cpio")).expect("a file");
    sparse.set_len((1 << 30) + 1).expect("a long one");
    refused(
        &bench.run(),
        &[
            "x.toml:4:10: error: boot.initrd: ",
            "1073741825 bytes",
            "i.cpio",
        ],
    );
}
