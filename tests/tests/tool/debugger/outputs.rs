//! What a run under a debugger leaves behind is what the plain run leaves.

use super::LIMIT;
use crate::bench::Bench;
use crate::elf;
use maquette_tests::debuggee::Debuggee;
use maquette_tests::perfetto::read;
use maquette_tests::tool::{Tool, trace_hash};

#[test]
fn trace_and_snapshot_of_a_run_under_a_debugger_are_those_of_the_plain_run() {
    let bench = Bench::with(&elf::says("hello\n").file(), "");
    let [plain, debugged] = ["plain", "debugged"].map(|name| {
        let file = |suffix: &str| bench.path(&format!("{name}.{suffix}"));
        let (snapshot, trace) = (file("maqs"), file("trace"));
        let tool = bench.tool(if name == "plain" { "run" } else { "gdb" });
        let tool = tool.arg("--snapshot").arg(&snapshot);
        let tool = tool.arg("--when").arg("hell").arg("--trace").arg(&trace);
        let done = if name == "plain" {
            tool.finish()
        } else {
            let debuggee = Debuggee::start(tool);
            let mut gdb = debuggee.debug();
            // A step before, so that it is no run that nobody looked at.
            gdb.go("s:1");
            assert_eq!(gdb.go("c"), "W00");
            debuggee.finish(LIMIT)
        };
        done.expect_code(0);
        let events = read(&std::fs::read(&trace).expect("a trace")).expect("a trace");
        let resumed = Tool::new("resume").arg(&snapshot).finish();
        resumed.expect_code(0);
        let hash = trace_hash(&done);
        assert!(hash.is_some());
        (hash, trace_hash(&resumed), resumed.stdout, events.len())
    });
    assert_eq!(plain, debugged);
    assert_eq!(plain.0, plain.1);
}
