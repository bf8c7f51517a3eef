//! The tool at a terminal of its own.

use crate::bench::Bench;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, tcgetattr};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How long the tool may show nothing.
const PATIENCE: Duration = Duration::from_secs(60);

fn timespec() -> Timespec {
    Timespec::try_from(PATIENCE).expect("a minute")
}

/// The tool at a terminal of its own.
pub struct Session {
    /// `None` when it has been closed.
    master: Option<File>,
    /// Kept open, so that the terminal and its mode outlive the tool.
    pub slave: File,
    before: Termios,
    child: Child,
    shown: String,
    /// How much of it an earlier wait has looked at.
    seen: usize,
}

impl Session {
    /// Starts the guest and waits until it is ready.
    pub fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let tool = bench.tool("run");
        let command = arguments.iter().fold(tool, |t, a| t.arg(a)).command();
        Self::start_command(command)
    }

    /// Runs `script` in a shell whose controlling terminal this is, with job control; `"$@"` is the
    /// tool with the guest. Waits until the guest is ready.
    pub fn start_shell(bench: &Bench, script: &str) -> Self {
        let tool = bench.tool("run").command();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "sh", "-c", script, "sh"]);
        command.arg(tool.get_program()).args(tool.get_args());
        command.current_dir(bench.folder());
        Self::start_command(command)
    }

    /// What the terminal has shown so far.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    fn start_command(mut command: Command) -> Self {
        // Nobody inherits the other end: the terminal is gone when it is closed here.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        // Not to become the tests' own.
        options.custom_flags(OFlags::NOCTTY.bits().cast_signed());
        let slave = options.open(path).expect("its other end");
        let before = tcgetattr(&slave).expect("the mode");
        let end = || OwnedFd::from(slave.try_clone().expect("a copy"));
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().expect("the tool");
        drop(command);
        let mut session = Self {
            master: Some(File::from(master)),
            slave,
            before,
            child,
            shown: String::new(),
            seen: 0,
        };
        session.wait_for("ready");
        session
    }

    /// The mode before the tool started.
    pub fn mode_before(&self) -> Termios {
        self.before.clone()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal to the tool (or the shell).
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the signal");
    }

    /// Closes the terminal, as a window that is closed or a connection that is lost.
    pub fn hang_up(&mut self) {
        self.master = None;
    }

    pub fn is_raw(&self) -> bool {
        let mode = tcgetattr(&self.slave).expect("the mode");
        !mode
            .local_modes
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.shown[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            let master = self.master.as_mut().expect("an open terminal");
            let mut fds = [PollFd::new(master, PollFlags::IN)];
            let ready = poll(&mut fds, Some(&timespec())).expect("a poll");
            assert!(ready > 0, "waiting for {text:?}: {}", self.shown);
            let mut buffer = [0; 1024];
            let count = master.read(&mut buffer).expect("what the terminal shows");
            self.shown
                .push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    pub fn type_in(&mut self, keys: &[u8]) {
        let master = self.master.as_mut().expect("an open terminal");
        master.write_all(keys).expect("the terminal takes keys");
    }

    /// Waits until the terminal is raw.
    pub fn wait_until_raw(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.is_raw() {
            assert!(Instant::now() < end, "the terminal is never raw");
            thread::yield_now();
        }
    }

    /// The number after `text`.
    pub fn number_after(&mut self, text: &str) -> i32 {
        self.wait_for(text);
        self.wait_for("\n");
        let line = self.shown[..self.seen].lines().next_back();
        let number = line.and_then(|line| line.rsplit(text).next());
        let number = number.and_then(|n| n.trim().parse().ok());
        number.unwrap_or_else(|| panic!("no number after {text:?}: {}", self.shown))
    }

    /// Waits for the end, without looking at what is shown.
    pub fn wait(&mut self) -> ExitStatus {
        let handle = pidfd_open(self.pid(), PidfdFlags::empty()).expect("a handle");
        let mut fds = [PollFd::new(&handle, PollFlags::IN)];
        let ended = poll(&mut fds, Some(&timespec())).expect("a poll");
        assert!(ended > 0, "the tool does not end: {}", self.shown);
        self.child.wait().expect("its end")
    }

    /// Waits for the end; the code, and whether the terminal is as it was.
    pub fn finish(mut self) -> (Option<i32>, bool, String) {
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
