//! What of a hart is saved: its architectural state, and the translations that it may still use.
//! Decoded code and fast paths are rebuilt.

use super::Hart;
use crate::csr::Csrs;
use crate::csr::counters::Counter;
use crate::csr::pmp;
use crate::interp::BlockExec;
use crate::state::{HartState, LoadTo, Outstanding, SINK, Waiting};
use crate::trap::Privilege;
use maquette_model::{LoadError, MmioOp, PhysAddr, Reader, SimTime, Snapshot, Width, Writer};

/// The 64-bit CSR fields in their saved order.
fn words(c: &mut Csrs) -> [&mut u64; 24] {
    [
        &mut c.mstatus,
        &mut c.medeleg,
        &mut c.mideleg,
        &mut c.mie,
        &mut c.mip,
        &mut c.mip_lines,
        &mut c.mip_soft,
        &mut c.mtvec,
        &mut c.mcounteren,
        &mut c.menvcfg,
        &mut c.mcountinhibit,
        &mut c.mscratch,
        &mut c.mepc,
        &mut c.mcause,
        &mut c.mtval,
        &mut c.stvec,
        &mut c.scounteren,
        &mut c.senvcfg,
        &mut c.sscratch,
        &mut c.sepc,
        &mut c.scause,
        &mut c.stval,
        &mut c.stimecmp,
        &mut c.satp,
    ]
}

impl<E: BlockExec> Hart<E> {
    /// Writes what the hart's architecture defines: all of it shows in the digest of a run, and none of
    /// what the hart caches.
    pub fn save_architecture(&self, w: &mut Writer) {
        let h = &self.state;
        h.x.iter().take(32).chain(&h.f).for_each(|&v| w.u64(v));
        w.u64(h.pc);
        w.u8(h.prv as u8);
        w.bool(h.builtin_sbi);
        w.u64(h.retired);
        let (idle, floor) = h.clock.raw();
        w.u64(idle.as_ps());
        w.u64(floor.as_ps());
        w.bool(h.reservation.is_some());
        w.u64(h.reservation.unwrap_or(0));
        save_csrs(&h.csr, w);
        save_waiting(&h.waiting, w);
    }
}

impl<E: BlockExec> Snapshot for Hart<E> {
    fn kind(&self) -> &'static str {
        "rv64-hart"
    }

    fn version(&self) -> u16 {
        2
    }

    fn save(&self, w: &mut Writer) {
        self.save_architecture(w);
        self.state.contexts.save(w);
        self.state.tlb.save(&self.ram, w);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.engine.clear();
        let h = &mut self.state;
        for v in h.x.iter_mut().take(32).chain(&mut h.f) {
            *v = r.u64()?;
        }
        valid("x0", h.x[0], |v| v == 0)?;
        h.pc = r.u64()?;
        valid("pc", h.pc, |v| v & 1 == 0)?;
        let prv = r.u8()?.into();
        h.prv = Privilege::from_bits(prv).ok_or(LoadError::Value {
            field: "prv",
            value: prv,
        })?;
        h.builtin_sbi = r.bool("builtin_sbi")?;
        h.retired = r.u64()?;
        // Three centuries at 1 GHz: what goes on counting from there cannot overflow.
        valid("retired", h.retired, |v| v >> 63 == 0)?;
        h.clock
            .restore((SimTime::from_ps(r.u64()?), SimTime::from_ps(r.u64()?)));
        let reserved = r.bool("reservation")?;
        let at = r.u64()?;
        h.reservation = reserved.then_some(at);
        load_csrs(h, r)?;
        h.waiting = load_waiting(r)?;
        h.idle_traps = 0;
        h.last_trap_at = u64::MAX;
        self.failed = None;
        h.code_cursor = self.ram.code_cursor();
        h.contexts.load(r)?;
        h.tlb.load(&self.ram, r)?;
        h.context_changed();
        Ok(())
    }
}

/// A value that the state can have, or the error that names it.
fn valid(field: &'static str, value: u64, ok: impl Fn(u64) -> bool) -> Result<(), LoadError> {
    if ok(value) {
        Ok(())
    } else {
        Err(LoadError::Value { field, value })
    }
}

