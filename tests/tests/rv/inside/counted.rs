//! What devices count and say goes on over a snapshot.

use super::asm::{Asm, Image, reg};
use super::on_write::OnWrite;
use super::{Inside, Parts, QUANTUM};
use maquette_machine::{BootMode, Slot};
use maquette_model::{Cx, SimTime};
use maquette_rv64::isa::Op;
use maquette_sim::{NoRim, Outcome};
use maquette_trace::Trace;

const RAM: u64 = 0x8000_0000;
const SLOT0: u64 = 0x1000_1000;

/// Counts what is written to it, and complains of it.
fn talk(cx: &mut Cx<'_>, v: u64) {
    cx.count("writes", 1);
    cx.count("bytes", 4);
    cx.guest_error("talker: a write", v);
    if v == 1 {
        cx.host_error("the first write is lost");
    }
}

/// Writes 1, 2, 3, … to the device, for ever.
fn machine() -> Inside {
    let mut asm = Asm::new(RAM);
    asm.li(reg::T0, SLOT0);
    asm.li(reg::T1, 0);
    let again = asm.mark();
    asm.i(Op::Addi, reg::T1, reg::T1, 1);
    asm.store(Op::Sw, reg::T1, 0, reg::T0);
    asm.jump(again);
    Inside::new(Parts {
        mode: BootMode::Bare,
        harts: 1,
        quantum: QUANTUM,
        kernel: Image(vec![(RAM, asm.finish())]).elf(),
        slots: vec![Slot {
            index: 0,
            device: Box::new(OnWrite(talk)),
        }],
        trace: Trace::new(),
    })
}

fn run_to(inside: &mut Inside, us: u64) {
    let outcome = inside.serial.run(SimTime::from_us(us), &mut NoRim);
    assert_eq!(outcome, Outcome::Limit);
}

/// Everything that is counted or said, but for what only the engine's speed is about.
fn said(inside: &Inside) -> String {
    let s = inside.machine().statistics();
    let errors = inside.machine().host_errors();
    format!(
        "{:?} {:?} {} {:?} {errors:?}",
        s.devices, s.counters, s.guest_errors, s.last_guest_error
    )
}

#[test]
fn counters_and_complaints_of_devices_go_on_over_a_snapshot() {
    let mut whole = machine();
    run_to(&mut whole, 20);
    let saved = whole.serial.save().expect("every part can be saved");
    let mut resumed = machine();
    resumed.serial.restore(saved.clone()).expect("it fits");
    let before = said(&whole);
    assert_eq!(said(&resumed), before);
    assert!(before.contains("\"writes\", "), "{before}");
    assert!(before.contains("the first write is lost"), "{before}");
    for inside in [&mut whole, &mut resumed] {
        run_to(inside, 40);
    }
    assert_eq!(said(&resumed), said(&whole));
    assert_ne!(said(&resumed), before);
    // Going back forgets what came later.
    resumed.serial.restore(saved).expect("it fits");
    assert_eq!(said(&resumed), before);
}
