//! The real-time clock: a fixed date and virtual time, or the host's date where a system file asks for it.

use std::time::{SystemTime, UNIX_EPOCH};

use maquette_tests::guests::guest;
use maquette_tests::tool::{Tool, trace_hash};
use maquette_tests::{Limit, need};

use crate::linux::{Linux, answers};
use crate::ran::{Ran, folder, plain, system, system_with};

/// What the guest read first, in seconds since 1970.
#[track_caller]
fn date(ran: &Ran) -> u64 {
    let console = ran.console();
    let date = console.lines().find_map(|line| line.strip_prefix("date: "));
    let seconds = date.and_then(|d| d.split(' ').next()?.parse().ok());
    seconds.unwrap_or_else(|| panic!("no date in {console}"))
}

#[test]
fn rv_66_a_bare_guest_reads_the_date_and_an_alarm_interrupts_it() {
    let ran = system("rtc").clean();
    assert_eq!(
        ran.console().lines().collect::<Vec<_>>(),
        [
            "date: 1772366400 s since 1970",
            "PASS clock: goes on",
            "PASS alarm: one interrupt, not before its time",
            "PASS clock: can be set",
        ]
    );
    assert_eq!(ran.stats["level"], "deterministic");
    assert_eq!(system("rtc").hash(), ran.hash());
}

#[test]
fn rv_66_the_date_of_the_host_is_taken_once_and_can_be_given_again() {
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
    };
    let free = "expect.console=[]";
    let before = now().as_secs();
    let ran = system_with("rtc", &["machine.rtc=host", free]).clean();
    let after = now().as_secs();
    assert!((before..=after).contains(&date(&ran)), "{before} {after}");
    assert_eq!(ran.stats["level"], "replayable");
    let shown = ran.stats["machine"]["host_date"].as_str().expect("a date");
    let again = format!("machine.rtc={shown}");
    assert!(ran.run.stderr.contains(&again), "{}", ran.run.stderr);
    let again = system_with("rtc", &[&again, free]).clean();
    assert_eq!(again.hash(), ran.hash());
    assert_eq!(again.stats["level"], "deterministic");
}

#[test]
fn rv_66_a_recording_keeps_the_date_that_came_from_the_host() {
    let folder = folder();
    let recording = folder.path().join("a.maqr");
    let run = Tool::run("systems/rtc.toml")
        .arg("--set")
        .arg("machine.rtc=host")
        .arg("--set")
        .arg("expect.console=[]")
        .arg("--record")
        .arg(&recording)
        .finish();
    run.expect_code(0);
    let replayed = Tool::new("replay").arg(&recording).finish();
    replayed.expect_code(0);
    assert_eq!(replayed.stdout, run.stdout);
    assert_eq!(trace_hash(&replayed), trace_hash(&run));
}

#[test]
fn rv_66_linux_takes_its_date_from_the_clock() {
    let _linux = need!(linux_riscv);
    let ran = Linux::new(1)
        .type_in(&["date -u +%Y-%m-%dT%H:%M", "dmesg | grep rtc", "exit"])
        .run();
    let console = ran.console();
    let answers = answers(&console);
    assert_eq!(answers[0], "2026-01-01T00:00", "{console}");
    assert!(
        answers[1].contains("goldfish_rtc 101000.rtc: setting system clock to 2026-01-01T00:00:0"),
        "{}",
        answers[1]
    );
}

#[test]
fn rv_66_the_program_says_the_same_in_qemu() {
    let qemu = need!(qemu);
    let there = qemu
        .virt()
        .bare(&guest("rtc"))
        .size(64, 1)
        .args(["-rtc", "base=2026-03-01T12:00:00,clock=vm"])
        .limit(Limit::seconds(300))
        .finish();
    there.expect_code(0);
    assert_eq!(plain(&there.stdout), system("rtc").clean().console());
}
