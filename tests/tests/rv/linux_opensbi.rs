//! Debian's kernel started by OpenSBI, the firmware of real boards, in both of its kinds.

use maquette_tests::need;

use crate::linux::answers;
use crate::ran::{Ran, folder, run, system_with, write};

fn booted(firmware: &str, harts: u32) -> Ran {
    let firmware = format!("boot.firmware=part:opensbi/{firmware}");
    let harts = format!("machine.harts={harts}");
    system_with("linux-opensbi", &[&firmware, &harts]).clean()
}

/// The firmware sees the machine as it is, the kernel sees the firmware, and the shell answers.
#[track_caller]
fn boots(firmware: &str, harts: u32) {
    let _opensbi = need!(opensbi);
    let _linux = need!(linux_riscv);
    let ran = booted(firmware, harts);
    let console = ran.console();
    for line in [
        format!("Platform HART Count         : {harts}"),
        "Platform Timer Device       : aclint-mtimer @ 10000000Hz".to_owned(),
        "Platform Console Device     : uart8250".to_owned(),
        "Platform Shutdown Device    : syscon-poweroff".to_owned(),
        "Boot HART Base ISA          : rv64imafdc".to_owned(),
        "Boot HART PMP Count         : 16".to_owned(),
        "SBI implementation ID=0x1".to_owned(),
        format!("smp: Brought up 1 node, {harts} CPU"),
    ] {
        assert!(console.contains(&line), "no {line:?} in {console}");
    }
    let answers = answers(&console);
    assert_eq!(answers[0], harts.to_string(), "nproc");
    assert!(answers[1].ends_with("/dev/vda"), "{}", answers[1]);
    assert!(answers[2].contains("SBI HSM extension"), "{}", answers[2]);
    assert!(answers[3].ends_with("reboot: Power down"), "{}", answers[3]);
    for bad in ["WARNING:", "BUG:", "Oops", "rcu_sched", "soft lockup"] {
        assert!(!console.contains(bad), "{bad} in {console}");
    }
    assert_eq!(ran.number("/machine/sbi_calls"), 0, "the built-in SBI");
    assert_eq!(booted(firmware, harts).hash(), ran.hash());
}

#[test]
fn rv_52_fw_dynamic_boots_linux_on_one_hart() {
    boots("fw_dynamic.bin", 1);
}

#[test]
fn rv_52_fw_dynamic_boots_linux_on_four_harts() {
    boots("fw_dynamic.bin", 4);
}

#[test]
fn rv_52_fw_jump_boots_linux_on_one_hart() {
    boots("fw_jump.bin", 1);
}

#[test]
fn rv_52_fw_jump_boots_linux_on_four_harts() {
    boots("fw_jump.elf", 4);
}

#[test]
fn rv_52_a_restart_goes_through_the_firmware_again() {
    let _opensbi = need!(opensbi);
    let _linux = need!(linux_riscv);
    let folder = folder();
    let text = r#"
        [machine]
        harts = 2
        memory = "512MiB"
        [boot]
        mode = "firmware"
        firmware = "part:opensbi/fw_dynamic.elf"
        kernel = "part:linux-riscv/vmlinuz"
        initrd = "part:linux-riscv/initramfs.cpio"
        cmdline = "console=ttyS0 quiet -- plain"
        [[console.script]]
        expect = "linux# "
        send = "reboot -f\n"
        [[console.script]]
        expect = "linux# "
        send = "exit\n"
        [limits]
        time = "60s"
    "#;
    let ran = run(write(&folder, "x.toml", text), &[]).clean();
    assert_eq!(ran.console().matches("OpenSBI v").count(), 2);
    assert_eq!(ran.number("/machine/restarts"), 1);
}

#[test]
fn rv_52_a_file_that_is_no_firmware_is_refused_at_its_field() {
    let _linux = need!(linux_riscv);
    let folder = folder();
    let text = r#"
        [boot]
        mode = "firmware"
        firmware = "part:linux-riscv/initramfs.cpio"
        kernel = "part:linux-riscv/vmlinuz"
    "#;
    let file = write(&folder, "x.toml", text);
    let done = maquette_tests::tool::Tool::check(file).finish();
    assert_eq!(done.code(), Some(1), "{}", done.describe());
    for words in [
        "boot.firmware",
        "this is a cpio archive, not a RISC-V firmware",
        "part:opensbi/fw_dynamic.bin",
    ] {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
}
