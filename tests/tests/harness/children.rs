//! Children that end, hang, talk, and are missing.

use std::process::Command;
use std::time::Duration;

use maquette_tests::child::{self, Dialogue, Limit};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn child_that_ends_gives_code_and_both_outputs() {
    let done = child::run(
        shell("read line; echo got $line; echo bad >&2; exit 3"),
        b"tea\n",
        Limit::seconds(20),
    );
    assert_eq!((done.code(), done.timed_out), (Some(3), false));
    assert_eq!(
        (done.stdout.as_str(), done.stderr.as_str()),
        ("got tea\n", "bad\n")
    );
    done.expect_code(3);
}

#[test]
fn child_that_hangs_is_killed_at_its_limit_and_its_output_kept() {
    let limit = Limit(Duration::from_millis(300));
    let done = child::run(shell("echo started; exec tail -f /dev/null"), b"", limit);
    assert!(done.timed_out, "{}", done.describe());
    assert_eq!(done.code(), None);
    assert_eq!(done.stdout, "started\n");
}

#[test]
fn child_that_closes_its_output_and_lives_on_is_killed_too() {
    let limit = Limit(Duration::from_millis(300));
    let done = child::run(shell("exec >&- 2>&-; exec sleep 100"), b"", limit);
    assert!(done.timed_out, "{}", done.describe());
}

#[test]
fn child_that_reads_nothing_of_much_input_still_ends() {
    let done = child::run(shell("exit 0"), &vec![b'x'; 1 << 20], Limit::seconds(20));
    done.expect_code(0);
}

#[test]
fn dialogue_hears_each_text_once_and_in_order() {
    let mut talk = Dialogue::start(
        shell("echo 'a> '; read x; echo \"a> $x\"; exit 4"),
        Limit::seconds(20),
    );
    talk.wait_for("a> ");
    talk.type_in("again\n");
    talk.wait_for("a> again");
    let done = talk.finish();
    assert_eq!(done.code(), Some(4));
    assert_eq!(done.stdout, "a> \na> again\n");
}

#[test]
#[should_panic(expected = "waiting for \"never\"")]
fn dialogue_that_ends_early_says_what_was_waited_for() {
    Dialogue::start(shell("echo something else"), Limit::seconds(20)).wait_for("never");
}
