use super::*;
use maquette_model::testing::TestHost;
use maquette_model::{Inspect, Message, Tree};
use proptest::prelude::*;

const ENABLE: u64 = 0x2000;
const THRESHOLD: u64 = 0x20_0000;
const CLAIM: u64 = 0x20_0004;

fn write(d: &mut Plic, h: &mut TestHost, off: u64, v: u64) {
    let answer = d.write(&mut Cx::new(h), Region(0), off, Width::B4, v);
    assert_eq!(answer, Access::Done(()));
}

fn read(d: &mut Plic, h: &mut TestHost, off: u64) -> u64 {
    match d.read(&mut Cx::new(h), Region(0), off, Width::B4) {
        Access::Done(v) => v,
        other => panic!("{off:#x}: {other:?}"),
    }
}

fn source(d: &mut Plic, h: &mut TestHost, n: u32, level: bool) {
    d.set_source(&mut Cx::new(h), n, level);
}

/// A PLIC of two harts in which context 1 takes source 10 at priority 1.
fn ready() -> (Plic, TestHost) {
    let (mut d, mut h) = (Plic::new(2), TestHost::new());
    write(&mut d, &mut h, 4 * 10, 1);
    write(&mut d, &mut h, ENABLE + 0x80, 1 << 10);
    (d, h)
}

/// A PLIC whose sources follow messages: the bits of a word are their levels, all else is low.
struct Wired(Plic);

impl Device for Wired {
    fn read(&mut self, cx: &mut Cx<'_>, r: Region, off: u64, w: Width) -> Access<u64> {
        self.0.read(cx, r, off, w)
    }
    fn write(&mut self, cx: &mut Cx<'_>, r: Region, off: u64, w: Width, v: u64) -> Access<()> {
        self.0.write(cx, r, off, w, v)
    }
    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        if let Event::Message { msg, .. } = ev {
            let levels = if let Message::Word(v) = msg { v } else { 0 };
            for n in 0..64 {
                self.0.set_source(cx, n + 1, levels >> n & 1 == 1);
            }
        }
    }
    fn reset(&mut self, cx: &mut Cx<'_>, kind: ResetKind) {
        self.0.reset(cx, kind);
    }
    fn register(&self, r: Region, off: u64) -> Option<RegisterInfo> {
        self.0.register(r, off)
    }
}

impl Snapshot for Wired {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }
    fn version(&self) -> u16 {
        self.0.version()
    }
    fn save(&self, w: &mut Writer) {
        self.0.save(w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.0.load(r)
    }
}

impl Inspect for Wired {
    fn inspect(&self, tree: &mut Tree) {
        self.0.inspect(tree);
    }
}

maquette_model::conformance!(plic, || Wired(Plic::new(2)), Plic::SIZE, drives lines);

#[test]
fn source_high_raises_only_contexts_that_enable_it() {
    let (mut d, mut h) = ready();
    source(&mut d, &mut h, 10, true);
    assert!(h.level(1) && !h.level(0) && !h.level(3));
    assert_eq!(read(&mut d, &mut h, 0x1000), 1 << 10);
    assert_eq!(
        read(&mut d, &mut h, CLAIM),
        0,
        "context 0 has nothing to claim"
    );
    assert_eq!(read(&mut d, &mut h, CLAIM + 0x1000), 10);
    assert!(!h.level(1));
    assert_eq!(read(&mut d, &mut h, 0x1000), 0);
}

#[test]
fn source_still_high_at_completion_is_pending_again() {
    let (mut d, mut h) = ready();
    source(&mut d, &mut h, 10, true);
    assert_eq!(read(&mut d, &mut h, CLAIM + 0x1000), 10);
    assert_eq!(read(&mut d, &mut h, CLAIM + 0x1000), 0, "in service");
    write(&mut d, &mut h, CLAIM + 0x1000, 10);
    assert!(h.level(1));
    assert_eq!(read(&mut d, &mut h, CLAIM + 0x1000), 10);
    source(&mut d, &mut h, 10, false);
    write(&mut d, &mut h, CLAIM + 0x1000, 10);
    assert!(!h.level(1));
}

#[test]
fn source_that_fell_before_the_claim_stays_pending() {
    let (mut d, mut h) = ready();
    source(&mut d, &mut h, 10, true);
    source(&mut d, &mut h, 10, false);
    assert!(h.level(1));
    assert_eq!(read(&mut d, &mut h, CLAIM + 0x1000), 10);
}

#[test]
fn completion_of_a_disabled_or_idle_source_is_ignored() {
    let (mut d, mut h) = ready();
    source(&mut d, &mut h, 10, true);
    assert_eq!(read(&mut d, &mut h, CLAIM + 0x1000), 10);
    write(&mut d, &mut h, CLAIM, 10);
    assert!(!h.level(1), "context 0 does not enable it");
    write(&mut d, &mut h, CLAIM + 0x1000, 11);
    write(&mut d, &mut h, CLAIM + 0x1000, 4_000_000);
    assert_eq!(h.guest_errors().len(), 3);
}

#[test]
fn claim_takes_the_highest_priority_then_the_lowest_number() {
    let (mut d, mut h) = (Plic::new(1), TestHost::new());
    write(&mut d, &mut h, ENABLE, 0xffff_ffff);
    write(&mut d, &mut h, ENABLE + 8, 0xffff_ffff);
    for (n, priority) in [(3, 2), (7, 5), (9, 5), (95, 7)] {
        write(&mut d, &mut h, 4 * u64::from(n), priority);
        source(&mut d, &mut h, n, true);
    }
    write(&mut d, &mut h, THRESHOLD, 2);
    for want in [95, 7, 9, 0] {
        assert_eq!(read(&mut d, &mut h, CLAIM), want);
    }
    assert!(!h.level(0), "priority 2 is not above threshold 2");
    write(&mut d, &mut h, THRESHOLD, 1);
    assert!(h.level(0));
}

