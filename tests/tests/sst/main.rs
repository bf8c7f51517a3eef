//! virtio-sst as a user meets it: the rows of `tests/rows/sst.toml` that need a guest, with the built tool.
//!
//! What can be shown of device, accelerator or protocol alone is tested beside them.

use maquette_tests::child::Finished;
use maquette_tests::tool::{Tool, trace_hash};

const BARE: &str = "systems/sst-bare.toml";
const SHARED: &str = "systems/sst-two-machines.toml";

fn good(tool: Tool) -> Finished {
    let done = tool.finish();
    assert_eq!(done.code(), Some(0), "{}", done.describe());
    done
}

fn hash(tool: Tool) -> String {
    trace_hash(&good(tool)).expect("a hash")
}

#[test]
fn sst_18_program_drives_the_device_in_every_way() {
    let done = good(Tool::run(BARE));
    let passed: Vec<&str> = done
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("PASS ")?.split(':').next())
        .collect();
    let all = [
        "device",
        "requests",
        "compute",
        "memory",
        "configure",
        "errors",
        "events",
        "batch",
        "interrupt",
        "matrix",
    ];
    assert_eq!(passed, all);
    // The table at the end: 100,000 cycles at 1 GHz, and the way there and back.
    let row = done
        .stdout
        .lines()
        .find(|line| line.contains("COMPUTE 1000"))
        .expect("its row");
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words[2..4], ["OK", "100000"], "{row}");
    let micros: f64 = words[4].parse().expect("a time");
    assert!((102.0..120.0).contains(&micros), "{row}");
}

#[test]
fn sst_18_program_says_what_it_lacks_without_an_accelerator() {
    let tool = Tool::run(BARE)
        .arg("--set")
        .arg("device.0.accelerator=none");
    let done = tool.finish();
    assert_eq!(done.code(), Some(2), "{}", done.describe());
    assert!(done.stdout.contains("no accelerator?"), "{}", done.stdout);
}

#[test]
fn sst_19_run_saved_while_the_accelerator_works_has_the_hash_of_the_plain_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = hash(Tool::run(BARE));
    // In a COMPUTE, in the batch, and in the matrix product.
    for at in ["500us", "1ms", "2ms"] {
        let file = folder.path().join(at);
        let tool = Tool::run(BARE).arg("--snapshot").arg(&file);
        let run = good(tool.arg("--at").arg(at));
        assert_eq!(trace_hash(&run), Some(plain.clone()));
        assert_eq!(hash(Tool::new("resume").arg(&file)), plain, "from {at} on");
    }
    let tool = Tool::new("inspect").arg(folder.path().join("1ms"));
    let seen = good(tool).stdout;
    assert!(seen.contains("accelerator0.waiting = 61"), "{seen}");
    assert!(
        seen.contains("machine0.virtio0.state.in_flight = 62"),
        "{seen}"
    );
}

#[test]
fn sst_20_machines_that_share_an_accelerator_wait_for_each_other() {
    let plain = good(Tool::run(SHARED));
    let waited = |machine: &str| -> u64 {
        let begin = format!("[{machine}] PASS shared: 100 pieces of work, 1000000 cycles, ");
        let line = plain.stdout.lines().find_map(|l| l.strip_prefix(&begin));
        let line = line.unwrap_or_else(|| panic!("{}", plain.stdout));
        line.trim_end_matches(" us").parse().expect("a time")
    };
    // A millisecond of work each, and the other's in between.
    assert!(waited("near") > 1_500, "{}", plain.stdout);
    assert!(waited("far") > 4_000, "{}", plain.stdout);
}

#[test]
fn sst_20_hash_of_a_shared_accelerator_does_not_depend_on_blocks() {
    let hashes = ["1", "7", "64"].map(|limit| {
        let set = |machine| format!("machine.{machine}.block_limit={limit}");
        let tool = Tool::run(SHARED).arg("--set").arg(set(0));
        hash(tool.arg("--set").arg(set(1)))
    });
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}
