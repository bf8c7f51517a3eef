//! Saved state: going on from it is going on, and no payload does harm.

use crate::asm::{Code, bare, i, s};
use crate::programs::Program;
use crate::rig::{BASE, Rig, Rng, difference};
use maquette_model::{Answer, Exit, LoadError, Reader, Snapshot, Vcpu};
use maquette_rv64::isa::Op;
use maquette_rv64::{Hart, HartState};
use maquette_tests::seeds;

#[test]
fn snapshot_at_random_places_continues_identically() {
    for seed in seeds(40) {
        let p = Program::new(2000 + seed);
        let mut rng = Rng(seed);
        let mut straight = p.rig(64);
        let mut broken = p.rig(64);
        for _ in 0..12 {
            let to = straight.hart.retired() + 1 + rng.below(150);
            let (a, b) = (straight.until(to), broken.until(to));
            assert_eq!(a, b);
            if a.is_err() {
                break;
            }
            let saved = broken.saved();
            let limit = rng.pick(&[1, 5, 64, 1000]);
            broken.restore(&saved, p.clock(), limit);
            assert_eq!(broken.saved(), saved, "saving what was loaded");
        }
        let (a, b) = (straight.saved(), broken.saved());
        assert!(a == b, "program {}:{}", p.seed, difference(&a, &b));
        assert!(straight.memory() == broken.memory());
    }
}

/// A hart that waits for an answer of each kind, saved and loaded, takes the answer like the other.
#[test]
fn snapshot_with_an_outstanding_access_or_call_takes_the_answer() {
    let loads = [Op::Lb, Op::Lhu, Op::Lw, Op::Lwu, Op::Ld, Op::Flw, Op::Fld];
    let stores = [Op::Sb, Op::Sh, Op::Sw, Op::Sd, Op::Fsw, Op::Fsd];
    let insns = loads
        .into_iter()
        .flat_map(|op| [i(op, 10, 6, 0), i(op, 0, 6, 0)])
        .chain(stores.map(|op| s(op, 6, 7, 0)))
        .chain([bare(Op::Ecall)]);
    for insn in insns {
        for fault in [false, true] {
            let make = || {
                let mut rig = Rig::new(2, 64);
                let mut c = Code::new(BASE);
                c.put(insn);
                c.put(i(Op::Addi, 11, 10, 1));
                rig.load(&c);
                if insn.op == Op::Ecall {
                    rig.hart.start_supervisor(BASE, 3);
                }
                rig.hart.set_up(|h| {
                    h.csr.mstatus |= 3 << 13;
                    h.set_reg(6, 0x1000_0000);
                    h.set_reg(7, u64::MAX);
                    h.set_reg(17, 0x10);
                    h.csr.mtvec = BASE + 4;
                    h.csr.stvec = BASE + 4;
                });
                rig
            };
            let (mut one, mut two) = (make(), make());
            let asked = one.hart.run(9);
            assert_eq!(asked, two.hart.run(9));
            let saved = two.saved();
            two.restore(&saved, HartState::default_clock(), 1);
            assert_eq!(two.saved(), saved);
            assert_eq!(two.hart.run(9), asked, "it still waits");
            let answer = match asked {
                Exit::Sbi(_) => Answer::Sbi { a0: 5, a1: Some(6) },
                _ if fault => Answer::Fault(maquette_model::BusError::Refused),
                _ => Answer::Value(0xfedc_ba98_7654_3210),
            };
            for rig in [&mut one, &mut two] {
                rig.hart.finish(answer);
                rig.until(2).unwrap();
            }
            assert_eq!(one.saved(), two.saved(), "{insn:?}");
        }
    }
}

/// Loads `payload` and, if that is accepted, runs: nothing may panic or break an invariant.
fn digest(ram: &Rig, payload: &[u8]) -> Result<(), LoadError> {
    let clock = HartState::default_clock();
    let mut hart = Hart::new(0, clock, ram.ram.clone(), 64);
    let mut r = Reader::new(payload);
    hart.load(&mut r)?;
    r.finish()?;
    for _ in 0..20 {
        match hart.run(50) {
            Exit::Mmio { .. } => hart.finish(Answer::Value(u64::MAX)),
            Exit::Sbi(_) => hart.finish(Answer::Sbi { a0: 0, a1: None }),
            Exit::Fail(_) => break,
            _ => {}
        }
        let _ = (hart.time(), hart.timer_deadline(), hart.wakes());
        assert_eq!(hart.state().reg(0), 0);
        assert_eq!(hart.pc() & 1, 0);
    }
    Ok(())
}

#[test]
fn snapshot_truncated_is_refused_and_bits_flipped_do_no_harm() {
    let mut refused = 0;
    for seed in seeds(6) {
        let p = Program::new(3000 + seed);
        let mut rig = p.rig(64);
        let mut rng = Rng(seed);
        let _ = rig.until(rng.below(1000));
        // Every other time with an access outstanding.
        for _ in 0..if seed % 2 == 0 { 200 } else { 0 } {
            match rig.hart.run(20) {
                Exit::Mmio { .. } => break,
                exit => rig.answer(&exit),
            }
        }
        let saved = rig.saved();
        for len in 0..saved.len() {
            assert!(digest(&rig, &saved[..len]).is_err(), "{len} bytes");
        }
        assert_eq!(
            digest(&rig, &[&saved[..], &[0]].concat()),
            Err(LoadError::Trailing { extra: 1 })
        );
        for bit in 0..saved.len() * 8 {
            let mut bad = saved.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            refused += u64::from(digest(&rig, &bad).is_err());
        }
        for _ in 0..500 {
            let mut bad = saved.clone();
            for _ in 0..1 + rng.below(8) {
                let at = rng.below(bad.len() as u64) as usize;
                bad[at] = rng.pick(&[0, 1, 2, 0x7f, 0x80, 0xff]);
            }
            let _ = digest(&rig, &bad);
        }
    }
    assert!(refused > 100);
}
