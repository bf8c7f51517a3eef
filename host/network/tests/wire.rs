//! A cable of limited quality between a sender and a receiver.

use maquette_model::{Message, PortId, SimTime};
use maquette_network::{Quality, Wire};
use maquette_sim::{Component, Link, NoRim, Port, Serial, SimCx, SimEvent};

const CABLE: PortId = PortId(0);

/// When what came.
type Seen = Vec<(SimTime, Vec<u8>)>;

/// Sends its frames at time zero, and keeps what comes and when.
struct End {
    path: &'static str,
    frames: Vec<Vec<u8>>,
    seen: Seen,
}

impl Component for End {
    fn path(&self) -> &str {
        self.path
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(CABLE.0, "cable")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(SimTime::ZERO, 0);
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        let now = cx.now();
        match ev {
            SimEvent::Wake { .. } => {
                for frame in self.frames.drain(..) {
                    cx.send(CABLE, Message::Bytes(frame), now);
                }
            }
            SimEvent::Message { msg, .. } => {
                if let Message::Bytes(frame) = msg {
                    self.seen.push((now, frame));
                }
            }
        }
    }
}

/// What arrives of `frames` sent from both ends, and how many are lost.
fn arrivals(quality: Quality, frames: &[Vec<u8>]) -> ([Seen; 2], u64, String) {
    let mut serial = Serial::default();
    let end = |path| End {
        path,
        frames: frames.to_vec(),
        seen: Vec::new(),
    };
    let a = serial.add(Box::new(end("a"))).expect("the first");
    let b = serial.add(Box::new(end("b"))).expect("another");
    let wire = serial.add(Box::new(Wire::new(quality))).expect("a third");
    for (end, port) in [a, b].into_iter().zip(Wire::ENDS) {
        let link = Link {
            a: (end, CABLE),
            b: (wire, port),
            latency: SimTime::from_us(5),
        };
        serial.link(link).expect("both ports exist");
    }
    serial.run(SimTime::from_ms(10_000), &mut NoRim);
    let lost = serial.get::<Wire>(wire).expect("it is a wire").lost();
    let seen = [a, b].map(|id| serial.get::<End>(id).expect("it is an end").seen.clone());
    (seen, lost, serial.finish().to_string())
}

fn quality(bandwidth: Option<u64>, loss: (u64, u64), seed: u64) -> Quality {
    Quality {
        path: "link0".to_owned(),
        bandwidth,
        loss,
        seed,
    }
}

#[test]
fn frames_follow_each_other_as_the_bandwidth_permits_in_each_direction() {
    let frames = vec![vec![1; 1226], vec![2; 10], vec![3; 476]];
    // 1 Gbit/s: 8 ns a byte; 24 bytes around each frame, and at least 60 in it.
    let (seen, lost, _) = arrivals(quality(Some(1_000_000_000), (0, 1), 1), &frames);
    let ns = [10_000, 10_000 + 84 * 8, 10_000 + 84 * 8 + 4_000];
    for seen in seen {
        let at: Vec<SimTime> = seen.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, ns.map(|ns| SimTime::from_ns(10_000 + ns)));
        let got: Vec<Vec<u8>> = seen.into_iter().map(|(_, frame)| frame).collect();
        assert_eq!(got, frames);
    }
    assert_eq!(lost, 0);
}

#[test]
fn some_frames_are_lost_the_same_by_the_same_seed() {
    let frames: Vec<Vec<u8>> = (0..250).map(|i| vec![i; 60]).collect();
    let run = |seed| arrivals(quality(None, (1, 10), seed), &frames);
    let (seen, lost, hash) = run(1);
    assert_eq!(
        seen[0].len() + seen[1].len() + usize::try_from(lost).expect("few"),
        500
    );
    assert!((20..=80).contains(&lost), "{lost}");
    assert_eq!(run(1), (seen, lost, hash.clone()));
    assert_ne!(run(2).2, hash);
}

#[test]
fn frames_that_find_no_room_are_dropped() {
    let frames: Vec<Vec<u8>> = (0..300).map(|_| vec![0; 60]).collect();
    let (seen, lost, _) = arrivals(quality(Some(1_000_000), (0, 1), 1), &frames);
    assert_eq!(seen[0].len(), 256);
    assert_eq!(lost, 2 * (300 - 256));
}
