//! Runs under a debugger: GDB itself on guests and on Linux, and what a debugger must not change.

use std::process::Command;

use maquette_tests::debuggee::{Client, Debuggee, packet};
use maquette_tests::guests::guest;
use maquette_tests::parts::Found;
use maquette_tests::tool::{Tool, trace_hash};
use maquette_tests::{Finished, child, need};
use object::{Object, ObjectSymbol};

use crate::linux::{Linux, answers};
use crate::ran::{LIMIT, read, system};

fn demo() -> Debuggee {
    Debuggee::start(Tool::new("gdb").arg("systems/demo.toml"))
}

/// The address of the demonstration's function whose mangled name holds `part`.
fn address(part: &str) -> u64 {
    let elf = read(&guest("smode"));
    let elf = object::File::parse(&*elf).expect("guests are ELF files");
    let named = |s: &object::Symbol<'_, '_>| s.name().is_ok_and(|name| name.contains(part));
    let found = elf.symbols().find(named);
    found
        .unwrap_or_else(|| panic!("no {part} in the guest"))
        .address()
}

/// The hash of a run that has ended cleanly.
#[track_caller]
fn hash(done: &Finished) -> String {
    done.expect_code(0);
    trace_hash(done).expect("the run prints its trace hash")
}

#[test]
fn rv_58_run_that_only_continues_has_the_hash_of_the_plain_one() {
    let debuggee = demo();
    let mut gdb = debuggee.debug();
    assert_eq!(gdb.go("c"), "W00");
    assert_eq!(hash(&debuggee.finish(LIMIT)), system("demo").hash());
}

/// Gets past a breakpoint as GDB does: without it, alone, by one instruction.
fn step_over(gdb: &mut Client, thread: &str, at: u64) {
    gdb.order(&format!("z1,{at:x},4"));
    assert_eq!(
        gdb.go(&format!("s:{thread}")),
        format!("T05thread:{thread};")
    );
    gdb.order(&format!("Z1,{at:x},4"));
}

/// Looks at everything that can be looked at.
fn look_around(gdb: &mut Client) {
    for hart in [1, 2] {
        gdb.order(&format!("Hg{hart}"));
        // General registers, time, sip.
        for question in ["g", "pc42", "p185", "m80200000,100", "m10000005,1"] {
            assert!(!gdb.ask(question).is_empty());
        }
    }
    for command in ["irq", "time", "devices", "walk 80200000 1"] {
        let hex: String = command.bytes().map(|b| format!("{b:02x}")).collect();
        gdb.send(&packet(format!("qRcmd,{hex}").as_bytes()));
        while gdb.reply() != "OK" {}
    }
}

#[test]
fn rv_58_stops_of_two_harts_and_looking_around_leave_the_hash_alone() {
    let debuggee = demo();
    let mut gdb = debuggee.debug();
    let at = address("5traps6handle");
    gdb.order(&format!("Z1,{at:x},4"));
    let mut stops = [0, 0];
    loop {
        let told = gdb.go("c");
        if told == "W00" {
            break;
        }
        let hart = told
            .strip_prefix("T05thread:0")
            .and_then(|t| t.strip_suffix(";hwbreak:;"));
        let hart = hart.unwrap_or_else(|| panic!("{told}"));
        assert_eq!(gdb.pc(), at);
        let count = &mut stops[usize::from(hart == "2")];
        *count += 1;
        if *count % 8 == 1 {
            look_around(&mut gdb);
        }
        step_over(&mut gdb, &format!("0{hart}"), at);
    }
    assert!(stops.iter().all(|n| *n > 5), "{stops:?}");
    assert_eq!(hash(&debuggee.finish(LIMIT)), system("demo").hash());
}

#[test]
fn rv_58_watchpoints_leave_the_hash_alone() {
    let debuggee = demo();
    let mut gdb = debuggee.debug();
    // The registers of a disk, and a word of the program's code that nobody writes.
    gdb.order("Z4,10001000,100");
    gdb.order("Z2,80200000,4");
    let mut stops = 0;
    while gdb.go("c").contains("awatch:10001") {
        stops += 1;
    }
    assert!(stops > 20, "{stops}");
    assert_eq!(hash(&debuggee.finish(LIMIT)), system("demo").hash());
}

