//! The same kernel, first file system, disk and script here and in QEMU.

use maquette_tests::qemu::Qemu;
use maquette_tests::{Limit, need};

use crate::linux::Linux;
use crate::programs::CPU;
use crate::ran::{folder, noise, plain, write};

/// What is typed: whatever prints something that depends on how well the machine computes, and
/// nothing that depends on how fast it is or on what it is called.
const SCRIPT: [&str; 14] = [
    "uname -a; nproc",
    "grep -e ^isa -e ^mmu -e ^processor /proc/cpuinfo",
    "cut -d' ' -f1-3 /proc/mounts; cut -d' ' -f1 /proc/modules",
    "sha256sum /dev/vda; cat /sys/block/vda/size",
    "seq 1 9000 | sort -r | gzip -9 > /a; sha256sum /a; zcat /a | md5sum; wc -c < /a",
    "seq 1 5000 | sha3sum; seq 1 9000 | sha512sum; seq 1 99 | crc32",
    // Floating point, as far as this busybox has it.
    "awk 'BEGIN { for (i = 1; i < 3000; i++) { s += 1.1 / i; t = t * 0.999 + i / 7; \
     u -= int(t) * 1e-9 } printf \"%.17g %.17g %.17g %d\\n\", s, t, u, 1e9 * s }'",
    "factor 1000036000099 600851475143; echo '7 300 ^ 123457 % p' | dc",
    "n=0; for i in $(seq 60); do (exit $((i % 3))) || n=$((n + 1)); done; echo $n",
    "sh -c 'kill -SEGV $$'; echo $?; sh -c 'kill -TERM $$'; echo $?",
    "dd if=/a of=/dev/vda bs=4k seek=10 conv=notrunc,fsync status=none; \
     dd if=/dev/vda bs=64k iflag=direct status=none | sha256sum",
    "yes maquette | head -c 200000 | tr a-m n-z | fold -w 61 | md5sum; sleep 1; echo slept",
    "ip link set lo up; nc -l -p 7 > /b & sleep 1; echo over the loop | nc 127.0.0.1 7; wait; cat /b",
    "exit",
];

/// From the line of `init` on, without the kernel's time stamps, and without the one word of the
/// instruction set's name that says how RAM is wired and which QEMU's board adds.
fn normal(transcript: &str) -> String {
    let text = plain(transcript).replace("_ziccrse", "");
    let from = text
        .find("\ninit: ")
        .unwrap_or_else(|| panic!("init does not speak:\n{text}"));
    text[from..]
        .lines()
        .map(without_stamp)
        .fold(String::new(), |all, line| all + &line + "\n")
}

/// Replaces `[    1.234567]`, also behind a prompt.
fn without_stamp(line: &str) -> String {
    let stamp = |inside: &str| {
        inside
            .trim_start()
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.')
            && inside.contains('.')
    };
    match line
        .split_once('[')
        .and_then(|(a, rest)| Some((a, rest.split_once(']')?)))
    {
        Some((before, (inside, after))) if stamp(inside) => format!("{before}[time]{after}"),
        _ => line.to_owned(),
    }
}

fn in_qemu(qemu: &Qemu, kernel: &[std::path::PathBuf; 2], disk: &[u8]) -> String {
    let folder = folder();
    let disk = write(&folder, "disk.img", disk);
    let [kernel, initrd] = kernel;
    let virt = qemu.virt().size(512, 1).cpu(CPU);
    let virt = virt
        .kernel(kernel, initrd, "console=ttyS0 -- plain")
        .disk(&disk);
    let mut talk = virt.limit(Limit::seconds(900)).talk();
    for command in SCRIPT {
        talk.wait_for("linux# ");
        talk.type_in(&format!("{command}\n"));
    }
    let done = talk.finish();
    done.expect_code(0);
    normal(&done.stdout)
}

fn here(disk: &[u8]) -> String {
    let folder = folder();
    let image = write(&folder, "disk.img", disk);
    let device = format!(
        "[[device]]\ntype = \"virtio-blk\"\nfile = \"{}\"",
        image.display()
    );
    let ran = Linux::new(1).with(&device).type_in(&SCRIPT).run();
    normal(&ran.run.stdout)
}

#[test]
fn rv_07_linux_prints_the_same_here_and_in_qemu() {
    let (qemu, linux) = (need!(qemu), need!(linux_riscv));
    let disk = noise(7, 2 << 20);
    let kernel = ["vmlinuz", "initramfs.cpio"].map(|name| linux.file(name));
    let there = in_qemu(&qemu, &kernel, &disk);
    let here = here(&disk);
    assert_eq!(here.matches("linux# ").count(), SCRIPT.len(), "{here}");
    assert_eq!(here, there);
}
