//! The discrete-event engine: what happens next, to whom, and how far each may run until then.
//!
//! # The picture
//!
//! ```text
//!   Rim ──Input──►  Serial: heads of all queues, in total order
//!                     │ next event                ▲
//!                     ▼                           │ wake_at, send, stop
//!                 Component::event(SimCx, SimEvent)
//!                     │
//!                 (component, port) ◄── Link, latency > 0 ──► (component, port)
//! ```
//!
//! * A [`Component`] is a state machine: a whole machine, a console, a switch. It is called with one
//!   [`SimEvent`] at a time and reaches the rest only through its [`SimCx`].
//! * A [`Link`] joins two ports. A message sent at `t` arrives at `t + latency`.
//! * [`Serial`] owns components and links and runs them in the total order (time, priority, source,
//!   sequence fixed at send). The order depends on nothing else: not on threads, not on the order in
//!   which different sources happened to speak.
//! * A [`Rim`] is the world outside: it may slow the run down, feed input in, or end it.
//! * An [`Accumulator`] or a [`Histogram`] measures; [`Serial::statistics_table`] collects what
//!   [`Component::statistics`] offers, and writes it as JSON or CSV.
//! * An [`EventQueue`] is the order itself, also for what happens inside a component: a machine keeps
//!   the timers of its devices in one.
//!
//! # A component that runs in bulk
//!
//! Taking an event for each step would be far too slow for a CPU. A component may act ahead of
//! [`SimCx::now`], on its own local time, as far as [`SimCx::horizon`]: nothing can arrive before it.
//!
//! ```
//! use maquette_model::{Message, SimTime};
//! use maquette_sim::{Component, Link, NoRim, Outcome, Port, Serial, SimCx, SimEvent};
//!
//! const OUT: Port = Port::new(0, "out");
//! const STEP: SimTime = SimTime::from_ns(1);
//!
//! /// Takes a step each nanosecond and reports every thousandth.
//! struct Stepper { local: SimTime, steps: u64 }
//!
//! impl Component for Stepper {
//!     fn path(&self) -> &str { "stepper0" }
//!     fn ports(&self) -> Vec<Port> { vec![OUT] }
//!     fn start(&mut self, cx: &mut SimCx<'_>) { cx.wake_at(self.local, 0); }
//!     fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
//!         let SimEvent::Wake { .. } = ev else { return };
//!         // Asked again each time round: it shrinks when the component sends.
//!         while self.local < cx.horizon() {
//!             self.steps += 1;
//!             if self.steps.is_multiple_of(1000) {
//!                 cx.send(OUT.id, Message::Word(self.steps), self.local);
//!             }
//!             self.local = self.local.saturating_add(STEP);
//!         }
//!         cx.wake_at(self.local, 0); // the one wake this component has
//!     }
//! }
//!
//! /// Ends the run at the third report.
//! struct Listener { heard: u64 }
//!
//! impl Component for Listener {
//!     fn path(&self) -> &str { "listener0" }
//!     fn ports(&self) -> Vec<Port> { vec![Port::new(0, "in")] }
//!     fn event(&mut self, cx: &mut SimCx<'_>, _: SimEvent) {
//!         self.heard += 1;
//!         if self.heard == 3 { cx.stop(cx.now()); }
//!     }
//! }
//!
//! let mut serial = Serial::default();
//! let stepper = serial.add(Box::new(Stepper { local: SimTime::ZERO, steps: 0 }))?;
//! let listener = serial.add(Box::new(Listener { heard: 0 }))?;
//! let (a, b) = ((stepper, OUT.id), (listener, OUT.id));
//! serial.link(Link { a, b, latency: SimTime::from_us(1) })?;
//!
//! let outcome = serial.run(SimTime::from_ms(10), &mut NoRim);
//! assert_eq!(outcome, Outcome::Stopped);
//! assert_eq!(serial.now(), SimTime::from_ns(2999 + 1000));
//! println!("trace hash: {}", serial.finish());
//! # Ok::<(), maquette_sim::WiringError>(())
//! ```
//!
//! A component that also takes messages keeps a single wake: it takes the old one back with
//! [`SimCx::cancel`] before it asks for another, or every message would add one.
//!
//! # A component with a clock
//!
//! [`SimCx::clock`] sets a clock going: [`Component::tick`] is called at each edge until the component stops the
//! clock, which can be started again at an edge. One that has nothing to do stops its clock: then the engine
//! goes from event to event and not from edge to edge.
//!
//! ```
//! use maquette_model::{Frequency, SimTime};
//! use maquette_sim::{Component, NoRim, Serial, SimCx, SimEvent};
//!
//! const CORE: u32 = 0;
//!
//! /// Works for three cycles, then rests for a microsecond.
//! struct Worker { cycles: Vec<u64> }
//!
//! impl Component for Worker {
//!     fn path(&self) -> &str { "worker0" }
//!     fn start(&mut self, cx: &mut SimCx<'_>) {
//!         cx.clock(CORE, Frequency::from_hz(3_000_000_000), SimTime::ZERO);
//!     }
//!     fn event(&mut self, _: &mut SimCx<'_>, _: SimEvent) {}
//!     fn tick(&mut self, cx: &mut SimCx<'_>, _tag: u32, cycle: u64) {
//!         self.cycles.push(cycle);
//!         if self.cycles.len() == 3 {
//!             cx.start_clock(CORE, SimTime::from_us(1));
//!         }
//!     }
//! }
//!
//! let mut serial = Serial::default();
//! let worker = serial.add(Box::new(Worker { cycles: Vec::new() }))?;
//! serial.run(SimTime::from_ps(1_000_400), &mut NoRim);
//! let worker = serial.get::<Worker>(worker).expect("it is one");
//! assert_eq!(worker.cycles, [0, 1, 2, 3000, 3001]);
//! # Ok::<(), maquette_sim::WiringError>(())
//! ```
//!
//! # Invariants
//!
//! * Nothing arrives in a component's past: not a message, not input, not the end of the run. This
//!   holds for a component that stops at the horizon, also if messages are answered at once.
//! * Where a component pauses because of the horizon is not observable in a component that keeps its
//!   promise (see [`Component`]); then the trace hash is the same for any rim window, any cutting of
//!   the run into pieces, and any scheduler.
//! * Wiring is checked before time begins: links when they are made, missing ones by
//!   [`Serial::check_wiring`]. After that the engine has no errors.
//! * In steady state the engine allocates nothing per event.
//! * Nothing here reads the host's clock; only a [`Rim`] may wait.
//!
//! # What is not here
//!
//! No CPU, device or board; no host I/O (`maquette-rim`); no description files (`maquette-system`); no
//! threads yet: a parallel scheduler will stand beside [`Serial`] and use the same traits.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

mod component;
mod cx;
mod engine;
mod heap;
mod link;
mod measure;
mod queue;
mod reach;
mod rim;
mod serial;

pub use component::{Component, Port, SimEvent};
pub use cx::{SimCx, WakeId};
pub use engine::STOP_NOTICE;
pub use link::{ComponentId, End, Link, WiringError};
pub use measure::{Accumulator, Histogram, Measured, Quantity, Row, StatisticsTable};
pub use queue::{EventId, EventQueue, Key, Priority, Source};
pub use rim::{Input, NoRim, Rim, RimAction};
pub use serial::{Outcome, PATIENCE, Serial, Statistics};
