//! The engine as a component sees it during one call.

use crate::engine::Engine;
use crate::queue::EventId;
use maquette_model::{Frequency, LoadError, Message, PortId, Reader, SimTime, Writer};
use maquette_trace::{PathId, Trace};

/// Names a wake so that it can be cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WakeId(Option<EventId>);

impl WakeId {
    /// Appends the name to saved state.
    pub fn save(self, w: &mut Writer) {
        w.bool(self.0.is_some());
        w.u64(self.0.map_or(0, EventId::raw));
    }

    /// Takes the name from saved state.
    ///
    /// # Errors
    /// When there is none.
    pub fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let some = r.bool("wake")?;
        let id = EventId::from_raw(r.u64()?);
        Ok(Self(some.then_some(id)))
    }
}

/// What the engine offers a component, for the length of one call.
pub struct SimCx<'a> {
    engine: &'a mut Engine,
    me: u32,
    now: SimTime,
}

impl<'a> SimCx<'a> {
    pub(crate) const fn new(engine: &'a mut Engine, me: u32, now: SimTime) -> Self {
        Self { engine, me, now }
    }

    /// The time of the event that is being handled. It stands still during the call.
    #[must_use]
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// How far this component may act on its own: nothing arrives before this time, and it is never
    /// past the end of the run. It shrinks when the component sends, because the receiver may
    /// answer; ask again after each [`SimCx::send`]. Never before [`SimCx::now`].
    ///
    /// See [`crate::Component`] on what must not depend on it.
    #[must_use]
    pub fn horizon(&self) -> SimTime {
        self.engine.horizon(self.me, self.now).max(self.now)
    }

    /// Sends over a port at the component's own local time `at`, which may be ahead of
    /// [`SimCx::now`] (an earlier time is taken as now). The message arrives a link latency later.
    /// A port without a link is an unplugged cable: the message is counted and dropped.
    pub fn send(&mut self, port: PortId, msg: Message, at: SimTime) {
        self.engine.send(self.me, port, msg, at.max(self.now));
    }

    /// Asks for [`crate::SimEvent::Wake`] with `tag` at `t`, or at once if `t` has passed. At equal
    /// times messages come first. [`SimTime::MAX`] means never.
    pub fn wake_at(&mut self, t: SimTime, tag: u32) -> WakeId {
        WakeId(self.engine.wake(self.me, t.max(self.now), tag))
    }

    /// Takes a wake back; says whether it was still to come.
    pub fn cancel(&mut self, wake: WakeId) -> bool {
        wake.0.is_some_and(|id| self.engine.cancel(self.me, id))
    }

    /// Sets a clock going whose edges are at `phase` and every period of `rate` after it, none of them
    /// rounded further than to the next picosecond: [`crate::Component::tick`] with `tag` at each edge from
    /// now on. A clock that has this tag already is replaced by it, which is how a rate is changed; one
    /// that has ticked at [`SimCx::now`] ticks again only later.
    ///
    /// At equal times messages come first, then ticks in the order of their tags, then wakes. A rate
    /// above 1 THz ticks every picosecond and leaves out cycles.
    pub fn clock(&mut self, tag: u32, rate: Frequency, phase: SimTime) {
        self.engine.clock(self.me, tag, rate, phase, self.now);
    }

    /// Makes a clock stand still; says whether there was a tick to come.
    pub fn stop_clock(&mut self, tag: u32) -> bool {
        self.engine.stop_clock(self.me, tag)
    }

    /// Makes a clock go, if it does not, from its first edge at or after `at`, and says when that is.
    /// `None` if no clock has this tag or time ends before. A clock that has ticked at this edge goes
    /// on with the next.
    pub fn start_clock(&mut self, tag: u32, at: SimTime) -> Option<SimTime> {
        self.engine.start_clock(self.me, tag, at.max(self.now))
    }

    /// Ends the run because of something at local time `at`: [`crate::STOP_NOTICE`] later everywhere,
    /// so that messages under way arrive and the end is exact for all.
    pub fn stop(&mut self, at: SimTime) {
        self.engine.request_stop(at.max(self.now));
    }

    /// This component has come to its end at local time `at`, and will do nothing more. The run
    /// stops, as by [`SimCx::stop`], when as many have as [`crate::Serial::stop_after_ends`] says: at
    /// the first one if nothing is said. To be called once.
    pub fn end(&mut self, at: SimTime) {
        self.engine.component_ended(at.max(self.now));
    }

    /// Makes the run return with [`crate::Outcome::Paused`] after this call. The component must have asked
    /// for a wake at which it goes on.
    pub const fn pause(&mut self) {
        self.engine.pausing = true;
    }

    /// The trace.
    pub const fn trace(&mut self) -> &mut Trace {
        &mut self.engine.trace
    }

    /// This component's own path in the trace.
    #[must_use]
    pub fn trace_path(&mut self) -> PathId {
        match self.engine.part(self.me) {
            Some(part) => part.trace_path,
            None => self.engine.trace.path(""),
        }
    }
}
