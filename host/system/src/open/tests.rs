mod accelerators;
mod machine;
mod shown;

mod several;

use super::*;
use crate::Style;
use crate::description::{ConsoleLine, DeviceKind, Disk, End, Fill, Slot};
use maquette_machine::diagnostics::Thresholds;
use maquette_model::SimTime;
use proptest::prelude::*;
use std::path::PathBuf;

fn places() -> Places {
    Places {
        base: PathBuf::from("/nowhere"),
        cache: PathBuf::from("/nowhere/cache"),
        guests: vec![PathBuf::from("/nowhere/guests")],
    }
}

const SMALL: &str = "[boot]\nmode = \"bare\"\nkernel = \"a.elf\"\n";

fn good(text: &str, overrides: &[&str]) -> Description {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    match parse("x.toml", text, &overrides, &places()) {
        Ok(opened) => opened.description,
        Err(problems) => panic!("{problems}"),
    }
}

fn bad(text: &str) -> String {
    match parse("x.toml", text, &[], &places()) {
        Ok(_) => panic!("this was accepted:\n{text}"),
        Err(problems) => problems.render(Style::Plain),
    }
}

#[test]
fn smallest_file_gets_every_default_of_the_schema() {
    let d = good(SMALL, &[]);
    assert_eq!(
        (d.machines[0].board.harts, d.machines[0].board.memory),
        (1, 128 << 20)
    );
    assert_eq!(
        (d.machines[0].board.clock, d.machines[0].board.cpi),
        (1_000_000_000, (1, 1))
    );
    assert_eq!(
        (d.machines[0].board.quantum, d.machines[0].board.block_limit),
        (10_000, 64)
    );
    assert_eq!(d.machines[0].console.line, ConsoleLine::Uart);
    assert_eq!(d.machines[0].expect.end, End::PowerOff);
    assert_eq!(d.limits.time, None);
    assert_eq!(d.thresholds, Thresholds::USUAL);
}

#[test]
fn thresholds_of_diagnostics_are_those_of_the_file() {
    let more = "[diagnostics]\nspin_reads = 7\nstorm_claims = 8\nstorm_window = \"9us\"\nlost_after = \"1s\"";
    let expected = Thresholds {
        spin_reads: 7,
        storm_claims: 8,
        storm_window: SimTime::from_us(9),
        lost_after: SimTime::from_ms(1000),
    };
    assert_eq!(good(&format!("{SMALL}{more}"), &[]).thresholds, expected);
}

#[test]
fn devices_on_pci_have_slots_of_their_own() {
    let device = "[[device]]\ntype=\"virtio-rng\"\n";
    let text = format!("{SMALL}{device}bus=\"pci\"\n{device}{device}bus=\"pci\"\nslot=1\n");
    let d = good(&text, &[]);
    let devices = d.machines[0].devices.iter();
    let slots: Vec<_> = devices.map(|d| (d.slot, d.name.as_str())).collect();
    let expected = [
        (Slot::Pci(2), "virtio-rng-pci2"),
        (Slot::Mmio(0), "virtio-rng0"),
        (Slot::Pci(1), "virtio-rng-pci1"),
    ];
    assert_eq!(slots, expected);
    let shown = bad(&format!("{SMALL}{}", device.repeat(9)));
    assert!(
        shown.contains("all 8 slots of the bus are taken"),
        "{shown}"
    );
}

#[test]
fn devices_without_slot_get_the_lowest_that_nobody_asks_for() {
    let text = format!(
        "{SMALL}[[device]]\ntype=\"virtio-rng\"\n[[device]]\ntype=\"virtio-console\"\nslot=0\n\
         [[device]]\ntype=\"virtio-blk\"\nsize=\"1MiB\"\nfill=\"counter\"\n[console]\ndevice=\"virtio-console0\""
    );
    let d = good(&text, &[]);
    let slots: Vec<_> = d.machines[0]
        .devices
        .iter()
        .map(|d| (d.slot, d.name.as_str()))
        .collect();
    assert_eq!(
        slots,
        [
            (Slot::Mmio(1), "virtio-rng1"),
            (Slot::Mmio(0), "virtio-console0"),
            (Slot::Mmio(2), "virtio-blk2")
        ]
    );
    assert_eq!(d.machines[0].console.line, ConsoleLine::Slot(Slot::Mmio(0)));
    let DeviceKind::Block { disk, .. } = &d.machines[0].devices[2].kind else {
        panic!("{:?}", d.machines[0].devices[2]);
    };
    let size = 1 << 20;
    assert_eq!(
        *disk,
        Disk::Memory {
            size,
            fill: Fill::Counter
        }
    );
}

