//! The machine under a debugger: who may run, where it stops, and why it did.
//!
//! None of this is state of the simulated machine. Harts stop between two instructions and go on as if
//! they had not; only a debugger that holds some harts while others run changes the order of turns.

use super::Machine;
use super::harts::Doing;
use super::stores::Stores;
use crate::board::AddrRange;
use maquette_model::{
    DebugStop, Debuggable, Exit, PhysAddr, Points, SimTime, Vcpu, VirtAddr, Watch,
};
use maquette_rv64::Hart;
use std::collections::BTreeSet;
use std::ops::Range;

/// More breakpoints, and more watchpoints, are refused.
const MOST_POINTS: usize = 1024;

/// What a hart does when the machine goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Leave {
    /// It runs.
    #[default]
    Go,
    /// It executes one instruction.
    Step,
    /// It executes instructions until pc is outside.
    StepOutOf(Range<u64>),
    /// It stands still.
    Hold,
}

/// Why the machine stands still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// Before an instruction.
    Breakpoint(u64),
    /// A hart met this.
    Met(DebugStop),
    /// A step is complete.
    Stepped,
    /// The debugger asked, or nothing is left that may run.
    Asked,
}

/// A stop, and the hart that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stop {
    pub(crate) hart: usize,
    pub(crate) why: Why,
}

/// A device on the bus.
pub(crate) struct DeviceEntry<'a> {
    pub(crate) path: &'a str,
    pub(crate) range: AddrRange,
    /// Its interrupt source at the PLIC.
    pub(crate) source: Option<u32>,
    /// How often harts have accessed it.
    pub(crate) accesses: u64,
}

/// How the debugger asked for a breakpoint. Both kinds are the same here, and neither alters memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BreakKind {
    /// As a patched instruction.
    Software,
    /// As a comparison with pc.
    Hardware,
}

/// What the debugger wants of the machine.
#[derive(Default)]
pub(crate) struct Debugging {
    /// Both kinds of breakpoints, and the watchpoints.
    points: Points,
    software: BTreeSet<u64>,
    hardware: BTreeSet<u64>,
    /// What each hart does; harts beyond the end run.
    leave: Vec<Leave>,
    /// What each is to do from the next start on; nothing if it was not mentioned.
    planned: Vec<Option<Leave>>,
    stop: Option<Stop>,
    /// If nobody's instruction was the reason for the last stop: what was.
    store: Option<String>,
}

impl Debugging {
    fn leave(&self, hart: usize) -> &Leave {
        self.leave.get(hart).unwrap_or(&Leave::Go)
    }

    /// Whether some hart may not run.
    fn holds_any(&self) -> bool {
        self.leave.contains(&Leave::Hold)
    }

    /// The stop that has been come to, and not been asked for yet.
    pub(crate) const fn take_stop(&mut self) -> Option<Stop> {
        self.stop.take()
    }

    /// Forgets what was planned for `harts` harts.
    pub(crate) fn clear_plan(&mut self, harts: usize) {
        self.planned = vec![None; harts];
    }

    /// Plans what a hart is to do; `false` if it does not exist.
    pub(crate) fn plan(&mut self, hart: usize, leave: Leave) -> bool {
        let place = self.planned.get_mut(hart);
        place.map(|p| *p = Some(leave)).is_some()
    }

    /// Plans that harts which were not mentioned stand still.
    pub(crate) fn plan_to_hold_others(&mut self) {
        for p in &mut self.planned {
            p.get_or_insert(Leave::Hold);
        }
    }

    /// Puts the plan into force.
    fn start(&mut self) {
        let planned = self.planned.iter().cloned();
        self.leave = planned.map(Option::unwrap_or_default).collect();
        self.stop = None;
        self.store = None;
    }

    /// A device or firmware has stored to watched memory. What a hart met before goes first.
    pub(super) fn stop_for_store(&mut self, stop: Stop, words: String) {
        if self.stop.is_none_or(|s| s.why == Why::Stepped) {
            self.stop = Some(stop);
            self.store = Some(words);
        }
    }

