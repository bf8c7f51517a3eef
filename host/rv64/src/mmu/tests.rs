//! rv_24, rv_31: walks over generated page tables, and the TLB in front, against a plain model.

mod cases;
mod model;

use super::tlb::HostAddr;
use super::{Access, Stop, atomic_address, fetch_slow, load_slow, store_slow};
use crate::csr::{envcfg, mstatus};
use crate::state::HartState;
use crate::trap::{Exception, Privilege};
use cases::{SV57, any_case, any_mode};
use maquette_model::{MmioOp, PhysAddr, Ram, Width};
use maquette_tests::effort;
use model::Model;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;

const BASE: u64 = 0x8000_0000;
/// Pages of RAM: the first ten hold page tables.
const PAGES: u64 = 26;
const TABLES: u64 = 10;
/// The entries of a table that are in use.
const INDICES: [u64; 6] = [0, 1, 2, 12, 256, 511];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Fetch,
    Load,
    Store,
    /// `lr`: a load that must be aligned and in RAM.
    Reserve,
    /// An AMO.
    Swap,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// What was loaded; 0 for stores.
    Value(u64),
    /// Where code comes from.
    At(u64),
    /// The access belongs to a device.
    Device(u64),
    /// Cause and trap value.
    Trap(u64, u64),
}

/// The state of the hart that one access runs in.
#[derive(Clone, Copy, Debug)]
struct Context {
    prv: Privilege,
    mprv: bool,
    mpp: Privilege,
    sum: bool,
    mxr: bool,
}

#[derive(Clone, Copy, Debug)]
struct Try {
    va: u64,
    width: Width,
    kind: Kind,
    context: Context,
}

#[derive(Clone, Debug)]
struct Case {
    satp: u64,
    svadu: bool,
    pmp: Vec<(u8, u64)>,
    /// Six entries of each table.
    entries: Vec<u64>,
    tries: Vec<Try>,
}

/// RAM's content: tables as the case has them, data that tells its address.
fn content(case: &Case) -> Vec<u8> {
    let mut mem: Vec<u8> = (0..PAGES * 512)
        .flat_map(|w| (w.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ w).to_le_bytes())
        .collect();
    for (table, entries) in case.entries.chunks(INDICES.len()).enumerate() {
        mem[table * 4096..(table + 1) * 4096].fill(0);
        for (entry, index) in entries.iter().zip(INDICES) {
            let at = table * 4096 + index as usize * 8;
            mem[at..at + 8].copy_from_slice(&entry.to_le_bytes());
        }
    }
    mem
}

fn hart(case: &Case) -> HartState {
    let mut h = HartState::new(0, HartState::default_clock());
    h.csr.satp = case.satp;
    h.csr.menvcfg = if case.svadu { envcfg::ADUE } else { 0 };
    for (i, &(_, addr)) in case.pmp.iter().enumerate() {
        h.csr.pmp.write_addr(i, addr);
    }
    let cfg = case
        .pmp
        .iter()
        .rev()
        .fold(0, |v, &(c, _)| v << 8 | u64::from(c));
    h.csr.pmp.write_cfg(0, cfg);
    h.flush_translations();
    h
}

fn enter(h: &mut HartState, c: &Context) {
    let bit = |on: bool, b: u64| if on { b } else { 0 };
    h.prv = c.prv;
    h.csr.mstatus = bit(c.mprv, mstatus::MPRV)
        | (c.mpp as u64) << mstatus::MPP_SHIFT
        | bit(c.sum, mstatus::SUM)
        | bit(c.mxr, mstatus::MXR);
    h.context_changed();
}

fn stopped(stop: Stop) -> Outcome {
    match stop {
        Stop::Exception(e) => trapped(e),
        Stop::Again => panic!("no code is cached here"),
        Stop::Mmio { addr, op, .. } => {
            assert!(matches!(op, MmioOp::Read | MmioOp::Write(_)));
            Outcome::Device(addr.0)
        }
    }
}

fn trapped(e: Exception) -> Outcome {
    Outcome::Trap(e.cause, e.tval)
}

/// An access as the interpreter does it: the TLB first, then the slow path. The second result tells
/// whether the TLB answered.
fn access(h: &mut HartState, ram: &Ram, t: &Try, v: u64) -> (Outcome, bool) {
    let (va, size) = (t.va, t.width.bytes());
    match t.kind {
        Kind::Fetch => match h.tlb.fetch_page(va) {
            Some(page) => (Outcome::At(page | va & 0xfff), true),
            None => {
                let found = fetch_slow(h, ram, va, 2);
                (found.map_or_else(trapped, |(pa, _)| Outcome::At(pa)), false)
            }
        },
        Kind::Load => match h.tlb.load_address(va, size) {
            Some(host) => (Outcome::Value(load(host, size)), true),
            None => {
                let found = load_slow(h, ram, va, t.width);
                (found.map_or_else(stopped, Outcome::Value), false)
            }
        },
        Kind::Store => match h.tlb.store_address(va, size) {
            Some(host) => {
                store(host, size, v);
                (Outcome::Value(0), true)
            }
            None => {
                let done = store_slow(h, ram, va, t.width, v);
                (done.map_or_else(stopped, |()| Outcome::Value(0)), false)
            }
        },
        Kind::Reserve | Kind::Swap => atomic(h, ram, t, v),
    }
}

fn load(host: HostAddr, size: u64) -> u64 {
    match size {
        1 => host.load_u8().into(),
        2 => host.load_u16().into(),
        4 => host.load_u32().into(),
        _ => host.load_u64(),
    }
}