#[test]
fn override_replaces_adds_and_needs_no_quotes() {
    let text = format!("{SMALL}[[device]]\ntype=\"virtio-rng\"\nslot=3\n");
    let d = good(
        &text,
        &[
            "machine.harts=4",
            "machine.memory=256MiB",
            "device.0.slot=5",
            "boot.mode=sbi",
            "boot.cmdline=console=ttyS0 quiet",
            "expect.console=[\"a\", \"b\"]",
        ],
    );
    assert_eq!(
        (d.machines[0].board.harts, d.machines[0].board.memory),
        (4, 256 << 20)
    );
    assert_eq!(d.machines[0].devices[0].slot, Slot::Mmio(5));
    assert_eq!(d.machines[0].boot.cmdline, "console=ttyS0 quiet");
    assert_eq!(d.machines[0].expect.console, ["a", "b"]);
}

#[test]
fn override_that_is_wrong_is_shown_in_the_override() {
    for (text, words) in [
        (
            "machine.hart=4",
            [
                "--set machine.hart=4: error: machine.hart: ",
                "did you mean `harts`?",
            ],
        ),
        (
            "machine.harts=99",
            [
                "--set machine.harts=99: error: machine.harts: 99 is more",
                "from 1 to 8",
            ],
        ),
        ("harts", ["is no override", "KEY=VALUE"]),
        (
            "device.0.slot=1",
            [
                "there is no `device.0`: the file has no [[device]]",
                "write the section [[device]]",
            ],
        ),
        (
            "console.script.3.send=x",
            [
                "there is no `console.script.3`",
                "write the section [[console.script]]",
            ],
        ),
        (
            "machine.harts=[",
            [
                "--set machine.harts=[: error: the value is no TOML",
                "in quotes",
            ],
        ),
        (
            "expect.console=[\"a\", ",
            ["the value is no TOML", "complete the list"],
        ),
        (
            "boot.kernel.x=1",
            ["no place in this file", "machine.harts"],
        ),
        ("=1", ["no place in this file", "machine.harts"]),
    ] {
        let problems = parse("x.toml", SMALL, &[text.to_owned()], &places()).expect_err(text);
        let shown = problems.render(Style::Plain);
        for word in words {
            assert!(shown.contains(word), "{text}: {word} not in\n{shown}");
        }
    }
}

