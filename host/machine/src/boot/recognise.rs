//! Says what a file is that is not what was asked for.

use super::ImageError;
use super::bytes::{u16_at, u32_at};

const NAME_A_KERNEL: &str = "name a RISC-V ELF, a Linux Image or a vmlinuz (EFI zboot) instead";
const UNPACK_FIRST: &str = "unpack it first";
const WRONG_ARCH: &str = "build or download it for riscv64";

/// (offset, magic bytes, what it is, remedy), the first match counts.
const MAGICS: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\x1f\x8b", "a gzip file", "unpack it first: `gunzip`"),
    (0, b"\xfd7zXZ\0", "an xz file", "unpack it first: `unxz`"),
    (
        0,
        b"\x28\xb5\x2f\xfd",
        "a zstd file",
        "unpack it first: `unzstd`",
    ),
    (0, b"BZh", "a bzip2 file", "unpack it first: `bunzip2`"),
    (0, b"\x02\x21\x4c\x18", "an lz4 file", UNPACK_FIRST),
    (0, b"\x04\x22\x4d\x18", "an lz4 file", UNPACK_FIRST),
    (0, b"\x5d\0\0", "an lzma file", UNPACK_FIRST),
    (0, b"PK\x03\x04", "a zip file", UNPACK_FIRST),
    (
        0,
        b"070701",
        "a cpio archive",
        "give it as the initrd and name a kernel",
    ),
    (
        0,
        b"070702",
        "a cpio archive",
        "give it as the initrd and name a kernel",
    ),
    (
        0,
        b"\xd0\x0d\xfe\xed",
        "a device tree blob",
        "the machine makes its own; name a kernel",
    ),
    (
        0,
        b"QFI\xfb",
        "a QEMU qcow2 disk",
        "give it as a disk (raw) and name a kernel",
    ),
    (
        0,
        b"\x27\x05\x19\x56",
        "a U-Boot image",
        "take the plain kernel out with `dumpimage`",
    ),
    (
        0,
        b"hsqs",
        "a squashfs file system",
        "give it as a disk and name a kernel",
    ),
    (
        0,
        b"!<arch>\n",
        "a static library or Debian package",
        NAME_A_KERNEL,
    ),
    (0, b"#!", "a script", NAME_A_KERNEL),
    (56, b"ARM\x64", "a Linux Image for 64-bit Arm", WRONG_ARCH),
    (0x202, b"HdrS", "a Linux kernel for x86", WRONG_ARCH),
    (257, b"ustar", "a tar archive", UNPACK_FIRST),
    (
        0x8001,
        b"CD001",
        "an ISO 9660 disk",
        "give it as a disk and name a kernel",
    ),
    (
        510,
        b"\x55\xaa",
        "a disk with a boot sector",
        "give it as a disk and name a kernel",
    ),
];

/// Names of ELF machines that people have lying about (ELF gABI, `e_machine`).
const MACHINES: &[(u16, &str)] = &[
    (3, "x86 (32 bits)"),
    (8, "MIPS"),
    (20, "PowerPC"),
    (21, "64-bit PowerPC"),
    (22, "s390"),
    (40, "32-bit Arm"),
    (62, "x86-64"),
    (183, "64-bit Arm"),
    (243, "RISC-V"),
    (247, "BPF"),
    (258, "LoongArch"),
];

/// The name of an ELF machine.
pub(super) fn machine(e_machine: u16) -> String {
    MACHINES
        .iter()
        .find(|m| m.0 == e_machine)
        .map_or_else(|| format!("machine {e_machine}"), |m| m.1.to_owned())
}

/// The error for an ELF file that is not for this CPU.
pub(super) fn foreign_elf(what: String) -> ImageError {
    ImageError::NotAKernel {
        what,
        remedy: WRONG_ARCH,
    }
}

/// The error for a file that is neither ELF nor a Linux image.
pub(super) fn refuse(file: &[u8]) -> ImageError {
    let (what, remedy) = known(file).unwrap_or_else(|| {
        let head: Vec<String> = file.iter().take(8).map(|b| format!("{b:02x}")).collect();
        let what = format!("a file that begins with the bytes {}", head.join(" "));
        (
            what,
            "a raw binary says neither where to load it nor what it is; name its ELF file",
        )
    });
    ImageError::NotAKernel { what, remedy }
}

/// What a file is that has a sign of its kind, and what to do with it; a raw binary has none.
pub(super) fn known(file: &[u8]) -> Option<(String, &'static str)> {
    let matches =
        |m: &&(usize, &[u8], &str, &str)| file.get(m.0..).is_some_and(|rest| rest.starts_with(m.1));
    if let Some(&(_, _, what, remedy)) = MAGICS.iter().find(matches) {
        return Some((what.to_owned(), remedy));
    }
    if file.starts_with(b"MZ") {
        Some((efi_program(file), NAME_A_KERNEL))
    } else if file.iter().all(|&b| b == 0) {
        Some(("a file of zeros".to_owned(), "copy or build it again"))
    } else if is_text(file) {
        Some(("a text file".to_owned(), NAME_A_KERNEL))
    } else {
        None
    }
}

/// A PE file without a kernel header that is known (PE format, COFF header, `Machine`).
fn efi_program(file: &[u8]) -> String {
    let machine = u32_at(file, 0x3c)
        .and_then(|pe| usize::try_from(pe).ok())
        .and_then(|pe| pe.checked_add(4))
        .and_then(|at| u16_at(file, at));
    match machine {
        Some(0x8664) => "an EFI program for x86-64".to_owned(),
        Some(0xaa64) => "an EFI program for 64-bit Arm".to_owned(),
        Some(0x5064) => "an EFI program for RISC-V without a kernel in it".to_owned(),
        _ => "a DOS or Windows program".to_owned(),
    }
}

fn is_text(file: &[u8]) -> bool {
    let head = file.get(..512).unwrap_or(file);
    head.iter()
        .all(|&b| (b >= 0x20 && b != 0x7f) || matches!(b, b'\n' | b'\r' | b'\t'))
        && String::from_utf8_lossy(head)
            .chars()
            .filter(|&c| c == '\u{fffd}')
            .count()
            <= 1
}
