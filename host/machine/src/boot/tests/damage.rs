//! Every file cut off at every byte and damaged at random: an error or a sound image, never a panic.

use super::build::{PACKERS, Seg, elf, hello, image, zboot};
use crate::board::{Board, TreeOptions, View};
use crate::boot::{BootFiles, Image, ImageError, load, prepare};
use maquette_model::{PhysAddr, Ram};
use maquette_tests::{effort, rounds};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases in every run of a round.
fn seeded() -> ProptestConfig {
    ProptestConfig {
        cases: 512 * effort(),
        rng_seed: RngSeed::Fixed(0x6d61_7175 + rounds().start),
        ..ProptestConfig::default()
    }
}

/// One whole file of each kind.
fn corpus() -> Vec<Vec<u8>> {
    let kernel = image(0x20_0000, 0x1000, 700, true);
    let mut files = vec![
        hello(),
        elf(3, 0, &[Seg::load(0, &[9; 30], 64)]),
        image(0x20_0000, 0, 300, false),
        kernel.clone(),
    ];
    files.extend(
        PACKERS
            .iter()
            .map(|(name, pack)| zboot(name, &pack(&kernel))),
    );
    files
}

/// What [`Image`] promises of itself.
fn assert_sound(image: &Image<'_>) {
    let mut end = 0;
    for s in image.segments() {
        assert!(s.addr >= end, "segments overlap");
        end = s.addr.checked_add(s.mem_len).unwrap();
        assert!(image.data(s).len() as u64 <= s.mem_len);
        assert_eq!(image.data(s).len(), s.file.len());
    }
    let entry = image.entry();
    assert!(
        image
            .segments()
            .iter()
            .any(|s| entry >= s.addr && entry - s.addr < s.mem_len)
    );
}

/// Goes on to RAM with what can be loaded.
fn try_boot(file: &[u8]) {
    let board = Board::virt(1, 8 << 20).unwrap();
    for view in [View::Machine, View::Supervisor] {
        let options = TreeOptions {
            view,
            isa_extensions: &["i"],
            cmdline: "",
            initrd: None,
            seed: 0,
        };
        let files = BootFiles {
            firmware: None,
            kernel: file,
            initrd: Some(b"initrd"),
        };
        if let Ok(prepared) = prepare(&board, files, &options) {
            let ram = Ram::new(PhysAddr(0x8000_0000), 8 << 20).unwrap();
            prepared.write(&ram).unwrap();
        }
    }
}

#[test]
fn damage_cut_off_at_every_byte_is_an_error() {
    for (number, file) in corpus().iter().enumerate() {
        for len in 0..file.len() {
            let result = load(&file[..len]);
            // A bare Image does not tell how long its file must be: past its header, any length may
            // be right.
            let bare_image = number == 2 && len >= 64;
            match result {
                Ok(image) => {
                    assert!(bare_image, "file {number} cut to {len} bytes is accepted");
                    assert_sound(&image);
                }
                Err(e) => assert!(!e.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn damage_cut_off_says_truncated_past_the_magic_number() {
    let file = hello();
    for len in 20..file.len() {
        assert!(
            matches!(load(&file[..len]), Err(ImageError::Truncated { .. })),
            "{len}"
        );
    }
}

#[test]
fn damage_each_header_bit_of_each_file() {
    for file in corpus() {
        for bit in 0..8 * file.len().min(200) {
            let mut bad = file.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok(image) = load(&bad) {
                assert_sound(&image);
            }
        }
    }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn damage_random_bytes_never_panic(
        which in 0usize..7,
        changes in proptest::collection::vec((0usize..220, any::<u8>()), 1..8),
    ) {
        let mut file = corpus().swap_remove(which);
        let len = file.len();
        for (at, v) in changes {
            file[at % len] = v;
        }
        if let Ok(image) = load(&file) {
            assert_sound(&image);
        }
        try_boot(&file);
    }

    #[test]
    fn damage_elf_with_any_fields_never_panics(
        entry in any::<u64>(),
        e_type in 0u16..5,
        segments in proptest::collection::vec((0u32..4, any::<u64>(), any::<u64>(), any::<u64>()), 0..5),
        near in any::<bool>(),
    ) {
        // Random addresses never meet; near ones do.
        let squeeze = |v: u64| if near { 0x8000_0000 + v % 64 } else { v };
        let segments: Vec<Seg> = segments.iter().map(|&(kind, p, v, m)| Seg {
            kind,
            paddr: squeeze(p),
            vaddr: squeeze(v),
            memsz: if near { 4 + m % 32 } else { m },
            data: vec![1; 4],
        }).collect();
        let file = elf(e_type, squeeze(entry) & !1, &segments);
        if let Ok(image) = load(&file) {
            assert_sound(&image);
        }
        try_boot(&file);
    }

    #[test]
    fn damage_any_bytes_after_a_magic_number_never_panic(
        magic in 0usize..4, mut tail in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut file = match magic {
            0 => b"\x7fELF\x02\x01\x01".to_vec(),
            1 => b"MZ\0\0zimg".to_vec(),
            2 => b"MZ".to_vec(),
            _ => Vec::new(),
        };
        file.append(&mut tail);
        if magic == 2 && file.len() > 60 {
            file[56..60].copy_from_slice(b"RSC\x05");
        }
        if let Ok(image) = load(&file) {
            assert_sound(&image);
        }
    }

    #[test]
    fn damage_any_packed_bytes_never_panic(
        which in 0usize..3, packed in proptest::collection::vec(any::<u8>(), 0..300),
        keep in 0usize..40,
    ) {
        let (name, pack) = PACKERS[which];
        let mut payload = pack(&hello());
        payload.truncate(keep);
        payload.extend(packed);
        prop_assert!(load(&zboot(name, &payload)).is_err());
    }
}
