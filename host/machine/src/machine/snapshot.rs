//! The machine as saved state: its own section, one for each hart, device and the RAM.
//!
//! Between two events of the engine all harts stand, and nothing that a device call left behind is
//! still to be carried out, so neither needs to be saved.

use super::device_host::{DeviceEvent, HOST_ERRORS_KEPT};
use super::harts::{Doing, Turn};
use super::{Machine, Status};
use crate::diagnostics::Diagnostics;
use maquette_model::{
    Event, Fail, LoadError, Reader, RestoreError, SaveError, Sections, Snapshot, Token, Writer,
};
use maquette_sim::{EventQueue, WakeId};

/// Since this version counters of devices, the last mistake of the guest and failures of the host are saved.
const WITH_WHAT_DEVICES_SAID: u16 = 3;

impl Machine {
    /// Puts the machine, its harts, devices and RAM under their paths.
    pub(super) fn save_parts(&self, to: &mut Sections) -> Result<(), SaveError> {
        to.put(&self.name, self)?;
        for (i, slot) in self.harts.iter().enumerate() {
            to.put(&self.hart_path(i), &slot.hart)?;
        }
        for node in &self.bus.nodes {
            match node.model.device() {
                None => to.put(&node.name, &self.core.plic)?,
                Some(device) => to.put(&node.name, device)?,
            }
        }
        to.put(&self.ram_path(), &self.core.ram)
    }

    /// Takes what [`Machine::save_parts`] has put.
    pub(super) fn restore_parts(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let name = self.name.clone();
        // RAM first: what a hart caches of it is forgotten when the hart is loaded.
        from.take(&self.ram_path(), &mut self.core.ram)?;
        from.take(&name, self)?;
        for i in 0..self.harts.len() {
            from.take(&self.hart_path(i), &mut self.harts[i].hart)?;
        }
        for node in &mut self.bus.nodes {
            match node.model.device_mut() {
                None => from.take(&node.name, &mut self.core.plic)?,
                Some(device) => from.take(&node.name, device)?,
            }
        }
        self.core.shared.clear();
        for (device, source, level) in self.bus.pins() {
            // The PLIC has been told of it already.
            self.core.shared.drive(source, device, level);
        }
        Ok(())
    }

    /// The path of hart `i`.
    pub(super) fn hart_path(&self, i: usize) -> String {
        format!("{}.hart{i}", self.name)
    }

    /// The path of the RAM.
    pub(super) fn ram_path(&self) -> String {
        format!("{}.ram", self.name)
    }
}

/// What is the machine's own: who runs, what is to come, how it is doing.
impl Snapshot for Machine {
    fn kind(&self) -> &'static str {
        "virt-machine"
    }

    fn version(&self) -> u16 {
        WITH_WHAT_DEVICES_SAID
    }

    fn oldest_version(&self) -> u16 {
        2
    }

    fn save(&self, w: &mut Writer) {
        w.u64(self.seed);
        w.u64(self.quantum);
        for slot in &self.harts {
            slot.doing.save(w);
        }
        w.bool(self.turn.is_some());
        if let Some(turn) = &self.turn {
            w.u64(turn.hart as u64);
            w.u64(turn.ends);
            w.bool(turn.extended);
        }
        w.u64(self.last_hart as u64);
        w.time(self.event_time);
        w.time(self.core.floor);
        w.bool(self.resume.is_some());
        if let Some(resume) = self.resume {
            resume.save(w);
        }
        self.status.save(w);
        self.core.events.save(w, |event, w| {
            w.u64(event.device as u64);
            event.event.save(w);
        });
        self.save_counts(w);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        r.same("seed", self.seed)?;
        r.same("quantum", self.quantum)?;
        for slot in &mut self.harts {
            slot.doing = Doing::load(r)?;
        }
        let harts = self.harts.len();
        let hart = |r: &mut Reader<'_>| index("hart", r.u64()?, harts);
        self.turn = match r.bool("turn")? {
            false => None,
            true => Some(Turn {
                hart: hart(r)?,
                ends: r.u64()?,
                extended: r.bool("extended")?,
            }),
        };
        self.last_hart = hart(r)?;
        self.event_time = r.time()?;
        self.core.floor = r.time()?;
        self.resume = match r.bool("resume")? {
            false => None,
            true => Some(WakeId::load(r)?),
        };
        self.status = Status::load(r)?;
        let devices = self.bus.nodes.len();
        self.core.events = EventQueue::load(r, |r| {
            Ok(DeviceEvent {
                device: index("device", r.u64()?, devices)?,
                event: Event::load(r)?,
            })
        })?;
        self.load_counts(r)?;
        self.pending = None;
        self.effort = 0;
        self.core.forget_effects();
        Ok(())
    }
}

impl Machine {
    /// What is counted for the report: a restored run reports like the one that was saved.
    fn save_counts(&self, w: &mut Writer) {
        let s = &self.statistics;
        for count in [
            s.mmio_exits,
            s.sbi_calls,
            s.wfi_exits,
            s.pause_exits,
            s.unmapped_accesses,
            s.restarts,
            self.core.guest_errors,
            self.core.dma_bytes,
        ] {
            w.u64(count);
        }
        for node in &self.bus.nodes {
            w.u64(node.accesses);
        }
        self.core.diagnostics.save(w);
        self.save_what_devices_said(w);
    }

