//! Where events go besides the hash.

use crate::{Kind, PathId};
use maquette_model::SimTime;

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
}