/// Each file and what the report must say: place and field, fault, remedy.
const BAD: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "x.toml: error: boot.kernel: `kernel` is missing",
            "boot.mode",
            "2 errors",
        ],
    ),
    ("a = ", &["x.toml:1:", "no TOML", "remedy"]),
    ("[boot", &["x.toml:1:", "no TOML"]),
    (
        "[boot]\nmode = \"sbi\"\nmode = \"sbi\"\n",
        &["x.toml:3:1", "no TOML"],
    ),
    (
        "boot = 3",
        &[
            "x.toml:1:8: error: boot: `boot` is a section (a table), not a whole number",
            "[boot]",
        ],
    ),
    (
        "[machin]\nharts = 2",
        &[
            "x.toml:1:2: error: machin: there is no section `machin`",
            "did you mean `machine`?",
        ],
    ),
    (
        "[machine]\nhart = 2",
        &[
            "x.toml:2:1: error: machine.hart: there is no parameter `hart`",
            "did you mean `harts`?",
        ],
    ),
    (
        "[machine]\nharts = 9",
        &[
            "x.toml:2:9: error: machine.harts: 9 is more than 8, the most possible",
            "a number from 1 to 8",
        ],
    ),
    (
        "[machine]\nharts = 0",
        &["0 is less than 1, the least possible"],
    ),
    ("[machine]\nharts = -3", &["-3 is less than 1"]),
    (
        "[machine]\nharts = 99999999999999999999999999999999999999999999",
        &["machine.harts: this number is more than 8"],
    ),
    (
        "[machine]\nharts = \"two\"",
        &["expected whole number, found a text", "write it as 1"],
    ),
    ("[machine]\nharts = 2.5", &["found a number with a point"]),
    (
        "[machine]\nmemory = \"1TiB\"",
        &["machine.memory: 1TiB is more than 64GiB"],
    ),
    ("[machine]\nmemory = \"4KiB\"", &["4KiB is less than 1MiB"]),
    (
        "[machine]\nmemory = \"1048577B\"",
        &["is no multiple of 4KiB"],
    ),
    (
        "[machine]\nmemory = \"256MB\"",
        &["`MB` is no unit of size", "did you mean `MiB`?"],
    ),
    ("[machine]\nmemory = \"99999999999999TiB\"", &["too large"]),
    ("[machine]\nclock = \"1\"", &["`1` has no unit", "GHz"]),
    ("[machine]\nclock = 1", &["`1` has no unit", "GHz"]),
    ("[machine]\ncpi = \"0/2\"", &["at least 1"]),
    ("[machine]\nquantum = 0", &["0 is less than 1"]),
    (
        "[machine]\nname = \"\"",
        &[
            "machine.name: `name` is empty",
            "such as \"machine0\", or leave it out",
        ],
    ),
    (
        "[boot]\nkernel = \"\"",
        &[
            "boot.kernel: `kernel` is empty",
            "such as \"guest:hello\" (",
        ],
    ),
    (
        "[[device]]\ntype = \"virtio-blk\"\nfile = \"\"",
        &[
            "device[0].file: `file` is empty",
            "or leave it out (disk image",
        ],
    ),
    (
        "[machine]\ncpi = -1",
        &[
            "machine.cpi: `-1` is negative",
            "write a ratio such as \"3/2\"",
        ],
    ),
    (
        "[machine]\ncpi = nan",
        &[
            "machine.cpi: `nan` is no ratio",
            "write a ratio such as \"3/2\"",
        ],
    ),
    (
        "[machine]\nmemory = -1",
        &[
            "machine.memory: `-1` is negative",
            "such as \"64MiB\" (units: B, KiB",
        ],
    ),
    (
        "[machine]\nclock = 99999999999999999999999999999999999999999",
        &["machine.clock: `this number` is too large"],
    ),
    (
        "[limits]\ntime = \"-1s\"",
        &[
            "limits.time: `-1s` is negative",
            "such as \"10ms\" (units: ps, ns",
        ],
    ),
    (
        "[[device]]\ntype = \"virtio-blk\"\nsize=\"1MiB\"\nlatency = \"-1s\"",
        &[
            "device[0].latency: `-1s` is negative",
            "such as \"10ms\" (units: ps, ns",
        ],
    ),
    (
        "[boot]\nmode = \"uefi\"",
        &[
            "x.toml:2:8: error: boot.mode: there is no choice `uefi`",
            "bare, sbi",
        ],
    ),
    (
        "[boot]\nmode = \"bare\"\nkernel=\"a\"\ninitrd=\"b\"",
        &[
            "x.toml:4:8: error: boot.initrd: `initrd` means nothing in mode `bare`",
            "sbi",
        ],
    ),
    (
        "[boot]\nmode = \"bare\"\nkernel=\"guest:hello\"",
        &[
            "x.toml:3:8: error: boot.kernel: the guest program `hello` is not built",
            "`cargo xtask guests`",
        ],
    ),
    (
        "[boot]\nmode = \"bare\"\nkernel=\"part:linux-riscv/vmlinuz\"",
        &[
            "boot.kernel: the real part `linux-riscv` is not in the cache",
            "`cargo xtask real-parts linux-riscv`",
        ],
    ),
    (
        "[boot]\nmode = \"bare\"\nkernel=\"part:x\"",
        &["names no file", "part:linux-riscv/vmlinuz"],
    ),
    (
        "[device]\ntype = \"virtio-rng\"",
        &[
            "device: `device` is a repeated section (a list of tables), not a table",
            "[[device]]",
        ],
    ),
    (
        "[[device]]\nslot = 1",
        &["device[0].type: `type` is missing"],
    ),
    (
        "[[device]]\ntype = \"virtio-block\"",
        &[
            "x.toml:2:8: error: device[0].type: there is no type of device `virtio-block`",
            "did you mean `virtio-blk`?",
        ],
    ),
    (
        "[[device]]\ntype = \"virtio-rng\"\nsise = 3",
        &["device[0].sise: there is no parameter `sise`", "seed"],
    ),
    (
        "[[device]]\ntype = \"virtio-rng\"\nslot = 8",
        &["device[0].slot: 8 is more than 7"],
    ),
    (
        "[[device]]\ntype = \"virtio-rng\"\nbus = \"pci\"\nslot = 0",
        &[
            "device[0].slot: slot 0 of PCI is the host bridge's",
            "write a number from 1 to 31",
        ],
    ),
    (
        "[[device]]\ntype = \"virtio-rng\"\nbus = \"pci\"\nslot = 32",
        &["device[0].slot: 32 is more than 31"],
    ),
    (
        "[[device]]\ntype = \"virtio-sst\"\nbus = \"pci\"",
        &["device[0].bus: a virtio-sst has no number on PCI yet"],
    ),
    (
        "[[device]]\ntype=\"virtio-rng\"\nslot=2\n[[device]]\ntype=\"virtio-console\"\nslot=2",
        &[
            "x.toml:6:6: error: device[1].slot: slot 2 is taken by `virtio-rng2`",
            "for example 0",
        ],
    ),
    (
        "[[device]]\ntype=\"virtio-rng\"\nname=\"a\"\n[[device]]\ntype=\"virtio-rng\"\nname=\"a\"",
        &["x.toml:6:6: error: device[1].name: the name `a` is taken"],
    ),
    (
        "[[device]]\ntype=\"virtio-rng\"\nname=\"uart\"",
        &["the name `uart` is taken"],
    ),
    (
        "[[device]]\ntype=\"virtio-blk\"",
        &["device[0].type: a disk needs a `file` or a `size`"],
    ),
    (
        "[[device]]\ntype=\"virtio-blk\"\nsize=\"1000B\"",
        &["device[0].size: 1000B is no multiple of 512B"],
    ),
    (
        "[[device]]\ntype=\"virtio-blk\"\nfile=\"a\"\nsize=\"1MiB\"",
        &["x.toml:4:6: error: device[0].size: `size` is for a disk in memory"],
    ),
    (
        "[[device]]\ntype=\"virtio-blk\"\nsize=\"1MiB\"\nmode=\"raw\"",
        &["device[0].mode: `raw` writes to a file"],
    ),
    (
        "[[device]]\ntype=\"virtio-blk\"\nsize=\"1MiB\"\nserial=\"123456789012345678901\"",
        &["has 21 bytes", "at most 20"],
    ),
    (
        "[console]\ndevice=\"hvc0\"",
        &["console.device: there is no console `hvc0`", "uart"],
    ),
    (
        "[[console.script]]\nexpect=\"\"\nsend=\"x\"",
        &[
            "console.script[0].expect: `expect` is empty",
            "such as \"# \" (text to wait for",
        ],
    ),
    (
        "[[console.script]]\nexpect=\"a\"",
        &["console.script[0].send: `send` is missing"],
    ),
    (
        "[console]\nscript = [1]",
        &[
            "console.script[0]: `console.script` is a repeated section (a list of tables), not a whole number",
        ],
    ),
    (
        "[limits]\ntime = \"10\"",
        &["x.toml:2:8: error: limits.time: `10` has no unit"],
    ),
    (
        "[limits]\ntime = \"0s\"",
        &["limits.time: 0s is less than 1ps"],
    ),
    (
        "[limits]\ninstructions = \"10M\"",
        &["limits.instructions: expected whole number"],
    ),
    (
        "[expect]\nconsole = [1]",
        &["expect.console: expected list of texts, found a whole number"],
    ),
    (
        "[expect]\nconsole = [\"\"]",
        &["an empty text is always there"],
    ),
    (
        "[expect]\nstatus = 3",
        &[
            "expect.status: a power-off has the status 0",
            "end = \"failure\"",
        ],
    ),
    (
        "[expect]\nstatus = 4294967296",
        &["is more than 4294967295"],
    ),
    (
        "description = 1979-05-27",
        &["description: expected text, found a date"],
    ),
    (
        "nonsense = 1",
        &["there is no parameter `nonsense`", "description, machine"],
    ),
    ("a.b.c.d.e = 1", &["there is no section `a`"]),
];

