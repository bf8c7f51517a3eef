//! The scheduler that runs all components in turn on one thread.

use crate::engine::{Due, Engine};
use crate::link::{ComponentId, Link, WiringError};
use crate::rim::{Input, Rim, RimAction};
use crate::{Component, SimCx, StatisticsTable};
use core::fmt;
use maquette_model::{RestoreError, SaveError, Sections, SimTime, Tree};
use maquette_trace::{Trace, TraceHash};
use std::any::Any;

/// Paths that no component has.
const ENGINE: &str = "(engine)";
const TRACE: &str = "(trace)";

/// How often the rim is asked again before a run that it has interrupted is aborted: some tenths of a
/// second of a machine whose virtual time hardly moves.
pub const PATIENCE: u32 = 64;

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A component asked for it.
    Stopped,
    /// Nothing is left to happen, and nothing will come from outside.
    Idle,
    /// The limit of virtual time was reached.
    Limit,
    /// The rim asked for it. All components have come to the same time, as if it had been the limit.
    Interrupted,
    /// The rim asked for it, and the run did not get there within [`PATIENCE`]: components have stopped
    /// at different times, and the hash means nothing.
    Aborted,
    /// A component or the rim wants something from outside the run first (a debugger's stop). To be run
    /// again; nothing observable depends on the pause.
    Paused,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::Idle => "idle",
            Self::Limit => "time limit",
            Self::Interrupted => "interrupted",
            Self::Aborted => "aborted",
            Self::Paused => "paused",
        })
    }
}

/// What the engine counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Events handed to components.
    pub events: u64,
    /// Messages sent over links.
    pub messages: u64,
    /// Messages that came from outside.
    pub inputs: u64,
    /// Messages to ports without a link or inputs to ports that do not exist: dropped.
    pub unconnected: u64,
}

/// Runs components one event at a time in total order.
///
/// Set-up is [`Serial::add`] for each component and [`Serial::link`] for each link; every mistake is
/// found there, before time begins. Then [`Serial::run`], once or in pieces, and [`Serial::finish`].
pub struct Serial {
    components: Vec<Box<dyn Component>>,
    engine: Engine,
}

impl Default for Serial {
    fn default() -> Self {
        Self::new(Trace::new())
    }
}

impl Serial {
    /// A scheduler without components that records into `trace`.
    #[must_use]
    pub fn new(trace: Trace) -> Self {
        Self {
            components: Vec::new(),
            engine: Engine::new(trace),
        }
    }

    /// Adds a component. The order of adding numbers components and so breaks ties in time.
    ///
    /// # Errors
    /// When the path is empty or taken, a port is declared twice, or the run has begun.
    pub fn add(&mut self, component: Box<dyn Component>) -> Result<ComponentId, WiringError> {
        let (ports, required) = (component.ports(), component.required_ports());
        let id = self.engine.add(component.path(), ports, required)?;
        self.components.push(component);
        Ok(id)
    }

    /// Joins two ports.
    ///
    /// # Errors
    /// When an end does not exist or has a link, the latency is zero, or the run has begun. The
    /// message names both ends.
    pub fn link(&mut self, link: Link) -> Result<(), WiringError> {
        self.engine.link(link)
    }

    /// The check that can be made only when all links are there: to be called before the first run. A run
    /// without it takes a missing link for an unplugged cable.
    ///
    /// # Errors
    /// When a required port has no link; the message names it and the ports that are free.
    pub fn check_wiring(&self) -> Result<(), WiringError> {
        self.engine.check_wiring()
    }

    /// Of a system with several machines: the run stops by itself when `count` components have come to
    /// their end ([`SimCx::end`]) and not at the first one. 0 counts as 1.
    pub fn stop_after_ends(&mut self, count: u32) {
        self.engine.ends_awaited = count.max(1);
    }

    /// Runs until something ends the run. Everything before `limit` happens, nothing at it. May be
    /// called again to go on.
    pub fn run(&mut self, limit: SimTime, rim: &mut dyn Rim) -> Outcome {
        self.start();
        self.engine.limit = limit;
        self.engine.interruptions = 0;
        loop {
            if let Some(outcome) = self.step(rim) {
                return outcome;
            }
        }
    }

    fn start(&mut self) {
        if self.engine.started {
            return;
        }
        self.engine.settle_wiring();
        for (id, component) in (0..).zip(&mut self.components) {
            component.start(&mut SimCx::new(&mut self.engine, id, SimTime::ZERO));
        }
        self.engine.started = true;
    }

    /// Handles one event or one wish of the rim.
    fn step(&mut self, rim: &mut dyn Rim) -> Option<Outcome> {
        let (time, next) = self.engine.first().unwrap_or((SimTime::MAX, 0));
        if time == SimTime::MAX && !self.engine.is_stopping() {
            return match rim.idle() {
                RimAction::Go => Some(Outcome::Idle),
                RimAction::Inject(input) => self.inject(input, rim),
                RimAction::Pause => Some(Outcome::Paused),
                RimAction::Stop => {
                    self.engine.wind_down();
                    Some(self.end())
                }
            };
        }
        if time >= self.engine.end() {
            return Some(self.end());
        }
        match rim.before(time) {
            RimAction::Go => {}
            RimAction::Inject(input) => return self.inject(input, rim),
            RimAction::Pause => return Some(Outcome::Paused),
            RimAction::Stop => {
                if self.engine.wind_down() > PATIENCE {
                    return Some(Outcome::Aborted);
                }
                if time >= self.engine.end() {
                    return Some(self.end());
                }
            }
        }
        self.engine.promise(time, rim.window());
        self.dispatch(time, next);
        core::mem::take(&mut self.engine.pausing).then_some(Outcome::Paused)
    }

