//! Disks that cannot be used, or stop being usable.

use crate::bench::{Bench, refused, says};
use crate::elf;
use maquette_tests::guests;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

const DISK: &str = "[[device]]\ntype = \"virtio-blk\"\nfile = \"d.img\"\n";
const PLACE: &str = "x.toml:6:8: error: device[0].file: ";

fn bench() -> Bench {
    Bench::with(&elf::says("x").file(), DISK)
}

#[test]
fn disk_that_cannot_be_read_is_named() {
    let bench = bench();
    refused(&bench.run(), &[PLACE, "d.img does not exist"]);
    symlink("nowhere", bench.path("d.img")).expect("a link");
    refused(
        &bench.run(),
        &[PLACE, "d.img is a link to nowhere, which does not exist"],
    );
    std::fs::remove_file(bench.path("d.img")).expect("removed");
    std::fs::create_dir(bench.path("d.img")).expect("a folder");
    refused(&bench.run(), &[PLACE, "d.img is a directory"]);
    std::fs::remove_dir(bench.path("d.img")).expect("removed");
    symlink("/dev/null", bench.path("d.img")).expect("a link");
    refused(&bench.run(), &[PLACE, "d.img is a device"]);
}

#[test]
fn disk_of_a_wrong_size_is_named() {
    let bench = bench();
    bench.put("d.img", b"");
    refused(&bench.run(), &[PLACE, "d.img is empty"]);
    bench.put("d.img", &[0; 513]);
    refused(
        &bench.run(),
        &[PLACE, "d.img has 513 bytes", "truncate -s 1024"],
    );
}

/// Files of the kernel that have a size, may be opened, and refuse to be read.
fn unreadable() -> Option<&'static str> {
    [
        "/sys/class/net/lo/speed",
        "/sys/class/net/lo/duplex",
        "/sys/class/net/lo/phys_port_name",
    ]
    .into_iter()
    .find(|path| {
        let file = File::open(path);
        file.is_ok_and(|mut f| f.read(&mut [0; 16]).is_err())
    })
}

#[test]
fn disk_whose_read_fails_is_named() {
    let Some(path) = unreadable() else {
        maquette_tests::skip::record(env!("CARGO_PKG_NAME"), "no file here refuses to be read");
        return;
    };
    let bench = bench();
    symlink(path, bench.path("d.img")).expect("a link");
    refused(&bench.run(), &[PLACE, "cannot read the disk image d.img"]);
}

#[test]
fn disk_that_two_machines_write_is_refused_to_the_second() {
    let bench = bench();
    bench.put("d.img", &[0; 512]);
    let other = OpenOptions::new()
        .write(true)
        .open(bench.path("d.img"))
        .expect("the disk");
    other.lock().expect("a lock");
    let done = bench
        .tool("run")
        .arg("--set")
        .arg("device.0.mode=raw")
        .finish();
    refused(&done, &[PLACE, "in use by another disk"]);
}

/// A pipe of the smallest size with no room left: whoever writes to it waits.
fn full_pipe() -> (File, File) {
    let (out, input) = rustix::pipe::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&input, 4096).expect("a small pipe");
    let mut input = File::from(input);
    rustix::fs::fcntl_setfl(&input, OFlags::NONBLOCK).expect("its mode");
    while input.write(&[b'.'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&input, OFlags::empty()).expect("its mode");
    (File::from(out), input)
}

/// Waits until somebody holds a lock on the file and process `pid` sleeps: the tool has opened its
/// disk and finds no room for its output. The kernel's list of locks is read, because trying the lock
/// would now and then keep the tool from getting it.
fn until_locked(file: &File, pid: u32) {
    let sleeps = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('S'))
    };
    let inode = format!(":{} ", file.metadata().expect("the disk").ino());
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let locks = std::fs::read_to_string("/proc/locks").expect("the kernel's list of locks");
        if locks.lines().any(|line| line.contains(&inode)) && sleeps() {
            return;
        }
        assert!(Instant::now() < end, "the tool does not open its disk");
        std::thread::yield_now();
    }
}

#[test]
fn disk_that_is_cut_while_the_machine_runs_is_a_host_failure_and_no_panic() {
    let kernel = std::fs::read(guests::guest("smode")).expect("the guest");
    let bench = Bench::new();
    bench.put("guest.elf", &kernel);
    let text =
        format!("[boot]\nmode = \"sbi\"\nkernel = \"guest.elf\"\n{DISK}[limits]\ntime = \"20s\"\n");
    bench.put("x.toml", text.as_bytes());
    bench.put("d.img", &vec![7; 1 << 20]);
    let disk = OpenOptions::new()
        .write(true)
        .open(bench.path("d.img"))
        .expect("the disk");
    // The guest's first line finds no room, so the disk is cut before the guest reads it.
    let (mut out, input) = full_pipe();
    let mut command = bench.tool("run").command();
    command
        .stdin(Stdio::null())
        .stdout(input)
        .stderr(Stdio::piped());
    let child = command.spawn().expect("the tool");
    drop(command);
    until_locked(&disk, child.id());
    disk.set_len(512).expect("cut");
    let drain = std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
    let done = child.wait_with_output().expect("its end");
    let _ = drain.join();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{stderr}");
    let (class, cut) = (
        "maquette: host failure: ",
        "d.img was cut from 1048576 to 512 bytes",
    );
    let labelled = |line: &str| line.starts_with(class) && line.contains(cut);
    assert!(stderr.lines().any(labelled), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn guest_that_jumps_to_nowhere_is_named() {
    let done = Bench::with(&elf::jumps_to_nowhere().file(), "").run();
    done.expect_code(2);
    says(&done, &["guest failure", "hart0 cannot go on", "pc 0x"]);
}
