//! What a hart asked for when it stopped.

use super::bus::Target;
use super::device_host::{DeviceHost, PlicHost};
use super::harts::Doing;
use super::{Machine, Status};
use crate::diagnostics;
use maquette_model::{
    Access, Answer, BusError, Cx, Device, Exit, MmioOp, PhysAddr, Role, SimTime, Token, Vcpu, Width,
};
use maquette_sim::SimCx;
use maquette_trace::payload::{self, Direction};
use maquette_trace::{Kind, Note};

impl Machine {
    /// Deals with an exit of hart `i`.
    pub(super) fn exit(&mut self, cx: &mut SimCx<'_>, i: usize, exit: &Exit) {
        match *exit {
            Exit::Limit => {}
            Exit::Mmio { addr, width, op } => {
                self.statistics.mmio_exits = self.statistics.mmio_exits.saturating_add(1);
                self.mmio(cx, i, addr, width, op);
            }
            Exit::Sbi(call) => {
                self.statistics.sbi_calls = self.statistics.sbi_calls.saturating_add(1);
                self.core.diagnostics.got_ahead(i);
                self.firmware_call(cx, i, call);
            }
            Exit::Wfi => {
                self.statistics.wfi_exits = self.statistics.wfi_exits.saturating_add(1);
                self.core.diagnostics.got_ahead(i);
                self.harts[i].doing = Doing::Sleeping;
                let slot = &self.harts[i];
                let (now, path) = (slot.hart.time(), slot.path);
                cx.trace().note(now, path, || Note::Sleeps);
                self.turn = None;
            }
            Exit::Pause => {
                self.statistics.pause_exits = self.statistics.pause_exits.saturating_add(1);
                self.turn = None;
            }
            Exit::Debug(_) => {}
            Exit::Fail(ref what) => {
                let pc = self.harts[i].hart.pc();
                let what = what.clone();
                self.status = Status::HartFailed { hart: i, pc, what };
            }
        }
    }

    fn mmio(&mut self, cx: &mut SimCx<'_>, i: usize, addr: PhysAddr, width: Width, op: MmioOp) {
        let (now, pc) = (self.harts[i].hart.time(), self.harts[i].hart.pc());
        let found = self.bus.find(addr);
        let register = found.and_then(|target| self.register(target));
        let node = found.and_then(|target| self.bus.nodes.get_mut(target.device));
        let (path, source) = match node {
            Some(node) => {
                node.accesses = node.accesses.saturating_add(1);
                (node.wiring.path, node.wiring.irq)
            }
            None => {
                self.statistics.unmapped_accesses =
                    self.statistics.unmapped_accesses.saturating_add(1);
                (self.harts[i].path, None)
            }
        };
        let by = self.harts[i].path;
        cx.trace().note(now, path, || Note::Access {
            by,
            pc,
            register,
            offset: found.map(|target| target.off),
            write: match op {
                MmioOp::Write(value) => Some(payload::mmio(Direction::Write, addr, width, value)),
                MmioOp::Read => None,
            },
        });
        let answer = match found {
            Some(target) => self.access(cx, target, width, op, now),
            None => Some(Answer::Fault(BusError::Unmapped)),
        };
        let (direction, value) = traced(op, answer);
        let event = payload::mmio(direction, addr, width, value);
        cx.trace().record(now, path, Kind::Mmio, &event);
        let access = diagnostics::Access {
            hart: i,
            pc,
            addr,
            value: match answer {
                Some(Answer::Value(value)) => Some(value),
                _ => None,
            },
            write: op != MmioOp::Read,
            implemented: register.is_some() && answer != Some(Answer::Fault(BusError::Unmapped)),
            source,
        };
        self.diagnose(&access);
        if register.is_some_and(|r| r.role == Role::Claim) {
            self.claimed(cx, &access, now);
        }
        // An interrupt that the access caused is settled by the caller; the instruction retires first.
        match answer {
            Some(a) => self.harts[i].hart.finish(a),
            None => {
                if let Some(token) = self.pending.take() {
                    self.harts[i].doing = Doing::Blocked(token);
                    self.turn = None;
                }
            }
        }
    }

    /// A hart has read a register whose value is the source of the interrupt that it takes.
    fn claimed(&mut self, cx: &mut SimCx<'_>, access: &diagnostics::Access, now: SimTime) {
        let source = access.value.and_then(|v| u32::try_from(v).ok());
        let Some(source) = source.filter(|&source| source != 0) else {
            return;
        };
        let at = (access.hart, access.pc);
        self.core.diagnostics.claimed(source, now, at);
        let path = self.harts[access.hart].path;
        cx.trace().note(now, path, || Note::Claim { source });
    }

    /// Performs the access; `None` if the device answers later (`self.pending` says as what).
    fn access(
        &mut self,
        cx: &mut SimCx<'_>,
        target: Target,
        width: Width,
        op: MmioOp,
        now: SimTime,
    ) -> Option<Answer> {
        let node = self.bus.nodes.get_mut(target.device)?;
        let result = match node.model.device_mut() {
            None => {
                let super::device_host::Core { plic, irqs, .. } = &mut self.core;
                let path = node.wiring.path;
                let mut host = PlicHost {
                    irqs,
                    trace: cx.trace(),
                    path,
                    now,
                };
                perform(plic, &mut Cx::new(&mut host), target, width, op)
            }
            Some(d) => {
                let mut host = DeviceHost {
                    core: &mut self.core,
                    trace: cx.trace(),
                    wiring: &node.wiring,
                    device: target.device,
                    now,
                };
                perform(d, &mut Cx::new(&mut host), target, width, op)
            }
        };
        match result {
            Access::Done(answer) => Some(answer),
            Access::Fault(e) => Some(Answer::Fault(e)),
            Access::Pending(token) => {
                self.pending = Some(token);
                None
            }
        }
    }

    /// A device answers an access that was pending.
    pub(super) fn complete(&mut self, token: Token, result: Result<u64, BusError>, now: SimTime) {
        let Some(slot) = self
            .harts
            .iter_mut()
            .find(|s| s.doing == Doing::Blocked(token))
        else {
            return;
        };
        slot.doing = Doing::Running;
        slot.hart.skip_to(now);
        slot.hart.finish(match result {
            Ok(v) => Answer::Value(v),
            Err(e) => Answer::Fault(e),
        });
    }
}

fn perform(
    d: &mut dyn Device,
    cx: &mut Cx<'_>,
    target: Target,
    width: Width,
    op: MmioOp,
) -> Access<Answer> {
    let Target { region, off, .. } = target;
    match op {
        MmioOp::Read => match d.read(cx, region, off, width) {
            Access::Done(v) => Access::Done(Answer::Value(v)),
            Access::Pending(t) => Access::Pending(t),
            Access::Fault(e) => Access::Fault(e),
        },
        MmioOp::Write(v) => match d.write(cx, region, off, width, v) {
            Access::Done(()) => Access::Done(Answer::Done),
            Access::Pending(t) => Access::Pending(t),
            Access::Fault(e) => Access::Fault(e),
        },
    }
}

/// Direction and value of an access as they are traced; a refused or pending read shows all ones.
const fn traced(op: MmioOp, answer: Option<Answer>) -> (Direction, u64) {
    match (op, answer) {
        (MmioOp::Write(v), _) => (Direction::Write, v),
        (MmioOp::Read, Some(Answer::Value(v))) => (Direction::Read, v),
        (MmioOp::Read, _) => (Direction::Read, u64::MAX),
    }
}
