//! What goes where: the console to standard output, the rest to standard error.

use crate::bench::{Bench, says};
use crate::elf;
use std::io::Read;
use std::process::Stdio;

#[test]
fn console_output_is_unaltered_whatever_the_bytes() {
    let text: String = (1u8..=127).map(char::from).collect();
    let done = Bench::with(&elf::says(&text).file(), "").run();
    done.expect_code(0);
    assert_eq!(done.stdout, text);
}

#[test]
fn quiet_run_says_nothing_but_the_guest() {
    let bench = Bench::with(&elf::says("only this").file(), "");
    let done = bench.tool("run").arg("--quiet").finish();
    done.expect_code(0);
    assert_eq!(
        (done.stdout.as_str(), done.stderr.as_str()),
        ("only this", "")
    );
}

#[test]
fn quiet_run_that_fails_says_why() {
    let bench = Bench::with(&elf::says("x").file(), "[expect]\nconsole = [\"y\"]");
    let done = bench.tool("run").arg("--quiet").finish();
    done.expect_code(2);
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.describe());
    says(&done, &["never showed \"y\""]);
}

/// Starts the tool, reads one line, and goes away.
fn close_after_one_line(verb: &str, bench: &Bench) -> (Option<i32>, String) {
    let mut command = bench.tool(verb).command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool");
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 5]).expect("a line");
    drop(out);
    let done = child.wait_with_output().expect("its end");
    (
        done.status.code(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

#[test]
fn broken_pipe_ends_the_run_without_a_panic() {
    let bench = Bench::with(&elf::chatters().file(), "[limits]\nhost_time = \"60s\"");
    let (code, stderr) = close_after_one_line("run", &bench);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("nobody reads the output"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn full_device_ends_the_run_as_a_host_failure() {
    let bench = Bench::with(&elf::chatters().file(), "[limits]\nhost_time = \"60s\"");
    let mut command = bench.tool("run").command();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("the device");
    let done = command
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .expect("the tool");
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("the output cannot be written"), "{stderr}");
}

#[test]
fn input_that_is_no_terminal_is_not_for_the_guest() {
    let bench = Bench::with(&elf::echoes().file(), "[limits]\ntime = \"20ms\"");
    let done = bench.tool("run").input("hello q").finish();
    done.expect_code(124);
    assert_eq!(done.stdout, "ready\n");
    says(&done, &["level: deterministic"]);
}

#[test]
fn script_types_what_it_should_after_what_it_should() {
    let script = "[[console.script]]\nexpect = \"ready\\n\"\nsend = \"abc\"\n\
                  [[console.script]]\nexpect = \"c\"\nsend = \"q\"\n[limits]\ntime = \"1s\"\n\
                  [expect]\nconsole = [\"abcq\"]";
    let done = Bench::with(&elf::echoes().file(), script).run();
    done.expect_code(0);
    assert_eq!(done.stdout, "ready\nabcq");
    says(&done, &["level: deterministic"]);
}
