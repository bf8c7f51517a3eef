//! Makes small images of every kind, byte by byte, without the code under test.

use std::io::{Read, Write};

/// One program header with its bytes.
#[derive(Clone)]
pub(super) struct Seg {
    pub(super) kind: u32,
    pub(super) paddr: u64,
    pub(super) vaddr: u64,
    pub(super) memsz: u64,
    pub(super) data: Vec<u8>,
}

impl Seg {
    /// A segment to load at its own address.
    pub(super) fn load(addr: u64, data: &[u8], memsz: u64) -> Self {
        Self {
            kind: 1,
            paddr: addr,
            vaddr: addr,
            memsz,
            data: data.to_vec(),
        }
    }
}

/// An ELF file with this type, entry point and segments, for RISC-V unless changed afterwards.
pub(super) fn elf(e_type: u16, entry: u64, segments: &[Seg]) -> Vec<u8> {
    let phnum = u16::try_from(segments.len()).unwrap();
    let mut f = b"\x7fELF\x02\x01\x01".to_vec();
    f.resize(16, 0);
    for v in [e_type, 243] {
        f.extend(v.to_le_bytes());
    }
    f.extend(1u32.to_le_bytes());
    for v in [entry, 64, 0] {
        f.extend(v.to_le_bytes());
    }
    f.extend(1u32.to_le_bytes());
    for v in [64, 56, phnum, 64, 0, 0] {
        f.extend(v.to_le_bytes());
    }
    let mut offset = 64 + 56 * u64::from(phnum);
    for s in segments {
        f.extend(s.kind.to_le_bytes());
        f.extend(7u32.to_le_bytes());
        let len = s.data.len() as u64;
        for v in [offset, s.vaddr, s.paddr, len, s.memsz, 8] {
            f.extend(v.to_le_bytes());
        }
        offset += len;
    }
    for s in segments {
        f.extend(&s.data);
    }
    f
}

/// A small bare-metal program with two segments.
pub(super) fn hello() -> Vec<u8> {
    elf(
        2,
        0x8000_0000,
        &[
            Seg::load(0x8000_0000, &[0x13; 40], 40),
            Seg::load(0x8000_1000, &[7; 9], 100),
        ],
    )
}

/// A Linux `Image` with `payload` bytes after the header; with an EFI stub's headers if `efi`.
pub(super) fn image(text_offset: u64, extra: u64, payload: usize, efi: bool) -> Vec<u8> {
    let mut f = vec![0; 64 + payload];
    let put = |f: &mut Vec<u8>, at: usize, v: &[u8]| f[at..at + v.len()].copy_from_slice(v);
    let size = f.len() as u64 + extra;
    put(&mut f, 8, &text_offset.to_le_bytes());
    put(&mut f, 16, &size.to_le_bytes());
    put(&mut f, 32, &2u32.to_le_bytes());
    put(&mut f, 48, b"RISCV\0\0\0");
    put(&mut f, 56, b"RSC\x05");
    for (i, b) in f.iter_mut().enumerate().skip(64) {
        *b = u8::try_from(i % 251).unwrap();
    }
    if efi {
        put(&mut f, 0, b"MZ");
        put(&mut f, 60, &64u32.to_le_bytes());
        pe(&mut f, 64);
    }
    f
}

/// PE headers at `at`, with one section that reaches from their end to the end of the file.
fn pe(f: &mut [u8], at: usize) {
    let len = f.len();
    let mut h = b"PE\0\0".to_vec();
    for v in [0x5064u16, 1] {
        h.extend(v.to_le_bytes());
    }
    h.extend([0; 12]);
    h.extend(16u16.to_le_bytes());
    h.extend([0; 2]);
    h.extend([0; 16]);
    let start = at + h.len() + 40;
    h.extend(*b".text\0\0\0");
    let raw = u32::try_from(len - start).unwrap();
    let start = u32::try_from(start).unwrap();
    for v in [raw, start, raw, start] {
        h.extend(v.to_le_bytes());
    }
    h.extend([0; 16]);
    f[at..at + h.len()].copy_from_slice(&h);
}

/// A zboot file around bytes that are packed already.
pub(super) fn zboot(name: &str, packed: &[u8]) -> Vec<u8> {
    let offset = 64 + 84;
    let mut f = vec![0; offset];
    f[..2].copy_from_slice(b"MZ");
    f[4..8].copy_from_slice(b"zimg");
    f[8..12].copy_from_slice(&u32::try_from(offset).unwrap().to_le_bytes());
    f[12..16].copy_from_slice(&u32::try_from(packed.len()).unwrap().to_le_bytes());
    f[24..24 + name.len()].copy_from_slice(name.as_bytes());
    f[60..64].copy_from_slice(&64u32.to_le_bytes());
    f.extend(packed);
    // Linux' build appends the unpacked length to all but gzip.
    f.extend([1, 2, 3, 4]);
    pe(&mut f, 64);
    f
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::default())
        .read_to_end(&mut out)
        .unwrap();
    out
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

pub(super) fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut w = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    w.write_all(bytes).unwrap();
    w.finish().unwrap()
}

/// Packs bytes.
pub(super) type Packer = fn(&[u8]) -> Vec<u8>;

/// Every kind of packing, with its name in the header.
pub(super) const PACKERS: [(&str, Packer); 3] = [("gzip", gzip), ("zstd", zstd), ("xz", xz)];
