//! Runs that are saved and gone on from, and runs that are recorded and replayed.

use std::fs;
use std::path::Path;

use maquette_tests::need;
use maquette_tests::tool::{Tool, trace_hash};
use maquette_tests::{Finished, places};
use tempfile::TempDir;

use crate::ran::{LIMIT, folder, run, system, write};

/// Runs a system and takes a snapshot on the way; the hash of the run, which goes on.
fn saved(system: &str, snapshot: &Path, moment: [&str; 2], more: &[&str]) -> String {
    let tool = Tool::run(system).arg("--snapshot").arg(snapshot);
    let tool = moment.iter().chain(more).fold(tool, Tool::arg).limit(LIMIT);
    let run = tool.finish();
    run.expect_code(0);
    trace_hash(&run).expect("a hash")
}

fn again(verb: &str, file: &Path) -> Finished {
    let run = Tool::new(verb).arg(file).limit(LIMIT).finish();
    run.expect_code(0);
    run
}

#[test]
fn rv_43_linux_saved_at_its_prompt_goes_on_to_the_same_hash() {
    need!(linux_riscv);
    let folder = folder();
    let file = folder.path().join("prompt.maqs");
    let hash = saved("systems/linux.toml", &file, ["--when", "linux# "], &[]);
    assert_eq!(hash, system("linux").clean().hash());
    let resumed = again("resume", &file);
    assert_eq!(trace_hash(&resumed), Some(hash.clone()));
    // As often as one likes, also saved anew on the way.
    let later = folder.path().join("later.maqs");
    let tool = Tool::new("resume").arg(&file).arg("--snapshot").arg(&later);
    let run = tool.arg("--when").arg("/dev/vda").limit(LIMIT).finish();
    run.expect_code(0);
    assert_eq!(trace_hash(&run), Some(hash.clone()));
    assert_eq!(trace_hash(&again("resume", &later)), Some(hash));
}

#[test]
fn rv_43_four_harts_of_linux_saved_while_they_boot_go_on_to_the_same_hash() {
    need!(linux_riscv);
    let folder = folder();
    let file = folder.path().join("boot.maqs");
    let hash = saved("systems/linux-smp.toml", &file, ["--at", "700ms"], &[]);
    assert_eq!(trace_hash(&again("resume", &file)), Some(hash));
}

#[test]
fn rv_43_copy_on_write_disk_comes_back_with_what_was_written() {
    let folder = folder();
    let file = folder.path().join("demo.maqs");
    let whole = system("demo").clean().hash();
    for at in ["100us", "400us", "2ms"] {
        let hash = saved("systems/demo.toml", &file, ["--at", at], &[]);
        assert_eq!(hash, whole);
        assert_eq!(trace_hash(&again("resume", &file)), Some(hash));
    }
}

#[test]
fn snapshot_can_be_the_end_of_a_run() {
    let folder = folder();
    let file = folder.path().join("demo.maqs");
    let tool = Tool::run("systems/demo.toml").arg("--snapshot").arg(&file);
    let run = tool.arg("--at").arg("100us").arg("--stop").finish();
    run.expect_code(0);
    assert!(
        run.stderr.contains("end: the snapshot is written"),
        "{run:?}"
    );
    assert_eq!(
        trace_hash(&again("resume", &file)),
        Some(system("demo").clean().hash())
    );
}

#[test]
fn snapshot_whose_moment_never_comes_is_a_failure_that_says_so() {
    let folder = folder();
    let file = folder.path().join("never.maqs");
    for (moment, why) in [
        (
            ["--when", "no such text"],
            "no console showed \"no such text\"",
        ),
        (["--at", "1h"], "the run ended before 3600s"),
    ] {
        let tool = Tool::run("systems/hello.toml").arg("--snapshot").arg(&file);
        let run = moment.iter().fold(tool, Tool::arg).finish();
        run.expect_code(2);
        assert!(run.stderr.contains(why), "{}", run.stderr);
        assert!(!file.exists());
    }
}

/// A system in a folder of its own whose guest and disk can be changed.
fn own_system() -> TempDir {
    let folder = folder();
    let guest = places::guests().join("smode");
    fs::copy(&guest, folder.path().join("kernel")).expect("the guest is built");
    write(&folder, "disk", vec![0; 64 << 10]);
    let text = r#"
        [boot]
        mode = "sbi"
        kernel = "kernel"
        [[device]]
        type = "virtio-blk"
        slot = 0
        file = "disk"
        mode = "copy-on-write"
    "#;
    write(&folder, "own.toml", text);
    folder
}

