//! System files that are wrong. The single cases are `maquette-system`'s own tests; here is what needs
//! the whole tool.

use crate::bench::{Bench, refused, says};
use crate::elf;
use maquette_tests::{effort, rounds};

#[test]
fn system_file_that_is_no_text_is_named() {
    let bench = Bench::new();
    bench.put("x.toml", &[0xff, 0xfe, 0]);
    refused(
        &bench.run(),
        &["x.toml:1:1: error: this is UTF-16 text", "iconv"],
    );
    bench.put("x.toml", &vec![b'#'; (1 << 20) + 1]);
    refused(
        &bench.run(),
        &["this file has 1048577 bytes", "x.toml", "shorten it"],
    );
    bench.put("x.toml", b"[machine]\nname = \"\xe4\"\n");
    refused(
        &bench.run(),
        &["x.toml:2:9: error: byte 0xe4 is not UTF-8", "as UTF-8"],
    );
    std::fs::remove_file(bench.path("x.toml")).expect("removed");
    std::fs::create_dir(bench.path("x.toml")).expect("a folder");
    refused(&bench.run(), &["this is a directory", "x.toml"]);
}

#[test]
fn absurd_machine_is_refused_field_by_field() {
    let absurd = "[machine]\nharts = 4000000000\nmemory = \"16000000TiB\"\nquantum = 0\nblock_limit = 1000000\n\
                  clock = \"0Hz\"\ncpi = \"1/0\"\n[[device]]\ntype = \"virtio-blk\"\nsize = \"1TiB\"\nslot = 99\n";
    let bench = Bench::with(&elf::says("x").file(), absurd);
    refused(
        &bench.run(),
        &[
            "x.toml:5:9: error: machine.harts: 4000000000 is more than 8",
            "x.toml:6:10: error: machine.memory: ",
            "x.toml:7:11: error: machine.quantum: 0 is less than 1",
            "x.toml:8:15: error: machine.block_limit: 1000000 is more than",
            "x.toml:9:9: error: machine.clock: 0Hz is less than",
            "x.toml:10:7: error: machine.cpi: ",
            "x.toml:13:8: error: device[0].size: 1TiB is more than",
            "x.toml:14:8: error: device[0].slot: 99 is more than 31",
            "x.toml: 8 errors",
        ],
    );
}

#[test]
fn two_devices_in_one_slot_are_refused_with_both_named() {
    let devices = "[[device]]\ntype = \"virtio-rng\"\nslot = 3\n[[device]]\ntype = \"virtio-console\"\nslot = 3\n";
    let bench = Bench::with(&elf::says("x").file(), devices);
    refused(
        &bench.run(),
        &[
            "x.toml:9:8: error: device[1].slot: slot 3 is taken by `virtio-rng3`",
            "for example 0",
        ],
    );
}

#[test]
fn nine_devices_do_not_fit_into_eight_slots() {
    let devices = "[[device]]\ntype = \"virtio-rng\"\n".repeat(9);
    let bench = Bench::with(&elf::says("x").file(), &devices);
    refused(
        &bench.run(),
        &["x.toml:20:1: error: device[8].slot: all 8 slots of the bus are taken"],
    );
}

#[test]
fn queue_size_reaches_the_register_or_is_refused() {
    let kernel = elf::reports_queue_max().file();
    let device = |kind: &str, size: &str| {
        let system =
            format!("[expect]\nend = \"failure\"\n[[device]]\ntype = \"{kind}\"\nslot = 0\n{size}");
        Bench::with(&kernel, &system).run()
    };
    let disk = "virtio-blk\"\nsize = \"1MiB\"\nserial = \"d";
    for kind in [disk, "virtio-console", "virtio-rng"] {
        for (text, size) in [
            ("", 256),
            ("queue_size = 1", 1),
            ("queue_size = 0x8000", 32_768),
        ] {
            let done = device(kind, text);
            done.expect_code(0);
            says(&done, &[&format!("guest status: {size}\n")]);
        }
    }
    for (text, words) in [
        (
            "300",
            ["300 is no power of two", "descriptors", "256 or 512"],
        ),
        ("0", ["0 is less than 1", "descriptors", "from 1 to 32768"]),
        (
            "65536",
            ["65536 is more than 32768", "descriptors", "from 1"],
        ),
        (
            "-2",
            ["-2 is less than 1", "descriptors", "from 1 to 32768"],
        ),
        ("\"8\"", ["expected power of two", "found a text", "256"]),
    ] {
        let done = device("virtio-rng", &format!("queue_size = {text}"));
        refused(&done, &["x.toml:9:14: error: device[0].queue_size: "]);
        refused(&done, &words);
    }
}

#[test]
fn machine_with_the_name_of_another_component_is_refused() {
    let bench = Bench::with(&elf::says("x").file(), "[machine]\nname = \"console\"");
    refused(&bench.run(), &["machine.name", "`console`"]);
}

#[test]
fn absurd_command_line_is_refused_or_handed_over_whole() {
    let run = |cmdline: &str| {
        let bench = Bench::new();
        bench.put("guest.elf", &elf::says("x").file());
        let text =
            format!("[boot]\nmode = \"sbi\"\nkernel = \"guest.elf\"\ncmdline = \"{cmdline}\"\n");
        bench.put("x.toml", text.as_bytes());
        bench.tool("check").finish()
    };
    refused(&run("a\\u0000b"), &["x.toml:4:11: error: boot.cmdline: "]);
    run(&"x".repeat(100_000)).expect_code(0);
}

#[test]
fn largest_machine_is_built() {
    let largest = "[machine]\nharts = 8\nmemory = \"64GiB\"\n";
    Bench::with(&elf::says("x").file(), largest)
        .run()
        .expect_code(0);
}

/// The tool as a whole on damaged files: whatever happens, it is 0, 1 or 2 and no panic.
#[test]
fn damaged_system_file_is_never_a_panic() {
    let good = include_str!("../../../../systems/demo.toml").as_bytes();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ rounds().start;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).expect("small")
    };
    for _ in 0..20 * effort() {
        let mut text = good.to_vec();
        for _ in 0..=random(4) {
            let at = random(text.len());
            match random(3) {
                0 => text[at] = u8::try_from(random(256)).expect("a byte"),
                1 => text.truncate(at.max(1)),
                _ => drop(text.drain(at..(at + random(20)).min(text.len()))),
            }
            if text.is_empty() {
                text.push(b'[');
            }
        }
        let bench = Bench::new();
        bench.put("x.toml", &text);
        let done = bench.tool("check").finish();
        let shown = String::from_utf8_lossy(&text);
        assert!(
            matches!(done.code(), Some(0 | 1)),
            "{shown}\n{}",
            done.describe()
        );
        assert!(
            !done.stderr.contains("panicked"),
            "{shown}\n{}",
            done.describe()
        );
    }
}
