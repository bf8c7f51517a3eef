//! The Goldfish real-time clock (`google,goldfish-rtc`): the date, and one alarm.
//!
//! Goldfish virtual hardware guide, "Goldfish timer"; the last four registers as QEMU has them
//! (`hw/rtc/goldfish_rtc`) and Linux drives them (`drivers/rtc/rtc-goldfish`). The clock shows the time
//! that it was started with plus virtual time, so that equal runs show equal dates. It is kept by the
//! machine: nothing ticks, and an armed alarm is one timer at the time at which the clock reaches it.

mod inspect;

use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, BusError, Cx, Device, Event, LoadError, Reader, Region, RegisterInfo, ResetKind,
    SimTime, Snapshot, TimerId, Width, Writer,
};

#[derive(Clone, Copy)]
enum Reg {
    /// The clock's low half; a read latches the high half, a write replaces the low half.
    TimeLow,
    /// The high half at the latest read of the low half; a write replaces the clock's high half.
    TimeHigh,
    /// The alarm's low half; a write arms it.
    AlarmLow,
    /// The alarm's high half.
    AlarmHigh,
    /// Bit 0 lets an alarm that has come due drive the interrupt line.
    IrqEnabled,
    /// A write disarms the alarm.
    ClearAlarm,
    /// Whether the alarm is armed.
    AlarmStatus,
    /// A write ends the interrupt.
    ClearInterrupt,
}

impl Reg {
    const fn name(self) -> &'static str {
        match self {
            Self::TimeLow => "TIME_LOW",
            Self::TimeHigh => "TIME_HIGH",
            Self::AlarmLow => "ALARM_LOW",
            Self::AlarmHigh => "ALARM_HIGH",
            Self::IrqEnabled => "IRQ_ENABLED",
            Self::ClearAlarm => "CLEAR_ALARM",
            Self::AlarmStatus => "ALARM_STATUS",
            Self::ClearInterrupt => "CLEAR_INTERRUPT",
        }
    }
}

const REGISTERS: [Register<Reg>; 8] = [
    Register::one(0x00, Width::B4, Reg::TimeLow),
    Register::one(0x04, Width::B4, Reg::TimeHigh),
    Register::one(0x08, Width::B4, Reg::AlarmLow),
    Register::one(0x0c, Width::B4, Reg::AlarmHigh),
    Register::one(0x10, Width::B4, Reg::IrqEnabled),
    Register::one(0x14, Width::B4, Reg::ClearAlarm),
    Register::one(0x18, Width::B4, Reg::AlarmStatus),
    Register::one(0x1c, Width::B4, Reg::ClearInterrupt),
];

/// A date: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Reaches to the year 2554.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixTime(pub u64);

/// The real-time clock. Line 0 is its interrupt.
#[derive(Clone, Debug)]
pub struct Rtc {
    /// The date at virtual time zero, unless the guest sets another.
    start: UnixTime,
    state: State,
}

/// What the guest can change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    /// The clock at virtual time zero, wrapping: a guest may set any time.
    offset: u64,
    latched_high: u32,
    alarm: u64,
    armed: bool,
    /// The alarm has come due and was not cleared.
    pending: bool,
    enabled: bool,
    /// The level of the line.
    level: bool,
    timer: Option<TimerId>,
}

impl State {
    const fn fresh(offset: u64) -> Self {
        Self {
            offset,
            latched_high: 0,
            alarm: 0,
            armed: false,
            pending: false,
            enabled: false,
            level: false,
            timer: None,
        }
    }
}

impl Rtc {
    /// Size of the register region.
    pub const SIZE: u64 = 0x1000;

    /// A clock that shows `start` at virtual time zero.
    #[must_use]
    pub const fn new(start: UnixTime) -> Self {
        Self {
            start,
            state: State::fresh(start.0),
        }
    }

    /// The clock now, and virtual time in whole nanoseconds.
    fn clock(&self, cx: &mut Cx<'_>) -> (u64, u64) {
        let elapsed = cx.guest_clock().as_ps() / 1000;
        (self.state.offset.wrapping_add(elapsed), elapsed)
    }