/// GDB with this script; it must end cleanly.
fn gdb(part: &Found, debuggee: &Debuggee, script: &[&str]) -> String {
    // What the monitor says comes on the other stream.
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]);
    command.arg(part.file("bin/gdb-multiarch"));
    command.args([
        "--batch",
        "--nx",
        "-ex",
        "set pagination off",
        "-ex",
        "set confirm off",
    ]);
    command.args(["-ex", "set architecture riscv:rv64"]);
    let connect = format!("target remote {}", debuggee.address());
    for line in [connect.as_str()].iter().chain(script) {
        command.args(["-ex", line]);
    }
    let done = child::run(command, &[], LIMIT);
    done.expect_code(0);
    done.stdout
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let Some((_, after)) = rest.split_once(word) else {
            panic!("no {word:?}, in its place, in:\n{text}");
        };
        rest = after;
    }
}

#[test]
fn rv_40_gdb_debugs_a_guest_on_two_harts() {
    let part = need!(gdb);
    let debuggee = demo();
    let (traps, print) = (address("5traps6handle"), address("7console5print17h"));
    let text = gdb(
        &part,
        &debuggee,
        &[
            "printf \"first %lx priv %d\\n\", $pc, $priv",
            "info threads",
            &format!("hbreak *{print:#x}"),
            "continue",
            "x/2i $pc",
            "stepi",
            "info registers sp a0 sstatus",
            "delete",
            &format!("break *{traps:#x}"),
            "continue",
            "printf \"cause %lx satp %d\\n\", $scause, ($satp >> 60) & 15",
            "monitor walk 80200000",
            "monitor irq",
            "info threads",
            "delete",
            "watch *(char *) 0x10000000",
            "p $fcsr",
            "set $t6 = $t6",
            "delete",
            "detach",
        ],
    );
    says(
        &text,
        &[
            "first 80200000 priv 1",
            "hart0 runs, S-mode",
            "hart1 is stopped",
            &format!("{print:#x}"),
            "=> ",
            "a0 ",
            "sstatus ",
            &format!("{traps:#x}"),
            "satp 8",
            "Sv39: 0x80200000",
            "level 2, entry at ",
            "leads to 0x80200000",
            "hart0: mip ",
            "PLIC: ",
            "hart1",
            "detached]",
        ],
    );
    let done = debuggee.finish(LIMIT);
    assert_eq!(hash(&done), system("demo").hash(), "{text}");
}

#[test]
fn rv_40_gdb_debugs_linux() {
    let part = need!(gdb);
    let _linux = need!(linux_riscv);
    let linux = Linux::new(2).type_in(&["grep ' vfs_read$' /proc/kallsyms", "exit"]);
    let plain = linux.run();
    let console = plain.console();
    let symbol = answers(&console)[0]
        .split_whitespace()
        .next()
        .expect("a line of kallsyms");
    let at = u64::from_str_radix(symbol, 16).expect("an address");

    let debuggee = Debuggee::start(Tool::new("gdb").arg(linux.file()));
    let text = gdb(
        &part,
        &debuggee,
        &[
            &format!("hbreak *{at:#x}"),
            "continue",
            "printf \"stop %lx priv %d mode %d\\n\", $pc, $priv, ($satp >> 60) & 15",
            "info threads",
            "x/2i $pc",
            "p/x $stvec",
            &format!("monitor walk {at:x}"),
            "monitor devices",
            "monitor time",
            "printf \"before %lx\\n\", $instret",
            "stepi",
            "printf \"after %lx\\n\", $pc",
            "delete",
            "detach",
        ],
    );
    says(
        &text,
        &[
            &format!("stop {at:x} priv 1 mode "),
            "hart0",
            "hart1",
            "=> ",
            "= 0xffffffff",
            &format!(": {at:#x}"),
            "level 2, entry at ",
            "leads to 0x8",
            "machine0.uart0",
            "source 10",
            "hart0: ",
            "before ",
            "after ",
            "detached]",
        ],
    );
    assert!(!text.contains(&format!("after {at:x}")), "no step: {text}");
    let done = debuggee.finish(LIMIT);
    assert_eq!(hash(&done), plain.hash(), "{text}");
}
