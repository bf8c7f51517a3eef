//! The discrete-event engine: what happens next, to whom, and how far each may run until then.
//!
//! placeholder page, completed below
mod component;
mod cx;
mod engine;
mod heap;
mod link;
mod queue;
mod reach;
mod rim;
mod serial;

pub use crate::engine::STOP_NOTICE;
pub use component::{Component, Port, SimEvent};
pub use cx::{SimCx, WakeId};
pub use link::{ComponentId, End, Link, WiringError};
pub use queue::{EventId, EventQueue, Key, Priority, Source};
pub use rim::{Input, NoRim, Rim, RimAction};
pub use serial::{Outcome, Serial, Statistics};
