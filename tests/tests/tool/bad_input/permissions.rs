//! Files that the user may not open. Root may open everything, so the tool runs as another user.

use crate::bench::Bench;
use crate::elf;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

/// A user without rights of its own.
const NOBODY: u32 = 65_534;

/// `maquette run x.toml` in the folder, as a user without rights.
fn run(bench: &Bench, more: &[&str]) -> Output {
    // The build's folder may be closed to others.
    let tool = bench.path("maquette");
    copy(&maquette_tests::places::tool(), &tool);
    for path in [bench.folder(), &tool] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let mut command = Command::new(&tool);
    command
        .args(["run", "x.toml"])
        .args(more)
        .current_dir(bench.folder());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().expect("the tool")
}

/// Copies a program in a process of its own: while this one has it open for writing, another test's
/// child may inherit that, and then it cannot be started (`ETXTBSY`).
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp")
        .arg("--remove-destination")
        .arg(from)
        .arg(to)
        .status();
    assert!(done.expect("cp").success(), "a copy of the tool");
}

fn close(bench: &Bench, name: &str, mode: u32) {
    fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).expect("its mode");
}

#[track_caller]
fn refused(done: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{stderr}");
    for word in words.iter().chain(&["remedy: "]) {
        assert!(stderr.contains(word), "no {word:?} in {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn file_that_may_not_be_read_is_named_whatever_it_is() {
    let disk = "[[device]]\ntype = \"virtio-blk\"\nfile = \"d.img\"\nmode = \"raw\"\n";
    let bench = Bench::with(&elf::says("x").file(), disk);
    bench.put("d.img", &[0; 512]);
    close(&bench, "d.img", 0o666);
    let done = run(&bench, &[]);
    assert_eq!(
        done.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    close(&bench, "d.img", 0o444);
    refused(
        &run(&bench, &[]),
        &[
            "x.toml:6:8: error: device[0].file: no permission to write",
            "d.img",
        ],
    );
    let cow = run(&bench, &["--set", "device.0.mode=copy-on-write"]);
    assert_eq!(
        cow.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&cow.stderr)
    );
    close(&bench, "d.img", 0);
    refused(
        &run(&bench, &["--set", "device.0.mode=read-only"]),
        &["device[0].file: no permission to read", "d.img"],
    );
    close(&bench, "d.img", 0o666);
    close(&bench, "guest.elf", 0);
    refused(
        &run(&bench, &[]),
        &[
            "x.toml:3:10: error: boot.kernel: the host refuses to open",
            "guest.elf",
        ],
    );
    close(&bench, "x.toml", 0);
    refused(
        &run(&bench, &[]),
        &["the host refuses to open this file: x.toml"],
    );
}

#[test]
fn stats_file_in_a_folder_that_may_not_be_written_is_refused_before_the_run() {
    let bench = Bench::with(&elf::says("x").file(), "");
    let done = run(&bench, &["--stats", "s.json"]);
    refused(&done, &["--stats s.json"]);
    assert!(done.stdout.is_empty(), "the guest ran");
    says_nothing_left(&bench);
}

fn says_nothing_left(bench: &Bench) {
    assert!(!bench.names().contains(&"s.json".to_owned()));
}
