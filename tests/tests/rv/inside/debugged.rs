//! What a debugger may say to a machine without harm to the connection.

use maquette_machine::BootMode;
use maquette_machine::debug::{Debugger, State};
use maquette_tests::debuggee::packet;
use maquette_tests::seeds;
use maquette_trace::Trace;

use super::asm::{Asm, Image};
use super::{Inside, Parts, QUANTUM};

const RAM: u64 = 0x8000_0000;

fn inside() -> Inside {
    let mut asm = Asm::new(RAM);
    let stay = asm.mark();
    asm.jump(stay);
    Inside::new(Parts {
        mode: BootMode::Bare,
        harts: 2,
        quantum: QUANTUM,
        kernel: Image(vec![(RAM, asm.finish())]).elf(),
        slots: Vec::new(),
        trace: Trace::new(),
    })
}

/// Packets of every kind that the machine serves, and some that it does not.
const BODIES: [&str; 48] = [
    "?",
    "g",
    "G00",
    "p20",
    "p185",
    "P20=00000000000000",
    "P20=0000008000000000",
    "m80000000,4",
    "mfffffffffffffff8,10",
    "M80000000,4:6f000000",
    "M80000000,2:6f000000",
    "X80000000,2:ab",
    "X80000000,1:}]",
    "Z0,80000000,4",
    "z0,80000000,4",
    "Z1,80000001,4",
    "Z2,80000000,8",
    "z3,80000000,0",
    "Z4,ffffffffffffffff,ffffffffffffffff",
    "Hg0",
    "Hg2",
    "Hg-1",
    "Hg99",
    "Hc-1",
    "Hc1",
    "Hcp0.0",
    "Hgp1.2",
    "Hgp1",
    "T1",
    "Tp-1.1",
    "c",
    "s",
    "s80000000",
    "vCont?",
    "vCont;c",
    "vCont;s:1",
    "vCont;s:2;c:1",
    "vCont;c:p1.-1",
    "vCont;r80000000,80000004:1;C05",
    "vCont;t:1",
    "vCont;c:0",
    "qSupported:multiprocess+;a",
    "qSupported:multiprocess-",
    "qfThreadInfo",
    "qThreadExtraInfo,1",
    "qThreadExtraInfo,p1.2",
    "qRcmd,68656c70",
    "qXfer:features:read:target.xml:10,ffffffffffffffff",
];

/// One of them, mostly with something cut, put in or altered.
fn body(next: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut body = BODIES[next(BODIES.len())].as_bytes().to_vec();
    for _ in 0..next(3) {
        let at = next(body.len() + 1);
        let byte = b" ,:;=0019afp-x\xff}"[next(16)];
        match next(3) {
            0 => body.truncate(at),
            1 => body.insert(at, byte),
            _ if at < body.len() => body[at] = byte,
            _ => {}
        }
    }
    body
}

/// What can be asked at any time, and the machine's answer to it.
fn answers(debugger: &mut Debugger, inside: &mut Inside) {
    let machine = inside.machine_mut();
    let asked = debugger.receive(machine, &packet(b"qsThreadInfo"));
    assert!(asked.is_ok(), "{asked:?}");
    let told = debugger.take_outgoing();
    assert!(
        told.ends_with(b"$l#6c"),
        "{}",
        String::from_utf8_lossy(&told)
    );
}

#[test]
fn rv_55_no_packet_ends_the_connection_or_goes_without_an_answer() {
    for seed in seeds(60) {
        let mut state = seed;
        let mut next = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).expect("31 bits") % n
        };
        let mut inside = inside();
        let mut debugger = Debugger::attach(inside.machine_mut()).expect("a debugger");
        for _ in 0..300 {
            let body = body(&mut next);
            let words = String::from_utf8_lossy(&body).into_owned();
            // These end the connection because they are meant to.
            if matches!(body.first(), Some(b'D' | b'k')) || body.starts_with(b"vKill") {
                continue;
            }
            let machine = inside.machine_mut();
            let done = debugger.receive(machine, &packet(&body));
            assert!(done.is_ok(), "seed {seed}: {words}: {done:?}");
            if debugger.state() == State::Running {
                let stopped = debugger.receive(machine, b"\x03");
                assert!(stopped.is_ok(), "seed {seed}: {words}: {stopped:?}");
            }
            let told = debugger.take_outgoing();
            let told = String::from_utf8_lossy(&told);
            assert!(told.contains('$'), "seed {seed}: no answer to {words}");
            answers(&mut debugger, &mut inside);
        }
    }
}