#[test]
fn rv_44_snapshot_of_other_images_is_refused_and_names_the_first() {
    let system = own_system();
    let at = |name: &str| system.path().join(name);
    let tool = Tool::run(at("own.toml"))
        .arg("--snapshot")
        .arg(at("a.maqs"));
    let tool = tool.arg("--at").arg("50us").arg("--stop");
    tool.finish().expect_code(0);
    let refused = |changed: &str, bytes: &[u8], what: &str| {
        let before = fs::read(at(changed)).expect("the image");
        fs::write(at(changed), bytes).expect("the image can be changed");
        let run = Tool::new("resume").arg(at("a.maqs")).finish();
        run.expect_code(1);
        assert!(run.stderr.contains(what), "{}", run.stderr);
        assert!(run.stderr.contains("remedy: put the same file there"));
        fs::write(at(changed), before).expect("the image can be changed back");
    };
    let mut other = fs::read(at("kernel")).expect("the kernel");
    *other.last_mut().expect("bytes") ^= 1;
    refused("kernel", &other, "boot.kernel: ");
    refused("kernel", &other, "its content differs");
    refused("disk", &[0; 512], "it has 512 bytes and had 65536");
    Tool::new("resume")
        .arg(at("a.maqs"))
        .finish()
        .expect_code(0);
    // Elsewhere, too.
    let moved = folder();
    for name in ["kernel", "disk"] {
        fs::copy(at(name), moved.path().join(name)).expect("a copy");
    }
    fs::remove_file(at("disk")).expect("it is there");
    Tool::new("resume")
        .arg(at("a.maqs"))
        .finish()
        .expect_code(1);
    let tool = Tool::new("resume").arg(at("a.maqs")).arg("--root");
    tool.arg(moved.path()).finish().expect_code(0);
}

#[test]
fn rv_41_replay_of_a_recorded_run_has_its_hash_and_needs_no_system_file() {
    let system = own_system();
    let at = |name: &str| system.path().join(name);
    let tool = Tool::run(at("own.toml")).arg("--record").arg(at("a.maqr"));
    let recorded = tool.arg("--set").arg("machine.harts=3").finish();
    recorded.expect_code(0);
    fs::remove_file(at("own.toml")).expect("it is there");
    let replayed = again("replay", &at("a.maqr"));
    assert_eq!(trace_hash(&replayed), trace_hash(&recorded));
    assert_eq!(replayed.stdout, recorded.stdout);
}

#[test]
fn rv_42_recording_that_was_cut_is_replayed_as_far_as_it_goes() {
    let system = own_system();
    let at = |name: &str| system.path().join(name);
    let tool = Tool::run(at("own.toml")).arg("--record").arg(at("a.maqr"));
    tool.finish().expect_code(0);
    let bytes = fs::read(at("a.maqr")).expect("the recording");
    fs::write(at("a.maqr"), &bytes[..bytes.len() - 1]).expect("a shorter one");
    let run = Tool::new("replay").arg(at("a.maqr")).finish();
    run.expect_code(2);
    let why = "the recording ends before the run did";
    assert!(run.stderr.contains(why), "{}", run.stderr);
    let mut bad = bytes;
    let middle = bad.len() - 40;
    bad[middle] ^= 1;
    fs::write(at("a.maqr"), &bad).expect("a damaged one");
    let run = Tool::new("replay").arg(at("a.maqr")).finish();
    run.expect_code(1);
    assert!(
        run.stderr.contains("is damaged: the check of record"),
        "{}",
        run.stderr
    );
}

#[test]
fn rv_56_failed_test_leaves_a_recording_that_replays() {
    let failing = std::thread::Builder::new().name("rv_56 on purpose".to_owned());
    let failed = failing.spawn(|| {
        let ran = run("systems/status.toml", &[]);
        assert!(ran.stats.is_null(), "on purpose");
    });
    failed.expect("a thread").join().expect_err("it fails");
    let folder = places::target().join("recordings");
    let left = fs::read_dir(folder).expect("recordings").flatten();
    let left = left.map(|entry| entry.path());
    let mut left = left.filter(|path| path.to_string_lossy().contains("rv_56 on purpose"));
    let file = left.next().expect("the recording");
    let run = Tool::new("replay").arg(&file).finish();
    let mut all = left.chain([file]);
    all.try_for_each(fs::remove_file)
        .expect("they can be removed");
    assert!(run.stderr.contains("guest status: 42"), "{}", run.stderr);
    assert!(!run.stderr.contains("differs"), "{}", run.stderr);
}

