//! The modern PCI transport (virtio 1.3 §4.1).

mod layout;
mod registers;
mod saved;
#[cfg(test)]
mod tests;

use crate::transport::Transport;
use crate::{ConfigAccess, VirtioDevice};
use layout::{NOTIFY_STRIDE, Place, place};
use maquette_model::{
    Access, BusError, Cx, Device, Event, Inspect, Region, RegisterInfo, ResetKind, Role, Tree,
    Width,
};
use maquette_virtio_protocol::InterruptStatus;
use maquette_virtio_protocol::pci::NO_VECTOR;

/// A virtio device behind the structures of the PCI transport, for a function of `maquette-pci`. Line 0 is INTA#,
/// messages are numbered by their vectors; links and timers are the device's own.
pub struct VirtioPci<D> {
    transport: Transport<D>,
}

impl<D: VirtioDevice> VirtioPci<D> {
    /// Size of the memory that holds the structures.
    pub const SIZE: u64 = layout::SIZE;

    /// Puts a device behind the structures.
    #[must_use]
    pub fn new(device: D) -> Self {
        let mut transport = Transport::new(device);
        transport.vectors.queues = vec![NO_VECTOR; transport.queues.len()];
        Self { transport }
    }

    /// Lets the driver choose queues of up to `max` entries, whatever the device suggests.
    #[must_use]
    pub fn with_queue_size(mut self, max: u16) -> Self {
        self.transport.set_queue_size(max);
        self
    }

    /// Vectors that it can use: one for each queue, and one for its configuration.
    fn vector_count(&self) -> u16 {
        let queues = u16::try_from(self.transport.queues.len()).unwrap_or(u16::MAX);
        queues.saturating_add(1)
    }

    /// Reading takes the interrupt back (virtio 1.3 §4.1.4.5).
    fn take_interrupt_status(&mut self, cx: &mut Cx<'_>) -> u64 {
        let status = self.transport.state.interrupt;
        self.transport.acknowledge(cx, InterruptStatus::all());
        status.bits().into()
    }
}

impl<D: VirtioDevice> Device for VirtioPci<D> {
    fn read(&mut self, cx: &mut Cx<'_>, _: Region, off: u64, width: Width) -> Access<u64> {
        let value = match place(off, width) {
            Some(Place::Common(off)) => self.load_common(cx, off, width),
            Some(Place::Isr(0)) => self.take_interrupt_status(cx),
            Some(Place::Isr(_) | Place::Notify(_)) => 0,
            Some(Place::Device(off)) => {
                let access = ConfigAccess::Read { off, width };
                self.transport.config(cx, access, width)
            }
            None => return Access::Fault(BusError::Width),
        };
        Access::Done(value)
    }

    fn write(
        &mut self,
        cx: &mut Cx<'_>,
        _: Region,
        off: u64,
        width: Width,
        value: u64,
    ) -> Access<()> {
        match place(off, width) {
            Some(Place::Common(off)) => self.store_common(cx, off, width, value),
            Some(Place::Isr(_)) => {
                cx.guest_error("virtio-pci: write to the interrupt status", value);
            }
            Some(Place::Notify(off)) => match u32::try_from(off / NOTIFY_STRIDE) {
                Ok(queue) => self.transport.notify(cx, queue),
                Err(_) => cx.guest_error("virtio-pci: notification of no queue", off),
            },
            Some(Place::Device(off)) => {
                let access = ConfigAccess::Write { off, width, value };
                self.transport.config(cx, access, width);
            }
            None => return Access::Fault(BusError::Width),
        }
        Access::Done(())
    }

    fn event(&mut self, cx: &mut Cx<'_>, ev: Event) {
        self.transport.event(cx, ev);
    }

    fn reset(&mut self, cx: &mut Cx<'_>, _: ResetKind) {
        self.transport.reset(cx);
    }

    fn register(&self, _: Region, off: u64) -> Option<RegisterInfo> {
        let (name, role) = match place(off, Width::B1)? {
            Place::Common(off) => (registers::name(off)?, Role::Plain),
            Place::Isr(0) => ("ISR status", Role::Plain),
            Place::Isr(_) => return None,
            Place::Device(_) => ("Device configuration", Role::Plain),
            Place::Notify(_) => ("Queue notification", Role::Doorbell),
        };
        Some(RegisterInfo { name, role })
    }
}

impl<D: VirtioDevice> Inspect for VirtioPci<D> {
    fn inspect(&self, tree: &mut Tree) {
        self.transport.inspect(tree);
        let vectors = &self.transport.vectors;
        tree.hex("config_msix_vector", vectors.config);
        for (i, vector) in vectors.queues.iter().enumerate() {
            tree.hex(format!("queue{i}_msix_vector"), *vector);
        }
    }
}
