//! Frames that no honest guest sends.

use crate::peer::Bench;
use maquette_model::SimTime;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).expect("a small number")
    }
}

/// Frames of an ordinary guest: DHCP, ARP, and what it sends to answer.
fn ordinary() -> Vec<Vec<u8>> {
    let mut bench = Bench::new(true);
    let mut frames = Vec::new();
    // What comes back has the same formats.
    bench.until(|peer| {
        frames.append(&mut peer.seen);
        peer.lease()
    });
    frames
}

#[test]
fn rv_62_damaged_frames_are_dropped_and_the_gateway_lives() {
    let mut frames = ordinary();
    // An ARP question, an echo request, a question for a name, and the beginning of a connection.
    let head = |kind: [u8; 2]| [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1], &kind].concat();
    let arp = [
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
    ];
    frames.push([head([8, 6]), arp.to_vec()].concat());
    for protocol in [1, 6, 17] {
        let mut ip = vec![
            0x45, 0, 0, 60, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2,
        ];
        ip.extend(vec![8; 40]);
        let sum: u32 = ip[..20]
            .chunks(2)
            .map(|w| u32::from(w[0]) << 8 | u32::from(w[1]))
            .sum();
        let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).expect("folded");
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        frames.push([head([8, 0]), ip].concat());
    }
    let mut random = Random(7);
    let mut bench = Bench::with_address(false);
    for _ in 0..400 {
        for _ in 0..20 {
            let mut frame = frames[random.below(frames.len())].clone();
            // To the gateway, from the guest.
            frame[..6].copy_from_slice(&[0xff; 6]);
            for _ in 0..random.below(4) {
                let at = random.below(frame.len());
                frame[at] ^= 1 << random.below(8);
            }
            if random.below(4) == 0 {
                frame.truncate(random.below(frame.len()));
            }
            bench.peer().raw.push(frame);
        }
        bench.run_for(SimTime::from_ms(1));
    }
    let counts = bench.gateway().counts();
    assert!(counts.dropped > 1000, "{counts:?}");
    // It still answers.
    let before = counts.to_guest;
    bench.peer().raw.push([head([8, 6]), arp.to_vec()].concat());
    bench.run_for(SimTime::from_ms(1));
    assert_eq!(bench.gateway().counts().to_guest, before + 1);
}

#[test]
fn messages_from_outside_that_are_none_are_ignored() {
    use maquette_model::Message;
    use maquette_network::OUTSIDE;
    use maquette_sim::{Input, Rim, RimAction};
    struct Noise(u8, maquette_sim::ComponentId);
    impl Rim for Noise {
        fn before(&mut self, _: SimTime) -> RimAction {
            if self.0 == 0 {
                return RimAction::Go;
            }
            self.0 -= 1;
            let bytes = vec![self.0; usize::from(self.0 % 9)];
            RimAction::Inject(Input {
                at: SimTime::ZERO,
                to: self.1,
                port: OUTSIDE,
                msg: Message::Bytes(bytes),
            })
        }
        fn idle(&mut self) -> RimAction {
            RimAction::Go
        }
    }
    let mut bench = Bench::new(false);
    let mut noise = Noise(200, bench.gateway);
    bench.serial.run(SimTime::from_ms(5), &mut noise);
    assert_eq!(bench.gateway().connections(), 0);
}

#[test]
fn rv_62_fragments_of_packets_are_dropped_and_counted() {
    let mut bench = Bench::with_address(true);
    // The first piece, one in the middle, and the last.
    for [high, low] in [[0x20, 0], [0x20, 1], [0, 2]] {
        let mut ip = vec![0x45, 0, 0, 28, 0, 7, high, low, 64, 17, 0, 0];
        ip.extend([10, 0, 2, 15, 10, 0, 2, 2, 0, 9, 0, 9, 0, 8, 0, 0]);
        let words = ip.chunks(2).take(10);
        let sum: u32 = words.map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
        let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).expect("folded");
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let frame = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1, 8, 0], &ip].concat();
        bench.peer().raw.push(frame);
    }
    let before = bench.gateway().counts();
    bench.run_for(SimTime::from_ms(5));
    let counts = bench.gateway().counts();
    assert_eq!((before.fragments, counts.fragments), (0, 3));
    assert_eq!(counts.dropped - before.dropped, 3);
}
