//! Register-level models of accelerators (docs/virtio-sst.md §7): each takes an exact number of cycles.

mod calculator;
mod echo;
mod engine;

pub use calculator::Calculator;
pub use echo::Echo;
pub use engine::Engine;

use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, BusError, Cx, Event, Frequency, LoadError, Reader, TimerId, Width, Writer,
};

/// How long something takes: so many cycles of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    /// The clock.
    pub clock: Frequency,
    /// How many of its cycles.
    pub count: u64,
}

impl Cycles {
    /// So many cycles of a clock of 1 GHz.
    #[must_use]
    pub const fn at_1_ghz(count: u64) -> Self {
        Self {
            clock: Frequency::from_hz(1_000_000_000),
            count,
        }
    }

    /// Asks for a timer at their end.
    fn start(self, cx: &mut Cx<'_>) -> TimerId {
        let at = cx.now().saturating_add(self.clock.time_of(self.count));
        cx.at(at, Event::Timer { tag: 0, arg: 0 })
    }
}

/// The register that an access of up to four bytes is for; `None` for reserved space.
fn decode<I: Copy>(
    table: &[Register<I>],
    size: u64,
    off: u64,
    width: Width,
) -> Result<Option<I>, BusError> {
    if off >= size {
        return Err(BusError::Unmapped);
    }
    if width == Width::B8 || !off.is_multiple_of(4) {
        return Err(BusError::Width);
    }
    Ok(find(table, off).map(|hit| hit.id))
}

/// Carries out a read: what the register says, cut to the access.
fn read<I: Copy>(
    cx: &mut Cx<'_>,
    register: Result<Option<I>, BusError>,
    (off, width): (u64, Width),
    value: impl FnOnce(&mut Cx<'_>, I) -> u32,
) -> Access<u64> {
    match register {
        Ok(Some(register)) => Access::Done(u64::from(value(cx, register)) & width.mask()),
        Ok(None) => {
            cx.guest_error("model: read of a reserved offset", off);
            Access::Done(0)
        }
        Err(error) => Access::Fault(error),
    }
}

/// Carries out a write of a value that is cut to the access.
fn write<I: Copy>(
    cx: &mut Cx<'_>,
    register: Result<Option<I>, BusError>,
    (off, width, value): (u64, Width, u64),
    store: impl FnOnce(&mut Cx<'_>, I, u32),
) -> Access<()> {
    match register {
        Ok(Some(register)) => store(cx, register, cut(value, width)),
        Ok(None) => cx.guest_error("model: write to a reserved offset", off),
        Err(error) => return Access::Fault(error),
    }
    Access::Done(())
}

/// What is left of a value of 32 bits in an access.
fn cut(value: u64, width: Width) -> u32 {
    let [a, b, c, d, ..] = (value & width.mask()).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn save_timer(timer: Option<TimerId>, w: &mut Writer) {
    w.bool(timer.is_some());
    w.u64(timer.map_or(0, |id| id.0));
}

fn load_timer(r: &mut Reader<'_>) -> Result<Option<TimerId>, LoadError> {
    let runs = r.bool("timer")?;
    let id = TimerId(r.u64()?);
    Ok(runs.then_some(id))
}

#[cfg(test)]
mod tests;
