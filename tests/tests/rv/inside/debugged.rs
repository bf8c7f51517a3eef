//! What a debugger may say to a machine without harm to the connection.

use maquette_machine::debug::{Debugger, State};
use maquette_machine::{BootMode, Slot};
use maquette_model::SimTime;
use maquette_rv64::isa::Op;
use maquette_sim::{NoRim, Outcome};
use maquette_tests::debuggee::packet;
use maquette_tests::seeds;
use maquette_trace::Trace;

use super::asm::{Asm, Image, reg};
use super::on_write::OnWrite;
use super::reservation::{SLOT0, WORD, store_word};
use super::{Inside, Parts, QUANTUM};

const RAM: u64 = 0x8000_0000;

/// A machine of two harts that run `program` and stay at its end, with a device that stores.
fn inside(mode: BootMode, at: u64, program: impl FnOnce(&mut Asm)) -> Inside {
    let mut asm = Asm::new(at);
    program(&mut asm);
    let stay = asm.mark();
    asm.jump(stay);
    Inside::new(Parts {
        mode,
        harts: 2,
        quantum: QUANTUM,
        kernel: Image(vec![(at, asm.finish())]).elf(),
        slots: vec![Slot {
            index: 0,
            device: Box::new(OnWrite(store_word)),
        }],
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
        let mut inside = inside(BootMode::Bare, RAM, |_| ());
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

/// Watches the word as `kind` (of a packet) says, goes on, and gives what the debugger is told at the stop.
fn told_of_word(inside: &mut Inside, kind: u8) -> (Debugger, String) {
    let mut debugger = Debugger::attach(inside.machine_mut()).expect("a debugger");
    let mut say = |inside: &mut Inside, body: &str| {
        let done = debugger.receive(inside.machine_mut(), &packet(body.as_bytes()));
        done.expect("the protocol goes on");
        debugger.take_outgoing()
    };
    say(inside, &format!("Z{kind},{:x},4", WORD + 4));
    say(inside, "vCont;c");
    let outcome = inside.serial.run(SimTime::from_us(50), &mut NoRim);
    let told = debugger.report(inside.machine_mut());
    told.expect("the protocol goes on");
    let told = debugger.take_outgoing();
    assert_eq!(outcome == Outcome::Paused, !told.is_empty());
    (debugger, String::from_utf8(told).expect("text"))
}

/// What GDB prints of it, and the stop.
fn words(told: &str) -> (String, String) {
    let mut bodies = told.split('$').skip(1).map(|packet| {
        let (body, _checksum) = packet.split_once('#').expect("a frame");
        body.to_owned()
    });
    let printed = bodies.next().expect("words");
    let digits = printed.strip_prefix('O').expect("words").as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    });
    let printed = String::from_utf8(pairs.collect()).expect("text");
    (printed, bodies.next().expect("a stop"))
}

#[test]
fn watchpoint_stops_after_a_device_stored_there_and_names_it() {
    let program = |asm: &mut Asm| {
        asm.li(reg::T0, SLOT0);
        asm.store(Op::Sd, reg::T0, 0, reg::T0);
    };
    for (kind, name) in [(2, "watch"), (4, "awatch")] {
        let mut inside = inside(BootMode::Bare, RAM, program);
        let (mut debugger, told) = told_of_word(&mut inside, kind);
        let (printed, stop) = words(&told);
        let expected = "machine0.virtio0 stored by DMA at 0x80001000, length 8\n";
        assert!(printed.ends_with(expected), "{printed}");
        assert_eq!(stop, format!("T05thread:01;{name}:80001004;"));
        // The store is done, the instruction too.
        let machine = inside.machine_mut();
        let asked = debugger.receive(machine, &packet(format!("m{WORD:x},8").as_bytes()));
        asked.expect("the protocol goes on");
        let word = String::from_utf8(debugger.take_outgoing()).expect("text");
        assert!(word.contains("00100010"), "{word}");
    }
    // Whoever watches for loads alone, or other bytes, is not disturbed.
    let mut inside = inside(BootMode::Bare, RAM, program);
    let (_, told) = told_of_word(&mut inside, 3);
    assert_eq!(told, "");
}

#[test]
fn watchpoint_stops_after_the_built_in_sbi_stored_there() {
    const KERNEL: u64 = 0x8020_0000;
    const UART: u64 = 0x1000_0000;
    const A6: u8 = 16;
    const A7: u8 = 17;
    let mut inside = inside(BootMode::Sbi, KERNEL, |asm| {
        // In loop-back, what is sent is received.
        asm.li(reg::T0, UART);
        for (register, value) in [(4, 0x10), (0, 0x41), (4, 0)] {
            asm.li(reg::T1, value);
            asm.store(Op::Sb, reg::T1, register, reg::T0);
        }
        // SBI: DBCN, read one byte.
        asm.li(reg::A0, 1);
        asm.li(reg::A1, WORD + 6);
        asm.li(reg::A1 + 1, 0);
        asm.li(A6, 1);
        asm.li(A7, 0x4442_434e);
        asm.bare(Op::Ecall);
    });
    let (_, told) = told_of_word(&mut inside, 2);
    let (printed, stop) = words(&told);
    let expected = "the built-in SBI, called by hart0, stored at 0x80001006, length 1\n";
    assert!(printed.ends_with(expected), "{printed}");
    assert_eq!(stop, "T05thread:01;watch:80001006;");
}
