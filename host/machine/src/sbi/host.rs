//! What calls do, and whom they do it to.

use super::{HartId, HartSet};
use maquette_model::PhysAddr;

/// Identity registers of the harts (privileged architecture §3.1.2 to §3.1.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MachineIds {
    /// `mvendorid`.
    pub vendor: u64,
    /// `marchid`.
    pub architecture: u64,
    /// `mimpid`.
    pub implementation: u64,
}

/// Which addresses a fence is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FenceRange {
    /// All of them.
    All,
    /// `size` > 0 bytes from `start`; the last byte does not wrap.
    Bytes {
        /// The first virtual address.
        start: u64,
        /// How many bytes.
        size: u64,
    },
}

/// What harts are to forget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fence {
    /// Instructions: `fence.i`.
    Instructions,
    /// Translations: `sfence.vma`, of one address space if `asid` is given.
    Translations {
        /// Of which addresses.
        range: FenceRange,
        /// Of which address space.
        asid: Option<u16>,
    },
}

/// Where a hart begins or goes on, in supervisor mode with translation and interrupts off:
/// `a0` = its number, `a1` = `opaque`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    /// The first instruction; lies in RAM and is even.
    pub addr: PhysAddr,
    /// What it finds in a1.
    pub opaque: u64,
}

/// How a hart suspends itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SuspendKind {
    /// Keeping its registers: the call returns when an interrupt wakes it, whether or not that is
    /// taken.
    Retentive,
    /// Losing them: it goes on there.
    NonRetentive(Start),
}

/// State of a hart (SBI 2.0 §9, table 9). The others pass too fast to be seen here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HartState {
    /// It runs.
    Started,
    /// It waits for being started.
    Stopped,
    /// It was started and has not run yet.
    StartPending,
    /// It has suspended itself.
    Suspended,
}

/// How the system ends (SBI 2.0 §10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reset {
    /// Power goes off.
    Shutdown,
    /// Power goes off and on.
    ColdReboot,
    /// The harts restart, with power on.
    WarmReboot,
}

/// Why the system ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResetReason {
    /// Because it was asked to.
    None,
    /// Because the guest failed.
    SystemFailure,
}

/// The machine as its firmware sees it. All arguments have been checked: harts exist, ranges lie in
/// RAM.
pub trait SbiHost {
    /// How many harts there are, 1 to 64.
    fn harts(&self) -> u8;
    /// The identity registers.
    fn ids(&self) -> MachineIds;
    /// Whether `len` bytes from `addr` are RAM.
    fn is_ram(&self, addr: PhysAddr, len: u64) -> bool;
    /// Reads RAM.
    fn read_ram(&mut self, addr: PhysAddr, buf: &mut [u8]) -> bool;
    /// Writes RAM.
    fn write_ram(&mut self, addr: PhysAddr, buf: &[u8]) -> bool;
    /// Reads eight bytes as `hart` would with a load in its current mode; `None` if that would trap.
    fn read_virt(&mut self, hart: HartId, addr: u64) -> Option<u64>;

    /// Clears the timer interrupt of `hart` and raises it when `time` reaches `deadline`;
    /// `u64::MAX` never comes.
    fn set_timer(&mut self, hart: HartId, deadline: u64);
    /// Raises the supervisor software interrupt of these harts. Those that are stopped do not notice.
    fn send_ipi(&mut self, harts: HartSet);
    /// Clears the supervisor software interrupt of `hart`; returns whether it was raised.
    fn clear_ipi(&mut self, hart: HartId) -> bool;
    /// Makes harts, maybe the caller among them, forget what they cached. It is done when this returns.
    fn fence(&mut self, harts: HartSet, fence: Fence);

    /// The state of a hart.
    fn hart_state(&self, hart: HartId) -> HartState;
    /// Starts a hart that [`SbiHost::hart_state`] has just called stopped.
    fn hart_start(&mut self, hart: HartId, start: Start);
    /// Stops `hart`, the caller.
    fn hart_stop(&mut self, hart: HartId);
    /// Suspends `hart`, the caller, until an interrupt is pending for it. The reply of a retentive
    /// suspension is ready at once; it is for the machine to let the hart wait before it goes on.
    fn hart_suspend(&mut self, hart: HartId, kind: SuspendKind);
    /// Ends or restarts the system.
    fn system_reset(&mut self, reset: Reset, reason: ResetReason);

    /// Writes to the console.
    fn console_write(&mut self, bytes: &[u8]);
    /// Takes one byte that the console has received, without waiting.
    fn console_read(&mut self) -> Option<u8>;
}
