//! Every exit code has its case, and is what the report says.

use crate::bench::{Bench, refused, says};
use crate::elf;
use maquette_tests::tool::{Tool, trace_hash};

#[test]
fn guest_that_powers_off_exits_0_with_a_report_and_a_hash() {
    let bench = Bench::with(&elf::says("good day\n").file(), "");
    let done = bench.run();
    done.expect_code(0);
    assert_eq!(done.stdout, "good day\n");
    says(
        &done,
        &[
            "guest status: 0",
            "level: deterministic",
            "MIPS",
            "console 9",
            "link 9",
        ],
    );
    let hash = trace_hash(&done).expect("a hash");
    assert_eq!(hash.len(), 64, "{hash}");
    assert_eq!(trace_hash(&bench.run()), Some(hash));
}

#[test]
fn wrong_usage_exits_1_and_help_0() {
    for arguments in [
        &["run"][..],
        &["ruin", "x.toml"],
        &["run", "x.toml", "--pace", "fast"],
        &["run", "x.toml", "--log", "=,="],
        &["list", "no/such/folder"],
    ] {
        let done = arguments[1..]
            .iter()
            .fold(Tool::new(arguments[0]), Tool::arg)
            .finish();
        done.expect_code(1);
        assert!(
            done.stdout.is_empty() && !done.stderr.is_empty(),
            "{}",
            done.describe()
        );
    }
    let help = Tool::new("--help").finish();
    help.expect_code(0);
    for word in [
        "Examples:",
        "Exit codes:",
        "maquette run systems/hello.toml",
    ] {
        assert!(help.stdout.contains(word), "{}", help.describe());
    }
}

#[test]
fn missing_system_file_exits_1_with_a_remedy() {
    let bench = Bench::new();
    refused(&bench.run(), &["there is no such file: x.toml"]);
}

#[test]
fn unmet_expectation_exits_2_and_names_the_text() {
    let kernel = elf::says("one\ntwo\n").file();
    let run = |more: &str| Bench::with(&kernel, more).run();
    run("[expect]\nconsole = [\"one\", \"two\"]").expect_code(0);
    let order = run("[expect]\nconsole = [\"two\", \"one\"]");
    order.expect_code(2);
    says(&order, &["the console never showed \"one\""]);
    let forbidden = run("[expect]\nforbid = [\"tw\"]");
    forbidden.expect_code(2);
    says(&forbidden, &["shows \"tw\"", "expect.forbid"]);
    let script = run("[[console.script]]\nexpect = \"login:\"\nsend = \"x\"");
    script.expect_code(2);
    says(&script, &["the script still waits for \"login:\""]);
    let end = run("[expect]\nend = \"failure\"");
    end.expect_code(2);
    says(&end, &["switched the machine off"]);
}

#[test]
fn limit_exits_124_and_names_the_parameter() {
    let kernel = elf::spins().file();
    for (limit, name) in [
        ("time = \"5ms\"", "`limits.time` of 5ms"),
        ("instructions = 3000000", "`limits.instructions` of 3000000"),
        ("host_time = \"200ms\"", "`limits.host_time`"),
    ] {
        let done = Bench::with(&kernel, &format!("[limits]\n{limit}")).run();
        done.expect_code(124);
        says(&done, &[name]);
        assert_eq!(done.stdout, "ready\n");
    }
}

#[test]
fn limit_of_instructions_is_exact_in_the_report() {
    for most in [1, 7, 100, 2_999_999, 3_000_001] {
        let limit = format!("[machine]\nharts = 3\n[limits]\ninstructions = {most}");
        let bench = Bench::with(&elf::spins().file(), &limit);
        let stats = bench.path("run.json");
        let done = bench.tool("run").arg("--stats").arg(&stats).finish();
        done.expect_code(124);
        let text = std::fs::read_to_string(&stats).expect("the statistics");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["instructions"], most);
    }
}

#[test]
fn limit_of_virtual_time_gives_the_same_hash_each_time() {
    let bench = Bench::with(&elf::spins().file(), "[limits]\ntime = \"5ms\"");
    let (first, second) = (bench.run(), bench.run());
    assert!(
        trace_hash(&first).is_some_and(|h| h.len() == 64),
        "{}",
        first.describe()
    );
    assert_eq!(trace_hash(&first), trace_hash(&second));
}

#[test]
fn run_that_misses_its_expected_time_exits_2() {
    let bench = Bench::with(
        &elf::spins().file(),
        "[expect]\ntime = \"1ms\"\n[limits]\ntime = \"5ms\"",
    );
    let done = bench.run();
    done.expect_code(2);
    says(&done, &["did not end within `expect.time` of 1ms"]);
}

#[test]
fn rv_20_deadlock_names_each_hart_and_its_pc() {
    let bench = Bench::with(&elf::sleeps().file(), "[machine]\nharts = 2");
    let done = bench.run();
    done.expect_code(2);
    says(
        &done,
        &["deadlock", "hart0 waits", "hart1 waits", "pc 0x800000"],
    );
}

#[test]
fn rv_21_trap_loop_is_detected_and_named() {
    let done = Bench::with(&elf::jumps_to_nowhere().file(), "").run();
    done.expect_code(2);
    says(&done, &["hart0 cannot go on", "trap loop", "cause 1"]);
}

#[test]
fn guest_status_is_printed_and_becomes_the_exit_code_only_when_asked() {
    let run = |more: &[&str]| {
        let tool = Tool::run("systems/status.toml");
        more.iter().fold(tool, Tool::arg).finish()
    };
    let done = run(&[]);
    done.expect_code(0);
    says(&done, &["guest status: 42"]);
    run(&["--guest-status"]).expect_code(42);
    let unexpected = run(&["--set", "expect.end=power-off", "--set", "expect.status=0"]);
    unexpected.expect_code(2);
    says(&unexpected, &["the guest reported failure, with status 42"]);
}

#[test]
fn failure_whose_status_looks_like_success_is_still_a_failure() {
    for (status, code) in [(0, 2), (256, 2), (7, 7)] {
        let bench = Bench::with(&elf::fails(status).file(), "");
        let done = bench.run();
        done.expect_code(2);
        let sentence = format!("the guest reported failure, with status {status}");
        says(&done, &[&format!("maquette: guest failure: {sentence}")]);
        let asked = bench.tool("run").arg("--guest-status").finish();
        asked.expect_code(code);
    }
    let unmet = Bench::with(&elf::says("x").file(), "[expect]\nconsole = [\"y\"]");
    unmet
        .tool("run")
        .arg("--guest-status")
        .finish()
        .expect_code(2);
}

#[test]
fn each_failure_is_named_with_its_own_class() {
    let more = "[limits]\ntime = \"5ms\"\n[expect]\nconsole = [\"login:\"]";
    let done = Bench::with(&elf::spins().file(), more).run();
    done.expect_code(124);
    says(
        &done,
        &[
            "maquette: limit: `limits.time`",
            "maquette: guest failure: the console never showed \"login:\"",
        ],
    );
}
