//! The facade itself.

use crate::stream::Stream;
use crate::{Counts, Entry, Kind, Level, Note, Sink, TraceHash};
use maquette_model::{LoadError, Reader, SimTime, Snapshot, Writer};
use std::collections::BTreeMap;

/// Stands for a component path such as `machine0.uart0`. Only the trace that gave it out knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PathId(u32);

/// Takes the events of ids that this trace never gave out, so that a mix-up shows in the hash
/// instead of losing events.
const STRAY: &str = "(stray)";

/// Hashes, counts and passes on everything that happens. See the crate's page.
pub struct Trace {
    streams: Vec<Stream>,
    ids: BTreeMap<String, PathId>,
    counts: Counts,
    level: Level,
    sink: Option<Box<dyn Sink>>,
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Trace {
    /// A trace without events, paths and sink.
    #[must_use]
    pub fn new() -> Self {
        let mut trace = Self {
            streams: Vec::new(),
            ids: BTreeMap::new(),
            counts: Counts::default(),
            level: Level::default(),
            sink: None,
        };
        trace.path(STRAY);
        trace
    }

    /// The id of a component path. Equal names give equal ids; ask once and keep it.
    pub fn path(&mut self, name: &str) -> PathId {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        // Four billion paths of over 8 KiB each do not fit into any host; past that all is stray.
        let id = PathId(u32::try_from(self.streams.len()).unwrap_or(0));
        self.streams.push(Stream::new());
        self.ids.insert(name.to_owned(), id);
        if let Some(sink) = &mut self.sink {
            sink.path(id, name);
        }
        id
    }

    /// Records one event.
    #[inline]
    pub fn record(&mut self, time: SimTime, path: PathId, kind: Kind, payload: &[u8]) {
        self.record_parts(time, path, kind, &[payload]);
    }

    /// Records one event whose payload lies in pieces: the same as [`Trace::record`] of the pieces
    /// put together, without putting them together.
    pub fn record_parts(&mut self, time: SimTime, path: PathId, kind: Kind, payload: &[&[u8]]) {
        let known = (path.0 as usize) < self.streams.len();
        let path = if known { path } else { PathId(0) };
        if let Some(stream) = self.streams.get_mut(path.0 as usize) {
            stream.push(time, kind, payload);
        }
        self.counts.bump(kind);
        if let Some(sink) = &mut self.sink {
            sink.event(Entry {
                time,
                path,
                kind,
                payload,
            });
        }
    }

    /// Tells the sink, if there is one, what `note` makes; without one this is a single branch.
    #[inline]
    pub fn note(&mut self, time: SimTime, path: PathId, note: impl FnOnce() -> Note) {
        if let Some(sink) = &mut self.sink {
            sink.note(time, path, &note());
        }
    }

    /// Sends events to `sink` from now on, after telling it the paths known so far. Returns the sink
    /// before it. The hash is the same with and without a sink.
    pub fn set_sink(&mut self, sink: Option<Box<dyn Sink>>) -> Option<Box<dyn Sink>> {
        let before = core::mem::replace(&mut self.sink, sink);
        if let Some(sink) = &mut self.sink {
            for (name, &id) in &self.ids {
                sink.path(id, name);
            }
        }
        before
    }

    /// How many events of each kind were recorded.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How far the run so far can be repeated.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Weakens the level to `level`; it is never strengthened again.
    pub fn weaken(&mut self, level: Level) {
        self.level = self.level.max(level);
    }

    /// The hash of all events so far. More may follow; asking changes nothing.
    pub fn finish(&self) -> TraceHash {
        let mut hasher = blake3::Hasher::new();
        for (name, id) in &self.ids {
            let Some(stream) = self.streams.get(id.0 as usize) else {
                continue;
            };
            if stream.is_empty() {
                continue;
            }
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(&stream.digest());
        }
        TraceHash::new(*hasher.finalize().as_bytes())
    }
}

/// Hash streams by path, counts and level. Ids stay valid: a restored run has interned its paths, and
/// streams are found by name.
impl Snapshot for Trace {
    fn kind(&self) -> &'static str {
        "trace"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.u8(self.level.number());
        for (_, count) in self.counts.iter() {
            w.u64(count);
        }
        w.u64(self.ids.len() as u64);
        for (name, id) in &self.ids {
            w.str(name);
            match self.streams.get(id.0 as usize) {
                Some(stream) => stream.save(w),
                None => Stream::new().save(w),
            }
        }
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.level = Level::from_number(r.u8()?)?;
        let mut counts = Counts::default();
        for kind in Kind::ALL {
            counts.set(kind, r.u64()?);
        }
        self.counts = counts;
        for stream in &mut self.streams {
            *stream = Stream::new();
        }
        for _ in 0..r.u64()? {
            let id = self.path(r.str("path")?);
            let stream = Stream::load(r)?;
            if let Some(place) = self.streams.get_mut(id.0 as usize) {
                *place = stream;
            }
        }
        Ok(())
    }
}
