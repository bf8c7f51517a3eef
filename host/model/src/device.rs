//! Register-level devices, and what a host gives them.
//!
//! A device never holds a reference to its host: each call brings a fresh [`Cx`]. What a device wants
//! to happen later it asks for with [`Host::at`], and the request comes back as plain data.

use crate::{
    Access, BusError, Inspect, Iova, LoadError, Reader, SimTime, Snapshot, Token, Width, Writer,
};
use thiserror::Error;

/// Which of a device's register regions an access is for (a PCI function has up to six).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Region(pub u8);

/// A device's own name for one of its links.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortId(pub u16);

/// Names a timer so that it can be cancelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimerId(pub u64);

/// What travels over a link. The short forms exist so that a console byte needs no allocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// One byte, for example of a serial line.
    Byte(u8),
    /// One word, whose meaning the two ends agree on.
    Word(u64),
    /// A frame.
    Bytes(Vec<u8>),
}

impl Message {
    /// Appends the message to saved state.
    pub fn save(&self, w: &mut Writer) {
        match self {
            Self::Byte(b) => {
                w.u8(0);
                w.u8(*b);
            }
            Self::Word(v) => {
                w.u8(1);
                w.u64(*v);
            }
            Self::Bytes(bytes) => {
                w.u8(2);
                w.bytes(bytes);
            }
        }
    }

    /// Takes a message from saved state.
    ///
    /// # Errors
    /// When there is none.
    pub fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        match r.u8()? {
            0 => r.u8().map(Self::Byte),
            1 => r.u64().map(Self::Word),
            2 => r.bytes().map(|b| Self::Bytes(b.to_vec())),
            form => Err(LoadError::Value {
                field: "message",
                value: form.into(),
            }),
        }
    }
}

/// Something that happens to a device at a time: data, never a closure, so that it can be saved,
/// hashed and replayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A timer of the device's own; `tag` is the device's name for it.
    Timer {
        /// Which timer.
        tag: u32,
        /// What the device stored with it.
        arg: u64,
    },
    /// A message arrived over a link.
    Message {
        /// Over which link.
        port: PortId,
        /// What arrived.
        msg: Message,
    },
}

impl Event {
    /// Appends the event to saved state.
    pub fn save(&self, w: &mut Writer) {
        match self {
            Self::Timer { tag, arg } => {
                w.u8(0);
                w.u32(*tag);
                w.u64(*arg);
            }
            Self::Message { port, msg } => {
                w.u8(1);
                w.u16(port.0);
                msg.save(w);
            }
        }
    }

    /// Takes an event from saved state.
    ///
    /// # Errors
    /// When there is none.
    pub fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        match r.u8()? {
            0 => Ok(Self::Timer {
                tag: r.u32()?,
                arg: r.u64()?,
            }),
            1 => Ok(Self::Message {
                port: PortId(r.u16()?),
                msg: Message::load(r)?,
            }),
            form => Err(LoadError::Value {
                field: "event",
                value: form.into(),
            }),
        }
    }
}

/// How deep a reset goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResetKind {
    /// Power was cut: all state returns to its first value.
    Cold,
    /// The machine was restarted with power on.
    Warm,
}

/// Why a DMA access failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DmaError {
    /// Part of the range is not RAM.
    #[error("DMA of {len} bytes at {addr} does not lie in RAM")]
    NotRam {
        /// First address of the access.
        addr: Iova,
        /// Length in bytes.
        len: u64,
    },
    /// The function is not allowed to master the bus.
    #[error("DMA at {addr} while bus mastering is off")]
    NotMaster {
        /// First address of the access.
        addr: Iova,
    },
}

