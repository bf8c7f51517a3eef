//! The receiving half: bytes wait on the wire, arrive one character time apart, and lie in the FIFO.

use maquette_model::{Cx, Event, LoadError, Reader, SimTime, TimerId, Writer};
use std::collections::VecDeque;

/// Depth of the receiver FIFO.
const FIFO: usize = 16;
/// Bytes that may wait on the wire; what comes then is lost.
pub(super) const WIRE: usize = 64 * 1024;
/// Timer: the next byte has arrived.
const ARRIVAL: u32 = 0;
/// Timer: the FIFO was left alone for four characters (PC16550D §8.4.1).
const IDLE: u32 = 1;

#[derive(Clone, Debug, Default)]
pub(super) struct Receiver {
    pub(super) fifo: VecDeque<u8>,
    /// A byte was lost; cleared by reading LSR.
    pub(super) overrun: bool,
    /// The FIFO holds bytes that nobody fetched for four characters.
    pub(super) timed_out: bool,
    wire: VecDeque<u8>,
    arrival: Option<TimerId>,
    idle: Option<TimerId>,
    /// The FIFO was touched since `idle` was set.
    touched: bool,
}

const fn capacity(fifo_enabled: bool) -> usize {
    if fifo_enabled { FIFO } else { 1 }
}

impl Receiver {
    /// Bytes come from the peer.
    pub(super) fn arrive(&mut self, bytes: &[u8]) {
        for &b in bytes {
            if self.wire.len() >= WIRE {
                self.overrun = true;
                return;
            }
            self.wire.push_back(b);
        }
    }

    /// A byte reaches the FIFO, or is lost if that is full.
    pub(super) fn push(&mut self, byte: u8, fifo_enabled: bool) {
        self.touched = true;
        if self.fifo.len() < capacity(fifo_enabled) {
            self.fifo.push_back(byte);
            return;
        }
        self.overrun = true;
        if !fifo_enabled {
            // Without a FIFO the new byte replaces the old one (PC16550D §8.4, OE).
            self.fifo.clear();
            self.fifo.push_back(byte);
        }
    }

    /// The oldest byte; 0 if there is none.
    pub(super) fn pop(&mut self) -> u8 {
        self.touched = true;
        self.timed_out = false;
        self.fifo.pop_front().unwrap_or(0)
    }

    pub(super) fn clear_fifo(&mut self) {
        self.touched = true;
        self.timed_out = false;
        self.fifo.clear();
    }

    pub(super) fn timer(&mut self, tag: u32, fifo_enabled: bool) {
        match tag {
            ARRIVAL => {
                self.arrival = None;
                if self.fifo.len() < capacity(fifo_enabled)
                    && let Some(byte) = self.wire.pop_front()
                {
                    self.push(byte, fifo_enabled);
                }
            }
            IDLE => {
                self.idle = None;
                self.timed_out = fifo_enabled && !self.fifo.is_empty();
            }
            _ => {}
        }
    }

    /// Sets the timers that the state asks for.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>, character: SimTime, fifo_enabled: bool) {
        let room = self.fifo.len() < capacity(fifo_enabled);
        if self.arrival.is_none() && room && !self.wire.is_empty() {
            let at = cx.now().saturating_add(character);
            self.arrival = Some(cx.at(at, timer(ARRIVAL)));
        }
        if !std::mem::take(&mut self.touched) {
            return;
        }
        if let Some(id) = self.idle.take() {
            cx.cancel(id);
        }
        if fifo_enabled && !self.fifo.is_empty() {
            let four = SimTime::from_ps(character.as_ps().saturating_mul(4));
            let at = cx.now().saturating_add(four);
            self.idle = Some(cx.at(at, timer(IDLE)));
        }
    }

    /// Empties everything; the host has cancelled the timers.
    pub(super) fn reset(&mut self) {
        self.fifo.clear();
        self.wire.clear();
        self.overrun = false;
        self.timed_out = false;
        self.arrival = None;
        self.idle = None;
        self.touched = false;
    }

    pub(super) fn save(&self, w: &mut Writer) {
        save_queue(w, &self.fifo);
        save_queue(w, &self.wire);
        w.bool(self.overrun);
        w.bool(self.timed_out);
        for id in [self.arrival, self.idle] {
            w.bool(id.is_some());
            w.u64(id.map_or(0, |id| id.0));
        }
    }

    pub(super) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.fifo = load_queue(r, "fifo", FIFO)?;
        self.wire = load_queue(r, "wire", WIRE)?;
        self.overrun = r.bool("overrun")?;
        self.timed_out = r.bool("timed_out")?;
        self.arrival = load_timer(r)?;
        self.idle = load_timer(r)?;
        self.touched = false;
        Ok(())
    }
}

const fn timer(tag: u32) -> Event {
    Event::Timer { tag, arg: 0 }
}

fn load_timer(r: &mut Reader<'_>) -> Result<Option<TimerId>, LoadError> {
    let set = r.bool("timer")?;
    let id = TimerId(r.u64()?);
    Ok(set.then_some(id))
}

fn save_queue(w: &mut Writer, queue: &VecDeque<u8>) {
    w.u64(queue.len() as u64);
    for &b in queue {
        w.u8(b);
    }
}

fn load_queue(
    r: &mut Reader<'_>,
    field: &'static str,
    limit: usize,
) -> Result<VecDeque<u8>, LoadError> {
    let bytes = r.bytes()?;
    if bytes.len() > limit {
        let value = bytes.len() as u64;
        return Err(LoadError::Value { field, value });
    }
    Ok(bytes.iter().copied().collect())
}
