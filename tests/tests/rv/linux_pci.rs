//! Linux and devices on PCI: it finds them, uses them, and loses and finds them again.

use maquette_tests::need;

use crate::linux::{Linux, answers, sha256};
use crate::ran::{folder, noise, read, write};

const BYTES: usize = 1 << 20;
const BRIDGE_AND_DEVICES: &str = "0000:00:00.0 0000:00:01.0 0000:00:02.0 0000:00:05.0";
const LIST: &str = "echo $(ls /sys/bus/pci/devices)";

#[test]
fn pci_09_linux_uses_devices_on_pci_and_finds_them_again_after_a_removal() {
    let _linux = need!(linux_riscv);
    let folder = folder();
    let before = noise(7, BYTES);
    let image = write(&folder, "disk.img", &before);
    let disk = format!(
        "[[device]]\ntype = \"virtio-blk\"\nbus = \"pci\"\nmode = \"raw\"\nfile = \"{}\"",
        image.display()
    );
    let ran = Linux::new(2)
        .with(&disk)
        .with("[[device]]\ntype = \"virtio-net\"\nbus = \"pci\"")
        .with("[[device]]\ntype = \"virtio-rng\"\nbus = \"pci\"\nslot = 5")
        .type_in(&[
            "dmesg -n 1",
            LIST,
            "cat /sys/bus/pci/devices/0000:00:01.0/vendor",
            "sha256sum /dev/vda",
            "echo found by its function > /dev/vda && sync",
            "cat /sys/class/net/eth0/device/uevent | grep -c DRIVER=virtio_net",
            "cat /sys/class/misc/hw_random/rng_available",
            "head -c 16 /dev/hwrng | wc -c",
            "echo virtio0 > /sys/bus/virtio/drivers/virtio_blk/unbind; ls /sys/block | grep -c vda",
            "echo 1 > /sys/bus/pci/devices/0000:00:01.0/remove",
            LIST,
            "echo 1 > /sys/bus/pci/rescan",
            LIST,
            "sha256sum /dev/vda",
            "grep -c virtio /proc/interrupts",
            "exit",
        ])
        .run();
    let console = ran.console();
    let answers = answers(&console);
    let mut after = before.clone();
    let text = b"found by its function\n";
    after[..text.len()].copy_from_slice(text);
    assert_eq!(answers[1], BRIDGE_AND_DEVICES, "{console}");
    assert_eq!(answers[2], "0x1af4");
    assert_eq!(answers[3], format!("{}  /dev/vda", sha256(&before)));
    assert_eq!(answers[5], "1", "{console}");
    assert!(answers[6].starts_with("virtio_rng"), "{console}");
    assert_eq!(answers[7], "16");
    assert_eq!(answers[8], "0", "{console}");
    assert_eq!(answers[10], "0000:00:00.0 0000:00:02.0 0000:00:05.0");
    assert_eq!(answers[12], BRIDGE_AND_DEVICES, "{console}");
    assert_eq!(answers[13], format!("{}  /dev/vda", sha256(&after)));
    assert_ne!(answers[14], "0", "nobody takes interrupts");
    assert!(read(&image) == after, "the image lacks what was written");
}
