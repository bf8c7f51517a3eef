//! Raw mode ends however the process does, and a panic's message is readable.
//!
//! It ends in a child at a terminal of its own: this test binary, called again.

use maquette_rim::{RawMode, Signals};
use rustix::process::{Signal, getpid, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OutputModes, tcgetattr};
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

const CHILD: &str = "MAQUETTE_TEST_CHILD";

fn terminal() -> (impl Sized, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let slave = OpenOptions::new().read(true).write(true).open(path);
    (master, slave.expect("its other end"))
}

fn is_cooked(terminal: &File) -> bool {
    let mode = tcgetattr(terminal).expect("its mode");
    mode.local_modes
        .contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
}

fn child(how: &str) -> ExitStatus {
    let (_master, slave) = terminal();
    assert!(is_cooked(&slave));
    let done = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child_that_ends_as_told", "--nocapture"])
        .env(CHILD, how)
        .stdin(slave.try_clone().expect("a copy"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("the child");
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(!stderr.contains("not raw"), "{stderr}");
    let said = stderr.contains("cooked while the message is shown");
    assert_eq!(said, how == "panic", "{stderr}");
    assert!(is_cooked(&slave), "{how} leaves the terminal raw: {stderr}");
    done.status
}

#[test]
fn terminal_is_restored_when_raw_mode_is_dropped() {
    assert!(child("return").success());
}

#[test]
fn terminal_is_restored_before_a_panic_is_shown() {
    assert_eq!(child("panic").code(), Some(101));
}

#[test]
fn terminal_is_restored_before_a_signal_kills_by_its_default() {
    for signal in [Signal::ABORT, Signal::SYS, Signal::TRAP, Signal::BUS] {
        let number = signal.as_raw();
        assert_eq!(child(&number.to_string()).signal(), Some(number));
    }
}

#[test]
fn second_signal_forces_the_end_and_restores_the_terminal() {
    assert_eq!(child("insist").code(), Some(143));
}

#[test]
fn signal_that_no_run_hears_ends_the_process_and_restores_the_terminal() {
    assert_eq!(child("unheard").code(), Some(129));
}

/// The child's part; no test of its own.
#[test]
fn child_that_ends_as_told() {
    let Some(how) = std::env::var_os(CHILD) else {
        return;
    };
    // Runs after the restoring hook, which calls the one that was there before.
    std::panic::set_hook(Box::new(|info| {
        let stdin = File::from(rustix::io::dup(std::io::stdin()).expect("a copy"));
        if is_cooked(&stdin) {
            eprintln!("cooked while the message is shown: {info}");
        }
    }));
    let raw = RawMode::enter().expect("raw mode").expect("a terminal");
    let mode = tcgetattr(std::io::stdin()).expect("its mode");
    let is_raw = !mode.local_modes.contains(LocalModes::ICANON)
        && mode.output_modes.contains(OutputModes::OPOST);
    if !is_raw {
        eprintln!("not raw");
    }
    assert!(RawMode::enter().expect("raw mode").is_none(), "raw twice");
    end_as_told(&how.to_string_lossy());
    drop(raw);
}

fn end_as_told(how: &str) {
    let send = |signal| kill_process(getpid(), signal).expect("the signal");
    match how {
        "return" => {}
        "insist" => {
            let _signals = Signals::listen().expect("handlers");
            loop {
                send(Signal::TERM);
            }
        }
        "unheard" => {
            drop(Signals::listen().expect("handlers"));
            send(Signal::HUP);
            wait_for_the_end();
        }
        "panic" => panic!("as told"),
        number => {
            let number = number.parse().expect("a signal");
            send(Signal::from_named_raw(number).expect("its name"));
            wait_for_the_end();
        }
    }
}

fn wait_for_the_end() {
    let minute = rustix::event::Timespec {
        tv_sec: 60,
        tv_nsec: 0,
    };
    let _ = rustix::event::poll(&mut [], Some(&minute));
}
