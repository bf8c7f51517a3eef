//! Register accesses as lines.

use maquette_virtio_sst_protocol::text::{Answer, Line};
use proptest::prelude::*;

#[test]
fn sst_t01_lines_are_told_apart_by_what_is_wrong_with_them() {
    let bad = |answer| Line::Bad(answer);
    let cases: [(&[u8], Line<'_>); 9] = [
        (
            b"SST:READ:10200004:00000000\r",
            Line::Read {
                address: 0x1020_0004,
            },
        ),
        (
            b"SST:WRITE:10200000:deadBEEF",
            Line::Write {
                address: 0x1020_0000,
                data: 0xDEAD_BEEF,
            },
        ),
        (b"hello", Line::Console(b"hello")),
        (b"", Line::Console(b"")),
        (b"SST:POKE:00000000:00000000", bad(Answer::UnknownOperation)),
        (b"SST:", bad(Answer::UnknownOperation)),
        (b"SST:READ:1020000:00000000", bad(Answer::ParseError)),
        (b"SST:READ:+1020000:00000000", bad(Answer::ParseError)),
        (b"SST:WRITE:10200000:00000000:", bad(Answer::ParseError)),
    ];
    for (line, meaning) in cases {
        assert_eq!(Line::parse(line), meaning, "{line:?}");
    }
}

#[test]
fn answers_read_as_the_original_guest_expects() {
    assert_eq!(format!("{}", Answer::Ok(0xCAFE)), "SST:OK:0000CAFE");
    assert_eq!(format!("{}", Answer::DeviceFailure), "SST:ERR:0001");
    assert_eq!(format!("{}", Answer::ParseError), "SST:ERR:0002");
    assert_eq!(format!("{}", Answer::UnknownOperation), "SST:ERR:0003");
}

proptest! {
    #[test]
    fn every_access_survives_being_written_and_read(address: u32, data: u32) {
        let line = format!("SST:WRITE:{address:08X}:{data:08X}");
        prop_assert_eq!(Line::parse(line.as_bytes()), Line::Write { address, data });
    }

    #[test]
    fn only_lines_with_the_prefix_are_anything_but_text(line: Vec<u8>) {
        let is_text = matches!(Line::parse(&line), Line::Console(text) if text == line);
        prop_assert_eq!(is_text, !line.starts_with(b"SST:"));
    }
}
