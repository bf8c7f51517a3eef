//! Where events go besides the hash.

use crate::{Kind, PathId};
use maquette_model::{RegisterInfo, SimTime};

/// One event on its way to a [`Sink`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// When it happened.
    pub time: SimTime,
    /// To whom; [`Sink::path`] told the name before.
    pub path: PathId,
    /// What sort of thing happened.
    pub kind: Kind,
    /// The payload, in pieces that follow each other without gaps.
    pub payload: &'a [&'a [u8]],
}

/// What sinks see beside events: no part of the hash, and not counted. It says where an event came from
/// and what it leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// A hart is about to access a device; [`Kind::Mmio`] follows at the same path when the access is
    /// answered, after everything that the device does at once.
    Access {
        /// The hart.
        by: PathId,
        /// The instruction.
        pc: u64,
        /// The register, if the device has one there.
        register: Option<RegisterInfo>,
        /// The distance from the device's first register; `None` where no device is.
        offset: Option<u64>,
        /// Of a write: the payload that will follow.
        write: Option<[u8; 18]>,
    },
    /// What the next event at this path is called: a firmware function, an interrupt input.
    Label {
        /// The name.
        name: &'static str,
        /// The hart that it is for, of an interrupt.
        hart: Option<u32>,
    },
    /// A device has driven its interrupt line.
    Line {
        /// The line's number at the interrupt controller.
        source: u32,
        /// Its level.
        level: bool,
    },
    /// A hart has taken an interrupt.
    Claim {
        /// The line's number at the interrupt controller.
        source: u32,
    },
    /// A hart waits for an interrupt.
    Sleeps,
    /// A hart executes; said at every turn.
    Runs,
    /// The guest did something that the device ignores or refuses.
    Mistake {
        /// What.
        what: &'static str,
        /// With which value.
        value: u64,
    },
}

/// Takes every event that is recorded: a file writer, a test, a live view.
///
/// A sink sees events in the order of recording, which is the order of time for each path but not
/// across paths: a component that runs in bulk is ahead of the others. A sink reports its own
/// troubles (a full disk) itself; it can never change the run or the hash.
pub trait Sink {
    /// Introduces a path, always before its first event.
    fn path(&mut self, id: PathId, name: &str);
    /// Takes an event.
    fn event(&mut self, entry: Entry<'_>);
    /// Takes what is no event.
    fn note(&mut self, time: SimTime, path: PathId, note: &Note) {
        let _ = (time, path, note);
    }
    /// The run is over: nothing follows.
    fn end(&mut self) {}
}
