//! `--trace`: files for Perfetto, read back by an independent reader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use maquette_tests::child;
use maquette_tests::need;
use maquette_tests::perfetto::{Event, Type, read};
use maquette_tests::tool::{Tool, trace_hash};
use maquette_tests::{Finished, Limit};

use crate::ran::{self, LIMIT, folder, system};

/// Runs a system with a trace; what it printed, and the trace.
fn traced(name: &str) -> (Finished, Vec<Event>) {
    let folder = folder();
    let file = folder.path().join("run.perfetto-trace");
    let run = Tool::run(format!("systems/{name}.toml")).arg("--trace");
    let run = run.arg(&file).limit(LIMIT).finish();
    let bytes = ran::read(&file);
    let events = read(&bytes).unwrap_or_else(|e| panic!("{e}: {}", run.describe()));
    (run, events)
}

/// The names of the events that a flow goes through, and where they are, in order.
fn flows(events: &[Event]) -> BTreeMap<u64, Vec<&Event>> {
    let mut flows: BTreeMap<u64, Vec<&Event>> = BTreeMap::new();
    for event in events {
        for id in event.flows.iter().chain(&event.ends) {
            flows.entry(*id).or_default().push(event);
        }
    }
    flows
}

fn is_claimed(flow: &[&Event]) -> bool {
    flow.last().is_some_and(|e| !e.ends.is_empty())
}

#[test]
fn rv_51_threshold_of_the_file_decides_what_is_said_and_leaves_the_hash_alone() {
    let run = |set: &str| {
        let run = Tool::run("systems/demo.toml").arg("--set").arg(set);
        run.limit(LIMIT).finish()
    };
    let [usual, least] = ["100ms", "1ps"].map(|t| run(&format!("diagnostics.lost_after={t}")));
    assert!(!usual.stderr.contains("lost interrupt"), "{}", usual.stderr);
    assert!(least.stderr.contains("lost interrupt"), "{}", least.stderr);
    assert_eq!(trace_hash(&usual), trace_hash(&least));
    assert_eq!(trace_hash(&usual), Some(system("demo").hash()));
}

#[test]
fn rv_47_trace_of_the_demo_has_its_harts_devices_and_calls() {
    let (run, events) = traced("demo");
    run.expect_code(0);
    let tracks: BTreeSet<&str> = events.iter().map(|e| e.track.as_str()).collect();
    for track in [
        "machine0/hart0",
        "machine0/hart1",
        "machine0/uart0",
        "machine0/virtio0",
        "machine0/virtio0/DMA bytes",
        "machine0/virtio0/interrupt line",
        "machine0/plic/hart0 supervisor external",
    ] {
        assert!(tracks.contains(track), "{track} in {tracks:?}");
    }
    let names: BTreeSet<&str> = events.iter().map(|e| e.name.as_str()).collect();
    for name in [
        "sbi_hart_start",
        "sbi_send_ipi",
        "write QueueNotify",
        "read InterruptStatus",
        "DMA read",
        "DMA write",
        "claim machine0.virtio0",
        "wfi",
    ] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let functions: BTreeSet<&str> = (events.iter())
        .filter_map(|e| e.args.get("function").map(String::as_str))
        .collect();
    assert!(
        functions.iter().any(|f| f.contains("::")),
        "Rust's names are readable: {functions:?}"
    );
}

#[test]
fn rv_47_flow_of_a_request_goes_from_the_doorbell_to_the_claim() {
    let (_, events) = traced("demo");
    let flows = flows(&events);
    let requests: Vec<_> = flows.values().filter(|flow| is_claimed(flow)).collect();
    assert!(!requests.is_empty(), "{} flows", flows.len());
    let whole = |flow: &&&Vec<&Event>| {
        let at = |name: &str| flow.iter().position(|e| e.name == name);
        let order = [at("write QueueNotify"), at("DMA read"), at("high")];
        order.is_sorted() && order.iter().all(Option::is_some)
    };
    let request = requests.iter().find(whole).expect("a whole request");
    assert!(request.is_sorted_by_key(|e| e.time), "{request:#?}");
}

