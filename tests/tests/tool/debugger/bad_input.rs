//! rv_55: whatever comes over the debugger's socket, the machine goes on or the run ends cleanly.

use super::{LIMIT, debug};
use crate::bench::{Bench, refused, says};
use crate::elf;
use maquette_tests::debuggee::{Client, Debuggee, packet};
use maquette_tests::seeds;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// The machine goes on to its end.
#[track_caller]
fn goes_on(debuggee: Debuggee) {
    let done = debuggee.finish(LIMIT);
    done.expect_code(0);
    assert_eq!(done.stdout, "hi\n");
    says(&done, &[]);
}

#[track_caller]
fn detach(mut gdb: Client) {
    gdb.order("D");
}

#[test]
fn rv_55_garbage_before_and_between_packets_is_skipped() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut raw = debuggee.connect();
    raw.write_all(b"GET / HTTP/1.1\r\n\r\n\x00\xff+-+-")
        .expect("the tool reads");
    raw.write_all(&packet(b"?")).expect("the tool reads");
    let mut answer = [0; 18];
    raw.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"+$T05thread:01;#07");
    raw.write_all(&packet(b"D")).expect("the tool reads");
    goes_on(debuggee);
}

#[test]
fn rv_55_packet_with_a_wrong_checksum_is_asked_for_again() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut raw = debuggee.connect();
    raw.write_all(b"$D#00").expect("the tool reads");
    let mut answer = [0];
    raw.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"-");
    raw.write_all(&packet(b"D")).expect("the tool reads");
    goes_on(debuggee);
}

#[test]
fn rv_55_packet_that_is_too_long_or_asks_for_too_much_is_refused_in_words() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut gdb = debuggee.debug();
    gdb.send(&packet(&vec![b'm'; 300_000]));
    assert_eq!(gdb.reply(), "E.the packet is too long");
    let answer = gdb.ask("m80000000,ffffffffffffffff");
    assert_eq!(answer, "E.that is too much memory at once");
    assert_eq!(gdb.pc(), elf::RAM);
    detach(gdb);
    goes_on(debuggee);
}

#[test]
fn rv_55_packet_that_contradicts_itself_or_names_no_hart_is_refused_and_changes_nothing() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut gdb = debuggee.debug();
    for write in [
        "M80100000,2:11",
        "M80100000,1:1122",
        "X80100000,2:a",
        "X80100000,1:ab",
    ] {
        let told = gdb.ask(write);
        assert!(told.starts_with("E.the length"), "{write}: {told}");
    }
    assert_eq!(gdb.ask("m80100000,2"), "0000");
    for of_hart_99 in ["Hg63", "Hc63", "vCont;c:63", "vCont;s:63;c", "T63"] {
        let told = gdb.ask(of_hart_99);
        assert!(
            told.starts_with("E.there is no such hart"),
            "{of_hart_99}: {told}"
        );
    }
    for malformed in ["m8000", "Z0,80000000", "vCont;q", "P20", "qRcmd,zz"] {
        assert_eq!(
            gdb.ask(malformed),
            "E.the packet is malformed",
            "{malformed}"
        );
    }
    assert_eq!(gdb.pc(), elf::RAM);
    detach(gdb);
    goes_on(debuggee);
}

#[test]
fn rv_55_connection_that_ends_inside_a_packet_lets_the_machine_go_on() {
    for cut in [
        &b""[..],
        b"$",
        b"$m8000",
        b"$m80000000,4#",
        b"$m80000000,4#a",
    ] {
        let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
        let mut raw = debuggee.connect();
        raw.write_all(cut).expect("the tool reads");
        drop(raw);
        goes_on(debuggee);
    }
}

