//! Recordings and snapshots that come back, and every kind of damage that they may have taken.

use super::recording::{Record, Recorder, Recording};
use super::{ArchiveError, Origin, SnapshotPlace, snapshot};
use maquette_model::{Message, PortId, Section, Sections, SimTime};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn origin() -> Origin {
    Origin {
        made_by: "maquette 0.1.0".to_owned(),
        file: "systems/hello.toml".to_owned(),
        folder: PathBuf::from("/somewhere/systems"),
        text: "[machine]\nharts = 1\n".to_owned(),
        overrides: vec!["machine.harts=2".to_owned()],
        interactive: true,
        images: Vec::new(),
    }
}

fn sections() -> Sections {
    let mut all = Sections::default();
    for (path, len) in [("machine0", 40), ("machine0.ram", 5000), ("console", 0)] {
        let section = Section {
            kind: "thing".to_owned(),
            version: 2,
            payload: (0..=u8::MAX).cycle().take(len).collect(),
        };
        all.insert(path, section).unwrap();
    }
    all
}

fn records() -> Vec<Record> {
    let input = |at, msg| Record::Input {
        at: SimTime::from_us(at),
        to: "console".to_owned(),
        port: PortId(1),
        msg,
    };
    vec![
        input(3, Message::Byte(b'a')),
        Record::Checkpoint {
            at: SimTime::from_ms(100),
            hash: [7; 32],
        },
        input(4000, Message::Bytes(vec![1, 2, 3])),
        Record::End {
            cut_at: Some(SimTime::from_ms(200)),
            hash: Some([9; 32]),
            ending: "the power was switched off".to_owned(),
        },
    ]
}

fn snapshot_bytes() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.maqs");
    let place = SnapshotPlace::prepare(&path).unwrap();
    snapshot::write(place, &origin(), &sections()).unwrap();
    fs::read(&path).unwrap()
}

fn recording_bytes() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.maqr");
    let mut recorder = Recorder::create(&path, &origin()).unwrap();
    for record in records() {
        recorder.add(&record);
    }
    assert!(recorder.take_failure().is_none());
    fs::read(&path).unwrap()
}

fn read_snapshot(bytes: &[u8]) -> Result<(), ArchiveError> {
    snapshot::parse(Path::new("x"), bytes).map(drop)
}

fn read_recording(bytes: &[u8]) -> Result<Recording, ArchiveError> {
    Recording::parse(Path::new("x"), bytes)
}

#[test]
fn what_is_written_comes_back() {
    let saved = snapshot::parse(Path::new("x"), &snapshot_bytes()).unwrap();
    assert_eq!((saved.origin, saved.sections), (origin(), sections()));
    let recording = read_recording(&recording_bytes()).unwrap();
    assert_eq!(recording.origin, origin());
    assert_eq!(recording.records, records());
    assert!(!recording.unfinished);
}

#[test]
fn rv_44_snapshot_with_any_byte_changed_or_missing_is_refused() {
    let good = snapshot_bytes();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        read_snapshot(&bad).expect_err("a changed byte");
        read_snapshot(&good[..at]).expect_err("a missing end");
    }
    let longer = [&good[..], b"x"].concat();
    read_snapshot(&longer).expect_err("one byte more");
}

#[test]
fn rv_42_recording_with_any_byte_changed_is_refused_and_a_cut_one_is_a_prefix() {
    let good = recording_bytes();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        read_recording(&bad).expect_err("a changed byte");
        if let Ok(found) = read_recording(&good[..at]) {
            assert!(found.unfinished, "cut at {at}");
            assert!(records().starts_with(&found.records), "cut at {at}");
        }
    }
    let twice = [&good[..], &good[good.len() - 60..]].concat();
    read_recording(&twice).expect_err("records after the end");
}

