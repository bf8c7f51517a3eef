//! What the protocol may ask of a machine.

use super::arch::{General, Number, REGISTER_BYTES, Rv64};
use super::{monitor, tid};
use crate::Machine;
use crate::machine::debugging::{BreakKind, Leave};
use core::convert::Infallible;
use gdbstub::common::{Signal, Tid};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::multithread as harts;
use gdbstub::target::ext::base::single_register_access::{
    SingleRegisterAccess, SingleRegisterAccessOps,
};
use gdbstub::target::ext::breakpoints as points;
use gdbstub::target::ext::monitor_cmd::{ConsoleOutput, MonitorCmd, MonitorCmdOps};
use gdbstub::target::ext::target_description_xml_override as description;
use gdbstub::target::ext::thread_extra_info::{ThreadExtraInfo, ThreadExtraInfoOps};
use gdbstub::target::{Target, TargetError, TargetResult};
use maquette_model::{Debuggable, VirtAddr, Watch, WatchKind};
use maquette_rv64::Hart;

/// Linux's numbers of errors, which the protocol uses.
const EFAULT: u8 = 14;
const EINVAL: u8 = 22;

/// The hart with this name in the protocol.
const fn hart(tid: Tid) -> usize {
    tid.get() - 1
}

fn invalid<T>() -> TargetResult<T, Machine> {
    Err(TargetError::Errno(EINVAL))
}

fn accepted(done: bool) -> TargetResult<(), Machine> {
    if done { Ok(()) } else { invalid() }
}

impl Target for Machine {
    type Arch = Rv64;
    type Error = Infallible;

    fn base_ops(&mut self) -> BaseOps<'_, Rv64, Infallible> {
        BaseOps::MultiThread(self)
    }

    // Memory is not altered, and GDB is told so by supporting both kinds of breakpoints.
    fn guard_rail_implicit_sw_breakpoints(&self) -> bool {
        true
    }

    fn support_breakpoints(&mut self) -> Option<points::BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_monitor_cmd(&mut self) -> Option<MonitorCmdOps<'_, Self>> {
        Some(self)
    }

    fn support_target_description_xml_override(
        &mut self,
    ) -> Option<description::TargetDescriptionXmlOverrideOps<'_, Self>> {
        Some(self)
    }

    fn use_fork_stop_reason(&self) -> bool {
        false
    }

    fn use_vfork_stop_reason(&self) -> bool {
        false
    }

    fn use_vforkdone_stop_reason(&self) -> bool {
        false
    }
}

impl harts::MultiThreadBase for Machine {
    fn read_registers(&mut self, regs: &mut General, tid: Tid) -> TargetResult<(), Self> {
        let Some(hart) = self.hart(hart(tid)) else {
            return invalid();
        };
        let values = (0..<Hart>::GENERAL_REGISTERS).map(|n| hart.read_register(n).unwrap_or(0));
        regs.0 = values.collect();
        Ok(())
    }

    fn write_registers(&mut self, regs: &General, tid: Tid) -> TargetResult<(), Self> {
        let Some(hart) = self.hart_mut(hart(tid)) else {
            return invalid();
        };
        // A zero register that is not zero is no reason to leave the others alone.
        let written = regs.0.iter().enumerate().skip(1);
        accepted(written.fold(true, |done, (n, v)| hart.write_register(n, *v) && done))
    }

    fn support_single_register_access(&mut self) -> Option<SingleRegisterAccessOps<'_, Tid, Self>> {
        Some(self)
    }

    fn read_addrs(&mut self, start: u64, data: &mut [u8], tid: Tid) -> TargetResult<usize, Self> {
        match self.read_virtual(hart(tid), VirtAddr(start), data) {
            0 if !data.is_empty() => Err(TargetError::Errno(EFAULT)),
            count => Ok(count),
        }
    }

    fn write_addrs(&mut self, start: u64, data: &[u8], tid: Tid) -> TargetResult<(), Self> {
        if self.write_virtual(hart(tid), VirtAddr(start), data) {
            Ok(())
        } else {
            Err(TargetError::Errno(EFAULT))
        }
    }

    fn list_active_threads(&mut self, active: &mut dyn FnMut(Tid)) -> Result<(), Infallible> {
        (0..self.hart_count()).map(tid).for_each(active);
        Ok(())
    }

    fn support_resume(&mut self) -> Option<harts::MultiThreadResumeOps<'_, Self>> {
        Some(self)
    }

    fn support_thread_extra_info(&mut self) -> Option<ThreadExtraInfoOps<'_, Self>> {
        Some(self)
    }
}

impl SingleRegisterAccess<Tid> for Machine {
    fn read_register(
        &mut self,
        tid: Tid,
        Number(n): Number,
        buf: &mut [u8],
    ) -> TargetResult<usize, Self> {
        let value = self.hart(hart(tid)).and_then(|hart| hart.read_register(n));
        match (value, buf.first_chunk_mut::<REGISTER_BYTES>()) {
            (Some(value), Some(to)) => {
                *to = value.to_le_bytes();
                Ok(REGISTER_BYTES)
            }
            _ => invalid(),
        }
    }

    fn write_register(
        &mut self,
        tid: Tid,
        Number(n): Number,
        val: &[u8],
    ) -> TargetResult<(), Self> {
        let Ok(bytes) = <[u8; REGISTER_BYTES]>::try_from(val) else {
            return invalid();
        };
        let value = u64::from_le_bytes(bytes);
        let hart = self.hart_mut(hart(tid));
        accepted(hart.is_some_and(|hart| hart.write_register(n, value)))
    }
}

