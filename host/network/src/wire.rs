//! A cable that is not perfect: frames take time to be sent, and some are lost.

use maquette_model::{
    LoadError, Message, PortId, Reader, RestoreError, SaveError, Sections, SimTime, Snapshot,
    Writer,
};
use maquette_sim::{Component, Port, SimCx, SimEvent, WakeId};
use std::collections::VecDeque;

/// Frames that wait at one end; further ones are dropped, as by a switch.
const QUEUE: usize = 256;
/// Preamble, check sequence and gap around each frame, in bytes (IEEE 802.3 §3.1.1, §4.4.2).
const AROUND: u64 = 8 + 4 + 12;
/// The shortest frame without its check sequence; shorter ones are padded.
const SHORTEST: u64 = 60;
const PS_PER_S: u128 = 1_000_000_000_000;
const WAKE: u32 = 0;

/// What a cable is made from.
#[derive(Clone, Debug)]
pub struct Quality {
    /// Its path, unique in the system.
    pub path: String,
    /// Bits a second in each direction, at least 1; without, sending takes no time.
    pub bandwidth: Option<u64>,
    /// Of how many frames how many are lost: numerator and denominator, which is not 0.
    pub loss: (u64, u64),
    /// What decides which.
    pub seed: u64,
}

/// A cable with two ends, its ports 0 and 1.
pub struct Wire {
    quality: Quality,
    /// The generator's state.
    random: u64,
    /// From each end: when each frame is sent, and the frame.
    ways: [VecDeque<(SimTime, Vec<u8>)>; 2],
    /// When each end is free to send again.
    free: [SimTime; 2],
    wake: Option<WakeId>,
    lost: u64,
}

impl Wire {
    /// One end; the other is port 1.
    pub const ENDS: [PortId; 2] = [PortId(0), PortId(1)];

    /// A cable on which nothing is yet.
    #[must_use]
    pub fn new(quality: Quality) -> Self {
        Self {
            random: quality.seed,
            quality,
            ways: [VecDeque::new(), VecDeque::new()],
            free: [SimTime::ZERO; 2],
            wake: None,
            lost: 0,
        }
    }

    /// Frames that were lost or found no room.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    fn is_lost(&mut self) -> bool {
        let (some, of) = self.quality.loss;
        if some == 0 {
            return false;
        }
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.random;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).checked_rem(of).is_some_and(|n| n < some)
    }

    /// How long a frame takes to be sent.
    fn duration(&self, bytes: usize) -> SimTime {
        let Some(rate) = self.quality.bandwidth else {
            return SimTime::ZERO;
        };
        let bits = ((bytes as u64).max(SHORTEST) + AROUND) * 8;
        let ps = (u128::from(bits) * PS_PER_S).div_ceil(u128::from(rate.max(1)));
        SimTime::from_ps(u64::try_from(ps).unwrap_or(u64::MAX))
    }

    fn arrived(&mut self, now: SimTime, end: usize, frame: Vec<u8>) {
        let lost = self.is_lost();
        let duration = self.duration(frame.len());
        let (Some(way), Some(free)) = (self.ways.get_mut(end), self.free.get_mut(end)) else {
            return;
        };
        if lost || way.len() >= QUEUE {
            self.lost += 1;
            return;
        }
        *free = now.max(*free).saturating_add(duration);
        way.push_back((*free, frame));
    }

    /// Sends what is due, and asks for the next wake.
    fn settle(&mut self, cx: &mut SimCx<'_>) {
        let now = cx.now();
        for (way, to) in self.ways.iter_mut().zip([1, 0]) {
            while way.front().is_some_and(|(at, _)| *at <= now) {
                if let (Some((_, frame)), Some(to)) = (way.pop_front(), Self::ENDS.get(to)) {
                    cx.send(*to, Message::Bytes(frame), now);
                }
            }
        }
        if let Some(wake) = self.wake.take() {
            cx.cancel(wake);
        }
        let next = self
            .ways
            .iter()
            .filter_map(|way| way.front().map(|(at, _)| *at))
            .min();
        self.wake = next.map(|at| cx.wake_at(at, WAKE));
    }
}

impl Component for Wire {
    fn path(&self) -> &str {
        &self.quality.path
    }

    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "from"), Port::new(1, "to")]
    }

    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => self.wake = None,
            SimEvent::Message { port, msg } => {
                if let Message::Bytes(frame) = msg {
                    self.arrived(cx.now(), usize::from(port.0), frame);
                }
            }
        }
        self.settle(cx);
    }

    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        to.put(&self.quality.path, self)
    }

    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let path = self.quality.path.clone();
        from.take(&path, self)
    }
}

impl Snapshot for Wire {
    fn kind(&self) -> &'static str {
        "wire"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.u64(self.random);
        for (way, free) in self.ways.iter().zip(self.free) {
            w.time(free);
            w.u64(way.len() as u64);
            for (at, frame) in way {
                w.time(*at);
                w.bytes(frame);
            }
        }
        w.bool(self.wake.is_some());
        if let Some(wake) = self.wake {
            wake.save(w);
        }
        w.u64(self.lost);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.random = r.u64()?;
        for (way, free) in self.ways.iter_mut().zip(&mut self.free) {
            *free = r.time()?;
            way.clear();
            let (field, value) = ("frames on a wire", r.u64()?);
            if value > QUEUE as u64 {
                return Err(LoadError::Value { field, value });
            }
            for _ in 0..value {
                let at = r.time()?;
                way.push_back((at, r.bytes()?.to_vec()));
            }
        }
        let waits = r.bool("wake")?;
        self.wake = waits.then(|| WakeId::load(r)).transpose()?;
        self.lost = r.u64()?;
        Ok(())
    }
}
