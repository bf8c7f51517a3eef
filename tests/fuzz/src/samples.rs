//! Good inputs: where fuzzers begin.

use maquette_model::testing::conformance::Random;
use maquette_rv64::isa::TABLE;

/// System files that come with the project.
#[must_use]
pub fn system_files() -> Vec<Vec<u8>> {
    let texts = [
        include_str!("../../../systems/demo.toml"),
        include_str!("../../../systems/linux.toml"),
        include_str!("../../../systems/status.toml"),
        "[machine]\nharts = 2\n[boot]\nmode = \"bare\"\nkernel = \"x\"\0machine.harts=3\0device.0.slot=1",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// A small kernel of each kind.
#[must_use]
pub fn kernels() -> Vec<Vec<u8>> {
    vec![elf(), image(), zboot()]
}

/// A program of so many instructions with any operands.
#[must_use]
pub fn program(random: &mut Random, length: usize) -> Vec<u8> {
    let words = std::iter::repeat_with(|| {
        let any = (random.next() >> 32) as u32;
        let at = random.below(TABLE.len() as u64) as usize;
        let entry = &TABLE[at];
        entry.matches | any & !entry.mask
    });
    words.take(length).flat_map(u32::to_le_bytes).collect()
}

/// One segment at the beginning of RAM (System V ABI, "Object Files"; RISC-V ELF psABI).
fn elf() -> Vec<u8> {
    const BASE: u64 = 0x8000_0000;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend(2_u16.to_le_bytes()); // an executable
    file.extend(243_u16.to_le_bytes()); // for RISC-V
    file.extend(1_u32.to_le_bytes());
    for word in [BASE, 64, 0] {
        file.extend(word.to_le_bytes()); // entry, program headers, section headers
    }
    file.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1_u32.to_le_bytes()); // PT_LOAD
    file.extend(7_u32.to_le_bytes());
    for word in [120, BASE, BASE, 16, 64, 4] {
        file.extend(word.to_le_bytes()); // offset, addresses, sizes, alignment
    }
    file.extend([0x13; 16]);
    file
}

/// Linux, Documentation/arch/riscv/boot-image-header.rst.
fn image() -> Vec<u8> {
    let mut file = vec![0x13, 0, 0, 0, 0x13, 0, 0, 0];
    for word in [0x20_0000_u64, 0x1000, 0] {
        file.extend(word.to_le_bytes()); // text offset, size, flags
    }
    file.extend(2_u32.to_le_bytes()); // version 0.2
    file.resize(48, 0);
    file.extend(b"RISCV\0\0\0");
    file.extend(b"RSC\x05");
    file.resize(300, 0x13);
    file
}

/// Linux, drivers/firmware/efi/libstub/zboot-header.S: a compressed payload that is none.
fn zboot() -> Vec<u8> {
    let mut file = b"MZ\0\0zimg".to_vec();
    for word in [64_u32, 40] {
        file.extend(word.to_le_bytes()); // payload's place and length
    }
    file.resize(24, 0);
    file.extend(b"gzip\0\0\0\0");
    file.resize(64, 0);
    file.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    file.resize(104, 0x55);
    file
}

#[cfg(test)]
mod tests {
    use super::{elf, image, kernels};
    use maquette_machine::boot::load;

    #[test]
    fn samples_are_good_where_they_should_be() {
        for good in [elf(), image()] {
            assert!(load(&good).is_ok(), "{:?}", load(&good).err());
        }
        assert_eq!(kernels().len(), 3);
    }
}
