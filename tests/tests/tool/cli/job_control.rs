//! The tool in the background, and at a terminal that goes away.

use crate::bench::Bench;
use crate::cli::session::Session;
use crate::elf::{self, Elf};
use rustix::process::{Pid, Signal, kill_process};

fn bench(guest: &Elf) -> Bench {
    Bench::with(&guest.file(), "[limits]\nhost_time = \"100s\"")
}

#[test]
fn run_in_the_background_leaves_the_terminal_alone_and_ends_with_143() {
    let script = "echo ready; set -m; \"$@\" & echo pid $!; wait $!; echo code $?; read end";
    let bench = bench(&elf::spins());
    let mut session = Session::start_shell(&bench, script);
    let pid = session.number_after("pid ");
    session.wait_for("ready");
    assert!(!session.is_raw());
    let pid = Pid::from_raw(pid).expect("a process");
    kill_process(pid, Signal::TERM).expect("the signal");
    session.wait_for("trace hash");
    assert_eq!(session.number_after("code "), 143);
    assert!(!session.is_raw());
}

#[test]
fn run_that_comes_to_the_foreground_takes_the_keys() {
    let script = "set -m; \"$@\" & read line; echo got $line; fg; echo code $?; read end";
    let mut session = Session::start_shell(&bench(&elf::echoes()), script);
    assert!(!session.is_raw());
    // The run is in the background: this is for the shell.
    session.type_in(b"go\n");
    session.wait_for("got go");
    session.wait_until_raw();
    session.type_in(b"abq");
    session.wait_for("abq");
    assert_eq!(session.number_after("code "), 0);
    assert!(!session.is_raw());
}

#[test]
fn terminal_that_goes_away_ends_the_run_with_129() {
    for (guest, pace) in [
        (elf::echoes(), "virtual"),
        (elf::sleeps(), "virtual"),
        (elf::sleeps(), "real"),
        (elf::spins(), "real"),
        (elf::says_ready_and_chatters(), "virtual"),
        (elf::says_ready_and_chatters(), "real"),
    ] {
        let bench = bench(&guest);
        let mut session = Session::start(&bench, &["--pace", pace]);
        session.hang_up();
        assert_eq!(session.wait().code(), Some(129));
        // The same with SIGHUP on top: the terminal controls the process.
        let script = format!("exec \"$@\" --pace {pace}");
        let mut session = Session::start_shell(&bench, &script);
        session.hang_up();
        assert_eq!(session.wait().code(), Some(129));
    }
}
