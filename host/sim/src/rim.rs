//! Where the world outside touches the simulation.

use crate::ComponentId;
use maquette_model::{Message, PortId, SimTime};

/// Something from outside: a key press, a frame of a host network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// When it should arrive. The engine delivers it at this time, or at the first time after it
    /// that no component has passed.
    pub at: SimTime,
    /// At which component.
    pub to: ComponentId,
    /// At which of its ports; a port that is also linked hears both.
    pub port: PortId,
    /// What arrives.
    pub msg: Message,
}

/// What a rim wants the engine to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RimAction {
    /// Go on.
    Go,
    /// Deliver this, then ask again.
    Inject(Input),
    /// End the run with [`crate::Outcome::Interrupted`], soon: everyone goes on to one time first.
    Stop,
    /// Return from [`crate::Serial::run`] with [`crate::Outcome::Paused`] before anything else happens.
    Pause,
}

/// The world outside, as the engine sees it. The only place where a run may wait for the host.
///
/// The engine treats the rim like one more component, linked to all others with a latency of
/// [`Rim::window`]: that bounds how far anyone runs ahead of the last question, and is the soonest
/// that input can arrive.
pub trait Rim {
    /// Called before anything happens at `t`, so often that it must be cheap. A rim that paces the
    /// run by the host's clock sleeps in here.
    fn before(&mut self, t: SimTime) -> RimAction;

    /// Called when nothing is left to happen unless the outside does something. A rim with input
    /// waits in here; [`RimAction::Go`] means that none will ever come.
    fn idle(&mut self) -> RimAction;

    /// An input was taken and will arrive at `input.at`: what a recording of the run is made of.
    fn accepted(&mut self, input: &Input) {
        let _ = input;
    }

    /// How far the simulation may run between two questions; [`SimTime::MAX`] if the rim never
    /// injects nor stops. Must not change while a run lasts.
    fn window(&self) -> SimTime {
        SimTime::from_ms(1)
    }
}

/// No world outside: runs are deterministic and as fast as they can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoRim;

impl Rim for NoRim {
    fn before(&mut self, _t: SimTime) -> RimAction {
        RimAction::Go
    }

    fn idle(&mut self) -> RimAction {
        RimAction::Go
    }

    fn window(&self) -> SimTime {
        SimTime::MAX
    }
}