/// `path = value` lines of `maquette inspect`.
fn inspected(arguments: &[&str]) -> Vec<String> {
    let tool = arguments.iter().fold(Tool::new("inspect"), Tool::arg);
    let run = tool.limit(LIMIT).finish();
    run.expect_code(0);
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn rv_46_state_of_a_stopped_run_and_of_its_snapshot_is_the_same_tree() {
    let folder = folder();
    let file = folder.path().join("demo.maqs");
    let name = file.to_str().expect("a plain name");
    for at in ["50us", "1ms"] {
        saved("systems/demo.toml", &file, ["--at", at], &["--stop"]);
        let run = inspected(&["systems/demo.toml", "--at", at]);
        let mut snapshot = inspected(&[name]);
        let differs = snapshot.iter().zip(&run).find(|(a, b)| a != b);
        assert_eq!((differs, snapshot.len()), (None, run.len()));
        snapshot.retain(|line| line.contains(".hart1."));
        assert_eq!(inspected(&[name, "hart1"]), snapshot);
        assert!(snapshot.iter().any(|line| line.contains(".csr.satp = 0x")));
    }
    let text = Tool::new("inspect")
        .arg(&file)
        .arg("--json")
        .finish()
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let at = |pointer: &str| json.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/time"), 1_000_000_000);
    assert_eq!(at("/machine0/virtio0/device"), "virtio-blk");
    assert_eq!(at("/machine0/virtio0/queue0/max"), 256);
    assert_eq!(at("/machine0/hart0/reserving"), false);
    assert_eq!(at("/machine0/uart0/address"), "0x10000000");
}

#[test]
fn rv_46_interrupt_sources_that_nobody_uses_are_shown_to_who_asks() {
    let at = ["systems/demo.toml", "--at", "1ms"];
    let shown = |more: &[&str]| {
        let tool = at.iter().chain(more).fold(Tool::new("inspect"), Tool::arg);
        let done = tool.finish();
        done.expect_code(0);
        let sources = done
            .stdout
            .lines()
            .filter(|l| l.ends_with(".level = false"));
        (sources.count(), done.stderr)
    };
    let (few, said) = shown(&["plic"]);
    let hidden = format!("{} parts at rest are not shown; --all shows them", 95 - few);
    assert!(few < 95 && said.contains(&hidden), "{few}: {said}");
    assert_eq!(shown(&["plic", "--all"]), (95, String::new()));
    assert_eq!(shown(&["plic.source95"]), (1, String::new()));
    let tool = at.iter().fold(Tool::new("inspect"), Tool::arg);
    let json = tool.arg("--json").finish().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["machine0"]["plic"]["source95"]["pending"], false);
}

#[test]
fn rv_46_looking_at_what_is_not_there_says_so() {
    for (arguments, why) in [
        (
            &["systems/demo.toml", "hart0.csr.mstatsu"][..],
            "did you mean `mstatus`?",
        ),
        (
            &["systems/hello.toml", "--at", "1h"],
            "the run ended before 3600s",
        ),
        (
            &["systems/hello.toml", "--when", "xyzzy"],
            "no console showed",
        ),
        (&["systems/hello.toml", "--at", "5"], "`5` has no unit"),
    ] {
        let run = arguments
            .iter()
            .fold(Tool::new("inspect"), Tool::arg)
            .finish();
        run.expect_code(1);
        assert!(run.stderr.contains(why), "{}", run.stderr);
        assert!(run.stderr.contains("remedy: "), "{}", run.stderr);
    }
}

#[test]
fn rv_45_snapshots_of_every_version_are_gone_on_from() {
    let corpus = places::workspace().join("tests/corpus/snapshots");
    let mut versions = 0;
    for version in fs::read_dir(corpus).expect("the corpus").flatten() {
        let folder = version.path();
        let tool = Tool::new("resume").arg(folder.join("demo.maqs"));
        let run = tool.arg("--root").arg(&folder).finish();
        run.expect_code(0);
        assert!(run.stdout.contains("demo: all passed"), "{}", run.stdout);
        // What was printed before the snapshot is not printed again.
        assert!(!run.stdout.contains("PASS second hart"), "{}", run.stdout);
        versions += 1;
    }
    assert!(versions > 0, "the corpus is empty");
}
