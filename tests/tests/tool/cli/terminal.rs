//! The tool at a terminal: raw while the guest runs, and as before on every way out.

use crate::bench::Bench;
use crate::cli::session::Session;
use crate::elf::{self, Elf};
use rustix::process::{Signal, WaitOptions, waitpid};
use rustix::termios::{OptionalActions, tcsetattr};

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
fn signal_that_asks_for_an_end_ends_the_run_and_restores_the_terminal() {
    for signal in [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::XCPU,
        Signal::IO,
        Signal::POWER,
    ] {
        let session = Session::start(&bench(&elf::spins()), &[]);
        session.signal(signal);
        let (ended, restored, shown) = session.finish();
        let code = 128 + signal.as_raw();
        assert_eq!((ended, restored), (Some(code), true), "{shown}");
    }
}

#[test]
fn signal_that_kills_at_once_restores_the_terminal() {
    for signal in [Signal::ABORT, Signal::SYS] {
        let mut session = Session::start(&bench(&elf::spins()), &[]);
        assert!(session.is_raw());
        session.signal(signal);
        let status = session.wait();
        let killed_by = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(killed_by, Some(signal.as_raw()), "{status}");
        assert!(!session.is_raw(), "{signal:?} leaves the terminal raw");
    }
}

#[test]
fn stopped_run_restores_the_terminal_and_makes_it_raw_when_it_goes_on() {
    let cooked = Session::start(&bench(&elf::spins()), &[]).mode_before();
    for stop in [Signal::TSTP, Signal::TTIN, Signal::STOP] {
        let mut session = Session::start(&bench(&elf::echoes()), &[]);
        assert!(session.is_raw());
        session.signal(stop);
        let status = waitpid(Some(session.pid()), WaitOptions::UNTRACED).expect("a child");
        assert!(status.is_some_and(|(_, s)| s.stopped()), "{status:?}");
        if stop == Signal::STOP {
            // Cannot be caught: a shell puts its own mode back.
            tcsetattr(&session.slave, OptionalActions::Now, &cooked).expect("the shell's mode");
        }
        assert!(!session.is_raw(), "{stop:?} leaves the terminal raw");
        session.signal(Signal::CONT);
        session.wait_until_raw();
        session.type_in(b"ab");
        session.wait_for("ab");
        session.type_in(b"q");
        let (code, restored, shown) = session.finish();
        assert_eq!((code, restored), (Some(0), true), "{shown}");
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

/// The trace hash in what was shown.
fn hash(text: &str) -> Option<String> {
    let line = text.lines().find_map(|l| l.split_once("trace hash: "));
    line.and_then(|(_, hash)| hash.split_whitespace().next().map(str::to_owned))
}

#[test]
fn rv_41_replay_of_a_burst_of_keys_has_the_hash_of_the_run() {
    let bench = bench(&elf::echoes());
    let recording = bench.folder().join("burst.maqr");
    let name = recording.to_string_lossy().into_owned();
    for pace in ["virtual", "real"] {
        let mut session = Session::start(&bench, &["--record", &name, "--pace", pace]);
        // More at once than the serial port holds: some are lost, and the same ones each time.
        let burst: Vec<u8> = (b'a'..=b'p').cycle().take(1500).collect();
        session.type_in(&burst);
        session.wait_for("abc");
        session.type_in(b"\x01x");
        let (code, _, shown) = session.finish();
        assert_eq!(code, Some(0), "{shown}");
        let tool = maquette_tests::tool::Tool::new("replay").arg(&recording);
        let replayed = tool.finish();
        replayed.expect_code(0);
        assert!(hash(&shown).is_some(), "{shown}");
        assert_eq!(hash(&replayed.stderr), hash(&shown), "{pace}");
        assert!(replayed.stdout.contains("abc"), "{}", replayed.stdout);
    }
}

#[test]
fn rv_41_replay_of_what_a_person_typed_ends_where_the_person_ended_it() {
    let bench = bench(&elf::echoes());
    let recording = bench.folder().join("typed.maqr");
    let name = recording.to_string_lossy().into_owned();
    for ending in ["q", "\x01x"] {
        let mut session = Session::start(&bench, &["--record", &name]);
        session.type_in(b"ab");
        session.wait_for("ab");
        session.type_in(b"cd");
        session.wait_for("cd");
        session.type_in(ending.as_bytes());
        let (code, _, shown) = session.finish();
        assert_eq!(code, Some(0), "{shown}");
        let replayed = maquette_tests::tool::Tool::new("replay")
            .arg(&recording)
            .finish();
        assert_eq!(hash(&replayed.stderr), hash(&shown), "{}", replayed.stderr);
        assert!(hash(&shown).is_some(), "{shown}");
        assert!(replayed.stdout.contains("abcd"), "{}", replayed.stdout);
    }
}
