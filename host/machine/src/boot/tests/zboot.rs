//! EFI zboot files in all three packings.

use super::build::{PACKERS, gzip, hello, image, xz, zboot, zstd};
use crate::boot::zboot::load as load_limited;
use crate::boot::{Compression, ImageError, ImageKind, load};

#[test]
fn zboot_in_each_packing_gives_the_kernel_back() {
    let kernel = image(0x20_0000, 0x1000, 200_000, true);
    for (name, pack) in PACKERS {
        let file = zboot(name, &pack(&kernel));
        let image = load(&file).unwrap();
        assert_eq!(image.kind(), ImageKind::Linux, "{name}");
        assert_eq!(image.data(&image.segments()[0]), kernel, "{name}");
    }
}

#[test]
fn zboot_around_an_elf_file_is_taken_apart() {
    let file = zboot("zstd", &zstd(&hello()));
    assert_eq!(load(&file).unwrap().kind(), ImageKind::Elf);
}

#[test]
fn zboot_packed_otherwise_names_the_packing() {
    let text = load(&zboot("lzo", b"abc"))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(text.contains("packed with `lzo`"), "{text}");
    let text = load(&zboot("\x1b[2J", b"abc"))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(text.contains(r"`\x1b[2J`"), "{text}");
}

#[test]
fn zboot_larger_than_the_limit_stops_there() {
    let zeros = vec![0; 1 << 20];
    for (name, pack) in PACKERS {
        let file = zboot(name, &pack(&zeros));
        let error = load_limited(&file, 65_536).map(|_| ()).unwrap_err();
        assert!(
            matches!(error, ImageError::Bomb { limit: 65_536, .. }),
            "{error}"
        );
    }
}

#[test]
fn zboot_wrong_payload_says_what_is_inside() {
    use std::error::Error as _;
    for inside in [&b"hello, I am a text"[..], &zboot("gzip", &gzip(&hello()))] {
        let error = load(&zboot("xz", &xz(inside))).map(|_| ()).unwrap_err();
        assert!(matches!(error, ImageError::Payload(_)));
        assert!(error.source().unwrap().to_string().contains("this is a"));
    }
    let empty = load(&zboot("gzip", &gzip(b""))).map(|_| ()).unwrap_err();
    assert!(matches!(empty, ImageError::Payload(inner) if matches!(*inner, ImageError::Empty)));
}

#[test]
fn zboot_damaged_payload_is_found_by_its_checksum() {
    let kernel = image(0, 0, 5000, false);
    for (name, pack) in PACKERS {
        let packed = pack(&kernel);
        let mut missed = 0;
        for at in 0..packed.len() {
            let mut bad = packed.clone();
            bad[at] ^= 0x10;
            match load(&zboot(name, &bad)) {
                Err(_) => {}
                // Header fields that no checksum covers, like gzip's time stamp.
                Ok(image) => {
                    assert_eq!(image.data(&image.segments()[0]), kernel, "{name} at {at}");
                    missed += 1;
                }
            }
        }
        assert!(missed < 12, "{name}: {missed} flips changed nothing");
    }
}

#[test]
fn zboot_payload_outside_the_file_is_truncated() {
    let good = zboot("gzip", &gzip(&hello()));
    for (at, v) in [(8, u32::MAX), (12, u32::MAX), (12, 100_000)] {
        let mut file = good.clone();
        file[at..at + 4].copy_from_slice(&v.to_le_bytes());
        let error = load(&file).map(|_| ()).unwrap_err();
        assert!(matches!(error, ImageError::Truncated { .. }), "{error}");
    }
    let mut inside = good;
    inside[8..12].fill(0);
    let text = load(&inside).map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("inside the header"), "{text}");
}

/// Linux packs with `zstd -22 --ultra` out of a pipe, which asks for a window of 128 MiB.
#[test]
fn zboot_zstd_with_the_window_that_linux_uses_is_accepted() {
    let frame = |window_descriptor: u8| {
        let kernel = hello();
        let mut f = vec![0x28, 0xb5, 0x2f, 0xfd, 0, window_descriptor];
        // One last raw block (RFC 8878 §3.1.1.2).
        let header = u32::try_from(kernel.len() << 3).unwrap() | 1;
        f.extend(&header.to_le_bytes()[..3]);
        f.extend(kernel);
        f
    };
    // Window_Size = 2^(10 + exponent); exponent 17 is 128 MiB.
    assert!(load(&zboot("zstd22", &frame(17 << 3))).is_ok());
    let error = load(&zboot("zstd22", &frame(18 << 3)))
        .map(|_| ())
        .unwrap_err();
    assert!(
        matches!(
            error,
            ImageError::Unpack {
                compression: Compression::Zstd,
                ..
            }
        ),
        "{error}"
    );
}
