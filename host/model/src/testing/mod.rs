//! A [`Host`] for unit tests, and checks that every device must pass.
//!
//! [`TestHost`] is a whole host in one value: it has time that the test moves, timers, memory, and a
//! log of everything the device did to it. It can be cloned, so that a test can run the same device
//! twice from the same state. [`conformance`] holds the checks that are the same for all devices.

pub mod conformance;

use crate::{
    BusError, Cx, Device, DmaError, Event, Host, Iova, Message, PortId, PowerRequest, SimTime,
    TimerId, Token,
};
use std::collections::BTreeMap;

/// One thing a device did to its host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Drove an interrupt line.
    Line(u8, bool),
    /// Sent a message-signalled interrupt.
    Msi(u16),
    /// Sent a message.
    Sent(PortId, Message),
    /// Answered a pending access.
    Completed(Token, Result<u64, BusError>),
    /// Reported a mistake of the guest.
    GuestError(&'static str, u64),
    /// Reported a failure of the host.
    HostError(String),
    /// Added to one of its counters.
    Counted(&'static str, u64),
    /// Asked to stop or restart.
    Power(PowerRequest),
    /// Read memory; only with [`TestHost::log_dma`].
    DmaRead(Iova, usize),
    /// Wrote memory; only with [`TestHost::log_dma`].
    DmaWrite(Iova, usize),
}

#[derive(Clone, Debug)]
struct Timer {
    at: SimTime,
    id: TimerId,
    event: Event,
}

/// A host for one device.
#[derive(Clone, Debug, Default)]
pub struct TestHost {
    /// The time that the device sees.
    pub now: SimTime,
    /// Whether memory accesses go to the log.
    pub log_dma: bool,
    /// Everything the device did, oldest first.
    pub log: Vec<Seen>,
    clock: SimTime,
    timers: Vec<Timer>,
    last_timer: u64,
    lines: BTreeMap<u8, bool>,
    ram_base: u64,
    ram: Vec<u8>,
}

impl TestHost {
    /// A host at time zero, without memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A host at time zero with `bytes` zero bytes of memory at `base`.
    #[must_use]
    pub fn with_ram(base: u64, bytes: usize) -> Self {
        Self {
            ram_base: base,
            ram: vec![0; bytes],
            ..Self::default()
        }
    }

    /// The level of an interrupt line.
    #[must_use]
    pub fn level(&self, line: u8) -> bool {
        self.lines.get(&line).copied().unwrap_or(false)
    }

    /// Takes the log, leaving it empty.
    pub fn take_log(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.log)
    }

    /// The bytes that the device sent over `port`, one after the other; words are left out.
    #[must_use]
    pub fn sent_bytes(&self, port: PortId) -> Vec<u8> {
        let mut all = Vec::new();
        for seen in &self.log {
            match seen {
                Seen::Sent(p, Message::Byte(b)) if *p == port => all.push(*b),
                Seen::Sent(p, Message::Bytes(b)) if *p == port => all.extend_from_slice(b),
                _ => {}
            }
        }
        all
    }

    /// The mistakes of the guest that were reported.
    #[must_use]
    pub fn guest_errors(&self) -> Vec<&'static str> {
        let error = |seen: &Seen| match seen {
            Seen::GuestError(what, _) => Some(*what),
            _ => None,
        };
        self.log.iter().filter_map(error).collect()
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_timer(&self) -> Option<SimTime> {
        self.timers.iter().map(|t| t.at).min()
    }

    /// Delivers all timers due up to `t` in order, then moves time there.
    pub fn run_until(&mut self, device: &mut dyn Device, t: SimTime) {
        while let Some(i) = self.first_due(t) {
            let timer = self.timers.remove(i);
            self.now = self.now.max(timer.at);
            device.event(&mut Cx::new(self), timer.event);
        }
        self.now = self.now.max(t);
    }

    /// Forgets timers and drops all lines, as a host does before it resets a device.
    pub fn before_reset(&mut self) {
        self.timers.clear();
        self.lines.clear();
    }

    /// Memory at `at`, for the test itself.
    #[must_use]
    pub fn peek(&self, at: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.checked_sub(self.ram_base)?).ok()?;
        self.ram.get(start..start.checked_add(len)?)
    }

    /// Writes memory at `at`, for the test itself; `false` outside.
    pub fn poke(&mut self, at: u64, bytes: &[u8]) -> bool {
        match self.span(at, bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn span(&mut self, at: u64, len: usize) -> Option<&mut [u8]> {
        let start = usize::try_from(at.checked_sub(self.ram_base)?).ok()?;
        self.ram.get_mut(start..start.checked_add(len)?)
    }

    fn first_due(&self, t: SimTime) -> Option<usize> {
        let (i, first) = self
            .timers
            .iter()
            .enumerate()
            .min_by_key(|(_, timer)| (timer.at, timer.id))?;
        (first.at <= t).then_some(i)
    }
}

const fn not_ram(addr: Iova, len: usize) -> DmaError {
    DmaError::NotRam {
        addr,
        len: len as u64,
    }
}

impl Host for TestHost {
    fn now(&self) -> SimTime {
        self.now
    }
    fn guest_clock(&mut self) -> SimTime {
        self.clock = self.clock.max(self.now);
        self.clock
    }
    fn at(&mut self, t: SimTime, event: Event) -> TimerId {
        self.last_timer += 1;
        let id = TimerId(self.last_timer);
        let at = t.max(self.now);
        self.timers.push(Timer { at, id, event });
        id
    }
    fn cancel(&mut self, id: TimerId) {
        self.timers.retain(|t| t.id != id);
    }
    fn line(&mut self, n: u8, level: bool) {
        self.lines.insert(n, level);
        self.log.push(Seen::Line(n, level));
    }
    fn msi(&mut self, vector: u16) {
        self.log.push(Seen::Msi(vector));
    }
    fn dma_read(&mut self, a: Iova, buf: &mut [u8]) -> Result<(), DmaError> {
        if self.log_dma {
            self.log.push(Seen::DmaRead(a, buf.len()));
        }
        let len = buf.len();
        let from = self.span(a.0, len).ok_or(not_ram(a, len))?;
        buf.copy_from_slice(from);
        Ok(())
    }
    fn dma_write(&mut self, a: Iova, buf: &[u8]) -> Result<(), DmaError> {
        if self.log_dma {
            self.log.push(Seen::DmaWrite(a, buf.len()));
        }
        let to = self.span(a.0, buf.len()).ok_or(not_ram(a, buf.len()))?;
        to.copy_from_slice(buf);
        Ok(())
    }
    fn send(&mut self, port: PortId, msg: Message) {
        self.log.push(Seen::Sent(port, msg));
    }
    fn complete(&mut self, t: Token, r: Result<u64, BusError>) {
        self.log.push(Seen::Completed(t, r));
    }
    fn guest_error(&mut self, what: &'static str, value: u64) {
        self.log.push(Seen::GuestError(what, value));
    }
    fn count(&mut self, what: &'static str, more: u64) {
        self.log.push(Seen::Counted(what, more));
    }
    fn host_error(&mut self, message: &str) {
        self.log.push(Seen::HostError(message.to_owned()));
    }
    fn power(&mut self, request: PowerRequest) {
        self.log.push(Seen::Power(request));
    }
}
