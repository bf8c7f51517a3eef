//! The core-local interruptor (`sifive,clint0`): software interrupts and the machine timer.
//!
//! SiFive FU540-C000 manual, chapter 9. `mtime` is the machine-wide clock that `rdtime` also reads; it
//! is kept by the machine, so that this device needs no ticking: a comparator is one timer at the time
//! at which `mtime` reaches it.

mod inspect;

use maquette_model::registers::{Hit, Register, find};
use maquette_model::{
    Access, BusError, Cx, Device, Event, Frequency, LoadError, Reader, Region, RegisterInfo,
    ResetKind, Snapshot, TimerId, Width, Writer,
};

#[derive(Clone, Copy)]
enum Reg {
    /// Bit 0 raises the hart's software interrupt.
    Msip,
    /// The timer interrupt is pending while `mtime >= mtimecmp`.
    MtimeCmp,
    /// The clock.
    Mtime,
}

/// The layout has room for 4095 harts; those that do not exist read 0.
const MAX_HARTS: usize = 4095;

/// FU540 manual, table 9.1.
const REGISTERS: [Register<Reg>; 3] = [
    Register::array(0x0000, Width::B4, 4, MAX_HARTS, Reg::Msip),
    Register::array(0x4000, Width::B8, 8, MAX_HARTS, Reg::MtimeCmp),
    Register::one(0xbff8, Width::B8, Reg::Mtime),
];

/// The registers of one hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Hart {
    msip: bool,
    mtip: bool,
    mtimecmp: u64,
    timer: Option<TimerId>,
}

/// The manual leaves `mtimecmp` undefined after reset; the largest value keeps the line low.
const FRESH: Hart = Hart {
    msip: false,
    mtip: false,
    mtimecmp: u64::MAX,
    timer: None,
};

/// The core-local interruptor. Line `2 * hart` is the hart's MSIP, line `2 * hart + 1` its MTIP.
#[derive(Clone, Debug)]
pub struct Clint {
    timebase: Frequency,
    harts: Vec<Hart>,
}

impl Clint {
    /// Size of the register region.
    pub const SIZE: u64 = 0x1_0000;

    /// A CLINT for `harts` harts whose `mtime` counts at `timebase`. Lines are numbered by `u8`, so
    /// harts beyond 128 are left out.
    #[must_use]
    pub fn new(harts: u8, timebase: Frequency) -> Self {
        Self {
            timebase,
            harts: vec![FRESH; usize::from(harts.min(128))],
        }
    }