    fn inject(&mut self, input: Input, rim: &mut dyn Rim) -> Option<Outcome> {
        let (to, port, msg) = (input.to, input.port, input.msg.clone());
        if let Some(at) = self.engine.inject(input) {
            rim.accepted(&Input { at, to, port, msg });
        }
        None
    }

    fn end(&mut self) -> Outcome {
        let (at, outcome) = match self.engine.take_stop() {
            Some(at) => (at, Outcome::Stopped),
            None if self.engine.interruptions > 0 => (self.engine.limit, Outcome::Interrupted),
            None => {
                self.engine.pass_limit();
                (self.engine.limit, Outcome::Limit)
            }
        };
        self.engine.now = at;
        outcome
    }

    fn dispatch(&mut self, time: SimTime, id: u32) {
        let Some(event) = self.engine.pop(id) else {
            return;
        };
        self.engine.now = time;
        self.engine.statistics.events = self.engine.statistics.events.saturating_add(1);
        if let Some(component) = self.components.get_mut(id as usize) {
            let mut cx = SimCx::new(&mut self.engine, id, time);
            match event {
                Due::Event(event) => component.event(&mut cx, event),
                Due::Tick { tag, cycle } => component.tick(&mut cx, tag, cycle),
            }
        }
    }

    /// Everything that there is to see, each component under its path.
    #[must_use]
    pub fn inspect(&self) -> Tree {
        let mut tree = Tree::default();
        tree.time("time", self.engine.now);
        tree.text("level", self.engine.trace.level().to_string());
        let s = self.engine.statistics;
        tree.branch("engine", |t| {
            t.number("events", s.events);
            t.number("messages", s.messages);
            t.number("inputs", s.inputs);
            t.number("unconnected", s.unconnected);
        });
        for component in &self.components {
            tree.branch(component.path(), |t| component.inspect(t));
        }
        tree
    }

    /// What all components have measured so far.
    #[must_use]
    pub fn statistics_table(&self) -> StatisticsTable {
        let mut table = StatisticsTable::default();
        for component in &self.components {
            table.of(component.path());
            component.statistics(&mut table);
        }
        table
    }

    /// Everything that the rest of the run depends on. Components are called in the order in which they
    /// were added; each has handled its last event completely.
    ///
    /// # Errors
    /// When a component cannot be saved.
    pub fn save(&mut self) -> Result<Sections, SaveError> {
        self.start();
        let mut sections = Sections::default();
        sections.put(ENGINE, &self.engine)?;
        sections.put(TRACE, &self.engine.trace)?;
        for component in &self.components {
            component.save(&mut sections)?;
        }
        Ok(sections)
    }

    /// Goes back, or forward, to a saved state of a system that was built the same way. Time is
    /// then that of the snapshot.
    ///
    /// # Errors
    /// When something is missing, left over or damaged. The system must then be thrown away.
    pub fn restore(&mut self, mut sections: Sections) -> Result<(), RestoreError> {
        self.start();
        sections.take(ENGINE, &mut self.engine)?;
        sections.take(TRACE, &mut self.engine.trace)?;
        for component in &mut self.components {
            component.restore(&mut sections)?;
        }
        sections.finish()?;
        let soonest = self.engine.soonest();
        for (id, component) in (0..).zip(&mut self.components) {
            component.resumed(&mut SimCx::new(&mut self.engine, id, soonest));
        }
        Ok(())
    }

    /// Lets every component record its final state, and returns the trace hash.
    pub fn finish(&mut self) -> TraceHash {
        for component in &mut self.components {
            component.finish(&mut self.engine.trace);
        }
        self.engine.trace.finish()
    }

    /// The time of the last event; after [`Outcome::Stopped`] that of the request, after
    /// [`Outcome::Limit`] the limit.
    #[must_use]
    pub const fn now(&self) -> SimTime {
        self.engine.now
    }

    /// What was counted so far.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.engine.statistics
    }

    /// The trace.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.engine.trace
    }

    /// The trace, to attach a sink or to record what a component cannot.
    pub const fn trace_mut(&mut self) -> &mut Trace {
        &mut self.engine.trace
    }

    /// A component as its own type; `None` if it has another.
    #[must_use]
    pub fn get<T: Component>(&self, id: ComponentId) -> Option<&T> {
        let component = self.components.get(id.0 as usize)?.as_ref();
        (component as &dyn Any).downcast_ref()
    }

    /// A component as its own type; `None` if it has another.
    pub fn get_mut<T: Component>(&mut self, id: ComponentId) -> Option<&mut T> {
        let component = self.components.get_mut(id.0 as usize)?.as_mut();
        (component as &mut dyn Any).downcast_mut()
    }

    /// All components and their paths.
    pub fn paths(&self) -> impl Iterator<Item = (ComponentId, &str)> {
        let parts = (0..).map(ComponentId).zip(&self.engine.parts);
        parts.map(|(id, part)| (id, part.path.as_str()))
    }

    /// The component with this path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<ComponentId> {
        let index = self.engine.parts.iter().position(|p| p.path == path)?;
        u32::try_from(index).ok().map(ComponentId)
    }

    /// The path of a component.
    #[must_use]
    pub fn path(&self, id: ComponentId) -> Option<&str> {
        self.engine.part(id.0).map(|part| part.path.as_str())
    }

    /// After [`Outcome::Idle`]: who still waits for something, and for what.
    #[must_use]
    pub fn idle_reports(&self) -> Vec<(String, String)> {
        self.components
            .iter()
            .filter_map(|c| Some((c.path().to_owned(), c.idle_report()?)))
            .collect()
    }
}