impl ThreadExtraInfo for Machine {
    fn thread_extra_info(&self, tid: Tid, buf: &mut [u8]) -> Result<usize, Infallible> {
        let text = monitor::hart_line(self, hart(tid));
        let len = text.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(len)
    }
}

impl Machine {
    fn plan(&mut self, tid: Tid, leave: Leave) {
        // A hart that does not exist has nothing to do.
        let _planned = self.debugging().map(|d| d.plan(hart(tid), leave));
    }
}

impl harts::MultiThreadResume for Machine {
    fn resume(&mut self) -> Result<(), Infallible> {
        self.start_as_planned();
        Ok(())
    }

    fn clear_resume_actions(&mut self) -> Result<(), Infallible> {
        let harts = self.hart_count();
        if let Some(d) = self.debugging() {
            d.clear_plan(harts);
        }
        Ok(())
    }

    // Signals mean nothing to a machine: GDB sends those that it was told at stops.
    fn set_resume_action_continue(
        &mut self,
        tid: Tid,
        _signal: Option<Signal>,
    ) -> Result<(), Infallible> {
        self.plan(tid, Leave::Go);
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<harts::MultiThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_range_step(&mut self) -> Option<harts::MultiThreadRangeSteppingOps<'_, Self>> {
        Some(self)
    }

    fn support_scheduler_locking(
        &mut self,
    ) -> Option<harts::MultiThreadSchedulerLockingOps<'_, Self>> {
        Some(self)
    }
}

impl harts::MultiThreadSingleStep for Machine {
    fn set_resume_action_step(
        &mut self,
        tid: Tid,
        _signal: Option<Signal>,
    ) -> Result<(), Infallible> {
        self.plan(tid, Leave::Step);
        Ok(())
    }
}

impl harts::MultiThreadRangeStepping for Machine {
    fn set_resume_action_range_step(
        &mut self,
        tid: Tid,
        start: u64,
        end: u64,
    ) -> Result<(), Infallible> {
        self.plan(tid, Leave::StepOutOf(start..end));
        Ok(())
    }
}

impl harts::MultiThreadSchedulerLocking for Machine {
    fn set_resume_action_scheduler_lock(&mut self) -> Result<(), Infallible> {
        if let Some(d) = self.debugging() {
            d.plan_to_hold_others();
        }
        Ok(())
    }
}

impl Machine {
    fn breakpoint(&mut self, kind: BreakKind, at: u64, on: bool) -> TargetResult<bool, Self> {
        Ok(self
            .debugging()
            .is_some_and(|d| d.set_breakpoint(kind, at, on)))
    }
}

impl points::Breakpoints for Machine {
    fn support_sw_breakpoint(&mut self) -> Option<points::SwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_breakpoint(&mut self) -> Option<points::HwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_watchpoint(&mut self) -> Option<points::HwWatchpointOps<'_, Self>> {
        Some(self)
    }
}

impl points::SwBreakpoint for Machine {
    fn add_sw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        self.breakpoint(BreakKind::Software, addr, true)
    }

    fn remove_sw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        self.breakpoint(BreakKind::Software, addr, false)
    }
}

impl points::HwBreakpoint for Machine {
    fn add_hw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        self.breakpoint(BreakKind::Hardware, addr, true)
    }

    fn remove_hw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        self.breakpoint(BreakKind::Hardware, addr, false)
    }
}

const fn watch(addr: u64, len: u64, kind: points::WatchKind) -> Watch {
    Watch {
        start: VirtAddr(addr),
        len,
        kind: match kind {
            points::WatchKind::Read => WatchKind::Read,
            points::WatchKind::Write => WatchKind::Write,
            points::WatchKind::ReadWrite => WatchKind::Access,
        },
    }
}

impl points::HwWatchpoint for Machine {
    fn add_hw_watchpoint(
        &mut self,
        addr: u64,
        len: u64,
        kind: points::WatchKind,
    ) -> TargetResult<bool, Self> {
        let watch = watch(addr, len, kind);
        Ok(self.debugging().is_some_and(|d| d.add_watch(watch)))
    }

    fn remove_hw_watchpoint(
        &mut self,
        addr: u64,
        len: u64,
        kind: points::WatchKind,
    ) -> TargetResult<bool, Self> {
        let watch = watch(addr, len, kind);
        Ok(self.debugging().is_some_and(|d| d.remove_watch(watch)))
    }
}

impl MonitorCmd for Machine {
    fn handle_monitor_cmd(
        &mut self,
        command: &[u8],
        mut out: ConsoleOutput<'_>,
    ) -> Result<(), Infallible> {
        let line = String::from_utf8_lossy(command);
        out.write_raw(monitor::answer(self, &line).as_bytes());
        Ok(())
    }
}

impl description::TargetDescriptionXmlOverride for Machine {
    fn target_description_xml(
        &self,
        annex: &[u8],
        offset: u64,
        length: usize,
        buf: &mut [u8],
    ) -> TargetResult<usize, Self> {
        if annex != b"target.xml" {
            return invalid();
        }
        let text = <Hart>::description();
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(text.len());
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let len = rest.len().min(length).min(buf.len());
        for (to, from) in buf.iter_mut().zip(rest).take(len) {
            *to = *from;
        }
        Ok(len)
    }
}
