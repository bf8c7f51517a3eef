//! `--stats`: counters for programs, to a file or an output.

use crate::bench::{Bench, refused, says};
use crate::elf;
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::Value;

#[test]
fn stats_file_holds_status_times_counters_and_hash() {
    let bench = Bench::with(&elf::says("x").file(), "");
    let done = bench.tool("run").arg("--stats").arg("s.json").finish();
    done.expect_code(0);
    let text = std::fs::read_to_string(bench.path("s.json")).expect("the file");
    let stats: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(stats["guest_status"], 0);
    assert_eq!(stats["exit_code"], 0);
    assert_eq!(stats["verdict"], "clean");
    assert_eq!(stats["level"], "deterministic");
    assert_eq!(stats["events"]["console"], 1);
    assert_eq!(
        stats["machine"]["harts"][0]["instructions"],
        stats["instructions"]
    );
    assert_eq!(stats["trace_hash"].as_str().map(str::len), Some(64));
    let shown = done
        .stderr
        .contains(stats["trace_hash"].as_str().expect("a text"));
    assert!(shown, "{}", done.describe());
}

#[test]
fn stats_file_that_cannot_be_made_is_an_error_before_the_run() {
    let bench = Bench::with(&elf::says("x").file(), "");
    let done = bench
        .tool("run")
        .arg("--stats")
        .arg("no/such/s.json")
        .finish();
    refused(&done, &["--stats no/such/s.json"]);
    assert_eq!(done.stdout, "");
}

#[test]
fn stats_to_what_is_no_file_are_refused_before_the_run() {
    let bench = Bench::with(&elf::says("x").file(), "");
    mkfifoat(CWD, bench.path("fifo"), Mode::RUSR | Mode::WUSR).expect("a pipe");
    for place in ["fifo", "/dev/zero", "."] {
        let done = bench.tool("run").arg("--stats").arg(place).finish();
        refused(&done, &[&format!("--stats {place}: this is a")]);
        assert_eq!(done.stdout, "");
    }
}

#[test]
fn stats_go_to_an_output_where_that_is_named() {
    let bench = Bench::with(&elf::says("x\n").file(), "");
    let before = bench.names();
    let run = |place: &str| {
        let done = bench
            .tool("run")
            .arg("--quiet")
            .arg("--stats")
            .arg(place)
            .finish();
        done.expect_code(0);
        (done.stdout, done.stderr)
    };
    let is_stats = |text: &str| {
        let stats: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(stats["verdict"], "clean");
    };
    for place in ["-", "/dev/stdout"] {
        let (stdout, stderr) = run(place);
        is_stats(stdout.strip_prefix("x\n").expect("the console first"));
        assert_eq!(stderr, "");
    }
    let (stdout, stderr) = run("/dev/stderr");
    is_stats(&stderr);
    assert_eq!(stdout, "x\n");
    assert_eq!(run("/dev/null"), ("x\n".to_owned(), String::new()));
    assert_eq!(bench.names(), before);
}

#[test]
fn stats_name_each_reason_with_its_class() {
    let more = "[limits]\ntime = \"5ms\"\n[expect]\nconsole = [\"login:\"]";
    let bench = Bench::with(&elf::spins().file(), more);
    let done = bench.tool("run").arg("--stats").arg("s.json").finish();
    done.expect_code(124);
    let text = std::fs::read_to_string(bench.path("s.json")).expect("the file");
    let stats: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(stats["reasons"][0]["class"], "limit");
    assert_eq!(stats["simulated_ps"], 5_000_000_000_u64);
    assert_eq!(stats["reasons"][1]["class"], "guest failure");
    says(&done, &["`limits.time`", "time: 0.005000000 s simulated"]);
}

#[test]
fn time_of_a_run_that_slept_to_its_limit_is_the_limit() {
    for (more, end) in [
        ("[limits]\ntime = \"70ms\"", 124),
        ("[expect]\ntime = \"70ms\"", 2),
    ] {
        let bench = Bench::with(&elf::sleeps_for_a_second().file(), more);
        let done = bench.tool("run").arg("--stats").arg("-").finish();
        done.expect_code(end);
        says(&done, &["time: 0.070000000 s simulated"]);
    }
}
