//! A queue of HSA packets and the accelerator behind it: kernels one at a time, in order, each with its cycles.
//!
//! A packet takes `launch + work-items · cycles each + work-groups · 2 · memory latency` cycles. What a kernel computes
//! is not modelled. The queue is a component: packets come in as messages of 64 bytes, signals go out as
//! messages of 16 (HSA Platform System Architecture Specification 1.2 §2.9).

mod snapshot;

use maquette_hsa_protocol::{
    Barrier, DONE, KernelDispatch, PACKET_SIZE, PacketType, REFUSED, Signal,
};
use maquette_model::{Frequency, Message, PortId, RestoreError, SaveError, Sections, Tree};
use maquette_sim::{Component, Port, SimCx, SimEvent, WakeId};
use std::collections::{BTreeSet, VecDeque};
use zerocopy::{FromBytes, IntoBytes};

/// What a queue is made from.
#[derive(Clone, Debug)]
pub struct HsaSettings {
    /// Its path, unique in the system.
    pub path: String,
    /// The accelerator's clock.
    pub clock: Frequency,
    /// Packets that wait or are worked on.
    pub depth: usize,
    /// Cycles of a work-item.
    pub cycles_per_work_item: u64,
    /// Cycles to launch a kernel.
    pub launch: u64,
    /// Cycles of a memory access; each work-group makes two.
    pub memory_latency: u64,
}

impl HsaSettings {
    /// The original's numbers.
    #[must_use]
    pub const fn new(path: String) -> Self {
        Self {
            path,
            clock: Frequency::from_hz(1_000_000_000),
            depth: 256,
            cycles_per_work_item: 100,
            launch: 1000,
            memory_latency: 100,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    kernels: u64,
    work_items: u64,
    refused: u64,
    busy_cycles: u64,
}

type Packet = [u8; PACKET_SIZE];

/// A queue and the accelerator behind it.
#[derive(Debug)]
pub struct HsaQueue {
    settings: HsaSettings,
    /// The first is worked on, if [`HsaQueue::wake`] is set.
    packets: VecDeque<Packet>,
    /// Signals that were given, for barriers.
    given: BTreeSet<u64>,
    wake: Option<WakeId>,
    counters: Counters,
}

impl HsaQueue {
    /// Packets come in and signals go out here.
    pub const PROGRAM: PortId = PortId(0);

    /// An empty queue.
    #[must_use]
    pub const fn new(settings: HsaSettings) -> Self {
        Self {
            settings,
            packets: VecDeque::new(),
            given: BTreeSet::new(),
            wake: None,
            counters: Counters {
                kernels: 0,
                work_items: 0,
                refused: 0,
                busy_cycles: 0,
            },
        }
    }

    fn arrived(&mut self, cx: &mut SimCx<'_>, packet: Packet) {
        let kind = PacketType::of(u16::from_le_bytes([packet[0], packet[1]]));
        let is_known = match kind {
            PacketType::KERNEL_DISPATCH => self.cycles(&packet).is_some(),
            PacketType::BARRIER_AND | PacketType::BARRIER_OR => true,
            _ => false,
        };
        if !is_known || self.packets.len() >= self.settings.depth {
            self.counters.refused += 1;
            return give(cx, &packet, REFUSED);
        }
        self.packets.push_back(packet);
        self.go_on(cx);
    }

    /// Cycles of a kernel; `None` if they cannot be counted.
    fn cycles(&self, packet: &Packet) -> Option<u64> {
        let kernel = KernelDispatch::read_from_bytes(packet).ok()?;
        let items = kernel.work_items()?;
        let items = items.checked_mul(self.settings.cycles_per_work_item)?;
        let accesses = kernel.work_groups()?.checked_mul(2)?;
        let memory = accesses.checked_mul(self.settings.memory_latency)?;
        self.settings.launch.checked_add(items)?.checked_add(memory)
    }

    /// Begins with the first packet, as soon as it may begin.
    fn go_on(&mut self, cx: &mut SimCx<'_>) {
        while self.wake.is_none() {
            let Some(packet) = self.packets.front().copied() else {
                return;
            };
            match PacketType::of(u16::from_le_bytes([packet[0], packet[1]])) {
                PacketType::KERNEL_DISPATCH => {
                    let cycles = self.cycles(&packet).unwrap_or(0);
                    self.counters.busy_cycles = self.counters.busy_cycles.saturating_add(cycles);
                    let end = cx.now().saturating_add(self.settings.clock.time_of(cycles));
                    self.wake = Some(cx.wake_at(end, 0));
                }
                kind if self.is_open(kind, &packet) => self.end(cx),
                // A signal that it waits for may come from a packet that is not there yet: never in
                // this queue, which is in order.
                _ => return,
            }
        }
    }

    /// Whether a barrier lets what is behind it begin.
    fn is_open(&self, kind: PacketType, packet: &Packet) -> bool {
        let Ok(barrier) = Barrier::read_from_bytes(packet) else {
            return true;
        };
        let wanted = barrier.dependencies.iter().map(|handle| handle.get());
        let mut wanted = wanted.filter(|handle| *handle != 0).peekable();
        if kind == PacketType::BARRIER_OR && wanted.peek().is_some() {
            return wanted.any(|handle| self.given.contains(&handle));
        }
        wanted.all(|handle| self.given.contains(&handle))
    }

    /// The first packet is done.
    fn end(&mut self, cx: &mut SimCx<'_>) {
        let Some(packet) = self.packets.pop_front() else {
            return;
        };
        if let Ok(kernel) = KernelDispatch::read_from_bytes(&packet) {
            self.given.insert(kernel.completion_signal.get());
            if PacketType::of(kernel.header.get()) == PacketType::KERNEL_DISPATCH {
                self.counters.kernels += 1;
                let items = kernel.work_items().unwrap_or(0);
                self.counters.work_items = self.counters.work_items.saturating_add(items);
            }
        }
        give(cx, &packet, DONE);
    }
}

/// Gives the packet's completion signal, if it names one: all packets have it in one place.
fn give(cx: &mut SimCx<'_>, packet: &Packet, value: i64) {
    let Ok(packet) = KernelDispatch::read_from_bytes(packet) else {
        return;
    };
    if packet.completion_signal.get() == 0 {
        return;
    }
    let signal = Signal {
        handle: packet.completion_signal,
        value: value.into(),
    };
    let at = cx.now();
    cx.send(
        HsaQueue::PROGRAM,
        Message::Bytes(signal.as_bytes().to_vec()),
        at,
    );
}

impl Component for HsaQueue {
    fn path(&self) -> &str {
        &self.settings.path
    }

    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "program")]
    }

    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => {
                self.wake = None;
                self.end(cx);
                self.go_on(cx);
            }
            SimEvent::Message { msg, .. } => match msg {
                Message::Bytes(bytes) => match Packet::try_from(bytes) {
                    Ok(packet) => self.arrived(cx, packet),
                    Err(_) => self.counters.refused += 1,
                },
                Message::Byte(_) | Message::Word(_) => self.counters.refused += 1,
            },
        }
    }

    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        to.put(&self.settings.path, self)
    }

    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let path = self.settings.path.clone();
        from.take(&path, self)
    }

    fn inspect(&self, tree: &mut Tree) {
        tree.length("packets", self.packets.len());
        tree.flag("busy", self.wake.is_some());
        tree.number("kernels", self.counters.kernels);
        tree.number("work_items", self.counters.work_items);
        tree.number("refused", self.counters.refused);
        tree.number("busy_cycles", self.counters.busy_cycles);
    }
}

#[cfg(test)]
mod tests;
