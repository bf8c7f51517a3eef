//! Disks: the guest's checksum is the host's, and after the run the image holds what was written.

use std::path::Path;

use crate::programs::demo_text;
use crate::ran::{Ran, folder, noise, read, run, write};

const SECTOR: usize = 512;
const SIZE: usize = 1 << 20;
/// What the demonstration writes over and over into the last sector.
const MARK: [u8; 16] = *b"Maquette demo.\r\n";

/// FNV-1a, 64 bit, as the demonstration computes it.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// The demonstration on an image of the host.
fn demo_on(image: &Path, mode: &str) -> Ran {
    let folder = folder();
    let text = format!(
        r#"
            [machine]
            harts = 2
            memory = "64MiB"
            [boot]
            mode = "sbi"
            kernel = "{}"
            [[device]]
            type = "virtio-blk"
            file = "{}"
            mode = "{mode}"
            [limits]
            time = "20s"
            [expect]
            console = ["demo: all passed"]
        "#,
        maquette_tests::guests::guest("smode").display(),
        image.display(),
    );
    run(write(&folder, "disk.toml", text), &[])
}

fn marked(mut image: Vec<u8>) -> Vec<u8> {
    let last = image.len() - SECTOR;
    for (byte, mark) in image[last..].iter_mut().zip(MARK.iter().cycle()) {
        *byte = *mark;
    }
    image
}

#[test]
fn rv_03_checksums_by_polling_and_by_interrupt_are_the_hosts() {
    let (folder, before) = (folder(), noise(3, SIZE));
    let image = write(&folder, "disk.img", &before);
    let ran = demo_on(&image, "raw").clean();
    let expected = demo_text(&before[..128 * SECTOR]);
    assert_eq!(ran.console(), expected);
    // Two of 16 requests, one write, one read back: each is a chain that the device went to fetch.
    assert!(ran.number("/machine/dma_bytes") > 2 * 128 * SECTOR as u64);
    assert!(ran.number("/events/interrupt") > 0);
}

#[test]
fn rv_03_what_the_guest_writes_is_in_the_raw_image_and_nothing_else_is() {
    let (folder, before) = (folder(), noise(4, SIZE));
    let image = write(&folder, "disk.img", &before);
    demo_on(&image, "raw").clean();
    assert!(
        read(&image) == marked(before),
        "the last sector, and only that"
    );
}

#[test]
fn rv_03_copy_on_write_reads_back_and_leaves_the_image_alone() {
    let (folder, before) = (folder(), noise(5, SIZE));
    let image = write(&folder, "disk.img", &before);
    let ran = demo_on(&image, "copy-on-write").clean();
    assert!(ran.console().contains("PASS disk write"));
    assert!(read(&image) == before, "the image has changed");
}

#[test]
fn rv_03_read_only_disk_is_known_as_such_and_stays() {
    let (folder, before) = (folder(), noise(6, SIZE));
    let image = write(&folder, "disk.img", &before);
    let ran = demo_on(&image, "read-only").clean();
    let console = ran.console();
    assert!(
        console.contains("SKIP disk write: the disk is read-only\n"),
        "{console}"
    );
    assert!(read(&image) == before, "the image has changed");
}