fn store(host: HostAddr, size: u64, v: u64) {
    match size {
        1 => host.store_u8(v as u8),
        2 => host.store_u16(v as u16),
        4 => host.store_u32(v as u32),
        _ => host.store_u64(v),
    }
}

/// `lr` and `amoswap`.
fn atomic(h: &mut HartState, ram: &Ram, t: &Try, v: u64) -> (Outcome, bool) {
    let (va, size) = (t.va, t.width.bytes());
    let swap = t.kind == Kind::Swap;
    if swap && let Some(host) = h.tlb.store_address(va, size) {
        let old = load(host, size);
        store(host, size, v);
        return (Outcome::Value(old), true);
    }
    let way = if swap { Access::Store } else { Access::Load };
    let pa = match atomic_address(h, ram, va, size, way) {
        Ok(pa) => pa,
        Err(e) => return (trapped(e), false),
    };
    let bytes = &mut [0; 8][..size as usize];
    assert!(ram.read(pa, bytes));
    let old = bytes.iter().rev().fold(0, |v, &b| v << 8 | u64::from(b));
    assert!(!swap || ram.write(pa, &v.to_le_bytes()[..size as usize]));
    (Outcome::Value(old), false)
}

/// How often each thing was seen, so that the generator cannot rot unnoticed.
#[derive(Debug, Default)]
struct Seen {
    by_tlb: Cell<u64>,
    values: Cell<u64>,
    devices: Cell<u64>,
    page_faults: Cell<u64>,
    access_faults: Cell<u64>,
    updates: Cell<u64>,
}

impl Seen {
    fn count(&self, o: Outcome, by_tlb: bool, updated: bool) {
        let add = |c: &Cell<u64>, yes: bool| c.set(c.get() + u64::from(yes));
        add(&self.by_tlb, by_tlb);
        add(&self.updates, updated);
        add(
            &self.values,
            matches!(o, Outcome::Value(_) | Outcome::At(_)),
        );
        add(&self.devices, matches!(o, Outcome::Device(_)));
        add(&self.page_faults, matches!(o, Outcome::Trap(12.., _)));
        add(
            &self.access_faults,
            matches!(o, Outcome::Trap(1 | 5 | 7, _)),
        );
    }
}

fn check(case: &Case, ram: &Ram, seen: &Seen) -> Result<(), TestCaseError> {
    let mem = content(case);
    assert!(ram.write(PhysAddr(BASE), &mem));
    let mut h = hart(case);
    let mut model = Model {
        mem,
        satp: case.satp,
        svadu: case.svadu,
        pmp: case.pmp.clone(),
        sum: false,
        mxr: false,
        prv: 0,
    };
    for (i, t) in case.tries.iter().enumerate() {
        let c = t.context;
        enter(&mut h, &c);
        let data = if c.mprv { c.mpp } else { c.prv };
        model.prv = if t.kind == Kind::Fetch { c.prv } else { data } as u8;
        (model.sum, model.mxr) = (c.sum, c.mxr);
        // Twice: by a walk, then perhaps by the TLB.
        for round in 0..2 {
            let v = 0x0123_4567_89ab_cdef_u64.rotate_left(i as u32 * 8) + round;
            let tables = (TABLES * 4096) as usize;
            let before = model.mem[..tables].to_vec();
            let want = model.access(t.va, t.width.bytes(), t.kind, v);
            let (got, by_tlb) = access(&mut h, ram, t, v);
            prop_assert_eq!(got, want, "access {} round {}: {:?}", i, round, t);
            let updated = before != model.mem[..tables];
            seen.count(got, by_tlb, updated);
            if updated {
                // The program may have stored to its own page tables: it owes a fence.
                h.flush_translations();
            }
        }
    }
    let mut now = vec![0; model.mem.len()];
    assert!(ram.read(PhysAddr(BASE), &mut now));
    let differs = now.iter().zip(&model.mem).position(|(a, b)| a != b);
    prop_assert_eq!(differs, None, "RAM differs at this offset");
    Ok(())
}

/// Tries `cases` cases of `mode`; prints what was met, and fails if that was not much: `sound` accesses
/// at least must have ended in a value.
fn walks_equal_the_model(cases: u32, sound: u32, mode: impl Strategy<Value = (u64, u32)>) {
    let ram = Ram::new(PhysAddr(BASE), PAGES * 4096).unwrap();
    let seen = Seen::default();
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    });
    let outcome = runner.run(&any_case(mode), |case| check(&case, &ram, &seen));
    if let Err(e) = outcome {
        panic!("{e}");
    }
    println!("{cases} cases: {seen:?}");
    let (cases, sound) = (u64::from(cases), u64::from(sound));
    assert!(seen.values.get() > sound && seen.by_tlb.get() > sound / 4);
    assert!(seen.page_faults.get() > cases);
    assert!(seen.devices.get() > cases / 20 && seen.access_faults.get() > cases / 4);
    assert!(seen.updates.get() > cases / 20);
}

#[test]
fn rv_24_walks_faults_and_updates_are_those_of_a_plain_model() {
    let cases = 20_000 * effort();
    walks_equal_the_model(cases, cases, any_mode());
}

#[test]
fn rv_31_walks_of_five_levels_are_those_of_a_plain_model() {
    // The more levels, the more of the damage is met.
    let cases = 10_000 * effort();
    walks_equal_the_model(cases, cases / 2, Just(SV57));
}