    /// Sets or removes a breakpoint; `false` if there are too many, or none there.
    pub(crate) fn set_breakpoint(&mut self, kind: BreakKind, at: u64, on: bool) -> bool {
        if on && (at & 1 != 0 || self.points.breakpoints.len() >= MOST_POINTS) {
            return false;
        }
        let set = match kind {
            BreakKind::Software => &mut self.software,
            BreakKind::Hardware => &mut self.hardware,
        };
        let changed = if on {
            {
                set.insert(at);
                true
            }
        } else {
            set.remove(&at)
        };
        self.points.breakpoints = self.software.union(&self.hardware).copied().collect();
        changed
    }

    /// How the debugger asked for the breakpoint at `at`.
    pub(crate) fn break_kind(&self, at: u64) -> BreakKind {
        if self.software.contains(&at) {
            BreakKind::Software
        } else {
            BreakKind::Hardware
        }
    }

    /// Adds a watchpoint; `false` if there are too many or it is none.
    pub(crate) fn add_watch(&mut self, watch: Watch) -> bool {
        let is_one = watch.len > 0 && watch.start.0.checked_add(watch.len - 1).is_some();
        let fits = is_one && self.points.watches.len() < MOST_POINTS;
        if fits {
            self.points.watches.push(watch);
        }
        fits
    }

    /// Removes a watchpoint; `false` if there is no such.
    pub(crate) fn remove_watch(&mut self, watch: Watch) -> bool {
        let found = self.points.watches.iter().position(|w| *w == watch);
        found.map(|i| self.points.watches.remove(i)).is_some()
    }
}

/// What the scheduler asks.
impl Machine {
    /// Whether the debugger holds hart `i`.
    pub(super) fn is_held(&self, i: usize) -> bool {
        self.debugging
            .as_ref()
            .is_some_and(|d| *d.leave(i) == Leave::Hold)
    }

    /// Whether the debugger wants to be asked before anything else happens.
    pub(super) fn stands_still(&self) -> bool {
        self.debugging.as_ref().is_some_and(|d| d.stop.is_some())
    }

    /// Runs hart `i`, for the debugger if there is one.
    pub(super) fn run_hart(&mut self, i: usize, most: u64) -> Exit {
        let hart = &mut self.harts[i].hart;
        let Some(d) = &self.debugging else {
            return hart.run(most);
        };
        match d.leave(i) {
            Leave::Step | Leave::StepOutOf(_) => hart.run_debugged(1, &d.points, true),
            _ if d.points.is_empty() => hart.run(most),
            _ => hart.run_debugged(most, &d.points, false),
        }
    }

    /// Hart `i` has run, from `retired` instructions on, and what it asked for was done.
    pub(super) fn look_for_stop(&mut self, i: usize, retired: u64, exit: &Exit) {
        let Some(d) = &mut self.debugging else {
            return;
        };
        // An answer that is still to come is no completed step; one that was a fault is.
        let waits = matches!(self.harts[i].doing, Doing::Blocked(_));
        let hart = &mut self.harts[i].hart;
        let why = match exit {
            Exit::Debug(DebugStop::Breakpoint) => Some(Why::Breakpoint(hart.pc())),
            Exit::Debug(DebugStop::Trapped) => None,
            Exit::Debug(met) => Some(Why::Met(*met)),
            _ => hart.watched().map(Why::Met),
        };
        let moved = hart.retired() != retired || matches!(exit, Exit::Debug(_) | Exit::Mmio { .. });
        let stepped = match d.leave(i) {
            _ if waits || !moved => false,
            Leave::Step => true,
            Leave::StepOutOf(range) => !range.contains(&hart.pc()),
            Leave::Go | Leave::Hold => false,
        };
        let why = why.or(stepped.then_some(Why::Stepped));
        d.stop = d.stop.or(why.map(|why| Stop { hart: i, why }));
    }

    /// Nothing is left to happen: stops if that is because of harts that the debugger holds.
    pub(super) fn stop_if_held(&mut self) -> bool {
        let hart = self.last_hart;
        let Some(d) = self.debugging.as_mut().filter(|d| d.holds_any()) else {
            return false;
        };
        let why = Why::Asked;
        d.stop = Some(Stop { hart, why });
        true
    }
}

/// What the debugger asks.
impl Machine {
    /// A debugger is there from now on. Without breakpoints and steps the machine runs as without it.
    pub(crate) fn attach(&mut self) {
        self.debugging = Some(Box::default());
    }

    /// The debugger is gone.
    pub(crate) fn detach(&mut self) {
        self.debugging = None;
        self.core.stores = Stores::default();
    }

