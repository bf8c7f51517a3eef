//! What a run writes is nothing else of the run: refused before it begins, and nothing is lost.

use crate::bench::{Bench, refused, says};
use crate::elf;
use maquette_tests::Finished;
use maquette_tests::tool::Tool;
use std::fs;

const DISK: &str = "[[device]]\ntype = \"virtio-blk\"\nslot = 0\nfile = \"disk\"\n";

fn bench(mode: &str) -> Bench {
    let bench = Bench::with(
        &elf::says("x").file(),
        &format!("{DISK}mode = \"{mode}\"\n"),
    );
    bench.put("disk", &[0; 4096]);
    bench
}

fn run(bench: &Bench, verb: &str, file: &str, more: &[&str]) -> Finished {
    let tool = Tool::new(verb).arg(file).folder(bench.folder());
    more.iter().fold(tool, Tool::arg).finish()
}

#[test]
fn two_outputs_of_one_name_are_refused_with_both_options() {
    let bench = bench("read-only");
    let stop = ["--at", "1ns"];
    for (first, second) in [
        ("--stats", "--record"),
        ("--stats", "--snapshot"),
        ("--stats", "--trace"),
        ("--record", "--snapshot"),
        ("--record", "--trace"),
        ("--snapshot", "--trace"),
    ] {
        let mut more = vec![first, "one", second, "./one"];
        if [first, second].contains(&"--snapshot") {
            more.extend(stop);
        }
        let done = run(&bench, "run", "x.toml", &more);
        let words = format!("`{second}` names the file of `{first}`: ./one");
        refused(
            &done,
            &[&words, &format!("name another file with `{second}`")],
        );
        assert_eq!(done.stdout, "");
        assert!(!bench.path("one").exists());
    }
}

#[test]
fn output_that_is_an_input_is_refused_and_the_input_is_left_as_it_was() {
    let bench = bench("read-only");
    for (name, what) in [
        ("x.toml", "the system file"),
        ("guest.elf", "the file of `boot.kernel`"),
        ("disk", "the file of `device[0].file`"),
    ] {
        let before = fs::read(bench.path(name)).expect("the input");
        for option in ["--stats", "--record", "--snapshot", "--trace"] {
            let mut more = vec![option, name];
            if option == "--snapshot" {
                more.extend(["--at", "1ns"]);
            }
            let done = run(&bench, "run", "x.toml", &more);
            refused(&done, &[&format!("`{option}` names {what}: {name}")]);
        }
        assert!(fs::read(bench.path(name)).is_ok_and(|now| now == before));
    }
    let more = ["--listen", "unix:s", "--stats", "s"];
    let done = run(&bench, "gdb", "x.toml", &more);
    refused(&done, &["`--listen` names the file of `--stats`: s"]);
}

#[test]
fn snapshot_and_recording_are_not_written_over_by_what_comes_of_them() {
    let bench = bench("read-only");
    let more = ["--record", "a.maqr", "--snapshot", "a.maqs", "--at", "1ns"];
    run(&bench, "run", "x.toml", &more).expect_code(0);
    let again = ["--snapshot", "a.maqs", "--at", "2ns"];
    let done = run(&bench, "resume", "a.maqs", &again);
    refused(
        &done,
        &["`--snapshot` names the snapshot that it begins at: a.maqs"],
    );
    let done = run(&bench, "replay", "a.maqr", &["--stats", "a.maqr"]);
    refused(&done, &["`--stats` names the recording: a.maqr"]);
    run(&bench, "resume", "a.maqs", &["--stats", "s.json"]).expect_code(0);
}

#[test]
fn snapshot_beside_a_raw_disk_is_warned_about_unless_the_run_ends_with_it() {
    let warned = |mode: &str, more: &[&str]| {
        let snapshot = ["--snapshot", "a.maqs", "--at", "1ns"];
        let more = [&snapshot[..], more].concat();
        let done = run(&bench(mode), "run", "x.toml", &more);
        done.expect_code(0);
        if done.stderr.contains("warning") {
            says(
                &done,
                &["warning: device[0].file is no part", "remedy: ", "`--stop`"],
            );
        }
        done.stderr.contains("warning")
    };
    assert!(warned("raw", &[]));
    assert!(!warned("raw", &["--stop"]));
    assert!(!warned("copy-on-write", &[]));
    assert!(!warned("read-only", &[]));
}
