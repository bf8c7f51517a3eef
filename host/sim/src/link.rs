//! Links between components, and what can be wrong with them.

use maquette_model::{PortId, SimTime};
use thiserror::Error;

/// Names a component of one scheduler; given out by [`crate::Serial::add`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ComponentId(pub(crate) u32);

/// One end of a link.
pub type End = (ComponentId, PortId);

/// A wire between two ports. What one end sends arrives at the other `latency` later, in the order of
/// sending; nothing is lost.
///
/// The latency is what lets components run ahead of each other, so it is never zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// One end.
    pub a: End,
    /// The other end.
    pub b: End,
    /// How long a message travels, in both directions.
    pub latency: SimTime,
}

/// Why a component or link was refused. Ends are written `component:port`.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WiringError {
    /// A path was empty.
    #[error("a component has an empty path; give it a name such as `console0`")]
    EmptyPath,
    /// A path was there before.
    #[error("two components are called `{path}`; rename one")]
    SamePath {
        /// The path.
        path: String,
    },
    /// A component declares a port twice.
    #[error("`{path}` declares port {port} twice")]
    SamePort {
        /// The component.
        path: String,
        /// The port's number.
        port: u16,
    },
    /// More components than can be numbered.
    #[error("`{path}` is one component too many")]
    TooMany {
        /// The component.
        path: String,
    },
    /// Time has begun.
    #[error("`{what}` cannot be added: the run has begun")]
    Started {
        /// The component or the link.
        what: String,
    },
    /// An end names a component of another scheduler.
    #[error("the link between {end} and {other} names a component that was never added")]
    UnknownComponent {
        /// The wrong end.
        end: String,
        /// The other end.
        other: String,
    },
    /// An end names a port that the component does not have.
    #[error("the link between {end} and {other}: {end} does not exist; its ports are: {known}")]
    UnknownPort {
        /// The wrong end.
        end: String,
        /// The other end.
        other: String,
        /// The ports that there are.
        known: String,
    },
    /// An end has a link already.
    #[error("the link between {end} and {other}: {end} is linked to {present} already")]
    PortInUse {
        /// The wrong end.
        end: String,
        /// The other end.
        other: String,
        /// Where the present link goes.
        present: String,
    },
    /// A port that its component cannot do without has no link.
    #[error("{end} must be linked and is not; add a link from it, {ends}")]
    NotLinked {
        /// The port.
        end: String,
        /// Where a link could go.
        ends: String,
    },
    /// Both ends are the same port.
    #[error("the link between {end} and {end} joins a port to itself")]
    ToItself {
        /// The end.
        end: String,
    },
    /// A link without latency.
    #[error("the link between {a} and {b} has latency 0; it needs at least 1 ps")]
    NoLatency {
        /// One end.
        a: String,
        /// The other end.
        b: String,
    },
}
