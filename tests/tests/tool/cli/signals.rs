//! Signals end a run cleanly, with the report and the code that shells expect.

use crate::bench::Bench;
use crate::elf::{self, Elf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

/// Starts the guest and waits until it says that it is ready.
fn start(bench: &Bench, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = arguments
        .iter()
        .fold(bench.tool("run"), |t, a| t.arg(a))
        .command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(line.trim_end(), "ready");
    (child, out)
}

fn end(guest: &Elf, arguments: &[&str], signal: Signal) -> (Option<i32>, String) {
    let bench = Bench::with(&guest.file(), "[limits]\nhost_time = \"100s\"");
    let before = bench.names();
    let (mut child, out) = start(&bench, arguments);
    kill_process(Pid::from_child(&child), signal).expect("the signal");
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("text");
    let code = child.wait().expect("its end").code();
    drop(out);
    assert_eq!(bench.names(), before, "something was left behind");
    (code, stderr)
}

#[test]
fn interrupt_ends_a_busy_run_with_130() {
    let (code, stderr) = end(&elf::spins(), &[], Signal::INT);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("ended by SIGINT"), "{stderr}");
    assert!(stderr.contains("(ended from outside at "), "{stderr}");
}

#[test]
fn termination_ends_a_busy_run_with_143() {
    let (code, stderr) = end(&elf::spins(), &[], Signal::TERM);
    assert_eq!(code, Some(143), "{stderr}");
    assert!(stderr.contains("ended by SIGTERM"), "{stderr}");
}

#[test]
fn termination_ends_a_run_that_is_paced_by_the_host() {
    let (code, stderr) = end(&elf::spins(), &["--pace", "real"], Signal::TERM);
    assert_eq!(code, Some(143), "{stderr}");
}

#[test]
fn termination_ends_a_run_whose_output_nobody_reads() {
    // The guest says `ready` and far more than a pipe holds; the tool waits for room.
    let bench = Bench::with(&elf::chatters().file(), "[limits]\nhost_time = \"100s\"");
    let mut command = bench.tool("run").command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool");
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 5]).expect("a line");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("the signal");
    assert_eq!(child.wait().expect("its end").code(), Some(143));
}

#[test]
fn second_signal_forces_the_end_of_a_run_that_cannot_report() {
    // Nobody reads standard error, and there is no room left.
    let (_reader, writer) = rustix::pipe::pipe().expect("a pipe");
    let flags = fcntl_getfl(&writer).expect("its flags");
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).expect("new flags");
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&writer, flags).expect("the flags again");
    let bench = Bench::with(&elf::spins().file(), "[limits]\nhost_time = \"100s\"");
    let mut command = bench.tool("run").command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(writer);
    let mut child = command.spawn().expect("the tool");
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 6]).expect("a line");
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    let is_gone = (0..600).any(|_| {
        kill_process(Pid::from_child(&child), Signal::TERM).expect("the signal");
        // Standard output hangs up when the tool is gone.
        let mut fds = [PollFd::new(&out, PollFlags::IN)];
        poll(&mut fds, Some(&moment)).expect("a poll") > 0
    });
    child.kill().expect("an end");
    let status = child.wait().expect("its end");
    assert!(is_gone, "the tool cannot be ended");
    assert_eq!(status.code(), Some(143));
}