#[test]
fn fields_keep_only_bits_that_exist() {
    let (mut d, mut h) = (Plic::new(1), TestHost::new());
    let ones = u64::from(u32::MAX);
    for off in [
        0,
        4,
        4 * 96,
        0x1000,
        ENABLE,
        ENABLE + 12,
        ENABLE + 0x100,
        THRESHOLD,
    ] {
        write(&mut d, &mut h, off, ones);
    }
    assert_eq!(read(&mut d, &mut h, 0), 0);
    assert_eq!(read(&mut d, &mut h, 4), 7);
    assert_eq!(read(&mut d, &mut h, 4 * 96), 0);
    assert_eq!(read(&mut d, &mut h, ENABLE), ones - 1);
    assert_eq!(read(&mut d, &mut h, ENABLE + 12), 0);
    assert_eq!(read(&mut d, &mut h, ENABLE + 0x100), 0);
    assert_eq!(read(&mut d, &mut h, THRESHOLD), 7);
}

/// What a test does to the PLIC.
#[derive(Clone, Debug)]
enum Op {
    Level(u32, bool),
    Priority(u32, u32),
    Enable(usize, u32, bool),
    Threshold(usize, u32),
    Claim(usize),
    Complete(usize, u32),
}

fn op() -> impl Strategy<Value = Op> {
    let source = prop_oneof![0..6u32, 94..97u32];
    prop_oneof![
        (source.clone(), any::<bool>()).prop_map(|(s, l)| Op::Level(s, l)),
        (source.clone(), 0..8u32).prop_map(|(s, p)| Op::Priority(s, p)),
        (0..4usize, source.clone(), any::<bool>()).prop_map(|(c, s, e)| Op::Enable(c, s, e)),
        (0..4usize, 0..8u32).prop_map(|(c, t)| Op::Threshold(c, t)),
        (0..4usize).prop_map(Op::Claim),
        (0..4usize, source).prop_map(|(c, s)| Op::Complete(c, s)),
    ]
}

/// The specification again, with one plain array for each thing and no short cuts.
struct Model {
    level: [bool; 97],
    pending: [bool; 97],
    busy: [bool; 97],
    priority: [u32; 97],
    threshold: [u32; 4],
    enable: [[bool; 97]; 4],
}

impl Model {
    fn new() -> Self {
        Self {
            level: [false; 97],
            pending: [false; 97],
            busy: [false; 97],
            priority: [0; 97],
            threshold: [0; 4],
            enable: [[false; 97]; 4],
        }
    }
    fn request(&mut self) {
        for s in 1..96 {
            self.pending[s] |= self.level[s] && !self.busy[s];
        }
    }
    fn best(&self, c: usize) -> usize {
        (1..96)
            .filter(|&s| {
                self.pending[s] && self.enable[c][s] && self.priority[s] > self.threshold[c]
            })
            .max_by_key(|&s| (self.priority[s], 96 - s))
            .unwrap_or(0)
    }
    fn apply(&mut self, op: &Op) -> Option<usize> {
        match *op {
            Op::Level(s, l) => self.level[s as usize] = l,
            Op::Priority(s, p) => self.priority[s as usize] = p,
            Op::Enable(c, s, e) => self.enable[c][s as usize] = e,
            Op::Threshold(c, t) => self.threshold[c] = t,
            Op::Claim(c) => {
                let s = self.best(c);
                self.pending[s] = false;
                self.busy[s] = s != 0;
                return Some(s);
            }
            Op::Complete(c, s) if (1..96).contains(&s) && self.enable[c][s as usize] => {
                self.busy[s as usize] = false;
            }
            Op::Complete(..) => {}
        }
        self.request();
        None
    }
}

fn apply(d: &mut Plic, h: &mut TestHost, op: &Op) -> Option<u64> {
    match *op {
        Op::Level(s, l) => source(d, h, s, l),
        Op::Priority(s, p) => write(d, h, 4 * u64::from(s), p.into()),
        Op::Enable(c, s, e) => {
            let off = ENABLE + 0x80 * c as u64 + u64::from(s / 32) * 4;
            let bit = 1 << (s % 32);
            let old = read(d, h, off);
            write(d, h, off, if e { old | bit } else { old & !bit });
        }
        Op::Threshold(c, t) => write(d, h, THRESHOLD + 0x1000 * c as u64, t.into()),
        Op::Claim(c) => return Some(read(d, h, CLAIM + 0x1000 * c as u64)),
        Op::Complete(c, s) => write(d, h, CLAIM + 0x1000 * c as u64, s.into()),
    }
    None
}

proptest! {
    #[test]
    fn plic_agrees_with_the_plain_model(ops in prop::collection::vec(op(), 1..200)) {
        let (mut d, mut h) = (Plic::new(2), TestHost::new());
        let mut m = Model::new();
        for op in &ops {
            let want = m.apply(op).map(|s| s as u64);
            prop_assert_eq!(apply(&mut d, &mut h, op), want, "{:?}", op);
            for c in 0..4 {
                prop_assert_eq!(h.level(c), m.best(c.into()) != 0, "line {} after {:?}", c, op);
            }
        }
    }
}