#[test]
fn rv_55_second_debugger_is_refused_in_words_and_the_first_goes_on() {
    let (_bench, debuggee) = debug(&elf::says("hi\n"), 1);
    let mut gdb = debuggee.debug();
    assert_eq!(gdb.ask("?"), "T05thread:01;");
    let mut second = debuggee.connect();
    let mut words = String::new();
    second
        .read_to_string(&mut words)
        .expect("words, and the end");
    assert_eq!(words, "+$E.another debugger is attached#23");
    assert_eq!(gdb.pc(), elf::RAM);
    detach(gdb);
    goes_on(debuggee);
}

#[test]
fn rv_55_address_that_is_taken_or_none_is_a_set_up_error() {
    let bench = Bench::with(&elf::says("hi\n").file(), "");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    let file = format!("unix:{}", bench.put("other", b"precious").display());
    let cases: [(&str, &str); 6] = [
        ("nonsense", "is no address"),
        ("unix:", "is no address"),
        ("127.0.0.1:99999", "--listen"),
        ("unix:/no/such/folder/socket", "No such file"),
        (&file, "a file of that name, and no socket"),
        ("203.0.113.1:1234", "the host refuses"),
    ];
    let _keep = TcpListener::bind(&taken);
    for (address, words) in cases {
        let done = bench.tool("gdb").arg("--listen").arg(address).finish();
        refused(&done, &[words]);
    }
}

#[test]
fn rv_55_port_that_is_taken_is_named() {
    let bench = Bench::with(&elf::says("hi\n").file(), "");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let done = bench.tool("gdb").arg("--listen").arg(&address).finish();
    done.expect_code(1);
    says(&done, &[&address, "in use", "port 0"]);
}

#[test]
fn rv_55_signal_ends_a_run_that_waits_for_a_debugger_or_stands_still() {
    for attached in [false, true] {
        let (_bench, debuggee) = debug(&elf::spins(), 1);
        let gdb = attached.then(|| debuggee.debug());
        kill_process(Pid::from_child(debuggee.process()), Signal::TERM).expect("the signal");
        let done = debuggee.finish(LIMIT);
        done.expect_code(143);
        says(&done, &["ended by SIGTERM"]);
        drop(gdb);
    }
}

#[test]
fn rv_55_signal_before_a_debugger_came_is_no_failure_of_the_guest() {
    let more = "[expect]\nconsole = [\"hi\"]";
    let bench = Bench::with(&elf::says("hi\n").file(), more);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let debuggee = Debuggee::start(bench.tool("gdb"));
        kill_process(Pid::from_child(debuggee.process()), signal).expect("the signal");
        let done = debuggee.finish(LIMIT);
        done.expect_code(code);
        says(
            &done,
            &["maquette: signal: ended by SIG", "; 0 instructions"],
        );
        assert!(
            !done.stderr.contains("guest failure"),
            "{}",
            done.describe()
        );
        assert_eq!(done.stdout, "");
    }
}

/// Runs a guest with a debugger at `socket`, which lets it go when `meanwhile` is over.
fn run_at(bench: &Bench, socket: &Path, meanwhile: impl FnOnce()) {
    let mut command = bench
        .tool("gdb")
        .arg("--listen")
        .arg(format!("unix:{}", socket.display()))
        .command();
    let mut child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the tool");
    let mut stderr = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stderr, &mut line).expect("a line");
    let mut gdb = UnixStream::connect(socket).expect("it listens");
    meanwhile();
    gdb.write_all(&packet(b"D")).expect("the tool reads");
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn rv_55_unix_socket_is_taken_away_at_the_end_and_a_stale_one_is_replaced() {
    let bench = Bench::with(&elf::says("hi\n").file(), "");
    let socket = bench.path("gdb.sock");
    // A listener that is gone leaves its name.
    drop(UnixListener::bind(&socket).expect("a socket"));
    assert!(socket.exists());
    run_at(&bench, &socket, || ());
    assert!(!socket.exists());
}