fn save_csrs(c: &Csrs, w: &mut Writer) {
    let mut c = c.clone();
    for v in words(&mut c) {
        w.u64(*v);
    }
    w.u8(c.frm);
    w.u8(c.fflags);
    for counter in [c.cycle, c.instret] {
        let (offset, stopped) = counter.raw();
        w.u64(offset);
        w.bool(stopped);
    }
    for i in 0..pmp::ENTRIES {
        w.u64(c.pmp.read_addr(i));
    }
    w.u64(c.pmp.read_cfg(0));
    w.u64(c.pmp.read_cfg(8));
}

fn load_csrs(h: &mut HartState, r: &mut Reader<'_>) -> Result<(), LoadError> {
    let c = &mut h.csr;
    for v in words(c) {
        *v = r.u64()?;
    }
    valid("mepc", c.mepc, |v| v & 1 == 0)?;
    valid("sepc", c.sepc, |v| v & 1 == 0)?;
    c.frm = r.u8()? & 7;
    c.fflags = r.u8()? & 0x1f;
    let mut counter = || Ok(Counter::from_raw(r.u64()?, r.bool("counter")?));
    c.cycle = counter()?;
    c.instret = counter()?;
    // Addresses first: a locked configuration would refuse them.
    c.pmp = pmp::Pmp::default();
    for i in 0..pmp::ENTRIES {
        c.pmp.write_addr(i, r.u64()?);
    }
    c.pmp.write_cfg(0, r.u64()?);
    c.pmp.write_cfg(8, r.u64()?);
    Ok(())
}

fn save_waiting(waiting: &Waiting, w: &mut Writer) {
    match waiting {
        Waiting::No => w.u8(0),
        Waiting::Sbi => w.u8(1),
        Waiting::Mmio(m) => {
            w.u8(2);
            w.u64(m.addr.0);
            w.u64(m.width.bytes());
            let (write, v) = match m.op {
                MmioOp::Read => (false, 0),
                MmioOp::Write(v) => (true, v),
            };
            w.bool(write);
            w.u64(v);
            w.u64(m.va);
            let (kind, rd) = match m.load {
                LoadTo::Nowhere => (0, 0),
                LoadTo::Unsigned(rd) => (1, rd),
                LoadTo::Signed(rd) => (2, rd),
                LoadTo::Float(rd) => (3, rd),
            };
            w.u8(kind);
            w.u8(rd);
            w.u8(m.len);
        }
    }
}

fn load_waiting(r: &mut Reader<'_>) -> Result<Waiting, LoadError> {
    match r.u8()? {
        0 => return Ok(Waiting::No),
        1 => return Ok(Waiting::Sbi),
        2 => {}
        v => {
            return Err(LoadError::Value {
                field: "waiting",
                value: v.into(),
            });
        }
    }
    let addr = PhysAddr(r.u64()?);
    let bytes = r.u64()?;
    let width = Width::ALL
        .into_iter()
        .find(|w| w.bytes() == bytes)
        .ok_or(LoadError::Value {
            field: "width",
            value: bytes,
        })?;
    let write = r.bool("write")?;
    let v = r.u64()?;
    let op = if write {
        MmioOp::Write(v)
    } else {
        MmioOp::Read
    };
    let va = r.u64()?;
    let load = load_destination(r)?;
    let len = r.u8()?;
    valid("len", len.into(), |v| v == 2 || v == 4)?;
    Ok(Waiting::Mmio(Outstanding {
        addr,
        width,
        op,
        va,
        load,
        len,
    }))
}

fn load_destination(r: &mut Reader<'_>) -> Result<LoadTo, LoadError> {
    let (kind, rd) = (r.u8()?, r.u8()?);
    let register = u64::from(rd);
    match kind {
        0 => Ok(LoadTo::Nowhere),
        // x0 is never a destination: its writes go to the sink.
        1 | 2 => valid("rd", register, |v| (1..=SINK.into()).contains(&v)).map(|()| {
            if kind == 1 {
                LoadTo::Unsigned(rd)
            } else {
                LoadTo::Signed(rd)
            }
        }),
        3 => valid("rd", register, |v| v < 32).map(|()| LoadTo::Float(rd)),
        v => Err(LoadError::Value {
            field: "load",
            value: v.into(),
        }),
    }
}
