//! The built-in SBI: what firmware calls do to this machine.

use super::bus::Model;
use super::device_host::{DeviceHost, input_name};
use super::harts::Doing;
use super::stores::Author;
use super::{CONSOLE, Machine};
use crate::sbi::{
    self, Fence, HartId, HartSet, HartState, MachineIds, Reset, ResetReason, SbiHost, Start,
    SuspendKind,
};
use maquette_model::{
    Access, Cx, HypercallArgs, Message, PhysAddr, PowerRequest, Region, SimTime, Vcpu, Width,
};
use maquette_rv64::trap::irq;
use maquette_sim::SimCx;
use maquette_trace::{Kind, Note, payload};

impl Machine {
    /// Answers a call of hart `i`.
    pub(super) fn firmware_call(&mut self, cx: &mut SimCx<'_>, i: usize, call: HypercallArgs) {
        let now = self.harts[i].hart.time();
        let path = self.harts[i].path;
        cx.trace().note(now, path, || Note::Label {
            name: sbi::name_of(&call),
            hart: None,
        });
        cx.trace()
            .record(now, path, Kind::Sbi, &payload::sbi(&call));
        let caller = HartId(u8::try_from(i).unwrap_or(u8::MAX));
        let mut firmware = Firmware {
            machine: self,
            cx,
            now,
            caller: i,
            then: None,
        };
        let reply = sbi::call(&mut firmware, caller, &call);
        let then = firmware.then;
        self.harts[i].hart.finish(reply.into());
        self.look_at_stores();
        if let Some(doing) = then {
            self.harts[i].doing = doing;
            self.turn = None;
        }
    }
}

/// The machine during one call.
struct Firmware<'a, 'b> {
    machine: &'a mut Machine,
    cx: &'a mut SimCx<'b>,
    now: SimTime,
    /// Which hart calls.
    caller: usize,
    /// What the caller does when the call has returned, if it does not just go on.
    then: Option<Doing>,
}

impl Firmware<'_, '_> {
    fn index(hart: HartId) -> usize {
        usize::from(hart.0)
    }

    /// Traces an interrupt that firmware raises or clears.
    fn record_interrupt(&mut self, i: usize, level: bool) {
        let path = self.machine.harts[i].path;
        let event = payload::interrupt(irq::SSI.into(), level);
        let (now, hart) = (self.now, u32::try_from(i).ok());
        self.cx.trace().note(now, path, || Note::Label {
            name: input_name(maquette_model::CpuLine(irq::SSI)),
            hart,
        });
        self.cx
            .trace()
            .record(self.now, path, Kind::Interrupt, &event);
    }

    /// Reads a register of the console's UART as firmware's driver would.
    fn uart(&mut self, register: u64) -> Option<u64> {
        let (device, _) = self.machine.bus.behind(CONSOLE)?;
        let Machine { bus, core, .. } = &mut *self.machine;
        let node = bus.nodes.get_mut(device)?;
        let Model::Device(uart) = &mut node.model else {
            return None;
        };
        let mut host = DeviceHost {
            core,
            trace: self.cx.trace(),
            wiring: &node.wiring,
            device,
            now: self.now,
        };
        match uart.read(&mut Cx::new(&mut host), Region(0), register, Width::B1) {
            Access::Done(v) => Some(v),
            _ => None,
        }
    }
}

/// UART registers (PC16550D, table II): receiver buffer, line status; data-ready bit.
const RBR: u64 = 0;
const LSR: u64 = 5;
const DATA_READY: u64 = 1;

impl SbiHost for Firmware<'_, '_> {
    fn harts(&self) -> u8 {
        u8::try_from(self.machine.harts.len()).unwrap_or(u8::MAX)
    }

    fn ids(&self) -> MachineIds {
        MachineIds::default()
    }

    fn is_ram(&self, addr: PhysAddr, len: u64) -> bool {
        self.machine.core.ram.offset(addr, len).is_some()
    }

    fn read_ram(&mut self, addr: PhysAddr, buf: &mut [u8]) -> bool {
        self.machine.core.ram.read(addr, buf)
    }

    fn write_ram(&mut self, addr: PhysAddr, buf: &[u8]) -> bool {
        let written = self.machine.core.ram.write(addr, buf);
        if written {
            let by = Author::Firmware(self.caller);
            self.machine.core.stores.note(by, addr, buf.len());
        }
        written
    }

