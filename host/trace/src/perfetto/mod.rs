//! A [`Sink`] that writes a file for <https://ui.perfetto.dev>: TrackEvent packets of a Perfetto trace.
//!
//! * Tracks follow the paths: a process for each machine, a thread for each hart, a track for each
//!   device, below it one for its interrupt line and a counter of its DMA bytes.
//! * Times are virtual, in nanoseconds, rounded down; what falls into one nanosecond stays in order.
//! * Flows lead from a doorbell (a write that hands work to a device) over the device's DMA and its
//!   interrupt line to the hart that claims the interrupt. A device that works on several requests at
//!   once shows them all as the one rung last.
//! * Harts take turns, so one may ring in the past of another. Slices on the track of a line never
//!   end before they begin: such an edge is drawn at the time of the one before.
//!
//! # Not here
//!
//! Files: pieces of the file go to a [`Destination`]. Symbols: [`Symbols`] names program counters.

mod content;
mod packets;
mod proto;
mod tracks;
mod wire;

use crate::{Entry, Kind, Note, PathId, Sink};
use content::Mmio;
use maquette_model::{RegisterInfo, Role, SimTime};
use packets::{Category, Event, Flow, Key, Packets, Type, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tracks::Tracks;

/// A piece of the file is passed on when it has this many bytes.
const PIECE: usize = 64 << 10;
/// So much of a console text is shown.
const TEXT_SHOWN: usize = 64;

/// Takes the file in pieces. It reports its own troubles.
pub trait Destination {
    /// The next piece, of whole packets; whether more are wanted.
    fn piece(&mut self, bytes: &[u8]) -> bool;
    /// There are no more.
    fn end(&mut self);
}

/// Names program counters.
pub trait Symbols {
    /// The function at `pc` of the hart with this path.
    fn function(&self, hart: &str, pc: u64) -> Option<&str>;
}

/// Knows no name.
#[derive(Clone, Copy, Debug)]
pub struct NoSymbols;

impl Symbols for NoSymbols {
    fn function(&self, _: &str, _: u64) -> Option<&str> {
        None
    }
}

/// How every file begins: what tells one from other files.
#[must_use]
pub fn beginning() -> Vec<u8> {
    packets::header().as_bytes().to_vec()
}

/// Who is accessing a register, and which.
#[derive(Clone, Copy)]
struct Origin {
    by: PathId,
    pc: u64,
    register: Option<RegisterInfo>,
    offset: Option<u64>,
    /// The access has been written: it is a store, which comes before what it causes.
    told: bool,
}

/// An interrupt line or input, as a slice while it is high.
#[derive(Clone, Copy, Default)]
struct Line {
    high: bool,
    since: u64,
}

/// The sink.
pub struct Perfetto<D: Destination> {
    to: D,
    symbols: Box<dyn Symbols>,
    packets: Packets,
    tracks: Tracks,
    origin: Option<Origin>,
    /// What the next event is called.
    label: Option<(&'static str, Option<u32>)>,
    /// By track.
    lines: BTreeMap<u64, Line>,
    /// The request behind each source that is requested: the device and the flow.
    sources: BTreeMap<(String, u32), (PathId, u64)>,
    flows: u64,
    /// The name of the event being made.
    name: String,
    /// Nobody wants the rest of the file.
    over: bool,
}

const fn ns(t: SimTime) -> u64 {
    t.as_ps() / 1000
}

impl<D: Destination> Perfetto<D> {
    /// Writes to `to`.
    #[must_use]
    pub fn new(to: D, symbols: Box<dyn Symbols>) -> Self {
        Self {
            to,
            symbols,
            packets: Packets::new(),
            tracks: Tracks::default(),
            origin: None,
            label: None,
            lines: BTreeMap::new(),
            sources: BTreeMap::new(),
            flows: 0,
            name: String::new(),
            over: false,
        }
    }

    fn pass_on(&mut self, least: usize) {
        if self.packets.out.len() >= least.max(1) {
            self.over = !self.to.piece(self.packets.out.as_bytes());
            self.packets.out.clear();
        }
    }

    const fn new_flow(&mut self) -> u64 {
        self.flows += 1;
        self.flows
    }

    /// An instant on the track of a path, called `self.name`.
    fn instant(
        &mut self,
        time: SimTime,
        path: PathId,
        category: Category,
        flow: Flow,
        args: &[(Key, Value<'_>)],
    ) {
        let track = self.tracks.of(path, &mut self.packets);
        self.packets.event(&Event {
            time: ns(time),
            track,
            ty: Type::Point,
            category,
            name: &self.name,
            flow,
            args,
        });
    }

    fn called(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(name);
    }

    fn mmio(&mut self, time: SimTime, path: PathId, payload: &[u8], origin: Option<Origin>) {
        let Some(m) = Mmio::of(payload) else { return };
        let register = origin.and_then(|o| o.register);
        let offset = origin.and_then(|o| o.offset);
        self.called(if m.write { "write " } else { "read " });
        let _ = match (register, offset) {
            (Some(register), _) => self.name.write_str(register.name),
            (None, Some(offset)) => write!(self.name, "+{offset:#x} (no register)"),
            (None, None) => self.name.write_str("unmapped"),
        };
        let rings = m.write && register.is_some_and(|r| r.role == Role::Doorbell);
        let flow = if rings {
            let id = self.new_flow();
            self.tracks.place(path).flow = Some(id);
            Flow::Step(id)
        } else {
            Flow::None
        };
        let track = self.tracks.of(path, &mut self.packets);
        let hart = origin.map_or("", |o| self.tracks.name(o.by));
        let function = origin.and_then(|o| self.symbols.function(hart, o.pc));
        let args = [
            (Key::Address, Value::Address(m.addr)),
            (Key::Offset, Value::Address(offset.unwrap_or(m.addr))),
            (Key::Width, Value::Number(m.width.into())),
            (Key::Value, Value::Address(m.value)),
            (Key::Hart, Value::Name(hart)),
            (Key::Pc, Value::Address(origin.map_or(0, |o| o.pc))),
            (Key::Function, Value::Name(function.unwrap_or_default())),
        ];
        let known = match (origin, function) {
            (None, _) => 4,
            (Some(_), None) => 6,
            (Some(_), Some(_)) => 7,
        };
        self.packets.event(&Event {
            time: ns(time),
            track,
            ty: Type::Point,
            category: Category::Mmio,
            name: &self.name,
            flow,
            args: args.get(..known).unwrap_or(&args),
        });
    }

    fn dma(&mut self, time: SimTime, path: PathId, payload: &[u8]) {
        let Some((to_memory, addr, len)) = content::dma(payload) else {
            return;
        };
        self.called(if to_memory { "DMA write" } else { "DMA read" });
        let place = self.tracks.place(path);
        place.dma_bytes += len;
        let (total, flow) = (place.dma_bytes, place.flow.map_or(Flow::None, Flow::Step));
        let args = [
            (Key::Address, Value::Address(addr)),
            (Key::Bytes, Value::Number(len)),
        ];
        self.instant(time, path, Category::Dma, flow, &args);
        let counter = self
            .tracks
            .below(path, "DMA bytes", true, &mut self.packets);
        self.packets.count(ns(time), counter, total);
    }

    /// A slice on a track of its own while a line is high.
    fn level(&mut self, time: SimTime, track: u64, level: bool, flow: Flow) {
        let line = self.lines.entry(track).or_default();
        if line.high == level {
            return;
        }
        line.high = level;
        line.since = line.since.max(ns(time));
        self.packets.event(&Event {
            time: line.since,
            track,
            ty: if level { Type::Begin } else { Type::End },
            category: Category::Interrupt,
            name: "high",
            flow,
            args: &[],
        });
    }

    fn interrupt(&mut self, time: SimTime, path: PathId, payload: &[u8]) {
        let Some((number, level)) = content::interrupt(payload) else {
            return;
        };
        self.name.clear();
        let _ = match self.label.take() {
            Some((what, Some(hart))) => write!(self.name, "hart{hart} {what}"),
            Some((what, None)) => write!(self.name, "{what}"),
            None => write!(self.name, "interrupt {number}"),
        };
        let Self {
            tracks,
            packets,
            name,
            ..
        } = self;
        let track = tracks.below(path, name, false, packets);
        self.level(time, track, level, Flow::None);
    }

    fn firmware_call(&mut self, time: SimTime, path: PathId, payload: &[u8]) {
        let Some([extension, function, arg0, arg1, arg2, ..]) = content::sbi(payload) else {
            return;
        };
        match self.label.take() {
            Some((name, _)) => self.called(name),
            None => {
                self.name.clear();
                let _ = write!(self.name, "SBI {extension:#x} {function}");
            }
        }
        let args = [
            (Key::Arg0, Value::Address(arg0)),
            (Key::Arg1, Value::Address(arg1)),
            (Key::Arg2, Value::Address(arg2)),
        ];
        self.instant(time, path, Category::Sbi, Flow::None, &args);
    }

    fn console(&mut self, time: SimTime, path: PathId, payload: &[u8]) {
        self.called("console");
        let shown = payload.get(..TEXT_SHOWN).unwrap_or(payload);
        let text = shown.escape_ascii().to_string();
        let args = [
            (Key::Bytes, Value::Number(payload.len() as u64)),
            (Key::Text, Value::Text(&text)),
        ];
        self.instant(time, path, Category::Console, Flow::None, &args);
    }

    fn link(&mut self, time: SimTime, path: PathId, head: &[u8], content: u64) {
        let Some((outside, port, _)) = content::link(head) else {
            return;
        };
        self.called(if outside { "input" } else { "send" });
        let args = [
            (Key::Port, Value::Number(port.into())),
            (Key::Bytes, Value::Number(content)),
        ];
        self.instant(time, path, Category::Link, Flow::None, &args);
    }

    /// The machine that a path belongs to, with a source of its interrupt controller.
    fn source(&self, path: PathId, source: u32) -> (String, u32) {
        let name = self.tracks.name(path);
        let machine = name.split_once('.').map_or(name, |(machine, _)| machine);
        (machine.to_owned(), source)
    }

    fn line(&mut self, time: SimTime, path: PathId, source: u32, level: bool) {
        let track = (self.tracks).below(path, "interrupt line", false, &mut self.packets);
        let mut flow = Flow::None;
        if level {
            let known = self.tracks.place(path).flow;
            let id = known.unwrap_or_else(|| self.new_flow());
            let key = self.source(path, source);
            self.sources.insert(key, (path, id));
            flow = Flow::Step(id);
        }
        self.level(time, track, level, flow);
    }

    fn claim(&mut self, time: SimTime, path: PathId, source: u32) {
        let behind = self.sources.get(&self.source(path, source)).copied();
        self.called("claim ");
        if let Some((device, _)) = behind {
            self.name.push_str(self.tracks.name(device));
        }
        let flow = behind.map_or(Flow::None, |(_, id)| Flow::End(id));
        let args = [(Key::Source, Value::Number(source.into()))];
        self.instant(time, path, Category::Interrupt, flow, &args);
    }

    fn sleep(&mut self, time: SimTime, path: PathId, sleeps: bool) {
        let place = self.tracks.place(path);
        if place.sleeps == sleeps {
            return;
        }
        place.sleeps = sleeps;
        let track = self.tracks.of(path, &mut self.packets);
        self.packets.event(&Event {
            time: ns(time),
            track,
            ty: if sleeps { Type::Begin } else { Type::End },
            category: Category::Hart,
            name: "wfi",
            flow: Flow::None,
            args: &[],
        });
    }
}

impl<D: Destination> Sink for Perfetto<D> {
    fn path(&mut self, id: PathId, name: &str) {
        self.tracks.introduce(id, name);
    }

    fn event(&mut self, entry: Entry<'_>) {
        if self.over {
            return;
        }
        let Entry { time, path, .. } = entry;
        let head = entry.payload.first().copied().unwrap_or_default();
        match entry.kind {
            Kind::Mmio => {
                let origin = self.origin.take();
                if origin.is_none_or(|o| !o.told) {
                    self.mmio(time, path, head, origin);
                }
            }
            Kind::Interrupt => self.interrupt(time, path, head),
            Kind::Sbi => self.firmware_call(time, path, head),
            Kind::Dma => self.dma(time, path, head),
            Kind::Console => self.console(time, path, head),
            Kind::Link => {
                let content = entry.payload.iter().skip(1).map(|p| p.len() as u64).sum();
                self.link(time, path, head, content);
            }
            // What a state is worth to nobody but the hash.
            Kind::Digest => {}
        }
        self.pass_on(PIECE);
    }

    fn note(&mut self, time: SimTime, path: PathId, note: &Note) {
        if self.over {
            return;
        }
        match *note {
            Note::Access {
                by,
                pc,
                register,
                offset,
                write,
            } => {
                let mut origin = Origin {
                    by,
                    pc,
                    register,
                    offset,
                    told: false,
                };
                if let Some(payload) = write {
                    self.mmio(time, path, &payload, Some(origin));
                    origin.told = true;
                }
                self.origin = Some(origin);
            }
            Note::Label { name, hart } => self.label = Some((name, hart)),
            Note::Line { source, level } => self.line(time, path, source, level),
            Note::Claim { source } => self.claim(time, path, source),
            Note::Sleeps => self.sleep(time, path, true),
            Note::Runs => self.sleep(time, path, false),
            Note::Mistake { what, value } => {
                self.called(what);
                let args = [(Key::Value, Value::Address(value))];
                self.instant(time, path, Category::Mistake, Flow::None, &args);
            }
        }
    }

    fn end(&mut self) {
        if !self.over {
            self.pass_on(0);
        }
        self.to.end();
    }
}

#[cfg(test)]
mod tests;
