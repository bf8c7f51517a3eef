//! PHOLD (Fujimoto, 1990) as SST's benchmark has it: a square grid of nodes, links to all neighbours
//! within a ring and to itself, and a node that receives an event sends one over a link at random.

use maquette_model::{Message, PortId, SimTime};
use maquette_sim::{
    Accumulator, Component, ComponentId, Link, Port, Quantity, Serial, SimCx, SimEvent,
    StatisticsTable, WiringError,
};

/// How long an event travels.
pub const STEP: SimTime = SimTime::from_ns(1);

const BETWEEN: Quantity = Quantity {
    name: "between",
    unit: "ps",
    about: "time from one event received to the next",
};

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Phold {
    pub side: u16,
    pub ring: u16,
    /// Of so many nodes one begins with an event.
    pub sparse: u32,
}

/// SST's defaults.
pub const DEFAULT: Phold = Phold {
    side: 10,
    ring: 1,
    sparse: 10,
};

/// Random numbers of one node (splitmix64), begun with its number.
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u64);

impl Random {
    /// One of `count` things.
    pub fn choose(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (((z >> 32) * count as u64) >> 32) as usize
    }
}

impl Phold {
    pub fn nodes(self) -> u32 {
        u32::from(self.side) * u32::from(self.side)
    }

    /// Links of a node that has neighbours on all sides, the one to itself included.
    fn directions(self) -> u16 {
        (2 * self.ring + 1) * (2 * self.ring + 1)
    }

    /// The node that lies in a direction of `node`.
    fn neighbour(self, node: u32, direction: u16) -> Option<u32> {
        let (side, width) = (i32::from(self.side), i32::from(2 * self.ring + 1));
        let (node, direction) = (i32::try_from(node).ok()?, i32::from(direction));
        let ring = i32::from(self.ring);
        let x = node % side + direction % width - ring;
        let y = node / side + direction / width - ring;
        let inside = (0..side).contains(&x) && (0..side).contains(&y);
        inside.then(|| u32::try_from(y * side + x).ok())?
    }

    /// All that `node` has a link to, with the directions.
    pub fn neighbours(self, node: u32) -> impl Iterator<Item = (u16, u32)> {
        let directions = 0..self.directions();
        directions.filter_map(move |d| Some((d, self.neighbour(node, d)?)))
    }

    pub fn begins(self, node: u32) -> bool {
        node.is_multiple_of(self.sparse)
    }

    /// Nodes and links, ready to run.
    pub fn build(self) -> Result<Serial, WiringError> {
        let mut serial = Serial::default();
        let ids = (0..self.nodes())
            .map(|node| serial.add(Box::new(Node::new(self, node))))
            .collect::<Result<Vec<_>, _>>()?;
        let last = self.directions() - 1;
        for (node, &from) in (0..).zip(&ids) {
            for (direction, other) in self.neighbours(node) {
                // A link has two ends and is made once; the one to itself ends at a port of its own.
                let back = if other == node {
                    last + 1
                } else {
                    last - direction
                };
                if other >= node {
                    let a = (from, PortId(direction));
                    let b = (ids[other as usize], PortId(back));
                    serial.link(Link {
                        a,
                        b,
                        latency: STEP,
                    })?;
                }
            }
        }
        serial.check_wiring()?;
        Ok(serial)
    }
}

pub struct Node {
    path: String,
    out: Vec<PortId>,
    back: PortId,
    random: Random,
    begins: bool,
    pub received: u64,
    last: SimTime,
    between: Accumulator,
}

impl Node {
    fn new(phold: Phold, node: u32) -> Self {
        Self {
            path: format!("node{node}"),
            out: phold.neighbours(node).map(|(d, _)| PortId(d)).collect(),
            back: PortId(phold.directions()),
            random: Random(node.into()),
            begins: phold.begins(node),
            received: 0,
            last: SimTime::ZERO,
            between: Accumulator::default(),
        }
    }

    fn send(&mut self, cx: &mut SimCx<'_>) {
        let to = self.out[self.random.choose(self.out.len())];
        cx.send(to, Message::Word(self.received), cx.now());
    }
}

impl Component for Node {
    fn path(&self) -> &str {
        &self.path
    }
    fn ports(&self) -> Vec<Port> {
        let all = self.out.iter().chain([&self.back]);
        all.map(|port| Port::new(port.0, "link")).collect()
    }
    fn required_ports(&self) -> Vec<PortId> {
        self.ports().into_iter().map(|port| port.id).collect()
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        if self.begins {
            self.send(cx);
        }
    }
    fn event(&mut self, cx: &mut SimCx<'_>, _: SimEvent) {
        self.received += 1;
        self.between
            .record(cx.now().saturating_sub(self.last).as_ps());
        self.last = cx.now();
        self.send(cx);
    }
    fn statistics(&self, table: &mut StatisticsTable) {
        table.accumulator(BETWEEN, &self.between);
    }
}

/// How many events each node has received.
pub fn received(serial: &Serial) -> Vec<u64> {
    let ids: Vec<ComponentId> = serial.paths().map(|(id, _)| id).collect();
    let nodes = ids.into_iter().filter_map(|id| serial.get::<Node>(id));
    nodes.map(|node| node.received).collect()
}