#[test]
fn rv_42_data_after_the_end_is_damage_and_its_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.maqr");
    let mut recorder = Recorder::create(&path, &origin()).unwrap();
    for record in records() {
        recorder.add(&record);
    }
    let end = fs::metadata(&path).unwrap().len();
    // A whole record, with a good check.
    recorder.add(&records()[0]);
    let bytes = fs::read(&path).unwrap();
    let extra = bytes.len() as u64 - end;
    let what = |extra| format!("data after the end: {extra} bytes from offset {end} on");
    let refused = read_recording(&bytes).unwrap_err().to_string();
    assert!(refused.ends_with(&what(extra)), "{refused}");
    let one = bytes.get(..bytes.len() - extra as usize + 1).unwrap();
    let refused = read_recording(one).unwrap_err().to_string();
    assert!(refused.ends_with(&what(1)), "{refused}");
    let good = snapshot_bytes();
    let longer = [&good[..], b"xyz"].concat();
    let refused = read_snapshot(&longer).unwrap_err().to_string();
    let end = good.len();
    assert!(
        refused.ends_with(&format!("3 bytes from offset {end} on")),
        "{refused}"
    );
}

#[test]
fn rv_42_refusals_say_what_the_file_is() {
    let refused = |bytes: &[u8]| read_snapshot(bytes).unwrap_err().to_string();
    let mut newer = snapshot_bytes();
    newer[9] = 2;
    assert_eq!(
        refused(&newer),
        "x has format 2; this program reads formats up to 1"
    );
    assert_eq!(
        refused(b"#!/bin/sh\n"),
        "x is no snapshot of Maquette: it does not begin like one"
    );
    assert_eq!(
        refused(b""),
        "x is no snapshot of Maquette: it does not begin like one"
    );
    assert_eq!(
        refused(&recording_bytes()),
        "x is a recording, not a snapshot"
    );
    assert_eq!(
        refused(b"MAQ"),
        "x was cut short: it ends after 3 bytes, in its first bytes"
    );
    let good = snapshot_bytes();
    let cut = &good[..good.len() - 100];
    let bytes = cut.len();
    assert_eq!(
        refused(cut),
        format!("x was cut short: it ends after {bytes} bytes, in its state")
    );
}

#[test]
fn nothing_but_our_own_files_is_replaced_and_nothing_endless_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("mine.toml"), "precious").unwrap();
    fs::write(at("empty"), "").unwrap();
    std::os::unix::fs::symlink(at("target.maqs"), at("dangling.maqs")).unwrap();
    for (path, why) in [
        (at("mine.toml"), "holds something other than"),
        (
            PathBuf::from("/dev/null"),
            "is a folder, a pipe or a device",
        ),
        (
            folder.path().to_path_buf(),
            "is a folder, a pipe or a device",
        ),
        (at("none/x"), "cannot write"),
        (at("dangling.maqs"), "cannot write"),
    ] {
        let error = SnapshotPlace::prepare(&path).err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
        let error = Recorder::create(&path, &origin())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(fs::read(at("mine.toml")).unwrap(), b"precious");
    let error = Recording::read(Path::new("/dev/zero")).unwrap_err();
    assert!(error.to_string().contains("a pipe or a device"), "{error}");
    // A link to one of ours stays a link.
    fs::write(at("real.maqs"), snapshot_bytes()).unwrap();
    std::os::unix::fs::symlink(at("real.maqs"), at("link.maqs")).unwrap();
    for name in ["link.maqs", "empty", "new"] {
        let place = SnapshotPlace::prepare(&at(name)).unwrap();
        snapshot::write(place, &origin(), &sections()).unwrap();
        snapshot::read(&at(name)).unwrap();
    }
    assert!(at("link.maqs").is_symlink());
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 6, "partial files are gone");
}

#[test]
fn snapshot_in_no_folder_is_refused_before_the_run() {
    let error = SnapshotPlace::prepare(Path::new("/dev/full/x"))
        .err()
        .unwrap();
    assert!(error.to_string().starts_with("cannot write /dev/full/x"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        tail in prop::collection::vec(any::<u8>(), 0..300), recording: bool,
    ) {
        let good = if recording { recording_bytes() } else { snapshot_bytes() };
        let head = &good[..good.len().min(340)];
        let bytes = [head, &tail].concat();
        let _ = (read_snapshot(&bytes).is_ok(), read_recording(&bytes).is_ok());
        let _ = (read_snapshot(&tail).is_ok(), read_recording(&tail).is_ok());
    }
}
