//! What there is to see of a hart.

use super::Hart;
use crate::csr::{self, Csrs};
use crate::interp::BlockExec;
use crate::state::Waiting;
use crate::trap::Privilege;
use maquette_model::{Inspect, Tree, Vcpu};

/// Names of the calling convention.
const NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];

impl<E: BlockExec> Inspect for Hart<E> {
    fn inspect(&self, tree: &mut Tree) {
        let h = &self.state;
        tree.hex("pc", h.pc);
        tree.text("mode", mode(h.prv));
        tree.number("retired", h.retired);
        tree.time("time", self.time());
        tree.flag("reserving", h.reservation.is_some());
        tree.text("waits_for", waits_for(&h.waiting));
        tree.branch("x", |t| {
            for (name, v) in NAMES.iter().zip(h.x) {
                t.hex(*name, v);
            }
        });
        tree.branch("f", |t| {
            for (i, v) in h.f.iter().enumerate() {
                t.hex(format!("f{i}"), *v);
            }
        });
        tree.branch("csr", |t| csrs(&h.csr, t));
    }
}

const fn mode(prv: Privilege) -> &'static str {
    match prv {
        Privilege::User => "user",
        Privilege::Supervisor => "supervisor",
        Privilege::Machine => "machine",
    }
}

const fn waits_for(waiting: &Waiting) -> &'static str {
    match waiting {
        Waiting::No => "nothing",
        Waiting::Mmio(_) => "device",
        Waiting::Sbi => "firmware",
    }
}

fn csrs(c: &Csrs, t: &mut Tree) {
    for (name, v) in [
        ("mstatus", c.mstatus),
        ("medeleg", c.medeleg),
        ("mideleg", c.mideleg),
        ("mie", c.mie),
        ("mip", c.mip),
        ("mtvec", c.mtvec),
        ("mcounteren", c.mcounteren),
        ("menvcfg", c.menvcfg),
        ("mcountinhibit", c.mcountinhibit),
        ("mscratch", c.mscratch),
        ("mepc", c.mepc),
        ("mcause", c.mcause),
        ("mtval", c.mtval),
        ("stvec", c.stvec),
        ("scounteren", c.scounteren),
        ("senvcfg", c.senvcfg),
        ("sscratch", c.sscratch),
        ("sepc", c.sepc),
        ("scause", c.scause),
        ("stval", c.stval),
        ("stimecmp", c.stimecmp),
        ("satp", c.satp),
        ("frm", c.frm.into()),
        ("fflags", c.fflags.into()),
    ] {
        t.hex(name, v);
    }
    for i in 0..csr::pmp::ENTRIES {
        let (addr, cfg) = (
            c.pmp.read_addr(i),
            c.pmp.read_cfg(i / 8 * 8) >> (i % 8 * 8) & 0xff,
        );
        if addr != 0 || cfg != 0 {
            t.branch(&format!("pmp{i}"), |t| {
                t.hex("addr", addr);
                t.hex("cfg", cfg);
            });
        }
    }
}
