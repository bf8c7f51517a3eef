//! Real parts: found or told to be absent, and in working order.

use maquette_tests::child::Limit;
use maquette_tests::{Part, need};

#[test]
fn absent_part_names_the_file_and_the_command() {
    let Err(absent) = Part::Opensbi.find_in(std::path::Path::new("/nowhere")) else {
        panic!("nothing can be found in a folder that does not exist");
    };
    let text = absent.to_string();
    assert!(
        text.contains("/nowhere/opensbi/current/fw_dynamic.bin"),
        "{text}"
    );
    assert!(text.contains("cargo xtask real-parts opensbi"), "{text}");
}

#[test]
fn debian_kernel_reaches_its_prompt_in_qemu_on_the_opensbi_part() {
    let (qemu, linux, opensbi) = (need!(qemu), need!(linux_riscv), need!(opensbi));
    let (kernel, initrd) = (linux.file("vmlinuz"), linux.file("initramfs.cpio"));
    let release =
        std::fs::read_to_string(linux.file("release")).expect("the part names its kernel");
    let disk = tempfile::NamedTempFile::new().expect("a temporary file");
    disk.as_file().set_len(1 << 20).expect("a disk of 1 MiB");
    let machine = qemu
        .virt()
        .size(512, 2)
        .args(["-bios"])
        .args([opensbi.file("fw_dynamic.bin")])
        .kernel(&kernel, &initrd, "console=ttyS0 quiet plain")
        .disk(disk.path())
        .limit(Limit::seconds(120));
    let mut talk = machine.talk();
    talk.wait_for(&format!("init: {} with 2 hart(s)", release.trim()));
    talk.wait_for("linux# ");
    talk.type_in("wc -c /dev/vda; exit\n");
    talk.wait_for("1048576 /dev/vda");
    let done = talk.finish();
    done.expect_code(0);
    assert!(
        !done.stdout.contains("cannot insert"),
        "{}",
        done.describe()
    );
    // Plain: no echo of what was typed, no question to the terminal about its cursor.
    assert!(!done.stdout.contains("wc -c"), "{}", done.describe());
    assert!(!done.stdout.contains('\u{1b}'), "{}", done.describe());
}
