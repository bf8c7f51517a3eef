//! Full disks: nothing is lost silently, wherever it was to go.

use crate::bench::{Bench, says};
use crate::elf;
use maquette_tests::Finished;
use maquette_tests::child::{self, Limit};
use maquette_tests::tool::Tool;
use std::fs::File;
use std::process::{Command, Stdio};

const FULL: &str = "/dev/full";

fn full() -> File {
    File::options()
        .write(true)
        .open(FULL)
        .expect("the full device")
}

/// Runs `x.toml` where a file holds at most `blocks` of the shell's blocks.
fn limited(bench: &Bench, blocks: &str, redirect: &str, arguments: &[&str]) -> Finished {
    let tool = bench.tool("run").command();
    let script = format!("ulimit -f {blocks}; exec \"$@\" {redirect}");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]);
    command.arg(tool.get_program()).args(tool.get_args());
    command.args(arguments).current_dir(bench.folder());
    child::run(command, b"", Limit::seconds(120))
}

#[test]
fn what_was_asked_for_and_cannot_be_written_exits_3() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["info"],
        &["list"],
    ] {
        let tool = Tool::new(arguments[0]);
        let tool = arguments[1..].iter().fold(tool, Tool::arg);
        let done = tool.command().stdout(full()).output().expect("the tool");
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(3), "{arguments:?}: {stderr}");
        let told = stderr.contains("standard output cannot be written: No space left");
        assert!(told, "{arguments:?}: {stderr}");
    }
}

#[test]
fn last_line_that_cannot_be_written_exits_3_and_keeps_the_hash() {
    let bench = Bench::with(&elf::says("bye").file(), "");
    let mut command = bench.tool("run").command();
    let done = command.stdin(Stdio::null()).stdout(full()).output();
    let done = done.expect("the tool");
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{stderr}");
    for word in [
        "host failure: the output cannot be written (No space left",
        "end: the guest switched the machine off",
    ] {
        assert!(stderr.contains(word), "{stderr}");
    }
    assert!(!stderr.contains("trace hash: none"), "{stderr}");
}

#[test]
fn output_file_at_its_limit_ends_the_run_as_a_host_failure() {
    let bench = Bench::with(&elf::chatters().file(), "[limits]\nhost_time = \"60s\"");
    let done = limited(&bench, "16", ">out", &[]);
    done.expect_code(3);
    says(
        &done,
        &["host failure: the output cannot be written (File too large"],
    );
}

#[test]
fn statistics_that_cannot_be_written_exit_3_and_leave_nothing_behind() {
    let bench = Bench::with(&elf::says("x").file(), "");
    bench.put("s.json", b"{}");
    let before = bench.names();
    let done = limited(&bench, "0", "", &["--stats", "s.json"]);
    done.expect_code(3);
    says(
        &done,
        &[
            "host failure: --stats s.json cannot be written: File too large",
            "trace hash: ",
        ],
    );
    assert_eq!(bench.names(), before);
    assert_eq!(std::fs::read(bench.path("s.json")).expect("it"), b"{}");
    let done = limited(&bench, "0", ">/dev/full", &["--stats", "-"]);
    done.expect_code(3);
    says(&done, &["host failure: --stats - cannot be written"]);
}

#[test]
fn report_that_cannot_be_written_exits_3() {
    let bench = Bench::with(&elf::says("x").file(), "");
    let mut command = bench.tool("run").command();
    let run = command.stdin(Stdio::null()).stderr(full()).output();
    let run = run.expect("the tool");
    assert_eq!((run.status.code(), &run.stdout[..]), (Some(3), &b"x"[..]));
}
