//! Why a file is no image that can be booted.

use super::Compression;
use crate::board::AddrRange;
use thiserror::Error;

/// Why a file cannot be booted. The caller, who knows the path, puts it in front.
#[derive(Debug, Error)]
pub enum ImageError {
    /// No byte.
    #[error("the file is empty; build the kernel again or name another file")]
    Empty,
    /// Some other kind of file.
    #[error("this is {what}, not a RISC-V kernel; {remedy}")]
    NotAKernel {
        /// What it looks like.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file ends before what its headers promise.
    #[error(
        "{part} needs {needed} bytes, but the file has {len}: it is truncated; copy or build it again"
    )]
    Truncated {
        /// What does not fit.
        part: String,
        /// The length that the file must have at least.
        needed: u64,
        /// The length that it has.
        len: u64,
    },
    /// A field has a value that cannot be.
    #[error("{field} is {value:#x}, {why}: the file is damaged; build it again")]
    Damaged {
        /// Which field.
        field: String,
        /// What it holds.
        value: u64,
        /// Why that cannot be.
        why: &'static str,
    },
    /// Nothing to load.
    #[error("the ELF file has no segment to load; link it as an executable")]
    NoSegments,
    /// A program for an operating system.
    #[error(
        "this RISC-V program asks for the dynamic linker `{interpreter}`; a machine boots bare-metal \
         programs and kernels: build it for a target like riscv64gc-unknown-none-elf"
    )]
    Dynamic {
        /// What the file asks for.
        interpreter: String,
    },
    /// Two segments claim one address.
    #[error(
        "ELF segments {first} at {first_range} and {second} at {second_range} overlap; correct the linker script"
    )]
    Overlap {
        /// Number of the one in the program header table.
        first: usize,
        /// Its addresses.
        first_range: AddrRange,
        /// Number of the other.
        second: usize,
        /// Its addresses.
        second_range: AddrRange,
    },
    /// The program begins where nothing is loaded.
    #[error(
        "the entry point {entry:#x} lies in no loaded segment; correct `ENTRY` in the linker script"
    )]
    Entry {
        /// The address.
        entry: u64,
    },
    /// The packed kernel cannot be unpacked.
    #[error("the {compression} payload of the zboot image is damaged; copy or build it again")]
    Unpack {
        /// How it is packed.
        compression: Compression,
        /// What the decoder said.
        #[source]
        source: std::io::Error,
    },
    /// The packed kernel is packed in a way that is not known.
    #[error(
        "the zboot image is packed with `{name}`; only gzip, zstd and xz are known: unpack it first"
    )]
    Compression {
        /// What the header says.
        name: String,
    },
    /// The packed kernel is larger than any kernel.
    #[error(
        "the {compression} payload of the zboot image unpacks to more than {limit} bytes; that is no kernel"
    )]
    Bomb {
        /// How it is packed.
        compression: Compression,
        /// The limit.
        limit: u64,
    },
    /// What was packed cannot be booted.
    #[error("the payload of the zboot image cannot be booted")]
    Payload(#[source] Box<ImageError>),
}
