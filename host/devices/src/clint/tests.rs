use super::*;
use maquette_model::SimTime;
use maquette_model::testing::TestHost;

const MHZ10: Frequency = Frequency::from_hz(10_000_000);

fn write(d: &mut Clint, h: &mut TestHost, off: u64, w: Width, v: u64) {
    assert_eq!(
        d.write(&mut Cx::new(h), Region(0), off, w, v),
        Access::Done(())
    );
}

fn read(d: &mut Clint, h: &mut TestHost, off: u64, w: Width) -> u64 {
    match d.read(&mut Cx::new(h), Region(0), off, w) {
        Access::Done(v) => v,
        other => panic!("{off:#x}: {other:?}"),
    }
}

maquette_model::conformance!(clint, || Clint::new(3, MHZ10), Clint::SIZE, drives lines);

#[test]
fn msip_drives_the_line_of_its_hart_only() {
    let (d, h) = (&mut Clint::new(3, MHZ10), &mut TestHost::new());
    write(d, h, 8, Width::B4, u64::from(u32::MAX));
    assert!(h.level(4) && !h.level(0) && !h.level(2));
    assert_eq!(read(d, h, 8, Width::B4), 1, "only bit 0 exists");
    write(d, h, 8, Width::B4, 0xfffe);
    assert!(!h.level(4));
}

#[test]
fn mtimecmp_raises_the_line_exactly_when_mtime_reaches_it() {
    let (d, h) = (&mut Clint::new(2, MHZ10), &mut TestHost::new());
    write(d, h, 0x4008, Width::B8, 1000);
    let due = MHZ10.time_of(1000);
    h.run_until(d, SimTime::from_ps(due.as_ps() - 1));
    assert!(!h.level(3));
    assert_eq!(read(d, h, 0xbff8, Width::B8), 999);
    h.run_until(d, due);
    assert!(h.level(3) && !h.level(1));
    assert_eq!(read(d, h, 0xbff8, Width::B8), 1000);
    write(d, h, 0x4008, Width::B8, u64::MAX);
    assert!(!h.level(3));
    assert_eq!(h.next_timer(), None, "never is not a timer");
}

#[test]
fn mtimecmp_in_the_past_raises_at_once_and_later_lowers() {
    let (d, h) = (&mut Clint::new(1, MHZ10), &mut TestHost::new());
    h.now = SimTime::from_us(10);
    write(d, h, 0x4000, Width::B8, 100);
    assert!(h.level(1), "equal counts as reached");
    write(d, h, 0x4000, Width::B8, 101);
    assert!(!h.level(1));
}

#[test]
fn mtimecmp_takes_halves_and_replaces_its_timer() {
    let (d, h) = (&mut Clint::new(1, MHZ10), &mut TestHost::new());
    write(d, h, 0x4000, Width::B8, 0);
    write(d, h, 0x4004, Width::B4, 1);
    write(d, h, 0x4000, Width::B4, 5);
    assert_eq!(read(d, h, 0x4000, Width::B8), (1 << 32) + 5);
    assert_eq!(read(d, h, 0x4004, Width::B4), 1);
    write(d, h, 0x4004, Width::B4, 0);
    h.run_until(d, SimTime::from_us(1));
    assert!(h.level(1));
    assert_eq!(h.next_timer(), None, "the older timers are gone");
}

#[test]
fn mtime_is_not_writable_and_missing_harts_are_reported() {
    let (d, h) = (&mut Clint::new(1, MHZ10), &mut TestHost::new());
    write(d, h, 0xbff8, Width::B8, 7);
    write(d, h, 4, Width::B4, 1);
    assert_eq!(read(d, h, 0x4008, Width::B8), 0);
    assert_eq!(h.guest_errors().len(), 3);
    assert_eq!(read(d, h, 0xbff8, Width::B8), 0);
}

#[test]
fn narrow_and_misaligned_accesses_are_refused() {
    let (d, h) = (&mut Clint::new(1, MHZ10), &mut TestHost::new());
    for (off, w) in [
        (0, Width::B1),
        (0, Width::B8),
        (2, Width::B2),
        (0x4004, Width::B8),
    ] {
        let answer = d.read(&mut Cx::new(h), Region(0), off, w);
        assert_eq!(answer, Access::Fault(BusError::Width), "{off:#x} {w:?}");
    }
}
