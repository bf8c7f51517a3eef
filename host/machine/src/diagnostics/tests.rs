use super::*;

fn read(pc: u64, addr: u64, value: u64) -> Access {
    Access {
        hart: 0,
        pc,
        addr: PhysAddr(addr),
        value: Some(value),
        write: false,
        implemented: true,
        source: Some(3),
    }
}

fn saved(d: &Diagnostics) -> Vec<u8> {
    let mut w = Writer::default();
    d.save(&mut w);
    w.into_bytes()
}

#[test]
fn rv_49_unimplemented_registers_are_counted_and_bounded() {
    let mut d = Diagnostics::default();
    for n in 0..UNIMPLEMENTED_KEPT as u64 + 10 {
        let mut a = read(0x100 + n, 0x4000 + 8 * n, 0);
        a.implemented = false;
        d.access(&a);
        d.access(&a);
        a.implemented = true;
        d.access(&a);
    }
    assert_eq!(d.unimplemented.known.len(), UNIMPLEMENTED_KEPT);
    assert_eq!(d.unimplemented.more, 20);
    let first = &d.unimplemented.known[&(0x4000, false)];
    assert_eq!((first.count, first.first), (2, (0, 0x100)));
}

#[test]
fn rv_50_spin_needs_equal_reads_in_a_row() {
    let spins = |other: &dyn Fn(&mut Diagnostics, u64)| {
        let mut d = Diagnostics::default();
        for n in 0..SPIN_READS + 5 {
            d.access(&read(0x100, 0x4000, 7));
            other(&mut d, n);
        }
        d.polling.spins
    };
    let found = spins(&|_, _| {});
    let entry = &found[&(0x100, 0x4000)];
    assert_eq!((entry.value, entry.reads), (7, SPIN_READS + 5));
    let half = SPIN_READS / 2;
    assert!(
        spins(&|d, n| if n == half {
            d.got_ahead(0)
        })
        .is_empty()
    );
    assert!(
        spins(&|d, n| if n == half {
            d.access(&read(0x100, 0x4000, 8))
        })
        .is_empty()
    );
    assert!(
        spins(&|d, n| if n == half {
            d.access(&read(0x104, 0x4000, 7))
        })
        .is_empty()
    );
    let mut other = read(0x100, 0x4000, 7);
    other.hart = 1;
    assert_eq!(spins(&|d, _| d.access(&other)).len(), 1, "harts are apart");
}

#[test]
fn rv_51_storm_needs_claims_without_progress_in_time() {
    let storm = |step: SimTime, fell: bool, accessed: bool| {
        let mut d = Diagnostics::default();
        let mut now = SimTime::from_us(5);
        for _ in 0..STORM_CLAIMS + 3 {
            d.claimed(3, now, (0, 0x200));
            if fell {
                d.storms.fell(3);
            }
            if accessed {
                d.access(&read(0x300, 0x4000, 1));
            }
            now = now.saturating_add(step);
        }
        d.storms.known.get(&3).map(|e| e.claims)
    };
    let quick = SimTime::from_us(2);
    let all = Some(STORM_CLAIMS + 3);
    assert_eq!(
        storm(quick, false, false),
        all,
        "nobody looks at the device"
    );
    assert_eq!(storm(quick, false, true), all, "the line stays high");
    assert_eq!(storm(quick, true, false), all, "it pulses by itself");
    assert_eq!(storm(quick, true, true), None, "the handler does its work");
    assert_eq!(storm(SimTime::from_us(20), false, false), None, "slow");
}

#[test]
fn thresholds_are_those_that_are_asked_for() {
    let mut d = Diagnostics {
        thresholds: Thresholds {
            spin_reads: 10,
            storm_claims: 5,
            storm_window: SimTime::from_ns(4),
            lost_after: SimTime::from_ns(9),
        },
        ..Diagnostics::default()
    };
    for n in 1..=10 {
        assert!(d.polling.spins.is_empty(), "{n}");
        d.access(&read(0x100, 0x4000, 7));
    }
    assert_eq!(d.polling.spins.len(), 1);
    let to = (0, Mode::Machine);
    for (source, step) in [(4, 2), (5, 1)] {
        for n in 0..5 {
            d.claimed(source, SimTime::from_ns(n * step), (0, 0));
        }
    }
    let storms: Vec<u32> = d.storms.known.keys().copied().collect();
    assert_eq!(storms, [5], "one comes too slowly");
    for (wait, late) in [(8, 0), (9, 1)] {
        d.output(to, true, SimTime::ZERO, 0);
        d.output(to, false, SimTime::from_ns(wait), 0);
        assert_eq!(d.lost.late.len(), late);
    }
}

#[test]
fn rv_51_interrupt_claimed_late_is_lost_and_in_time_is_not() {
    let to = (1, Mode::Supervisor);
    let after = |wait: SimTime| {
        let mut d = Diagnostics::default();
        let begin = SimTime::from_us(1);
        d.output(to, true, begin, 0x10);
        d.output(to, false, begin.saturating_add(wait), 0x20);
        d.lost.late.get(&to).copied()
    };
    assert!(after(LOST_AFTER.saturating_sub(SimTime::from_ps(1))).is_none());
    let late = after(LOST_AFTER).expect("it is noticed");
    assert_eq!((late.pc, late.count, late.lasted), (0x20, 1, LOST_AFTER));
}

#[test]
fn diagnostics_saved_and_loaded_are_the_same() {
    let mut d = Diagnostics::default();
    for n in 0..SPIN_READS + 1 {
        d.access(&read(0x100, 0x4000, 7));
        d.claimed(3, SimTime::from_ns(n), (0, 0x200));
    }
    let mut odd = read(1, 2, 3);
    odd.implemented = false;
    d.access(&odd);
    for mode in [Mode::Machine, Mode::Supervisor] {
        d.output((1, mode), true, SimTime::ZERO, 1);
        d.output((1, mode), false, LOST_AFTER, 1);
        d.output((0, mode), true, SimTime::ZERO, 1);
    }
    let bytes = saved(&d);
    let mut r = Reader::new(&bytes);
    let again = Diagnostics::load(&mut r, Thresholds::USUAL).expect("it is good");
    r.finish().expect("nothing is left over");
    assert_eq!(saved(&again), bytes);
    for cut in 0..bytes.len() {
        assert!(Diagnostics::load(&mut Reader::new(&bytes[..cut]), Thresholds::USUAL).is_err());
    }
}
