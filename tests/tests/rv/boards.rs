//! Boards other than the usual one.

use maquette_tests::guests::guest;

use crate::ran::{folder, noise, read, run, system, system_with, write};

#[test]
fn demo_with_each_number_of_harts_passes() {
    for harts in 1..=8 {
        let set = [
            format!("machine.harts={harts}"),
            "expect.console=[\"demo: all passed\"]".into(),
        ];
        let ran = system_with("demo", &set.each_ref().map(String::as_str)).clean();
        let console = ran.console();
        assert!(
            console.contains(&format!("  harts     {harts}\n")),
            "{console}"
        );
        let second = if harts == 1 {
            "SKIP second hart"
        } else {
            "PASS second hart"
        };
        assert!(console.contains(second), "{console}");
    }
}

#[test]
fn demo_with_other_quanta_and_clocks_prints_the_same() {
    let usual = system("demo").clean().console();
    for set in [
        &["machine.quantum=1"][..],
        &["machine.quantum=97"],
        &["machine.quantum=1000000"],
        &["machine.cpi=1/2"],
        &["machine.cpi=17/5"],
        &["machine.clock=3GHz"],
        &[
            "machine.clock=333MHz",
            "machine.cpi=5/7",
            "machine.quantum=1234",
        ],
    ] {
        assert_eq!(system_with("demo", set).clean().console(), usual, "{set:?}");
    }
}

/// The time that a guest needs is its instructions times CPI over clock, on the picosecond.
#[test]
fn hello_time_follows_clock_and_cpi() {
    let usual = system("hello").clean();
    let instructions = usual.number("/instructions");
    assert_eq!(usual.number("/simulated_ps"), instructions * 1000);
    let slow = system_with("hello", &["machine.cpi=3", "machine.clock=500MHz"]).clean();
    assert_eq!(slow.number("/instructions"), instructions);
    assert_eq!(slow.number("/simulated_ps"), instructions * 3 * 2000);
}

#[test]
fn virtio_abuse_leaves_machine_and_disk_alone() {
    let (folder, before) = (folder(), noise(8, 64 << 10));
    let image = write(&folder, "disk.img", &before);
    let text = format!(
        r#"
            [machine]
            memory = "64MiB"
            [boot]
            mode = "bare"
            kernel = "{}"
            [[device]]
            type = "virtio-blk"
            file = "{}"
            [limits]
            time = "20s"
            [expect]
            console = ["PASS garbage in registers", "PASS kicks during reset", "PASS chains of 65535"]
            forbid = ["FAIL"]
        "#,
        guest("virtio-abuse").display(),
        image.display(),
    );
    let ran = run(write(&folder, "abuse.toml", text), &[]).clean();
    assert!(read(&image) == before, "the disk has changed");
    assert!(
        ran.number("/machine/guest_errors") > 1000,
        "they are counted"
    );
    let shown = &ran.run.stderr;
    assert!(
        shown.contains("guest errors: "),
        "the report tells of them: {shown}"
    );
}