    fn load_register(&mut self, cx: &mut Cx<'_>, reg: Reg) -> u32 {
        let s = self.state;
        match reg {
            Reg::TimeLow => {
                let (clock, _) = self.clock(cx);
                self.state.latched_high = high(clock);
                low(clock)
            }
            Reg::TimeHigh => s.latched_high,
            Reg::AlarmLow => low(s.alarm),
            Reg::AlarmHigh => high(s.alarm),
            Reg::IrqEnabled => s.enabled.into(),
            Reg::AlarmStatus => s.armed.into(),
            Reg::ClearAlarm | Reg::ClearInterrupt => 0,
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, reg: Reg, v: u32) {
        match reg {
            Reg::TimeLow | Reg::TimeHigh => {
                let (clock, elapsed) = self.clock(cx);
                let new = match reg {
                    Reg::TimeLow => join(high(clock), v),
                    _ => join(v, low(clock)),
                };
                self.state.offset = new.wrapping_sub(elapsed);
                self.arm(cx);
            }
            Reg::AlarmLow => {
                self.state.alarm = join(high(self.state.alarm), v);
                self.state.armed = true;
                self.arm(cx);
            }
            Reg::AlarmHigh => {
                self.state.alarm = join(v, low(self.state.alarm));
                self.arm(cx);
            }
            Reg::IrqEnabled => {
                self.state.enabled = v & 1 == 1;
                self.drive(cx);
            }
            Reg::ClearAlarm => {
                self.state.armed = false;
                self.arm(cx);
            }
            Reg::ClearInterrupt => {
                self.state.pending = false;
                self.drive(cx);
            }
            Reg::AlarmStatus => cx.guest_error("rtc: the alarm's status is not writable", v.into()),
        }
    }

    /// Lets an armed alarm that is due ring, or sets the timer that will.
    fn arm(&mut self, cx: &mut Cx<'_>) {
        if let Some(id) = self.state.timer.take() {
            cx.cancel(id);
        }
        if !self.state.armed {
            return;
        }
        let (clock, elapsed) = self.clock(cx);
        match self.state.alarm.checked_sub(clock) {
            None | Some(0) => {
                self.state.armed = false;
                self.state.pending = true;
                self.drive(cx);
            }
            Some(wait) => {
                let at = SimTime::from_ns(elapsed.saturating_add(wait));
                if at != SimTime::MAX {
                    let event = Event::Timer { tag: 0, arg: 0 };
                    self.state.timer = Some(cx.at(at, event));
                }
            }
        }
    }

    fn drive(&mut self, cx: &mut Cx<'_>) {
        let level = self.state.pending && self.state.enabled;
        if self.state.level != level {
            self.state.level = level;
            cx.line(0, level);
        }
    }
}

impl Device for Rtc {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        match decode(off, w) {
            Ok(Some(reg)) => Access::Done(self.load_register(cx, reg).into()),
            Ok(None) => {
                cx.guest_error("rtc: read of a reserved offset", off);
                Access::Done(0)
            }
            Err(e) => Access::Fault(e),
        }
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        match decode(off, w) {
            Ok(Some(reg)) => self.store_register(cx, reg, low(v)),
            Ok(None) => cx.guest_error("rtc: write to a reserved offset", off),
            Err(e) => return Access::Fault(e),
        }
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        // The timer is looked at anew, so that one which was set for another alarm changes nothing.
        if matches!(ev, Event::Timer { .. }) {
            self.arm(cx);
        }
    }

    /// A battery keeps the date over a restart.
    fn reset(&mut self, _: &mut Cx<'_>, kind: ResetKind) {
        let offset = match kind {
            ResetKind::Cold => self.start.0,
            ResetKind::Warm => self.state.offset,
        };
        self.state = State::fresh(offset);
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        find(&REGISTERS, off).map(|hit| RegisterInfo::plain(hit.id.name()))
    }
}

impl Snapshot for Rtc {
    fn kind(&self) -> &'static str {
        "goldfish-rtc"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        let s = &self.state;
        w.u64(s.offset);
        w.u32(s.latched_high);
        w.u64(s.alarm);
        for flag in [s.armed, s.pending, s.enabled, s.level, s.timer.is_some()] {
            w.bool(flag);
        }
        w.u64(s.timer.map_or(0, |id| id.0));
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let (offset, latched_high, alarm) = (r.u64()?, r.u32()?, r.u64()?);
        let (armed, pending) = (r.bool("armed")?, r.bool("pending")?);
        let (enabled, level, timed) = (r.bool("enabled")?, r.bool("level")?, r.bool("timer")?);
        let id = TimerId(r.u64()?);
        self.state = State {
            offset,
            latched_high,
            alarm,
            armed,
            pending,
            enabled,
            level,
            timer: timed.then_some(id),
        };
        Ok(())
    }
}

const fn low(v: u64) -> u32 {
    let [a, b, c, d, ..] = v.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

const fn high(v: u64) -> u32 {
    low(v >> 32)
}

fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// The register at `off`, `None` for reserved space. Words only, as with QEMU.
fn decode(off: u64, w: Width) -> Result<Option<Reg>, BusError> {
    if off >= Rtc::SIZE {
        return Err(BusError::Unmapped);
    }
    if w != Width::B4 || !off.is_multiple_of(4) {
        return Err(BusError::Width);
    }
    Ok(find(&REGISTERS, off).map(|h| h.id))
}

#[cfg(test)]
mod tests;
