//! A slow cable that loses frames, between two Linux machines: every frame is where and when a model of
//! the cable, written once more, says.

use std::path::Path;

use maquette_tests::need;
use maquette_tests::perfetto::{Event, read};
use maquette_tests::tool::{Tool, trace_hash};
use serde_json::Value;

use crate::linux::sha256;
use crate::ran::{self, LIMIT, folder, noise};

const SEED: u64 = 7;
/// Of so many frames one is lost.
const LOSES_ONE_OF: u64 = 40;
/// 8 Mbit/s: a byte takes a microsecond.
const NS_PER_BYTE: u64 = 1000;
/// Half of the cable's latency lies before it, half behind.
const HALF_NS: u64 = 5_000_000;
/// What is copied.
const COPIED: u64 = 128 << 10;

/// A frame on its way: when, in which direction, and how long.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Frame {
    ns: u64,
    way: usize,
    bytes: u64,
}

struct Transfer {
    stats: Value,
    console: String,
    hash: String,
    events: Vec<Event>,
}

/// Copies over a slow and lossy link.
fn transfer() -> Transfer {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let (trace, stats) = (at("trace"), at("stats.json"));
    let mut tool = Tool::run("systems/two-linux.toml").limit(LIMIT);
    for set in [
        "link.0.latency=\"10ms\"".to_owned(),
        "link.0.bandwidth=\"8Mbit/s\"".to_owned(),
        format!("link.0.loss=\"1/{LOSES_ONE_OF}\""),
        format!("link.0.seed={SEED}"),
        format!("machine.0.device.1.size=\"{COPIED}B\""),
        "machine.0.expect.console=[\"copied\"]".to_owned(),
        format!("machine.1.expect.console=[\"{COPIED}\"]"),
    ] {
        tool = tool.arg("--set").arg(set);
    }
    let files = [Path::new("--trace"), &trace, Path::new("--stats"), &stats];
    let run = files.into_iter().fold(tool, Tool::arg).finish();
    run.expect_code(0);
    Transfer {
        stats: serde_json::from_slice(&ran::read(&stats)).expect("statistics are JSON"),
        console: ran::plain(&run.stdout),
        hash: trace_hash(&run).expect("the run prints its trace hash"),
        events: read(&ran::read(&trace)).unwrap_or_else(|e| panic!("{e}")),
    }
}

/// The frames that something sent, in order; `way` says in which direction, if it is a frame at all.
fn sent(events: &[Event], way: impl Fn(&Event, u64) -> Option<usize>) -> Vec<Frame> {
    let number = |e: &Event, key: &str| e.args.get(key).and_then(|text| text.parse().ok());
    let links = events.iter().filter(|e| e.category == "link");
    let frames = links.filter_map(|e| {
        let (port, bytes) = (number(e, "port")?, number(e, "bytes")?);
        let (ns, way) = (e.time, way(e, port)?);
        Some(Frame { ns, way, bytes })
    });
    frames.collect()
}

/// What a cable does with frames that are sent to it: those that come out, and how many are lost.
fn carried(frames: &[Frame]) -> (Vec<Frame>, u64) {
    let (mut free, mut lost) = ([0; 2], 0);
    let mut out = Vec::new();
    let random = noise(SEED, frames.len() * 8);
    for (frame, random) in frames.iter().zip(random.as_chunks().0) {
        if u64::from_le_bytes(*random).is_multiple_of(LOSES_ONE_OF) {
            lost += 1;
            continue;
        }
        // IEEE 802.3: 60 bytes at least, and 24 around them.
        let duration = (frame.bytes.max(60) + 24) * NS_PER_BYTE;
        let free = &mut free[frame.way];
        *free = (frame.ns + HALF_NS).max(*free) + duration;
        out.push(Frame {
            ns: *free,
            ..*frame
        });
    }
    out.sort_unstable();
    (out, lost)
}

/// What a machine's network device counted.
fn counted(stats: &Value, machine: usize, what: &str) -> u64 {
    let counters = stats["machines"][machine]["device_counters"].as_object();
    let counters = counters.expect("counters").iter();
    let those = counters.filter(|(name, _)| name.ends_with(what));
    those.filter_map(|(_, count)| count.as_u64()).sum()
}

#[test]
fn rv_67_slow_lossy_link_delays_and_loses_each_frame_as_the_model_says() {
    let _linux = need!(linux_riscv);
    let ran = transfer();
    let bytes: Vec<u8> = (0..COPIED / 8).flat_map(u64::to_le_bytes).collect();
    let sum = sha256(&bytes);
    for line in [
        format!("[a] linux# {sum}  /dev/vda"),
        format!("[b] linux# {sum}  /copy"),
    ] {
        assert!(ran.console.contains(&line), "{line}: {}", ran.console);
    }

    // Port 0 of a machine is its console, and its slots follow.
    let from = sent(&ran.events, |e, port| match e.track.split('/').next() {
        Some("a") if port > 0 => Some(0),
        Some("b") if port > 0 => Some(1),
        _ => None,
    });
    // What comes from one end leaves at the other.
    let mut to = sent(&ran.events, |e, port| {
        match (e.track.starts_with("link0"), port) {
            (true, 1) => Some(0),
            (true, 0) => Some(1),
            _ => None,
        }
    });
    to.sort_unstable();
    let (expected, lost) = carried(&from);
    assert!(
        lost > 3 && expected.len() > 100,
        "{lost} lost of {}",
        from.len()
    );
    assert_eq!(to, expected);
    let both = |what| counted(&ran.stats, 0, what) + counted(&ran.stats, 1, what);
    assert_eq!(both(".frames_sent"), from.len() as u64);
    let arrived = both(".frames_received") + both(".received_frames_dropped");
    assert_eq!(arrived, from.len() as u64 - lost);

    let again = transfer();
    assert_eq!(again.hash, ran.hash);
    assert_eq!(again.console, ran.console);
}
