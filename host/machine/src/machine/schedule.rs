//! Who runs, and how far.
//!
//! Each hart has its own local time. The hart that is furthest behind gets a turn; it ends after a
//! quantum of instructions, at the next event of the machine, when the hart waits or spins, or when it
//! raises an interrupt for another hart. An event at time t happens when every running hart has
//! reached t. The engine's horizon only pauses: a turn goes on afterwards as if nothing had been.

use super::harts::{Doing, Turn};
use super::{Machine, Status};
use crate::machine::device_host::DeviceHost;
use maquette_model::{Cx, Event, SimTime, Vcpu};
use maquette_sim::SimCx;
use maquette_trace::Note;

/// The only wake that a machine asks for.
pub(super) const RESUME: u32 = 0;

/// Effort after which the machine pauses, so that the rim can look at signals and clocks even where
/// virtual time hardly moves: a few milliseconds of the host's time, counted in instructions.
const ASK_AFTER: u64 = 1_000_000;
/// The effort of switching to a hart and back.
const TURN_EFFORT: u64 = 50;
/// The effort of starting over.
pub(super) const RESTART_EFFORT: u64 = ASK_AFTER / 2;

/// How much longer a turn may last for a reservation. A loop whose `sc` must succeed some time has at
/// most 16 instructions (unprivileged ISA, "Eventual Success of Store-Conditional Instructions").
const GRACE: u64 = 64;

impl Machine {
    /// Executes until the horizon, the end, until nothing is left to happen, or until the world outside
    /// should be asked again.
    pub(super) fn advance(&mut self, cx: &mut SimCx<'_>) {
        self.effort = 0;
        while self.status == Status::Running {
            // Before anything else: nothing may happen between the last instruction and the end.
            if self.instructions_left() == 0 {
                self.status = Status::InstructionLimit;
                break;
            }
            if self.stands_still() {
                self.sleep_until(cx, cx.now());
                cx.pause();
                return;
            }
            if self.effort > ASK_AFTER {
                self.sleep_until(cx, cx.now());
                return;
            }
            let horizon = cx.horizon();
            let due = self.next_due();
            match self.select(due) {
                Some(hart) => {
                    let reached = self.harts[hart].hart.time();
                    if reached >= horizon {
                        self.sleep_until(cx, reached);
                        return;
                    }
                    self.execute(cx, hart, due.min(horizon));
                }
                None if due == SimTime::MAX && self.stop_if_held() => {}
                None if due == SimTime::MAX => return,
                None => {
                    // At the horizon itself a message may still arrive, and goes first.
                    if due > cx.now() && due >= horizon {
                        self.sleep_until(cx, due);
                        return;
                    }
                    self.fire(cx, due);
                }
            }
            self.settle(cx);
        }
        match self.status {
            // Of several machines, the first to reach its limit ends the run for all.
            Status::InstructionLimit => cx.stop(self.reached()),
            _ => cx.end(self.reached()),
        }
    }

    /// What all harts together may still retire.
    fn instructions_left(&self) -> u64 {
        if self.most_instructions == u64::MAX {
            return u64::MAX;
        }
        let retired = self.harts.iter().map(|h| h.hart.retired());
        retired.fold(self.most_instructions, u64::saturating_sub)
    }

    fn sleep_until(&mut self, cx: &mut SimCx<'_>, t: SimTime) {
        self.tell_progress();
        if let Some(old) = self.resume.take() {
            cx.cancel(old);
        }
        self.resume = Some(cx.wake_at(t, RESUME));
    }

    /// The latest time that any hart has reached: what messages are stamped with.
    pub(super) fn reached(&self) -> SimTime {
        self.harts
            .iter()
            .map(|h| h.hart.time())
            .max()
            .unwrap_or(SimTime::ZERO)
            .max(self.event_time)
    }

    /// The next thing that happens by itself: a device event, or the timer of a hart that waits.
    fn next_due(&self) -> SimTime {
        let timers = self.harts.iter().map(super::harts::HartSlot::wake_time);
        timers
            .min()
            .unwrap_or(SimTime::MAX)
            .min(self.core.events.next_time())
    }

    /// The hart whose turn it is, if any may run before `due`.
    fn select(&mut self, due: SimTime) -> Option<usize> {
        let held = self.turn.is_some_and(|turn| self.is_held(turn.hart));
        if let Some(turn) = self.turn.as_mut().filter(|_| !held) {
            let slot = &self.harts[turn.hart];
            // Between `lr` and `sc` no turn ends: with a short quantum, `sc` would fail for ever.
            if slot.hart.retired() >= turn.ends && slot.hart.is_reserving() && !turn.extended {
                turn.ends = slot.hart.retired().saturating_add(GRACE);
                turn.extended = true;
            }
            if slot.doing == Doing::Running
                && slot.hart.retired() < turn.ends
                && slot.hart.time() < due
            {
                return Some(turn.hart);
            }
            self.turn = None;
        }
        let next = (0..self.harts.len())
            .filter(|&i| self.harts[i].doing == Doing::Running && !self.is_held(i))
            .min_by_key(|&i| self.harts[i].hart.time())
            .filter(|&i| self.harts[i].hart.time() < due)?;
        let hart = &mut self.harts[next].hart;
        self.turn = Some(Turn {
            hart: next,
            ends: hart.retired().saturating_add(self.quantum),
            extended: false,
        });
        if self.last_hart != next {
            // Another hart ran: what it stored may have been reserved here.
            hart.clear_reservation();
            self.last_hart = next;
        }
        Some(next)
    }

