//! What a device sees of its host through its function.

use crate::msix::Table;
use maquette_model::{
    BusError, Cx, DmaError, Event, Host, Iova, Message, PortId, PowerRequest, SimTime, TimerId,
    Token,
};

/// What the device wants of its function.
pub(super) struct Wants<'a> {
    pub(super) pin: &'a mut bool,
    /// The table, while messages are in use.
    pub(super) table: Option<&'a mut Table>,
}

/// The host, as far as the driver lets the function use it.
pub(super) struct FunctionHost<'a, 'h> {
    pub(super) outer: &'a mut Cx<'h>,
    /// It may access memory.
    pub(super) master: bool,
    pub(super) wants: Wants<'a>,
}

impl Host for FunctionHost<'_, '_> {
    fn now(&self) -> SimTime {
        self.outer.now()
    }
    fn guest_clock(&mut self) -> SimTime {
        self.outer.guest_clock()
    }
    fn at(&mut self, t: SimTime, ev: Event) -> TimerId {
        self.outer.at(t, ev)
    }
    fn cancel(&mut self, id: TimerId) {
        self.outer.cancel(id);
    }
    fn line(&mut self, n: u8, level: bool) {
        if n == 0 {
            *self.wants.pin = level;
        }
    }
    fn msi(&mut self, vector: u16) {
        let Some(table) = &mut self.wants.table else {
            return;
        };
        if !table.raise(vector) {
            let what = "pci: message interrupt past the end of the table";
            self.outer.guest_error(what, vector.into());
        }
    }
    fn dma_read(&mut self, addr: Iova, buf: &mut [u8]) -> Result<(), DmaError> {
        if !self.master {
            return Err(DmaError::NotMaster { addr });
        }
        self.outer.dma_read(addr, buf)
    }
    fn dma_write(&mut self, addr: Iova, buf: &[u8]) -> Result<(), DmaError> {
        if !self.master {
            return Err(DmaError::NotMaster { addr });
        }
        self.outer.dma_write(addr, buf)
    }
    fn send(&mut self, port: PortId, msg: Message) {
        self.outer.send(port, msg);
    }
    fn complete(&mut self, t: Token, r: Result<u64, BusError>) {
        self.outer.complete(t, r);
    }
    fn guest_error(&mut self, what: &'static str, value: u64) {
        self.outer.guest_error(what, value);
    }
    fn count(&mut self, what: &'static str, more: u64) {
        self.outer.count(what, more);
    }
    fn host_error(&mut self, message: &str) {
        self.outer.host_error(message);
    }
    fn power(&mut self, request: PowerRequest) {
        self.outer.power(request);
    }
}