    fn read_virt(&mut self, hart: HartId, addr: u64) -> Option<u64> {
        let slot = self.machine.harts.get_mut(Self::index(hart))?;
        let mut bytes = [0; 8];
        for (k, b) in (0u64..).zip(&mut bytes) {
            let pa = slot.hart.probe(addr.wrapping_add(k))?;
            [*b] = self.machine.core.ram.read_array(pa)?;
        }
        Some(u64::from_le_bytes(bytes))
    }

    fn set_timer(&mut self, hart: HartId, deadline: u64) {
        if let Some(slot) = self.machine.harts.get_mut(Self::index(hart)) {
            slot.hart.set_timer(deadline);
        }
    }

    fn send_ipi(&mut self, harts: HartSet) {
        for hart in harts.iter() {
            let i = Self::index(hart);
            let Some(slot) = self.machine.harts.get_mut(i) else {
                continue;
            };
            if slot.doing == Doing::Stopped {
                continue;
            }
            slot.hart
                .set_soft_irq(maquette_model::CpuLine(irq::SSI), true);
            self.record_interrupt(i, true);
            self.machine.interrupted(i, self.now);
        }
    }

    fn clear_ipi(&mut self, hart: HartId) -> bool {
        let i = Self::index(hart);
        let Some(slot) = self.machine.harts.get_mut(i) else {
            return false;
        };
        let was = slot.hart.state().csr.mip >> irq::SSI & 1 == 1;
        slot.hart
            .set_soft_irq(maquette_model::CpuLine(irq::SSI), false);
        if was {
            self.record_interrupt(i, false);
        }
        was
    }

    fn fence(&mut self, harts: HartSet, fence: Fence) {
        // Stores to code are seen at once: a fence of instructions has nothing to do.
        if fence == Fence::Instructions {
            return;
        }
        for hart in harts.iter() {
            if let Some(slot) = self.machine.harts.get_mut(Self::index(hart)) {
                slot.hart.remote_fence();
            }
        }
    }

    fn hart_state(&self, hart: HartId) -> HartState {
        match self.machine.harts.get(Self::index(hart)).map(|s| s.doing) {
            None | Some(Doing::Stopped) => HartState::Stopped,
            Some(Doing::Suspended { .. }) => HartState::Suspended,
            Some(_) => HartState::Started,
        }
    }

    fn hart_start(&mut self, hart: HartId, start: Start) {
        let Some(slot) = self.machine.harts.get_mut(Self::index(hart)) else {
            return;
        };
        slot.hart.reset();
        slot.hart.start_supervisor(start.addr.0, start.opaque);
        slot.hart.skip_to(self.now);
        slot.doing = Doing::Running;
        self.machine.turn = None;
    }

    fn hart_stop(&mut self, _caller: HartId) {
        self.then = Some(Doing::Stopped);
    }

    fn hart_suspend(&mut self, _caller: HartId, kind: SuspendKind) {
        self.then = Some(match kind {
            SuspendKind::Retentive => Doing::Sleeping,
            SuspendKind::NonRetentive(s) => Doing::Suspended {
                resume: s.addr.0,
                opaque: s.opaque,
            },
        });
    }

    fn system_reset(&mut self, reset: Reset, reason: ResetReason) {
        self.machine.core.power = Some(match (reset, reason) {
            (Reset::ColdReboot | Reset::WarmReboot, _) => PowerRequest::Reset,
            (Reset::Shutdown, ResetReason::None) => PowerRequest::Off,
            (Reset::Shutdown, ResetReason::SystemFailure) => PowerRequest::Fail(1),
        });
        // Whatever happens, the caller does not go on.
        self.then = Some(Doing::Stopped);
    }

    fn console_write(&mut self, bytes: &[u8]) {
        let Some((device, _)) = self.machine.bus.behind(CONSOLE) else {
            return;
        };
        let Some(path) = self.machine.bus.nodes.get(device).map(|n| n.wiring.path) else {
            return;
        };
        for &b in bytes {
            self.cx.trace().record(self.now, path, Kind::Console, &[b]);
            self.machine.core.outbox.push((CONSOLE, Message::Byte(b)));
        }
    }

    fn console_read(&mut self) -> Option<u8> {
        if self.uart(LSR)? & DATA_READY == 0 {
            return None;
        }
        self.uart(RBR).and_then(|v| u8::try_from(v & 0xff).ok())
    }
}
