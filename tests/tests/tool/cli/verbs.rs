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