/// What a device's surroundings offer. One implementation per host; devices see it through [`Cx`].
pub trait Host {
    /// The current virtual time: for an access, the local time of the hart that makes it.
    fn now(&self) -> SimTime;
    /// The machine-wide clock as one guest-visible read of it: never less than any earlier read by any
    /// hart, though harts take turns. What `mtime` is made of; [`Host::now`] is not, because it steps
    /// back when the next hart's turn begins.
    fn guest_clock(&mut self) -> SimTime;
    /// Delivers `ev` to this device at `t` (or at once, if `t` has passed).
    fn at(&mut self, t: SimTime, ev: Event) -> TimerId;
    /// Forgets a timer; one that has fired or was never set is ignored.
    fn cancel(&mut self, id: TimerId);
    /// Drives interrupt line `n` of this device.
    fn line(&mut self, n: u8, level: bool);
    /// Sends message-signalled interrupt `vector`.
    fn msi(&mut self, vector: u16);
    /// Reads guest memory. Either the whole range is read or none of it.
    ///
    /// # Errors
    /// When any byte of the range may not be read by this device.
    fn dma_read(&mut self, a: Iova, buf: &mut [u8]) -> Result<(), DmaError>;
    /// Writes guest memory. Either the whole range is written or none of it.
    ///
    /// # Errors
    /// When any byte of the range may not be written by this device.
    fn dma_write(&mut self, a: Iova, buf: &[u8]) -> Result<(), DmaError>;
    /// Sends a message over a link: the only call whose effect may leave the partition.
    fn send(&mut self, port: PortId, msg: Message);
    /// Answers an access that was [`Access::Pending`].
    fn complete(&mut self, t: Token, r: Result<u64, BusError>);
    /// Counts and traces something that the guest did wrong and that the device ignored or refused.
    fn guest_error(&mut self, what: &'static str, value: u64);
    /// Adds to one of the device's own counters, for the statistics: how many frames were dropped, say.
    /// No part of the hash.
    fn count(&mut self, what: &'static str, more: u64) {
        let _ = (what, more);
    }
    /// Tells the user that something on the host's side failed (a disk image became shorter, say). The
    /// guest sees the device's own kind of error; this text is for people and is no part of the hash.
    fn host_error(&mut self, message: &str) {
        let _ = message;
    }
    /// Asks the machine to stop or restart: what a power controller does.
    fn power(&mut self, request: PowerRequest);
}

/// What a guest asks of a power controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PowerRequest {
    /// End the run; the guest says that all is well.
    Off,
    /// End the run; the guest reports this failure status.
    Fail(u32),
    /// Restart the machine.
    Reset,
}

/// The host as a device sees it during one call.
pub struct Cx<'a> {
    host: &'a mut dyn Host,
}

impl<'a> Cx<'a> {
    /// Wraps a host for one call.
    pub fn new(host: &'a mut dyn Host) -> Self {
        Self { host }
    }
}

impl<'a> core::ops::Deref for Cx<'a> {
    type Target = dyn Host + 'a;
    fn deref(&self) -> &Self::Target {
        self.host
    }
}

impl core::ops::DerefMut for Cx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.host
    }
}

/// What a register is called, and what accessing it means to whoever follows a request through the
/// machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisterInfo {
    /// The specification's name.
    pub name: &'static str,
    /// Its part in a request.
    pub role: Role,
}

/// The part of a register in a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// None.
    Plain,
    /// A write hands work to the device.
    Doorbell,
    /// A read takes an interrupt: its value is the source's number, 0 for none.
    Claim,
}

impl RegisterInfo {
    /// A register with no part in a request.
    #[must_use]
    pub const fn plain(name: &'static str) -> Self {
        Self {
            name,
            role: Role::Plain,
        }
    }
}

/// A register-level device.
///
/// Offsets are relative to the region. A device answers every offset and width, with a value or a
/// [`BusError`]; it never panics on one.
pub trait Device: Snapshot + Inspect {
    /// Reads a register.
    fn read(&mut self, cx: &mut Cx<'_>, region: Region, off: u64, w: Width) -> Access<u64>;
    /// Writes a register; bits of `v` above the width are zero.
    fn write(&mut self, cx: &mut Cx<'_>, region: Region, off: u64, w: Width, v: u64) -> Access<()>;
    /// A timer that the device set, or a message, has come due.
    fn event(&mut self, cx: &mut Cx<'_>, ev: Event);
    /// Returns to the first state. Timers of the device have been cancelled by the host, lines are
    /// low; idempotent, also in the middle of a request.
    fn reset(&mut self, cx: &mut Cx<'_>, kind: ResetKind);
    /// The register at an offset, for traces and reports; `None` where there is none and accesses are
    /// answered by default. A device that does not name its registers has one everywhere.
    fn register(&self, region: Region, off: u64) -> Option<RegisterInfo> {
        let _ = (region, off);
        Some(RegisterInfo::plain("register"))
    }
}
