use super::*;
use maquette_model::testing::{Seen, TestHost};
use proptest::prelude::*;

/// 2026-01-01T00:00:00Z.
const START: u64 = 1_767_225_600_000_000_000;
const SECOND: u64 = 1_000_000_000;

const TIME_LOW: u64 = 0x00;
const TIME_HIGH: u64 = 0x04;
const ALARM_LOW: u64 = 0x08;
const ALARM_HIGH: u64 = 0x0c;
const IRQ_ENABLED: u64 = 0x10;
const CLEAR_ALARM: u64 = 0x14;
const ALARM_STATUS: u64 = 0x18;
const CLEAR_INTERRUPT: u64 = 0x1c;

struct Rig {
    rtc: Rtc,
    host: TestHost,
}

impl Rig {
    fn new() -> Self {
        Self {
            rtc: Rtc::new(UnixTime(START)),
            host: TestHost::new(),
        }
    }

    fn get(&mut self, off: u64) -> u64 {
        let cx = &mut Cx::new(&mut self.host);
        match self.rtc.read(cx, Region(0), off, Width::B4) {
            Access::Done(v) => v,
            other => panic!("{off:#x}: {other:?}"),
        }
    }

    fn set(&mut self, off: u64, v: u64) {
        let cx = &mut Cx::new(&mut self.host);
        let v = v & 0xffff_ffff;
        let answer = self.rtc.write(cx, Region(0), off, Width::B4, v);
        assert_eq!(answer, Access::Done(()));
    }

    /// The clock, read as Linux reads it.
    fn clock(&mut self) -> u64 {
        let low = self.get(TIME_LOW);
        self.get(TIME_HIGH) << 32 | low
    }

    /// Sets the alarm as Linux does.
    fn alarm(&mut self, at: u64) {
        self.set(ALARM_HIGH, at >> 32);
        self.set(ALARM_LOW, at);
    }

    fn pass(&mut self, ns: u64) {
        let t = self.host.now.saturating_add(SimTime::from_ns(ns));
        self.host.run_until(&mut self.rtc, t);
    }
}

maquette_model::conformance!(rtc, || Rtc::new(UnixTime(START)), Rtc::SIZE, drives lines);

#[test]
fn rv_66_clock_is_the_start_and_virtual_time() {
    let mut rig = Rig::new();
    assert_eq!(rig.clock(), START);
    rig.pass(90 * SECOND + 7);
    assert_eq!(rig.clock(), START + 90 * SECOND + 7);
}

#[test]
fn high_half_is_that_of_the_latest_low_half() {
    let mut rig = Rig::new();
    let wrap = (START >> 32 << 32) + (1 << 32);
    rig.pass(wrap - START - 1);
    let low = rig.get(TIME_LOW);
    rig.pass(5);
    assert_eq!(rig.get(TIME_HIGH) << 32 | low, wrap - 1);
    assert_eq!(rig.clock(), wrap + 4);
}

#[test]
fn clock_that_the_guest_sets_goes_on_from_there_and_survives_a_warm_reset() {
    let mut rig = Rig::new();
    rig.pass(SECOND);
    let other = 946_684_800 * SECOND;
    rig.set(TIME_HIGH, other >> 32);
    rig.set(TIME_LOW, other);
    assert_eq!(rig.clock(), other);
    rig.pass(SECOND);
    for (kind, clock) in [
        (ResetKind::Warm, other + SECOND),
        (ResetKind::Cold, START + 2 * SECOND),
    ] {
        rig.host.before_reset();
        rig.rtc.reset(&mut Cx::new(&mut rig.host), kind);
        assert_eq!(rig.clock(), clock, "{kind:?}");
    }
}

#[test]
fn rv_66_alarm_interrupts_at_its_nanosecond_until_cleared() {
    let mut rig = Rig::new();
    rig.alarm(START + 3 * SECOND);
    rig.set(IRQ_ENABLED, 1);
    assert_eq!(rig.get(ALARM_STATUS), 1);
    rig.pass(3 * SECOND - 1);
    assert!(!rig.host.level(0));
    rig.pass(1);
    assert!(rig.host.level(0));
    assert_eq!(rig.get(ALARM_STATUS), 0);
    rig.set(CLEAR_INTERRUPT, 1);
    assert!(!rig.host.level(0));
    rig.pass(10 * SECOND);
    assert!(!rig.host.level(0), "an alarm rings once");
}

