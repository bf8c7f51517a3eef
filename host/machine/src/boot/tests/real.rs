//! A stock kernel, and QEMU's opinion of the device tree, where the cache of real parts has them.

use crate::board::{Board, TreeOptions, View, device_tree};
use crate::boot::{BootFiles, ImageKind, load, prepare};
use maquette_rv64::ISA_EXTENSIONS;
use maquette_tests::{Limit, need};

fn options(view: View, cmdline: &str) -> TreeOptions<'_> {
    TreeOptions {
        view,
        isa_extensions: ISA_EXTENSIONS,
        cmdline,
        initrd: None,
        seed: 1,
    }
}

#[test]
fn real_debian_kernel_is_prepared_for_linux_boot() {
    let part = need!(linux_riscv);
    let kernel = std::fs::read(part.file("vmlinuz")).unwrap();
    let initrd = std::fs::read(part.file("initramfs.cpio")).unwrap();
    let image = load(&kernel).unwrap();
    assert_eq!(image.kind(), ImageKind::Linux);
    let board = Board::virt(4, 512 << 20).unwrap();
    let files = BootFiles {
        firmware: None,
        kernel: &kernel,
        initrd: Some(&initrd),
    };
    let options = options(View::Supervisor, "console=ttyS0");
    let prepared = prepare(&board, files, &options).unwrap();
    assert_eq!(prepared.placement().entry.0, 0x8020_0000);
    assert!(prepared.placement().kernel.len() > 20 << 20);
    // The PE headers of its EFI stub tell how long the file must be.
    for len in [64, kernel.len() / 2, kernel.len() - 1] {
        assert!(load(&kernel[..len]).is_err(), "{len} bytes");
    }
}

/// Our tree in place of QEMU's own: stock firmware and kernel find harts, timer, interrupts, console
/// and power by it.
#[test]
fn real_machine_tree_boots_stock_firmware_and_linux_in_qemu() {
    let qemu = need!(qemu);
    let part = need!(linux_riscv);
    let board = Board::virt(2, 256 << 20).unwrap();
    let tree = device_tree(&board, &options(View::Machine, "")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dtb = folder.path().join("virt.dtb");
    std::fs::write(&dtb, tree).unwrap();
    let mut talk = qemu
        .virt()
        .size(256, 2)
        // What the tree advertises: `rv64` has no Svinval by default.
        .cpu("rv64,svinval=on")
        .args(["-dtb"])
        .args([&dtb])
        .kernel(
            &part.file("vmlinuz"),
            &part.file("initramfs.cpio"),
            "console=ttyS0",
        )
        .limit(Limit::seconds(60))
        .talk();
    talk.wait_for("with 2 hart(s)");
    talk.wait_for("linux# ");
    talk.type_in("cat /proc/device-tree/model; ls /sys/bus/platform/devices | grep -c virtio\n");
    talk.wait_for("maquette,virt");
    talk.wait_for("8");
    talk.wait_for("linux# ");
    talk.type_in("exit\n");
    talk.finish().expect_code(0);
}
