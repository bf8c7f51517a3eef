//! The echo (docs/virtio-sst.md §7.1).

use super::{Cycles, decode, load_timer, read, save_timer, write};
use maquette_model::registers::{Register, find};
use maquette_model::{
    Access, Cx, Device, Event, Inspect, LoadError, Reader, Region, RegisterInfo, ResetKind,
    Snapshot, TimerId, Tree, Width, Writer,
};
use maquette_virtio_sst_protocol::models::echo;

#[derive(Clone, Copy)]
enum Reg {
    DataIn,
    DataOut,
    Status,
    Control,
}

impl Reg {
    const fn name(self) -> &'static str {
        match self {
            Self::DataIn => "DATA_IN",
            Self::DataOut => "DATA_OUT",
            Self::Status => "STATUS",
            Self::Control => "CONTROL",
        }
    }
}

const REGISTERS: [Register<Reg>; 4] = [
    Register::one(echo::DATA_IN, Width::B4, Reg::DataIn),
    Register::one(echo::DATA_OUT, Width::B4, Reg::DataOut),
    Register::one(echo::STATUS, Width::B4, Reg::Status),
    Register::one(echo::CONTROL, Width::B4, Reg::Control),
];

/// Gives back what it was given.
#[derive(Clone, Debug)]
pub struct Echo {
    latency: Cycles,
    data: u32,
    out: u32,
    ready: bool,
    /// Runs while something is on its way.
    timer: Option<TimerId>,
}

impl Echo {
    /// Size of the register region.
    pub const SIZE: u64 = 0x1000;

    /// An echo that takes this long.
    #[must_use]
    pub const fn new(latency: Cycles) -> Self {
        Self {
            latency,
            data: 0,
            out: 0,
            ready: false,
            timer: None,
        }
    }

    fn forget(&mut self) {
        *self = Self::new(self.latency);
    }

    fn load_register(&self, cx: &mut Cx<'_>, reg: Reg) -> u32 {
        match reg {
            Reg::DataOut => self.out,
            Reg::Status => {
                let busy = if self.timer.is_some() { echo::BUSY } else { 0 };
                busy | if self.ready { echo::DATA_READY } else { 0 }
            }
            Reg::DataIn | Reg::Control => {
                cx.guest_error("echo: read of a register that is only written", 0);
                0
            }
        }
    }

    fn store_register(&mut self, cx: &mut Cx<'_>, reg: Reg, value: u32) {
        match reg {
            Reg::DataIn => {
                self.data = value;
                // What is on its way already keeps its time.
                if self.timer.is_none() {
                    self.timer = Some(self.latency.start(cx));
                }
            }
            Reg::Control if value & echo::RESET != 0 => {
                if let Some(timer) = self.timer {
                    cx.cancel(timer);
                }
                self.forget();
            }
            Reg::Control => {}
            Reg::DataOut | Reg::Status => {
                cx.guest_error("echo: write to a register that is only read", value.into());
            }
        }
    }
}

impl Device for Echo {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width) -> Access<u64> {
        let register = decode(&REGISTERS, Self::SIZE, off, w);
        read(cx, register, (off, w), |cx, reg| {
            self.load_register(cx, reg)
        })
    }

    fn write(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, w: Width, v: u64) -> Access<()> {
        let register = decode(&REGISTERS, Self::SIZE, off, w);
        write(cx, register, (off, w, v), |cx, reg, value| {
            self.store_register(cx, reg, value);
        })
    }

    fn event(&mut self, _: &mut Cx<'_>, ev: Event) {
        if matches!(ev, Event::Timer { .. }) && self.timer.take().is_some() {
            self.out = self.data;
            self.ready = true;
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        if let Some(timer) = self.timer {
            cx.cancel(timer);
        }
        self.forget();
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        find(&REGISTERS, off).map(|hit| RegisterInfo::plain(hit.id.name()))
    }
}

impl Inspect for Echo {
    fn inspect(&self, tree: &mut Tree) {
        tree.hex("data_in", self.data);
        tree.hex("data_out", self.out);
        tree.flag("busy", self.timer.is_some());
        tree.flag("data_ready", self.ready);
    }
}

impl Snapshot for Echo {
    fn kind(&self) -> &'static str {
        "echo"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u32(self.data);
        w.u32(self.out);
        w.bool(self.ready);
        save_timer(self.timer, w);
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.data = r.u32()?;
        self.out = r.u32()?;
        self.ready = r.bool("ready")?;
        self.timer = load_timer(r)?;
        Ok(())
    }
}