#[test]
fn bad_file_is_refused_with_place_field_and_remedy() {
    for (text, words) in BAD {
        let shown = bad(text);
        for word in *words {
            assert!(
                shown.contains(word),
                "{word:?} not in the report of\n{text}\n---\n{shown}"
            );
        }
        assert!(shown.contains("remedy: "), "{shown}");
    }
}

#[test]
fn deep_nesting_in_file_or_override_is_reported() {
    let deep = 200_000;
    for text in [
        format!("a{} = 1", ".a".repeat(deep)),
        format!("a = {}", "[".repeat(deep)),
        format!("a = {}1{}", "[".repeat(deep), "]".repeat(deep)),
        format!("a = {}", "{a=".repeat(deep)),
        format!("[a{}]", ".a".repeat(deep)),
    ] {
        assert!(is_reported(&text, format!("a{}=1", ".a".repeat(deep))));
    }
}

#[test]
fn section_that_is_something_else_is_one_problem() {
    for text in ["boot = \"x\"", "boot = [1]", "boot = 3"] {
        let shown = bad(text);
        assert_eq!(shown.matches("error: ").count(), 1, "{shown}");
        assert!(
            shown.contains("`boot` is a section (a table), not a"),
            "{shown}"
        );
        assert!(
            shown.contains("write [boot] on a line of its own"),
            "{shown}"
        );
    }
}