    fn save_what_devices_said(&self, w: &mut Writer) {
        let core = &self.core;
        w.u64(core.counters.len() as u64);
        for ((device, what), count) in &core.counters {
            w.u64(*device as u64);
            w.str(what);
            w.u64(*count);
        }
        w.bool(core.last_guest_error.is_some());
        if let Some((what, value)) = &core.last_guest_error {
            w.str(what);
            w.u64(*value);
        }
        w.u64(core.host_errors.len() as u64);
        for error in &core.host_errors {
            w.str(error);
        }
    }

    fn load_what_devices_said(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let devices = self.bus.nodes.len();
        let core = &mut self.core;
        core.counters.clear();
        core.last_guest_error = None;
        core.host_errors.clear();
        if r.version()
            .is_some_and(|version| version < WITH_WHAT_DEVICES_SAID)
        {
            return Ok(());
        }
        for _ in 0..r.u64()? {
            let device = index("counting device", r.u64()?, devices)?;
            let what = r.str("counter")?.to_owned();
            core.counters.insert((device, what.into()), r.u64()?);
        }
        if r.bool("last mistake")? {
            let what = r.str("last mistake")?.to_owned();
            core.last_guest_error = Some((what.into(), r.u64()?));
        }
        let most = HOST_ERRORS_KEPT + 1;
        for _ in 0..index("failures of the host", r.u64()?, most)? {
            let error = r.str("failure of the host")?.to_owned();
            core.host_errors.push(error);
        }
        Ok(())
    }

    fn load_counts(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let s = &mut self.statistics;
        for count in [
            &mut s.mmio_exits,
            &mut s.sbi_calls,
            &mut s.wfi_exits,
            &mut s.pause_exits,
            &mut s.unmapped_accesses,
            &mut s.restarts,
            &mut self.core.guest_errors,
            &mut self.core.dma_bytes,
        ] {
            *count = r.u64()?;
        }
        for node in &mut self.bus.nodes {
            node.accesses = r.u64()?;
        }
        let thresholds = self.core.diagnostics.thresholds;
        self.core.diagnostics = Diagnostics::load(r, thresholds)?;
        self.load_what_devices_said(r)
    }
}

impl Doing {
    fn save(self, w: &mut Writer) {
        let (form, a, b) = match self {
            Self::Running => (0, 0, 0),
            Self::Sleeping => (1, 0, 0),
            Self::Blocked(token) => (2, token.0, 0),
            Self::Stopped => (3, 0, 0),
            Self::Suspended { resume, opaque } => (4, resume, opaque),
        };
        w.u8(form);
        w.u64(a);
        w.u64(b);
    }

    fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let (form, a, b) = (r.u8()?, r.u64()?, r.u64()?);
        match form {
            0 => Ok(Self::Running),
            1 => Ok(Self::Sleeping),
            2 => Ok(Self::Blocked(Token(a))),
            3 => Ok(Self::Stopped),
            4 => Ok(Self::Suspended {
                resume: a,
                opaque: b,
            }),
            _ => Err(wrong("state of a hart", form.into())),
        }
    }
}

impl Status {
    fn save(&self, w: &mut Writer) {
        match self {
            Self::Running => w.u8(0),
            Self::PoweredOff => w.u8(1),
            Self::GuestFailed(code) => {
                w.u8(2);
                w.u32(*code);
            }
            Self::HartFailed { hart, pc, what } => {
                let Fail::TrapLoop {
                    pc: handler,
                    cause,
                    tval,
                } = what;
                w.u8(3);
                for v in [*hart as u64, *pc, *handler, *cause, *tval] {
                    w.u64(v);
                }
            }
            Self::RestartFailed(why) => {
                w.u8(4);
                w.str(why);
            }
            Self::InstructionLimit => w.u8(5),
        }
    }

    fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        match r.u8()? {
            0 => Ok(Self::Running),
            1 => Ok(Self::PoweredOff),
            2 => r.u32().map(Self::GuestFailed),
            3 => Ok(Self::HartFailed {
                hart: index("hart", r.u64()?, usize::MAX)?,
                pc: r.u64()?,
                what: Fail::TrapLoop {
                    pc: r.u64()?,
                    cause: r.u64()?,
                    tval: r.u64()?,
                },
            }),
            4 => r
                .str("reason")
                .map(|why| Self::RestartFailed(why.to_owned())),
            5 => Ok(Self::InstructionLimit),
            form => Err(wrong("status", form.into())),
        }
    }
}

fn index(field: &'static str, value: u64, below: usize) -> Result<usize, LoadError> {
    let found = usize::try_from(value).ok().filter(|&i| i < below);
    found.ok_or(wrong(field, value))
}

const fn wrong(field: &'static str, value: u64) -> LoadError {
    LoadError::Value { field, value }
}