#[test]
fn rv_55_what_took_the_place_of_the_unix_socket_is_left_alone() {
    let bench = Bench::with(&elf::says("hi\n").file(), "");
    let socket = bench.path("gdb.sock");
    run_at(&bench, &socket, || {
        fs::remove_file(&socket).expect("the socket");
        fs::write(&socket, "mine").expect("a file");
    });
    assert_eq!(fs::read_to_string(&socket).expect("the file"), "mine");
    fs::remove_file(&socket).expect("the file");
    // Another program's socket too.
    let mut other = None;
    run_at(&bench, &socket, || {
        fs::remove_file(&socket).expect("the socket");
        other = Some(UnixListener::bind(&socket).expect("a socket"));
    });
    assert!(UnixStream::connect(&socket).is_ok(), "it is listened at");
}

#[test]
fn rv_55_unix_socket_that_somebody_listens_at_is_a_set_up_error() {
    let bench = Bench::with(&elf::says("hi\n").file(), "");
    let socket = bench.path("gdb.sock");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let address = format!("unix:{}", socket.display());
    let done = bench.tool("gdb").arg("--listen").arg(&address).finish();
    done.expect_code(1);
    says(&done, &[&address, "in use", "name another socket"]);
    assert!(socket.exists());
    drop(listener);
}

/// Packets that mean something, cut and altered; none that kills or harms the program.
fn odd_packet(state: &mut u64) -> Vec<u8> {
    let mut next = |n: usize| {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as usize % n
    };
    const WORDS: [&str; 30] = [
        "g",
        "G00",
        "p20",
        "p",
        "P20=",
        "P20=00",
        "m80100000,4",
        "m,",
        "mffffffffffffffff,10",
        "M80100000,4:00",
        "M80100000,ffffffff:00",
        "X80100000,2:}]",
        "Z0,80100000,4",
        "Z2,80100000,0",
        "z9,0,0",
        "vCont",
        "vCont?",
        "vCont;c:9",
        "vCont;s",
        "vCont;r5,4:1",
        "vCont;t",
        "Hg9",
        "Hc-1",
        "T0",
        "qfThreadInfo",
        "qThreadExtraInfo,9",
        "qXfer:features:read:target.xml:ffffffff,ffff",
        "qXfer:features:read:x:0,10",
        "qRcmd,zz",
        "qSupported:multiprocess+;xx",
    ];
    let mut body = WORDS[next(WORDS.len())].as_bytes().to_vec();
    if next(2) == 0 && !body.is_empty() {
        body.truncate(1 + next(body.len()));
    }
    if next(3) == 0 {
        let at = 1 + next(body.len());
        body.insert(at.min(body.len()), b" ,:;=0f\xff}"[next(9)]);
    }
    packet(&body)
}

#[test]
fn rv_55_any_sequence_of_odd_packets_leaves_the_machine_in_order() {
    let (_bench, debuggee) = debug(&elf::spins(), 2);
    for seed in seeds(40) {
        let mut raw = debuggee.connect();
        let mut state = seed;
        for _ in 0..25 {
            // The debugger before may not have been noticed to be gone: this one is refused then.
            if raw.write_all(&odd_packet(&mut state)).is_err() {
                break;
            }
        }
        // Whatever came of it, the next debugger is served.
        drop(raw);
    }
    let mut gdb = reconnect(&debuggee);
    assert_eq!(gdb.ask("qfThreadInfo"), "m01,02");
    gdb.send(&packet(b"k"));
    let done = debuggee.finish(LIMIT);
    done.expect_code(0);
    says(&done, &["ended by the debugger"]);
}

/// A debugger; the one before may still be noticed to be gone.
fn reconnect(debuggee: &Debuggee) -> Client {
    loop {
        let mut raw = debuggee.connect();
        raw.write_all(&packet(b"?")).expect("the tool reads");
        let mut first = [0; 3];
        if raw.read_exact(&mut first).is_ok() && &first == b"+$T" {
            return Client::resumed(raw);
        }
    }
}
