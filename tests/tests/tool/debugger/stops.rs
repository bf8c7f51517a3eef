//! Registers, memory, breakpoints, watchpoints and steps.

use super::{LIMIT, debug};
use crate::elf::{self, RAM};

/// GDB's numbers of registers.
const A0: usize = 10;
const T1: usize = 6;
const MINSTRET: usize = 65 + 0xb02;
const MHARTID: usize = 65 + 0xf14;
/// The serial port.
const UART: u64 = 0x1000_0000;

/// Where `elf::says` stores its byte number `i` to the serial port.
const fn store_of(i: u64) -> u64 {
    RAM + 8 + 8 * i
}

#[test]
fn debugger_sees_the_first_instruction_and_changes_registers_and_memory() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut gdb = debuggee.debug();
    assert_eq!(gdb.ask("?"), "T05thread:01;");
    assert_eq!((gdb.pc(), gdb.register(MINSTRET)), (RAM, 0));
    // All general registers in one packet: x0 to x31 and pc.
    let all = gdb.ask("g");
    assert_eq!(all.len(), 33 * 16);
    assert!(all.ends_with("0000008000000000"), "{all}");
    gdb.order(&format!("P{A0:x}=efcdab8967452301"));
    assert_eq!(gdb.register(A0), 0x0123_4567_89ab_cdef);
    // `lui t0, 0x10000`.
    assert_eq!(gdb.ask(&format!("m{RAM:x},4")), "b7020010");
    gdb.order(&format!("M{:x},2:abcd", RAM + 0x1000));
    assert_eq!(gdb.ask(&format!("m{:x},3", RAM + 0x1000)), "abcd00");
    gdb.order("D");
    let done = debuggee.finish(LIMIT);
    done.expect_code(0);
    assert_eq!(done.stdout, "hi\n");
}

#[test]
fn debugger_reads_no_device_and_no_hole() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut gdb = debuggee.debug();
    for refused in [
        format!("m{UART:x},1"),
        "m0,1".to_owned(),
        "mffffffffffffffff,8".to_owned(),
        format!("M{UART:x},1:41"),
        // Half of it is RAM: nothing is written.
        format!("M{:x},2:4141", RAM + (128 << 20) - 1),
        format!("P{MHARTID:x}=0100000000000000"),
        "p1300".to_owned(),
        "P1300=0100000000000000".to_owned(),
    ] {
        let answer = gdb.ask(&refused);
        assert!(
            answer.starts_with('E') || answer.is_empty(),
            "{refused}: {answer}"
        );
    }
    gdb.order("D");
    assert_eq!(
        debuggee.finish(LIMIT).stdout,
        "hi\n",
        "a device was written to"
    );
}

#[test]
fn debugger_steps_one_instruction() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut gdb = debuggee.debug();
    for n in 1..=5 {
        assert_eq!(gdb.go("s:1"), "T05thread:01;");
        assert_eq!((gdb.pc(), gdb.register(MINSTRET)), (RAM + 4 * n, n));
    }
    // As long as pc is in the range, without a stop between.
    assert_eq!(
        gdb.go(&format!("r{RAM:x},{:x}:1", store_of(2))),
        "T05thread:01;"
    );
    assert_eq!(gdb.pc(), store_of(2));
    gdb.order("D");
    debuggee.finish(LIMIT).expect_code(0);
}

#[test]
fn breakpoints_of_both_kinds_stop_before_the_instruction_and_leave_memory_alone() {
    let (_bench, debuggee) = debug(&elf::says("hello\n"), 1);
    let mut gdb = debuggee.debug();
    let code = gdb.ask(&format!("m{RAM:x},40"));
    gdb.order(&format!("Z0,{:x},4", store_of(1)));
    gdb.order(&format!("Z1,{:x},4", store_of(3)));
    assert_eq!(gdb.go("c"), "T05thread:01;swbreak:;");
    assert_eq!(gdb.pc(), store_of(1));
    assert_eq!(
        gdb.register(T1),
        u64::from(b'e'),
        "the instruction before was executed"
    );
    assert_eq!(gdb.ask(&format!("m{RAM:x},40")), code);
    // A step gets past the breakpoint although it is still there.
    assert_eq!(gdb.go("s:1"), "T05thread:01;");
    assert_eq!(gdb.pc(), store_of(1) + 4);
    assert_eq!(gdb.go("c"), "T05thread:01;hwbreak:;");
    assert_eq!(gdb.pc(), store_of(3));
    gdb.order(&format!("z1,{:x},4", store_of(3)));
    assert_eq!(
        gdb.ask(&format!("z1,{:x},4", store_of(3))),
        "E16",
        "it is gone already"
    );
    assert_eq!(gdb.go("c"), "W00");
    let done = debuggee.finish(LIMIT);
    done.expect_code(0);
    assert_eq!(done.stdout, "hello\n");
}

