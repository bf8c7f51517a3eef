//! The engine that looks like DMA (docs/virtio-sst.md §7.3).

use super::{Cycles, decode, load_timer, read, save_timer, write};
use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, Cx, Device, Event, Frequency, Inspect, LoadError, Reader, Region, RegisterInfo,
    ResetKind, Snapshot, TimerId, Tree, Width, Writer,
};
use maquette_virtio_sst_protocol::models::engine as bits;

#[derive(Clone, Copy)]
enum Reg {
    Ctrl,
    Status,
    IntStatus,
    IntEnable,
    Src,
    Dst,
    Length,
    Latency,
    DataIn,
    DataOut,
    CycleCount,
}

impl Reg {
    const fn name(self) -> &'static str {
        match self {
            Self::Ctrl => "CTRL",
            Self::Status => "STATUS",
            Self::IntStatus => "INT_STATUS",
            Self::IntEnable => "INT_ENABLE",
            Self::Src => "SRC",
            Self::Dst => "DST",
            Self::Length => "LENGTH",
            Self::Latency => "LATENCY",
            Self::DataIn => "DATA_IN",
            Self::DataOut => "DATA_OUT",
            Self::CycleCount => "CYCLE_COUNT",
        }
    }
}

const REGISTERS: [Register<Reg>; 11] = [
    Register::one(bits::CTRL, Width::B4, Reg::Ctrl),
    Register::one(bits::STATUS, Width::B4, Reg::Status),
    Register::one(bits::INT_STATUS, Width::B4, Reg::IntStatus),
    Register::one(bits::INT_ENABLE, Width::B4, Reg::IntEnable),
    Register::one(bits::SRC, Width::B4, Reg::Src),
    Register::one(bits::DST, Width::B4, Reg::Dst),
    Register::one(bits::LENGTH, Width::B4, Reg::Length),
    Register::one(bits::LATENCY, Width::B4, Reg::Latency),
    Register::one(bits::DATA_IN, Width::B4, Reg::DataIn),
    Register::one(bits::DATA_OUT, Width::B4, Reg::DataOut),
    Register::one(bits::CYCLE_COUNT, Width::B4, Reg::CycleCount),
];

/// What a reset forgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    interrupts: bool,
    done: bool,
    int_status: u32,
    int_enable: u32,
    src: u32,
    dst: u32,
    length: u32,
    data: u32,
    cycle_count: u32,
    /// Cycles of the operation under way.
    running: u32,
    timer: Option<TimerId>,
}

/// Takes its time and interrupts. Line 0 is its interrupt.
#[derive(Clone, Debug)]
pub struct Engine {
    clock: Frequency,
    /// Cycles of the next operation at first.
    first_latency: u32,
    latency: u32,
    state: State,
    level: bool,
}

impl Engine {
    /// Size of the register region.
    pub const SIZE: u64 = 0x1000;

    /// An engine on a clock, whose operations take so many cycles until the guest says otherwise.
    #[must_use]
    pub fn new(clock: Frequency, latency: u32) -> Self {
        Self {
            clock,
            first_latency: latency,
            latency,
            state: State::default(),
            level: false,
        }
    }

