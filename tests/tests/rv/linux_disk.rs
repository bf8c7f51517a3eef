//! Linux and its disks: a large one read whole, and what is written to each kind.

use std::path::Path;

use maquette_tests::need;

use crate::linux::{Linux, answers, sha256};
use crate::ran::{folder, noise, read, write};

const LARGE: usize = 64 << 20;
const SMALL: usize = 1 << 20;
/// Where something is written: no sector or page begins there.
const AT: usize = 77_777;

fn disk(file: &Path, mode: &str) -> String {
    let file = file.display();
    format!("[[device]]\ntype = \"virtio-blk\"\nfile = \"{file}\"\nmode = \"{mode}\"")
}

/// A command that writes `/patch` onto a disk, waits until it is there, and says how that went.
fn patch_onto(disk: &str) -> String {
    format!(
        "dd if=/patch of=/dev/{disk} bs=64k oflag=seek_bytes seek={AT} conv=notrunc,fsync \
         status=none && echo written || echo refused"
    )
}

/// The output of `seq 1 40000`.
fn patch() -> Vec<u8> {
    (1..=40_000)
        .flat_map(|n| format!("{n}\n").into_bytes())
        .collect()
}

fn patched(mut image: Vec<u8>) -> Vec<u8> {
    let patch = patch();
    image[AT..AT + patch.len()].copy_from_slice(&patch);
    image
}

#[test]
fn rv_06_sha256_of_a_large_disk_is_the_hosts_and_written_data_survives() {
    let _linux = need!(linux_riscv);
    let folder = folder();
    let images = [noise(1, LARGE), noise(2, SMALL), noise(3, SMALL)];
    let [large, cow, fixed] = [0, 1, 2].map(|i| write(&folder, &format!("{i}.img"), &images[i]));
    let [large_before, cow_before, fixed_before] = images;
    let reread = "dd if=/dev/vdb bs=64k iflag=direct status=none | sha256sum";
    let ran = Linux::new(1)
        .with(&disk(&large, "raw"))
        .with(&disk(&cow, "copy-on-write"))
        .with(&disk(&fixed, "read-only"))
        .type_in(&["sha256sum /dev/vda", "seq 1 40000 > /patch"])
        .type_in(
            &["vda", "vdb", "vdc"]
                .map(patch_onto)
                .each_ref()
                .map(String::as_str),
        )
        .type_in(&[reread, "cat /sys/block/vdc/ro", "exit"])
        .run();
    let console = ran.console();
    let answers = answers(&console);
    assert_eq!(answers[0], format!("{}  /dev/vda", sha256(&large_before)));
    assert_eq!(answers[2], "written");
    assert_eq!(answers[3], "written");
    assert!(answers[4].ends_with("refused"), "{}", answers[4]);
    let cow_after = patched(cow_before.clone());
    assert_eq!(answers[5], format!("{}  -", sha256(&cow_after)));
    assert_eq!(answers[6], "1");

    assert!(
        read(&large) == patched(large_before),
        "the raw image lacks what was written"
    );
    assert!(
        read(&cow) == cow_before,
        "a copy-on-write image was written"
    );
    assert!(
        read(&fixed) == fixed_before,
        "a read-only image was written"
    );
}
