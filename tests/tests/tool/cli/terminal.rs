//! The tool at a terminal: raw while the guest runs, and as before on every way out.

use crate::bench::Bench;
use crate::elf::{self, Elf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Child;

/// How long the tool may show nothing.
const PATIENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// The tool at a terminal of its own.
struct Session {
    master: File,
    /// Kept open, so that the terminal and its mode outlive the tool.
    slave: File,
    child: Child,
    shown: String,
    /// How much of it an earlier wait has looked at.
    seen: usize,
}

impl Session {
    /// Starts the guest and waits until it is ready.
    fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .expect("its other end");
        let end = || OwnedFd::from(slave.try_clone().expect("a copy"));
        let mut command = arguments
            .iter()
            .fold(bench.tool("run"), |t, a| t.arg(a))
            .command();
        let child = command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the tool");
        drop(command);
        let mut session = Self {
            master: File::from(master),
            slave,
            child,
            shown: String::new(),
            seen: 0,
        };
        session.wait_for("ready");
        session
    }

    fn is_raw(&self) -> bool {
        let mode = tcgetattr(&self.slave).expect("the mode");
        !mode
            .local_modes
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.shown[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
            let ready = poll(&mut fds, Some(&PATIENCE)).expect("a poll");
            assert!(ready > 0, "waiting for {text:?}: {}", self.shown);
            let mut buffer = [0; 1024];
            let count = self
                .master
                .read(&mut buffer)
                .expect("what the terminal shows");
            self.shown
                .push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn type_in(&mut self, keys: &[u8]) {
        self.master
            .write_all(keys)
            .expect("the terminal takes keys");
    }

    /// Waits for the end; the code, and whether the terminal is as it was.
    fn finish(mut self) -> (Option<i32>, bool, String) {
        self.wait_for("trace hash");
        let code = self.child.wait().expect("its end").code();
        let restored = !self.is_raw();
        (code, restored, self.shown.clone())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bench(guest: &Elf) -> Bench {
    Bench::with(&guest.file(), "[limits]\nhost_time = \"100s\"")
}

#[test]
fn typed_keys_reach_the_guest_and_the_terminal_is_restored_at_its_end() {
    let mut session = Session::start(&bench(&elf::echoes()), &[]);
    assert!(session.is_raw());
    // Control-C is a key like any other.
    session.type_in(b"ab\x03z");
    session.wait_for("ab\u{3}z");
    session.type_in(b"q");
    let (code, restored, shown) = session.finish();
    assert_eq!((code, restored), (Some(0), true), "{shown}");
    assert!(shown.contains("level: replayable"), "{shown}");
}

#[test]
fn escape_key_shows_help_and_ends_the_run() {
    let mut session = Session::start(&bench(&elf::echoes()), &[]);
    session.type_in(b"\x01h");
    session.wait_for("Ctrl-A x ends the run");
    session.type_in(b"\x01x");
    let (code, restored, shown) = session.finish();
    assert_eq!((code, restored), (Some(0), true), "{shown}");
    assert!(shown.contains("ended from the terminal"), "{shown}");
}

#[test]
fn escape_key_works_while_the_guest_is_busy_at_either_pace() {
    for pace in ["virtual", "real"] {
        let mut session = Session::start(&bench(&elf::spins()), &["--pace", pace]);
        session.type_in(b"\x01x");
        let (code, restored, shown) = session.finish();
        assert_eq!((code, restored), (Some(0), true), "{shown}");
    }
}

#[test]
fn guest_that_waits_for_a_key_is_no_deadlock_at_a_terminal() {
    let mut session = Session::start(&bench(&elf::sleeps()), &[]);
    session.type_in(b"x\x01x");
    let (code, restored, shown) = session.finish();
    assert_eq!((code, restored), (Some(0), true), "{shown}");
    assert!(!shown.contains("deadlock"), "{shown}");
}

#[test]
fn signal_restores_the_terminal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let session = Session::start(&bench(&elf::spins()), &[]);
        kill_process(Pid::from_child(&session.child), signal).expect("the signal");
        let (ended, restored, shown) = session.finish();
        assert_eq!((ended, restored), (Some(code), true), "{shown}");
    }
}

#[test]
fn system_with_a_script_leaves_the_terminal_alone_unless_told_otherwise() {
    let script =
        "[[console.script]]\nexpect = \"ready\\n\"\nsend = \"q\"\n[limits]\nhost_time = \"100s\"";
    let bench = Bench::with(&elf::echoes().file(), script);
    let session = Session::start(&bench, &[]);
    let (code, restored, shown) = session.finish();
    assert_eq!((code, restored), (Some(0), true), "{shown}");
    assert!(shown.contains("level: deterministic"), "{shown}");
    let mut session = Session::start(&bench, &["--interactive"]);
    assert!(session.is_raw());
    session.type_in(b"q");
    let (code, restored, shown) = session.finish();
    assert_eq!((code, restored), (Some(0), true), "{shown}");
    assert!(shown.contains("level: replayable"), "{shown}");
}
