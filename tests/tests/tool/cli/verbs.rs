//! `check`, `list`, `info`.

use crate::bench::{Bench, refused};
use crate::elf;
use maquette_tests::tool::Tool;

#[test]
fn check_of_a_good_file_says_so_and_runs_nothing() {
    let bench = Bench::with(&elf::says("x").file(), "");
    let done = bench.tool("check").finish();
    done.expect_code(0);
    assert_eq!(done.stdout, "x.toml: no errors\n");
}

#[test]
fn check_of_several_files_says_of_each_and_the_worst_decides() {
    let bench = Bench::with(&elf::says("x").file(), "");
    bench.put("bad.toml", b"oops");
    let check = |more: &[&str]| more.iter().fold(bench.tool("check"), Tool::arg).finish();
    let good = check(&["./x.toml", "--set", "machine.harts=2"]);
    good.expect_code(0);
    assert_eq!(good.stdout, "x.toml: no errors\n./x.toml: no errors\n");
    for order in [["bad.toml", "x.toml"], ["x.toml", "bad.toml"]] {
        let done = check(&order);
        refused(&done, &["bad.toml:1:", "this is no TOML"]);
        assert_eq!(done.stdout, "x.toml: no errors\nx.toml: no errors\n");
    }
    Tool::new("check").finish().expect_code(1);
}

#[test]
fn check_of_a_name_that_is_not_there_names_those_that_are() {
    let bench = Bench::with(&elf::says("x").file(), "");
    bench.put("target", b"");
    std::fs::remove_file(bench.path("target")).expect("it is there");
    std::fs::create_dir_all(bench.path("target/guests")).expect("a folder");
    std::fs::create_dir_all(bench.path("cache/maquette/fw/current")).expect("a folder");
    for file in ["target/guests/hello", "target/guests/smode"] {
        bench.put(file, b"");
    }
    for file in ["stamp", "jump.elf"] {
        bench.put(&format!("cache/maquette/fw/current/{file}"), b"");
    }
    let set = |text: &str| {
        let cache = bench.path("cache").display().to_string();
        let tool = bench.tool("check").env("XDG_CACHE_HOME", &cache);
        tool.arg("--set").arg(text).finish()
    };
    let guest = "boot.kernel=guest:helo";
    refused(
        &set(guest),
        &["did you mean `hello`? (known here: hello, smode)"],
    );
    let part = set("boot.kernel=part:fw/dynamic.elf");
    refused(&part, &["has no file `dynamic.elf`", "jump.elf"]);
    assert!(!part.stderr.contains("stamp"), "{}", part.describe());
    refused(
        &set("limits.time=1.5"),
        &["`1.5` has no unit", "add a unit: ps"],
    );
}

#[test]
fn check_reports_all_errors_of_a_file_together() {
    let bench = Bench::with(
        &elf::says("x").file(),
        "[machine]\nharts = 99\nmemroy = 1\n",
    );
    refused(
        &bench.tool("check").finish(),
        &[
            "x.toml:5:9: error: machine.harts: 99 is more than 8",
            "x.toml:6:1: error: machine.memroy",
            "did you mean `memory`?",
            "x.toml: 2 errors",
        ],
    );
}

#[test]
fn check_opens_the_files_that_a_system_names() {
    let bench = Bench::with(
        b"no kernel",
        "[[device]]\ntype = \"virtio-blk\"\nfile = \"no.img\"\n",
    );
    refused(
        &bench.tool("check").finish(),
        &["x.toml:6:8", "device[0].file", "no.img"],
    );
    bench.put("no.img", &[0; 512]);
    refused(
        &bench.tool("check").finish(),
        &["x.toml:3:10", "boot.kernel", "guest.elf"],
    );
}

#[test]
fn override_is_checked_like_the_file() {
    let bench = Bench::with(&elf::says("x").file(), "");
    let set = |text: &str| bench.tool("check").arg("--set").arg(text).finish();
    set("machine.harts=8").expect_code(0);
    refused(
        &set("machine.harts=9"),
        &["--set machine.harts=9: error: machine.harts: 9 is more than 8"],
    );
    refused(&set("machine.hart=1"), &["did you mean `harts`?"]);
}

#[test]
fn list_has_a_line_for_each_system_of_this_project() {
    let done = Tool::new("list").finish();
    done.expect_code(0);
    for name in ["hello", "demo", "linux", "linux-smp", "deadlock"] {
        let line = format!("systems/{name}.toml ");
        let found = done.stdout.lines().find(|l| l.starts_with(&line));
        let text = found.unwrap_or_else(|| panic!("no {name} in {}", done.describe()));
        assert!(!text.contains("no description"), "{text}");
    }
}

#[test]
fn list_of_a_broken_system_says_what_is_wrong() {
    let bench = Bench::new();
    bench.put(
        "a.toml",
        b"description = \"fine\"\n[boot]\nmode = \"bare\"\nkernel = \"guest:nowhere\"\n",
    );
    bench.put("b.toml", b"oops");
    let done = Tool::new("list").arg(bench.folder()).finish();
    done.expect_code(0);
    assert!(
        done.stdout
            .contains("fine [not ready: the guest program `nowhere`"),
        "{}",
        done.describe()
    );
    assert!(
        done.stdout.contains("b.toml  [not ready: this is no TOML"),
        "{}",
        done.describe()
    );
}

#[test]
fn info_shows_isa_boards_devices_and_parameters_with_units_and_defaults() {
    let all = Tool::new("info").finish();
    all.expect_code(0);
    for word in [
        "rv64i",
        "zicntr",
        "Sv57",
        "virt",
        "0x10001000",
        "uart0",
        "virtio-blk",
        "copy-on-write by default",
        "128MiB by default",
        "a number from 1 to 8",
        "machine.harts.*.instructions",
        "1GHz by default",
        "must be given",
        "Times: ps ns us ms",
    ] {
        assert!(all.stdout.contains(word), "no {word} in {}", all.describe());
    }
    let isa = Tool::new("info").arg("isa").finish();
    assert!(
        isa.stdout.contains("rv64i") && !isa.stdout.contains("virtio-blk"),
        "{}",
        isa.describe()
    );
}
