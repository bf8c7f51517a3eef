//! The line about a long run: at a terminal that nobody types at, and nowhere else.

use crate::bench::Bench;
use crate::cli::session::Session;
use crate::elf;

const LINE: &str = " s simulated, ";
const ERASE: &str = "\r\u{1b}[K";

/// A guest that spins for some time of the host; its script keeps the keyboard away from it.
fn bench(host_time: &str) -> Bench {
    let script = "[[console.script]]\nexpect = \"never\"\nsend = \"x\"";
    let more = format!("[limits]\nhost_time = \"{host_time}\"\n{script}");
    Bench::with(&elf::spins().file(), &more)
}

#[test]
fn rv_48_line_about_a_long_run_is_gone_before_the_report() {
    let mut session = Session::start(&bench("4s"), &[]);
    session.wait_for(LINE);
    let (code, _, shown) = session.finish();
    assert_eq!(code, Some(124), "{shown}");
    let (before, _) = shown.split_once("maquette: limit").expect("the report");
    let (_, last) = before.rsplit_once(LINE).expect("the line");
    assert!(last.contains("MIPS") && last.ends_with(ERASE), "{last:?}");
}

#[test]
fn rv_48_no_line_with_quiet_and_none_without_a_terminal() {
    let mut session = Session::start(&bench("3s"), &["--quiet"]);
    session.wait_for("the script still waits");
    assert!(!session.shown().contains(LINE), "{}", session.shown());
    let done = bench("3s").tool("run").finish();
    done.expect_code(124);
    assert!(!done.stderr.contains('\u{1b}'), "{}", done.describe());
}
