//! What waits in a component's queue.

use crate::SimEvent;
use maquette_model::{LoadError, Reader, Writer};

/// The form of a saved tick, beside those of events.
const TICK: u8 = 2;

/// What a component is to be called with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    Event(SimEvent),
    Tick { tag: u32, cycle: u64 },
}

impl Due {
    pub(super) fn save(&self, w: &mut Writer) {
        match self {
            Self::Event(event) => event.save(w),
            Self::Tick { tag, cycle } => {
                w.u8(TICK);
                w.u32(*tag);
                w.u64(*cycle);
            }
        }
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        match r.u8()? {
            TICK => Ok(Self::Tick {
                tag: r.u32()?,
                cycle: r.u64()?,
            }),
            form => SimEvent::load(form, r).map(Self::Event),
        }
    }
}
