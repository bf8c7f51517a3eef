//! What of a hart is saved: its architectural state. Caches are rebuilt.

use super::Hart;
use crate::csr::Csrs;
use crate::csr::counters::Counter;
use crate::csr::pmp;
use crate::interp::BlockExec;
use crate::state::{HartState, LoadTo, Outstanding, Waiting};
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

impl<E: BlockExec> Snapshot for Hart<E> {
    fn kind(&self) -> &'static str {
        "rv64-hart"
    }

    fn version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
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

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.engine.clear();
        let h = &mut self.state;
        for v in h.x.iter_mut().take(32).chain(&mut h.f) {
            *v = r.u64()?;
        }
        h.pc = r.u64()?;
        let prv = r.u8()?.into();
        h.prv = Privilege::from_bits(prv).ok_or(LoadError::Value {
            field: "prv",
            value: prv,
        })?;
        h.builtin_sbi = r.bool("builtin_sbi")?;
        h.retired = r.u64()?;
        h.clock
            .restore((SimTime::from_ps(r.u64()?), SimTime::from_ps(r.u64()?)));
        let reserved = r.bool("reservation")?;
        let at = r.u64()?;
        h.reservation = reserved.then_some(at);
        load_csrs(h, r)?;
        h.waiting = load_waiting(r)?;
        h.code_cursor = self.ram.code_cursor();
        h.flush_translations();
        Ok(())
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
    let (kind, rd) = (r.u8()?, r.u8()?);
    let load = match kind {
        0 => LoadTo::Nowhere,
        1 => LoadTo::Unsigned(rd),
        2 => LoadTo::Signed(rd),
        3 => LoadTo::Float(rd),
        v => {
            return Err(LoadError::Value {
                field: "load",
                value: v.into(),
            });
        }
    };
    Ok(Waiting::Mmio(Outstanding {
        addr,
        width,
        op,
        va,
        load,
        len: r.u8()?,
    }))
}