#[test]
fn watchpoint_on_a_device_register_stops_after_each_store() {
    let (_bench, debuggee) = debug(&elf::says("abc"), 1);
    let mut gdb = debuggee.debug();
    gdb.order(&format!("Z2,{UART:x},1"));
    // Reads of it, and writes beside it, are something else.
    gdb.order(&format!("Z3,{UART:x},8"));
    gdb.order(&format!("Z4,{:x},4", UART + 1));
    for i in 0..3 {
        assert_eq!(gdb.go("c"), format!("T05thread:01;watch:{UART:x};"));
        assert_eq!(gdb.pc(), store_of(i) + 4);
    }
    gdb.order(&format!("z2,{UART:x},1"));
    assert_eq!(gdb.go("c"), "W00");
    assert_eq!(debuggee.finish(LIMIT).stdout, "abc");
}

#[test]
fn one_hart_steps_while_the_others_stand_still_or_go_on() {
    let (_bench, debuggee) = debug(&elf::spins(), 2);
    let mut gdb = debuggee.debug();
    assert_eq!(gdb.ask("qfThreadInfo"), "m01,02");
    let retired = |gdb: &mut maquette_tests::debuggee::Client| {
        [1, 2].map(|hart| {
            gdb.order(&format!("Hg{hart}"));
            gdb.register(MINSTRET)
        })
    };
    assert_eq!(gdb.go("s:2"), "T05thread:02;");
    assert_eq!(retired(&mut gdb), [0, 1], "the other hart was held");
    assert_eq!(gdb.go("s:1"), "T05thread:01;");
    assert_eq!(retired(&mut gdb), [1, 1]);
    assert_eq!(gdb.go("s:2;c"), "T05thread:02;");
    let [first, second] = retired(&mut gdb);
    assert!(
        first > 1 && second == 2,
        "{first}, {second}: the other hart was to go on"
    );
    let name = gdb.ask("qThreadExtraInfo,2");
    let name: Vec<u8> = (0..name.len() / 2)
        .map(|i| u8::from_str_radix(&name[2 * i..2 * i + 2], 16).expect("hex"))
        .collect();
    assert_eq!(String::from_utf8_lossy(&name), "hart1 runs, M-mode");
    gdb.send(&maquette_tests::debuggee::packet(b"k"));
    debuggee.finish(LIMIT).expect_code(0);
}

#[test]
fn watchpoint_names_the_hart_that_stored() {
    let (_bench, debuggee) = debug(&elf::says("x"), 2);
    let mut gdb = debuggee.debug();
    gdb.order(&format!("Z2,{UART:x},1"));
    let mut who = [gdb.go("c"), gdb.go("c")];
    who.sort();
    assert_eq!(
        who,
        [1, 2].map(|hart| format!("T05thread:0{hart};watch:{UART:x};"))
    );
    gdb.order("D");
    debuggee.finish(LIMIT).expect_code(0);
}

#[test]
fn interrupt_stops_a_busy_guest_and_kill_ends_the_run_cleanly() {
    let (_bench, mut debuggee) = debug(&elf::spins(), 1);
    let mut gdb = debuggee.debug();
    gdb.send(&maquette_tests::debuggee::packet(b"vCont;c"));
    assert_eq!(debuggee.console_line(), "ready\n");
    gdb.send(&[3]);
    assert_eq!(gdb.reply(), "T02thread:01;");
    assert_eq!(gdb.go("s:1"), "T05thread:01;");
    gdb.send(&maquette_tests::debuggee::packet(b"k"));
    let done = debuggee.finish(LIMIT);
    done.expect_code(0);
    assert!(
        done.stderr.contains("ended by the debugger"),
        "{}",
        done.describe()
    );
}

#[test]
fn second_debugger_may_come_after_the_first_and_the_guests_status_is_told() {
    let (_bench, debuggee) = debug(&elf::spins(), 1);
    let mut gdb = debuggee.debug();
    gdb.order(&format!("Z1,{RAM:x},4"));
    gdb.order("D");
    drop(gdb);
    // The machine runs; it stops for who comes.
    let mut gdb = debuggee.debug();
    assert_eq!(gdb.ask("?"), "T05thread:01;");
    assert!(gdb.pc() >= RAM);
    gdb.send(&maquette_tests::debuggee::packet(b"k"));
    debuggee.finish(LIMIT).expect_code(0);

    let (_bench, debuggee) = debug(&elf::fails(7), 1);
    let mut gdb = debuggee.debug();
    assert_eq!(gdb.go("c"), "W02");
    debuggee.finish(LIMIT).expect_code(2);
}