    /// Runs one hart until `limit`, the end of its turn, or an exit.
    fn execute(&mut self, cx: &mut SimCx<'_>, i: usize, limit: SimTime) {
        let ends = self.turn.map_or(0, |t| t.ends);
        let left = self.instructions_left();
        let hart = &mut self.harts[i].hart;
        let budget = hart
            .instructions_until(limit)
            .min(ASK_AFTER)
            .min(ends.saturating_sub(hart.retired()))
            .min(left);
        hart.raise_time_floor(self.core.floor);
        let (now, path) = (hart.time(), self.harts[i].path);
        cx.trace().note(now, path, || Note::Runs);
        let hart = &mut self.harts[i].hart;
        let before = hart.retired();
        let exit = self.run_hart(i, budget.max(1));
        let hart = &self.harts[i].hart;
        self.effort += TURN_EFFORT + (hart.retired() - before);
        self.core.floor = self.core.floor.max(hart.time_floor());
        self.exit(cx, i, &exit);
        self.look_for_stop(i, before, &exit);
    }

    /// What happens at `t`: harts whose timers are due wake, device events are delivered.
    fn fire(&mut self, cx: &mut SimCx<'_>, t: SimTime) {
        self.turn = None;
        self.event_time = self.event_time.max(t);
        for i in 0..self.harts.len() {
            if self.harts[i].wake_time() <= t {
                self.wake(i, t);
            }
        }
        while let Some((key, due)) = self.core.events.pop_due(t) {
            self.device_event(cx, due.device, due.event, key.time);
        }
    }

    /// Hands an event to a device.
    pub(super) fn device_event(
        &mut self,
        cx: &mut SimCx<'_>,
        i: usize,
        event: Event,
        now: SimTime,
    ) {
        let Some(node) = self.bus.nodes.get_mut(i) else {
            return;
        };
        let Some(device) = node.model.device_mut() else {
            return;
        };
        let mut host = DeviceHost {
            core: &mut self.core,
            trace: cx.trace(),
            wiring: &node.wiring,
            device: i,
            now,
        };
        device.event(&mut Cx::new(&mut host), event);
    }

    /// Ends a hart's wait at `t`.
    pub(super) fn wake(&mut self, i: usize, t: SimTime) {
        let slot = &mut self.harts[i];
        match slot.doing {
            Doing::Sleeping => {}
            Doing::Suspended { resume, opaque } => slot.hart.start_supervisor(resume, opaque),
            _ => return,
        }
        slot.doing = Doing::Running;
        slot.hart.skip_to(t);
    }

    /// Carries out what a call left behind: interrupts, answers, messages, power.
    pub(super) fn settle(&mut self, cx: &mut SimCx<'_>) {
        let now = self.last_call_time();
        if core::mem::take(&mut self.core.dma_wrote) {
            // What a device stored may have been reserved (unprivileged ISA, "LR/SC").
            for slot in &mut self.harts {
                slot.hart.clear_reservation();
            }
            self.look_at_stores();
        }
        for k in 0..self.core.irqs.len() {
            let change = self.core.irqs[k];
            let Some(slot) = self.harts.get_mut(change.hart) else {
                continue;
            };
            slot.hart.set_irq(change.line, change.level);
            self.diagnose_input(change.hart, change.line, change.level);
            if change.level {
                self.interrupted(change.hart, now);
            }
        }
        self.core.irqs.clear();
        for k in 0..self.core.completions.len() {
            let (token, result) = self.core.completions[k];
            self.complete(token, result, now);
        }
        self.core.completions.clear();
        let stamp = self.reached();
        for (port, msg) in self.core.outbox.drain(..) {
            cx.send(port, msg, stamp);
        }
        if let Some(request) = self.core.power.take() {
            self.power(cx, request);
        }
    }

    /// The time of the call whose effects are being settled.
    fn last_call_time(&self) -> SimTime {
        match self.turn {
            Some(turn) => self.harts[turn.hart].hart.time(),
            None => self.event_time,
        }
    }

    /// An interrupt was raised for hart `i` at `now`.
    pub(super) fn interrupted(&mut self, i: usize, now: SimTime) {
        let Some(slot) = self.harts.get(i) else {
            return;
        };
        if slot.hart.wakes() {
            self.wake(i, now);
        }
        if self.turn.is_some_and(|t| t.hart != i) {
            self.turn = None;
        }
    }
}