    fn load_register(&self, cx: &mut Cx<'_>, hit: Hit<Reg>) -> u64 {
        if matches!(hit.id, Reg::Mtime) {
            return self.timebase.ticks_at(cx.guest_clock());
        }
        let Some(hart) = self.harts.get(hit.index) else {
            cx.guest_error(
                "clint: read of a hart that does not exist",
                hit.index as u64,
            );
            return 0;
        };
        match hit.id {
            Reg::Msip => hart.msip.into(),
            Reg::MtimeCmp | Reg::Mtime => hart.mtimecmp,
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, hit: Hit<Reg>, old: u64, mask: u64, v: u64) {
        if matches!(hit.id, Reg::Mtime) {
            // One clock drives every device; a guest may not bend it.
            cx.guest_error("clint: mtime is not writable", v);
            return;
        }
        let new = (old & !mask) | (v & mask);
        let Some(hart) = self.harts.get_mut(hit.index) else {
            cx.guest_error(
                "clint: write to a hart that does not exist",
                hit.index as u64,
            );
            return;
        };
        match hit.id {
            Reg::Msip => {
                let msip = new & 1 == 1;
                if hart.msip != msip {
                    hart.msip = msip;
                    cx.line(line(hit.index, 0), msip);
                }
            }
            Reg::MtimeCmp | Reg::Mtime => {
                hart.mtimecmp = new;
                self.arm(cx, hit.index);
            }
        }
    }

    /// Sets the hart's timer line, or the timer that will set it.
    fn arm(&mut self, cx: &mut Cx<'_>, index: usize) {
        let timebase = self.timebase;
        let Some(hart) = self.harts.get_mut(index) else {
            return;
        };
        if let Some(id) = hart.timer.take() {
            cx.cancel(id);
        }
        let due = timebase.ticks_at(cx.guest_clock()) >= hart.mtimecmp;
        if hart.mtip != due {
            hart.mtip = due;
            cx.line(line(index, 1), due);
        }
        let at = timebase.time_of(hart.mtimecmp);
        if !due && at != maquette_model::SimTime::MAX {
            let tag = u32::try_from(index).unwrap_or(u32::MAX);
            let arg = hart.mtimecmp;
            hart.timer = Some(cx.at(at, Event::Timer { tag, arg }));
        }
    }

    fn access(off: u64, w: Width) -> Result<Option<Hit<Reg>>, BusError> {
        if off >= Self::SIZE {
            return Err(BusError::Unmapped);
        }
        if !matches!(w, Width::B4 | Width::B8) || !off.is_multiple_of(w.bytes()) {
            return Err(BusError::Width);
        }
        match find(&REGISTERS, off) {
            Some(hit) if w.bytes() > hit.width.bytes() => Err(BusError::Width),
            hit => Ok(hit),
        }
    }
}

impl Device for Clint {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        match Self::access(off, w) {
            Ok(Some(hit)) => {
                let whole = self.load_register(cx, hit);
                Access::Done((whole >> (8 * hit.byte)) & w.mask())
            }
            Ok(None) => Access::Done(0),
            Err(e) => Access::Fault(e),
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        let hit = match Self::access(off, w) {
            Ok(Some(hit)) => hit,
            Ok(None) => {
                cx.guest_error("clint: write to a reserved offset", off);
                return Access::Done(());
            }
            Err(e) => return Access::Fault(e),
        };
        let old = match self.harts.get(hit.index) {
            Some(hart) if matches!(hit.id, Reg::MtimeCmp) => hart.mtimecmp,
            _ => 0,
        };
        let shift = 8 * hit.byte;
        self.store_register(cx, hit, old, w.mask() << shift, (v & w.mask()) << shift);
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        let Event::Timer { tag, arg } = ev else {
            return;
        };
        let index = usize::try_from(tag).unwrap_or(usize::MAX);
        let Some(hart) = self.harts.get_mut(index).filter(|h| h.mtimecmp == arg) else {
            return;
        };
        hart.timer = None;
        if !hart.mtip {
            hart.mtip = true;
            cx.line(line(index, 1), true);
        }
    }

    fn reset(&mut self, _: &mut Cx<'_>, _: ResetKind) {
        self.harts.fill(FRESH);
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        let hit = find(&REGISTERS, off)?;
        let name = match hit.id {
            Reg::Mtime => "mtime",
            Reg::Msip | Reg::MtimeCmp if hit.index >= self.harts.len() => return None,
            Reg::Msip => "msip",
            Reg::MtimeCmp => "mtimecmp",
        };
        Some(RegisterInfo::plain(name))
    }
}

impl Snapshot for Clint {
    fn kind(&self) -> &'static str {
        "sifive-clint"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        for hart in &self.harts {
            w.bool(hart.msip);
            w.bool(hart.mtip);
            w.u64(hart.mtimecmp);
            w.u64(hart.timer.map_or(0, |id| id.0));
            w.bool(hart.timer.is_some());
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        for hart in &mut self.harts {
            let (msip, mtip) = (r.bool("msip")?, r.bool("mtip")?);
            let mtimecmp = r.u64()?;
            let id = TimerId(r.u64()?);
            *hart = Hart {
                msip,
                mtip,
                mtimecmp,
                timer: r.bool("timer")?.then_some(id),
            };
        }
        Ok(())
    }
}

fn line(hart: usize, which: u8) -> u8 {
    u8::try_from(hart).unwrap_or(127).wrapping_mul(2) | which
}

#[cfg(test)]
mod tests;