    /// Goes on as the debugger has planned.
    pub(crate) fn start_as_planned(&mut self) {
        if let Some(d) = &mut self.debugging {
            d.start();
            self.core.stores.wanted = !d.points.watches.is_empty();
        }
    }

    /// The watchpoints.
    pub(super) fn watches(&self) -> &[Watch] {
        self.debugging.as_ref().map_or(&[], |d| &d.points.watches)
    }

    /// The store of a device or of firmware that was the reason for the last stop, in words.
    pub(crate) fn store_that_stopped(&self) -> Option<&str> {
        self.debugging.as_ref()?.store.as_deref()
    }

    /// What the debugger wants, if there is one.
    pub(crate) fn debugging(&mut self) -> Option<&mut Debugging> {
        self.debugging.as_deref_mut()
    }

    /// How many harts there are.
    pub(crate) fn hart_count(&self) -> usize {
        self.harts.len()
    }

    /// A hart.
    pub(crate) fn hart(&self, i: usize) -> Option<&Hart> {
        self.harts.get(i).map(|slot| &slot.hart)
    }

    /// A hart, to change its registers.
    pub(crate) fn hart_mut(&mut self, i: usize) -> Option<&mut Hart> {
        self.harts.get_mut(i).map(|slot| &mut slot.hart)
    }

    /// What a hart is doing, in words.
    pub(crate) fn hart_doing(&self, i: usize) -> &'static str {
        self.harts.get(i).map_or("", |slot| slot.doing.words())
    }

    /// The hart whose turn it is or was.
    pub(crate) const fn current_hart(&self) -> usize {
        match self.turn {
            Some(turn) => turn.hart,
            None => self.last_hart,
        }
    }

    /// The latest time that any hart has reached.
    pub(crate) fn time(&self) -> SimTime {
        self.reached()
    }

    /// The devices on the bus.
    pub(crate) fn devices(&self) -> impl Iterator<Item = DeviceEntry<'_>> {
        self.bus.nodes.iter().map(|node| DeviceEntry {
            path: &node.name,
            range: node.range,
            source: node.wiring.irq,
            accesses: node.accesses,
        })
    }

    /// The interrupt controller.
    pub(crate) const fn plic(&self) -> &maquette_devices::Plic {
        &self.core.plic
    }

    /// Reads what hart `i` finds at `va`, as far as it is RAM; says how many bytes that is.
    pub(crate) fn read_virtual(&self, i: usize, va: VirtAddr, buf: &mut [u8]) -> usize {
        let mut done = 0;
        for (at, piece) in self.pieces(i, va, buf.len() as u64) {
            let Some(part) = buf.get_mut(done..done + piece) else {
                break;
            };
            if !at.is_some_and(|pa| self.core.ram.read(pa, part)) {
                break;
            }
            done += piece;
        }
        done
    }

    /// Writes where hart `i` finds `va`: all of it, or nothing unless all is RAM.
    pub(crate) fn write_virtual(&mut self, i: usize, va: VirtAddr, bytes: &[u8]) -> bool {
        let ram = &self.core.ram;
        let places: Option<Vec<(PhysAddr, usize)>> = self
            .pieces(i, va, bytes.len() as u64)
            .map(|(pa, len)| {
                pa.filter(|pa| ram.offset(*pa, len as u64).is_some())
                    .zip(Some(len))
            })
            .collect();
        let Some(places) = places else {
            return false;
        };
        let mut rest = bytes;
        for (pa, len) in places {
            let (part, more) = rest.split_at(len.min(rest.len()));
            if !ram.write(pa, part) {
                return false;
            }
            rest = more;
        }
        true
    }

    /// The parts of a range that lie in one page each, and where they are.
    pub(super) fn pieces(
        &self,
        i: usize,
        va: VirtAddr,
        len: u64,
    ) -> impl Iterator<Item = (Option<PhysAddr>, usize)> + use<'_> {
        let mut at = va;
        let mut left = len;
        core::iter::from_fn(move || {
            let room = (0x1000 - at.page_offset()).min(left);
            if room == 0 {
                return None;
            }
            let pa = self.hart(i).and_then(|hart| hart.translate(at));
            at = at.wrapping_add(room);
            left -= room;
            Some((pa, usize::try_from(room).unwrap_or(0)))
        })
    }
}