#[test]
fn alarm_in_the_past_rings_at_once_and_a_masked_one_when_unmasked() {
    let mut rig = Rig::new();
    rig.alarm(START);
    assert!(!rig.host.level(0), "masked");
    rig.set(IRQ_ENABLED, 1);
    assert!(rig.host.level(0));
    rig.set(IRQ_ENABLED, 0);
    assert!(!rig.host.level(0));
    rig.set(CLEAR_INTERRUPT, 1);
    rig.set(IRQ_ENABLED, 1);
    assert!(!rig.host.level(0));
}

#[test]
fn alarm_that_is_cleared_or_moved_does_not_ring_at_its_old_time() {
    let mut rig = Rig::new();
    rig.set(IRQ_ENABLED, 1);
    rig.alarm(START + SECOND);
    rig.set(CLEAR_ALARM, 1);
    assert_eq!(rig.get(ALARM_STATUS), 0);
    rig.pass(2 * SECOND);
    assert!(!rig.host.level(0));
    rig.alarm(START + 3 * SECOND);
    rig.alarm(START + 5 * SECOND);
    rig.pass(2 * SECOND);
    assert!(!rig.host.level(0));
    // The clock is put forward: the alarm is due.
    let now = START + 6 * SECOND;
    rig.set(TIME_HIGH, now >> 32);
    rig.set(TIME_LOW, now);
    assert!(rig.host.level(0));
}

#[test]
fn alarm_beyond_virtual_time_stays_armed_without_a_timer() {
    let mut rig = Rig::new();
    rig.alarm(u64::MAX);
    assert_eq!(rig.get(ALARM_STATUS), 1);
    assert_eq!(rig.host.next_timer(), None);
}

#[test]
fn reserved_offsets_and_other_widths_are_answered() {
    let mut rig = Rig::new();
    assert_eq!(rig.get(0x20), 0);
    rig.set(0xffc, 1);
    rig.set(ALARM_STATUS, 1);
    assert_eq!(rig.host.guest_errors().len(), 3);
    for w in [Width::B1, Width::B2, Width::B8] {
        let cx = &mut Cx::new(&mut rig.host);
        let answer = rig.rtc.read(cx, Region(0), 0, w);
        assert_eq!(answer, Access::Fault(BusError::Width));
    }
    assert!(!rig.host.log.contains(&Seen::Line(0, true)));
}

/// The clock as a plain model: when set to what, and the alarm that rings at the first nanosecond at
/// which the clock has reached it.
#[derive(Default)]
struct Plain {
    now: u64,
    set: i128,
    alarm: Option<u64>,
    ringing: bool,
}

impl Plain {
    fn clock(&self) -> u64 {
        let clock = (self.set + i128::from(self.now)).rem_euclid(1 << 64);
        u64::try_from(clock).unwrap()
    }

    fn look(&mut self) {
        if self.alarm.is_some_and(|at| at <= self.clock()) {
            (self.alarm, self.ringing) = (None, true);
        }
    }
}

proptest! {
    #[test]
    fn clock_and_alarm_agree_with_a_plain_model(
        steps in proptest::collection::vec((0u8..4, 0u64..1 << 42), 1..60),
    ) {
        let mut rig = Rig::new();
        rig.set(IRQ_ENABLED, 1);
        let mut plain = Plain { set: START.into(), ..Plain::default() };
        for (what, n) in steps {
            match what {
                0 => {
                    rig.pass(n >> 10);
                    plain.now += n >> 10;
                }
                1 => {
                    let to = START + n;
                    rig.set(CLEAR_ALARM, 1);
                    rig.set(TIME_HIGH, to >> 32);
                    rig.set(TIME_LOW, to);
                    plain.alarm = None;
                    plain.set = i128::from(to) - i128::from(plain.now);
                }
                2 => {
                    let at = plain.clock().saturating_add(n).saturating_sub(1 << 41);
                    rig.set(CLEAR_ALARM, 1);
                    rig.alarm(at);
                    plain.alarm = Some(at);
                }
                _ => {
                    rig.set(CLEAR_INTERRUPT, 0);
                    plain.ringing = false;
                }
            }
            plain.look();
            prop_assert_eq!(rig.clock(), plain.clock());
            prop_assert_eq!(rig.host.level(0), plain.ringing);
            prop_assert_eq!(rig.get(ALARM_STATUS) == 1, plain.alarm.is_some());
        }
    }
}
