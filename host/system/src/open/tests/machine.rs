//! What a machine boots, and its date.

use super::{SMALL, bad, good};
use crate::description::RtcStart;
use std::path::PathBuf;

#[test]
fn rtc_takes_a_date_with_and_without_quotes_and_refuses_what_is_none() {
    let rtc = |text: &str| {
        let rtc = format!("machine.rtc={text}");
        good(SMALL, &[&rtc]).machines[0].board.rtc
    };
    let at = |s: u64| RtcStart::At(maquette_machine::UnixTime(s * 1_000_000_000));
    assert_eq!(good(SMALL, &[]).machines[0].board.rtc, at(1_767_225_600));
    assert_eq!(rtc("2000-01-01T00:00:00Z"), at(946_684_800));
    assert_eq!(rtc("\"2000-01-01T00:00:00Z\""), at(946_684_800));
    assert!(matches!(rtc("host"), RtcStart::Host(_)));
    for (text, words) in [
        ("\"tomorrow\"", "`tomorrow` is no date and time"),
        ("2026-01-01T00:00:00", "is no date and time"),
        (
            "\"2026-02-30T00:00:00Z\"",
            "the day 30, which does not exist",
        ),
        ("1969-12-31T00:00:00Z", "which the clock cannot show"),
        ("7", "expected date, found a whole number"),
    ] {
        let report = bad(&format!("[machine]\nrtc = {text}\n{SMALL}"));
        assert!(
            report.contains("x.toml:2:7: error: machine.rtc: ") && report.contains(words),
            "{report}"
        );
    }
}

#[test]
fn firmware_and_its_mode_belong_together() {
    let text =
        "[boot]\nmode = \"firmware\"\nkernel = \"k\"\nfirmware = \"f.bin\"\ncmdline = \"x\"\n";
    let d = good(text, &[]);
    let firmware = d.machines[0].boot.firmware.as_ref().expect("a file");
    assert_eq!(firmware.path, PathBuf::from("/nowhere/f.bin"));
    let absent = bad("[boot]\nmode = \"firmware\"\nkernel = \"k\"\n");
    assert!(
        absent.contains("x.toml:2:8: error: boot.mode: mode `firmware` needs a `firmware`"),
        "{absent}"
    );
    assert!(absent.contains("part:opensbi/fw_dynamic.bin"), "{absent}");
    let idle = bad("[boot]\nmode = \"sbi\"\nkernel = \"k\"\nfirmware = \"f.bin\"\n");
    assert!(
        idle.contains("x.toml:4:12: error: boot.firmware: "),
        "{idle}"
    );
    assert!(idle.contains("use mode \"firmware\""), "{idle}");
}
