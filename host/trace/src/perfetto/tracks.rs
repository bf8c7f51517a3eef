//! Tracks of a viewer: a process for each machine, a thread for each hart, a track for everything else,
//! described when something happens on them.

use super::packets::Packets;
use super::proto::{counter, process, thread, track};
use crate::PathId;
use std::collections::BTreeMap;

/// A component and what is known of it.
#[derive(Default)]
pub(super) struct Place {
    pub(super) name: String,
    track: Option<u64>,
    /// Tracks below it, by name.
    below: BTreeMap<String, u64>,
    /// Bytes moved by DMA.
    pub(super) dma_bytes: u64,
    /// The request that it works on.
    pub(super) flow: Option<u64>,
    /// A hart waits for an interrupt.
    pub(super) sleeps: bool,
}

#[derive(Default)]
pub(super) struct Tracks {
    places: BTreeMap<PathId, Place>,
    /// Processes by name: track and pid.
    processes: BTreeMap<String, (u64, u64)>,
    last: u64,
}

impl Tracks {
    pub(super) fn introduce(&mut self, id: PathId, name: &str) {
        self.places.entry(id).or_default().name = name.to_owned();
    }

    pub(super) fn place(&mut self, id: PathId) -> &mut Place {
        self.places.entry(id).or_default()
    }

    pub(super) fn name(&self, id: PathId) -> &str {
        self.places.get(&id).map_or("", |p| p.name.as_str())
    }

    const fn fresh(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The track of a path.
    pub(super) fn of(&mut self, id: PathId, packets: &mut Packets) -> u64 {
        if let Some(track) = self.places.get(&id).and_then(|p| p.track) {
            return track;
        }
        let path = self.name(id).to_owned();
        let (machine, part) = path.split_once('.').unwrap_or((&path, ""));
        let (parent, pid) = self.process(machine, packets);
        let uuid = if part.is_empty() {
            parent
        } else {
            self.fresh()
        };
        let is_hart = (part.strip_prefix("hart"))
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if is_hart {
            packets.track(|t| {
                t.uint(track::UUID, uuid);
                t.message(track::THREAD, |h| {
                    h.uint(thread::PID, pid);
                    h.uint(thread::TID, uuid);
                    h.text(thread::THREAD_NAME, part);
                });
            });
        } else if !part.is_empty() {
            packets.track(|t| {
                t.uint(track::UUID, uuid);
                t.uint(track::PARENT_UUID, parent);
                t.text(track::NAME, part);
            });
        }
        self.place(id).track = Some(uuid);
        uuid
    }

    fn process(&mut self, name: &str, packets: &mut Packets) -> (u64, u64) {
        if let Some(&known) = self.processes.get(name) {
            return known;
        }
        let (uuid, pid) = (self.fresh(), self.processes.len() as u64 + 1);
        packets.track(|t| {
            t.uint(track::UUID, uuid);
            t.message(track::PROCESS, |p| {
                p.uint(process::PID, pid);
                p.text(process::PROCESS_NAME, name);
            });
        });
        self.processes.insert(name.to_owned(), (uuid, pid));
        (uuid, pid)
    }

    /// A track below a path's own; with `bytes` a counter of them.
    pub(super) fn below(
        &mut self,
        id: PathId,
        name: &str,
        bytes: bool,
        packets: &mut Packets,
    ) -> u64 {
        if let Some(&uuid) = self.places.get(&id).and_then(|p| p.below.get(name)) {
            return uuid;
        }
        let parent = self.of(id, packets);
        let uuid = self.fresh();
        packets.track(|t| {
            t.uint(track::UUID, uuid);
            t.uint(track::PARENT_UUID, parent);
            t.text(track::NAME, name);
            if bytes {
                t.message(track::COUNTER, |c| {
                    c.uint(counter::UNIT, counter::SIZE_BYTES)
                });
            }
        });
        self.place(id).below.insert(name.to_owned(), uuid);
        uuid
    }
}
