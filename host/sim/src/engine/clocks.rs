//! Clocks: a tick at each edge of a rational rate.

use super::{Due, Engine, Part};
use crate::queue::{EventId, Key, Priority, Source};
use maquette_model::{Frequency, LoadError, Reader, SimTime, Writer};

const PICOSECOND: SimTime = SimTime::from_ps(1);

/// A clock of one component. At most one of its ticks waits in the queue: the next one.
pub(crate) struct Clock {
    tag: u32,
    rate: Frequency,
    /// When edge 0 is.
    phase: SimTime,
    /// When it last ticked.
    last: Option<SimTime>,
    /// The tick that waits; a clock that stands still has none.
    next: Option<EventId>,
}

impl Clock {
    fn edge(&self, cycle: u64) -> SimTime {
        self.phase.saturating_add(self.rate.time_of(cycle))
    }

    /// The first edge at or after `t` that has not ticked.
    fn first(&self, t: SimTime) -> (u64, SimTime) {
        let fresh = self.last.map_or(t, |last| last.saturating_add(PICOSECOND));
        let since = t.max(fresh).saturating_sub(self.phase);
        let cycle = self.rate.ticks_at(since);
        let late = self.rate.time_of(cycle) < since;
        let cycle = cycle.saturating_add(u64::from(late));
        (cycle, self.edge(cycle))
    }

    /// The edge after `cycle`, which is ticking.
    fn following(&self, cycle: u64, now: SimTime) -> (u64, SimTime) {
        let next = cycle.saturating_add(1);
        match self.edge(next) {
            edge if edge > now => (next, edge),
            _ => self.first(now),
        }
    }

    fn save(&self, w: &mut Writer) {
        w.u32(self.tag);
        self.rate.save(w);
        w.time(self.phase);
        w.bool(self.last.is_some());
        w.time(self.last.unwrap_or(SimTime::ZERO));
        w.bool(self.next.is_some());
        w.u64(self.next.map_or(0, EventId::raw));
    }

    fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let (tag, rate, phase) = (r.u32()?, Frequency::load(r)?, r.time()?);
        let has_ticked = r.bool("clock has ticked")?;
        let last = Some(r.time()?).filter(|_| has_ticked);
        let goes = r.bool("clock goes")?;
        let next = Some(EventId::from_raw(r.u64()?)).filter(|_| goes);
        Ok(Self {
            tag,
            rate,
            phase,
            last,
            next,
        })
    }
}

impl Part {
    fn clock_mut(&mut self, tag: u32) -> Option<&mut Clock> {
        self.clocks.iter_mut().find(|clock| clock.tag == tag)
    }

    /// Lets the tick wait for its time. Its number is the clock's tag and not the next of the component's,
    /// so that neither starting nor stopping a clock changes any order.
    fn await_tick(&mut self, me: Source, tag: u32, (cycle, time): (u64, SimTime)) {
        let key = Key {
            time,
            priority: Priority::CLOCK,
            source: me,
            seq: tag.into(),
        };
        let tick = Due::Tick { tag, cycle };
        // Nothing happens at the end of time.
        let next = (time < SimTime::MAX).then(|| self.queue.push_key(key, tick));
        if let Some(clock) = self.clock_mut(tag) {
            clock.next = next;
        }
    }

    /// A tick was taken from the queue: the next one takes its place.
    pub(super) fn ticked(&mut self, me: Source, now: SimTime, tag: u32, cycle: u64) {
        let Some(clock) = self.clock_mut(tag) else {
            return;
        };
        clock.last = Some(now);
        let following = clock.following(cycle, now);
        self.await_tick(me, tag, following);
    }

    fn stop_clock(&mut self, tag: u32) -> bool {
        let next = self.clock_mut(tag).and_then(|clock| clock.next.take());
        next.and_then(|id| self.queue.cancel(id)).is_some()
    }

    pub(super) fn save_clocks(&self, w: &mut Writer) {
        w.u64(self.clocks.len() as u64);
        for clock in &self.clocks {
            clock.save(w);
        }
    }

    pub(super) fn load_clocks(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.clocks.clear();
        for _ in 0..r.u64()? {
            self.clocks.push(Clock::load(r)?);
        }
        Ok(())
    }

    /// The queue was replaced by one of a time without clocks.
    pub(super) fn forget_ticks(&mut self) {
        for clock in &mut self.clocks {
            (clock.last, clock.next) = (None, None);
        }
    }
}

impl Engine {
    pub(crate) fn clock(
        &mut self,
        me: u32,
        tag: u32,
        rate: Frequency,
        phase: SimTime,
        at: SimTime,
    ) {
        self.stop_clock(me, tag);
        let Some(part) = self.parts.get_mut(me as usize) else {
            return;
        };
        match part.clock_mut(tag) {
            Some(clock) => (clock.rate, clock.phase) = (rate, phase),
            None => part.clocks.push(Clock {
                tag,
                rate,
                phase,
                last: None,
                next: None,
            }),
        }
        self.start_clock(me, tag, at);
    }

    pub(crate) fn stop_clock(&mut self, me: u32, tag: u32) -> bool {
        let part = self.parts.get_mut(me as usize);
        let found = part.is_some_and(|p| p.stop_clock(tag));
        if found {
            self.refresh(me);
        }
        found
    }

    pub(crate) fn start_clock(&mut self, me: u32, tag: u32, at: SimTime) -> Option<SimTime> {
        let part = self.parts.get_mut(me as usize)?;
        let (cycle, time) = part.clock_mut(tag)?.first(at);
        part.stop_clock(tag);
        part.await_tick(Source(me), tag, (cycle, time));
        self.refresh(me);
        (time < SimTime::MAX).then_some(time)
    }
}