#[test]
fn rv_47_times_do_not_pass_the_end_and_slices_end_after_they_begin() {
    let (_, events) = traced("demo");
    let end = system("demo").number("/simulated_ps") / 1000;
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &events {
        assert!(event.time <= end, "{event:?}");
        match event.ty {
            Type::Begin => {
                let before = open.insert(&event.track, event.time);
                assert_eq!(before, None, "{event:?}");
            }
            Type::End => {
                let begun = open.remove(event.track.as_str());
                assert!(begun.is_some_and(|t| t <= event.time), "{event:?}");
            }
            Type::Instant | Type::Counter(_) => {}
        }
    }
}

#[test]
fn rv_59_trace_does_not_change_the_hash() {
    for name in ["hello", "demo", "atomics", "virtio-abuse", "status"] {
        let (run, _) = traced(name);
        let hash = trace_hash(&run).expect("it prints its hash");
        assert_eq!(hash, system(name).hash(), "{name}");
    }
}

#[test]
fn rv_59_trace_of_linux_does_not_change_the_hash() {
    let _linux = need!(linux_riscv);
    let (run, events) = traced("linux");
    run.expect_code(0);
    let hash = trace_hash(&run).expect("it prints its hash");
    assert_eq!(hash, crate::linux::ONE_HART.hash());
    let requests = flows(&events);
    assert!(requests.values().any(|flow| is_claimed(flow)));
}

/// Runs the demo where a file holds at most `blocks` of the shell's blocks (of 512 bytes).
fn limited(blocks: u32, file: &Path) -> Finished {
    let tool = Tool::run("systems/demo.toml").arg("--trace").arg(file);
    let tool = tool.command();
    let mut command = std::process::Command::new("sh");
    let script = format!("ulimit -f {blocks}; exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(tool.get_program());
    command.args(tool.get_args());
    command.current_dir(maquette_tests::places::workspace());
    child::run(command, b"", Limit::seconds(300))
}

#[test]
fn rv_57_disk_that_fills_up_ends_the_trace_and_not_the_run() {
    let folder = folder();
    let file = folder.path().join("t");
    for blocks in [0, 1, 130, 150] {
        let run = limited(blocks, &file);
        run.expect_code(3);
        let said = run
            .stderr
            .matches("cannot be written: File too large")
            .count();
        assert_eq!(said, 1, "{blocks}: {}", run.describe());
        assert!(
            run.stderr.contains("host failure: --trace "),
            "{}",
            run.stderr
        );
        assert_eq!(trace_hash(&run), Some(system("demo").hash()));
        assert!(run.stdout.ends_with("demo: all passed\n"), "{}", run.stdout);
        // What was written is whole packets.
        let bytes = ran::read(&file);
        if !bytes.is_empty() {
            read(&bytes).expect("the file is good as far as it goes");
        }
    }
}

#[test]
fn rv_57_trace_that_cannot_be_made_is_an_error_before_the_run() {
    let folder = folder();
    let kernel = ran::write(&folder, "kernel", b"\x7fELF");
    let no_elf = ran::write(&folder, "notes", b"nothing");
    let nowhere = folder.path().join("no/such");
    let refused = |arguments: &[&Path]| {
        let tool = Tool::run("systems/hello.toml").arg("--trace");
        let run = arguments.iter().fold(tool, Tool::arg).finish();
        run.expect_code(1);
        assert_eq!(run.stdout, "", "nothing has run");
        assert!(run.stderr.contains("\n  remedy: "), "{}", run.stderr);
        run.stderr
    };
    assert!(refused(&[&nowhere]).contains("No such file"));
    assert!(refused(&[folder.path()]).contains("is a folder"));
    assert!(refused(&[&kernel]).contains("something other than a trace"));
    assert_eq!(ran::read(&kernel), b"\x7fELF");
    let trace = folder.path().join("t");
    let symbols = Path::new("--symbols");
    assert!(refused(&[&trace, symbols, &nowhere]).contains("cannot be read: No such file"));
    assert!(refused(&[&trace, symbols, &no_elf]).contains("is no ELF file"));
    assert!(!trace.exists(), "nothing is left behind");
}
