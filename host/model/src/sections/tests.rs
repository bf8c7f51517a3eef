use super::*;
use std::error::Error as _;

/// A part whose second version added a field.
struct Lamp {
    on: bool,
    colour: u8,
}

impl Snapshot for Lamp {
    fn kind(&self) -> &'static str {
        "lamp"
    }
    fn version(&self) -> u16 {
        3
    }
    fn oldest_version(&self) -> u16 {
        2
    }
    fn save(&self, w: &mut Writer) {
        w.bool(self.on);
        w.u8(self.colour);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.on = r.bool("on")?;
        self.colour = if r.version() == Some(2) { 9 } else { r.u8()? };
        Ok(())
    }
}

const LIT: Lamp = Lamp {
    on: true,
    colour: 4,
};
const DARK: Lamp = Lamp {
    on: false,
    colour: 0,
};

fn section(kind: &str, version: u16, payload: &[u8]) -> Sections {
    let mut all = Sections::default();
    let section = Section {
        kind: kind.to_owned(),
        version,
        payload: payload.to_vec(),
    };
    all.insert("hall.lamp", section).unwrap();
    all
}

fn refused(mut all: Sections) -> String {
    let error = all.take("hall.lamp", &mut Lamp { ..DARK }).unwrap_err();
    let cause = error.source().map(|source| format!(": {source}"));
    format!("{error}{}", cause.unwrap_or_default())
}

#[test]
fn a_part_comes_back_and_nothing_is_left() {
    let mut all = Sections::default();
    all.put("hall.lamp", &LIT).unwrap();
    assert_eq!(
        all.put("hall.lamp", &LIT),
        Err(SaveError::SamePath {
            path: "hall.lamp".to_owned()
        })
    );
    let mut lamp = DARK;
    all.take("hall.lamp", &mut lamp).unwrap();
    assert!(lamp.on && lamp.colour == 4);
    assert_eq!(all.finish(), Ok(()));
}

#[test]
fn an_older_version_is_read_by_its_own_layout() {
    let mut lamp = DARK;
    section("lamp", 2, &[1])
        .take("hall.lamp", &mut lamp)
        .unwrap();
    assert!(lamp.on && lamp.colour == 9);
}

#[test]
fn what_does_not_fit_is_named() {
    let cases = [
        (
            section("tap", 3, &[1, 4]),
            "`hall.lamp` is a lamp here and a tap in the snapshot",
        ),
        (
            section("lamp", 1, &[1]),
            "the state of `hall.lamp` (lamp) has version 1; this program reads 2 to 3",
        ),
        (
            section("lamp", 4, &[1, 4, 0]),
            "the state of `hall.lamp` (lamp) has version 4; this program reads 2 to 3",
        ),
        (
            section("lamp", 3, &[1]),
            "the state of `hall.lamp` (lamp) is damaged: the saved state ends 1 bytes early",
        ),
        (
            section("lamp", 3, &[1, 4, 0]),
            "the state of `hall.lamp` (lamp) is damaged: 1 bytes are left over after the saved state",
        ),
        (
            section("lamp", 3, &[7, 4]),
            "the state of `hall.lamp` (lamp) is damaged: the saved field `on` cannot be 7",
        ),
        (
            Sections::default(),
            "the snapshot holds nothing for `hall.lamp`",
        ),
    ];
    for (all, message) in cases {
        assert_eq!(refused(all), message);
    }
    assert_eq!(
        section("lamp", 3, &[1, 4])
            .finish()
            .unwrap_err()
            .to_string(),
        "the snapshot holds state of `hall.lamp` (lamp), which this system does not have"
    );
}