    fn load_register(&self, reg: Reg) -> u32 {
        let s = &self.state;
        match reg {
            Reg::Ctrl => {
                if s.interrupts {
                    bits::INT_EN
                } else {
                    0
                }
            }
            Reg::Status => {
                let busy = if s.timer.is_some() { bits::BUSY } else { 0 };
                busy | if s.done { bits::DONE } else { 0 }
            }
            Reg::IntStatus => s.int_status,
            Reg::IntEnable => s.int_enable,
            Reg::Src => s.src,
            Reg::Dst => s.dst,
            Reg::Length => s.length,
            Reg::Latency => self.latency,
            Reg::DataIn | Reg::DataOut => s.data,
            Reg::CycleCount => s.cycle_count,
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, reg: Reg, value: u32) {
        let s = &mut self.state;
        match reg {
            Reg::Ctrl => self.control(cx, value),
            Reg::IntStatus => s.int_status &= !value,
            Reg::IntEnable => s.int_enable = value & (bits::COMPLETE | bits::FAILED),
            Reg::Src => s.src = value,
            Reg::Dst => s.dst = value,
            Reg::Length => s.length = value,
            Reg::Latency => self.latency = value,
            Reg::DataIn => s.data = value,
            Reg::Status | Reg::DataOut | Reg::CycleCount => cx.guest_error(
                "engine: write to a register that is only read",
                value.into(),
            ),
        }
        self.drive(cx);
    }

    fn control(&mut self, cx: &mut Cx<'_>, value: u32) {
        if value & bits::RESET != 0 {
            self.forget(cx);
        }
        self.state.interrupts = value & bits::INT_EN != 0;
        if value & bits::START == 0 {
            return;
        }
        if self.state.timer.is_some() {
            cx.count("starts_while_busy", 1);
            return cx.guest_error("engine: start while busy", value.into());
        }
        let cycles = Cycles {
            clock: self.clock,
            count: self.latency.into(),
        };
        self.state.done = false;
        self.state.running = self.latency;
        self.state.timer = Some(cycles.start(cx));
    }

    fn forget(&mut self, cx: &mut Cx<'_>) {
        if let Some(timer) = self.state.timer {
            cx.cancel(timer);
        }
        self.state = State::default();
    }

    fn drive(&mut self, cx: &mut Cx<'_>) {
        let s = &self.state;
        let level = s.interrupts && s.int_status & s.int_enable != 0;
        if level != self.level {
            self.level = level;
            cx.line(0, level);
        }
    }
}

impl Device for Engine {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        let register = decode(&REGISTERS, Self::SIZE, off, w);
        read(cx, register, (off, w), |_, reg| self.load_register(reg))
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        let register = decode(&REGISTERS, Self::SIZE, off, w);
        write(cx, register, (off, w, v), |cx, reg, value| {
            self.store_register(cx, reg, value);
        })
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        if matches!(ev, Event::Timer { .. }) && self.state.timer.take().is_some() {
            self.state.done = true;
            self.state.cycle_count = self.state.running;
            self.state.int_status |= bits::COMPLETE;
            cx.count("operations_completed", 1);
            self.drive(cx);
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        self.forget(cx);
        self.latency = self.first_latency;
        self.drive(cx);
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        find(&REGISTERS, off).map(|hit| RegisterInfo::plain(hit.id.name()))
    }
}

impl Inspect for Engine {
    fn inspect(&self, tree: &mut Tree) {
        let s = &self.state;
        tree.flag("busy", s.timer.is_some());
        tree.flag("done", s.done);
        tree.hex("int_status", s.int_status);
        tree.hex("int_enable", s.int_enable);
        tree.number("latency", self.latency);
        tree.number("cycle_count", s.cycle_count);
        tree.flag("line", self.level);
    }
}

impl Snapshot for Engine {
    fn kind(&self) -> &'static str {
        "engine"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        let s = &self.state;
        w.bool(s.interrupts);
        w.bool(s.done);
        for word in [s.int_status, s.int_enable, s.src, s.dst, s.length] {
            w.u32(word);
        }
        for word in [s.data, s.cycle_count, s.running, self.latency] {
            w.u32(word);
        }
        save_timer(s.timer, w);
        w.bool(self.level);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let mut s = State {
            interrupts: r.bool("interrupts")?,
            done: r.bool("done")?,
            int_status: r.u32()?,
            int_enable: r.u32()?,
            src: r.u32()?,
            dst: r.u32()?,
            length: r.u32()?,
            data: r.u32()?,
            cycle_count: r.u32()?,
            running: r.u32()?,
            timer: None,
        };
        self.latency = r.u32()?;
        s.timer = load_timer(r)?;
        self.level = r.bool("line")?;
        self.state = s;
        Ok(())
    }
}