#[test]
fn override_of_an_entry_past_the_last_says_which_there_are() {
    let text = format!("{SMALL}[[device]]\ntype=\"virtio-rng\"\n[[device]]\ntype=\"virtio-rng\"\n");
    let set = "device.2.slot=1".to_owned();
    let shown = parse("x.toml", &text, &[set], &places()).expect_err("no such device");
    let shown = shown.render(Style::Plain);
    for word in [
        "--set device.2.slot=1: error: there is no `device.2`: the file has 2 of [[device]]",
        "use device.0 (virtio-rng) or device.1 (virtio-rng), or write one more",
    ] {
        assert!(shown.contains(word), "{shown}");
    }
}

#[test]
fn all_problems_of_a_file_are_reported_together_in_its_order() {
    let shown = bad(
        "[machine]\nharts = 99\nmemry = 1\nclock = \"x\"\n[boot]\nmode = 1\n[[device]]\ntype=\"q\"\n",
    );
    let places: Vec<_> = shown
        .lines()
        .filter_map(|l| {
            l.strip_prefix("x.toml:")?
                .split_once(": error")
                .map(|(p, _)| p)
        })
        .collect();
    assert_eq!(places, ["2:9", "3:1", "4:9", "5:2", "6:8", "8:6"]);
    assert!(shown.ends_with("x.toml: 6 errors\n"), "{shown}");
}

#[test]
fn report_of_a_file_with_control_characters_commands_no_terminal() {
    let shown = bad("[machine]\nharts = 99 # \u{1b}[31m\u{7}\n");
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
    assert!(shown.contains("harts = 99 # \u{fffd}[31m"), "{shown}");
}

#[test]
fn drawn_report_holds_what_the_plain_one_holds() {
    let problems =
        parse("x.toml", "[machine]\nhart = 2\n", &[], &places()).expect_err("unknown key");
    let drawn = problems.render(Style::Drawn {
        width: 80,
        color: false,
    });
    for word in [
        "machine.hart",
        "x.toml:2:1",
        "did you mean `harts`?",
        "hart = 2",
    ] {
        assert!(drawn.contains(word), "{word} not in\n{drawn}");
    }
}

/// A file of sensible words in a senseless order finds more than noise does.
fn scrambled() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "[machine]\n",
        "[boot]\n",
        "[[device]]\n",
        "[device]\n",
        "[console]\n",
        "[[console.script]]\n",
        "[expect]\n",
        "[limits]\n",
        "harts",
        "memory",
        "type",
        "slot",
        "mode",
        "kernel",
        "script",
        "expect",
        "send",
        "name",
        "size",
        "file",
        "console",
        "status",
        "time",
        " = ",
        " = ",
        " = ",
        ".",
        "\n",
        "\n",
        "\"virtio-blk\"",
        "\"virtio-rng\"",
        "\"1MiB\"",
        "\"\"",
        "\"é\"",
        "1",
        "-1",
        "0x10",
        "1e9",
        "nan",
        "true",
        "[",
        "]",
        "{",
        "}",
        ",",
        "[[",
        "'",
        "\"\"\"",
        "#",
        "1979-05-27",
        "99999999999999999999",
        "\u{0}",
        "\r",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_description_or_a_report(text in "\\PC{0,200}", set in "\\PC{0,40}") {
        prop_assert!(is_reported(&text, set));
    }

    #[test]
    fn any_scrambled_file_is_a_description_or_a_report(text in scrambled(), set in scrambled()) {
        prop_assert!(is_reported(&text, set));
    }

    #[test]
    fn any_damage_to_a_good_file_is_reported(at in 0usize..400, with in any::<char>()) {
        let mut text = include_str!("../../../../systems/demo.toml").to_owned();
        let mut at = at % text.len();
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert(at, with);
        prop_assert!(is_reported(&text, "machine.harts=2".to_owned()));
    }
}

fn is_reported(text: &str, set: String) -> bool {
    match parse("x.toml", text, &[set], &places()) {
        Ok(_) => true,
        Err(problems) => {
            let _ = problems.render(Style::Drawn {
                width: 80,
                color: true,
            });
            let shown = problems.render(Style::Plain);
            !problems.list.is_empty() && shown.contains("remedy: ")
        }
    }
}
