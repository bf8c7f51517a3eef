//! Linux on a network: another machine, the gateway, and the host's own network behind it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::thread;

use maquette_tests::need;
use maquette_tests::tool::{Tool, trace_hash};

use crate::linux::{Linux, answers, sha256};
use crate::ran::{LIMIT, folder, noise, plain, system, system_with};

/// What one machine of several has printed.
fn of<'a>(console: &'a str, machine: &str) -> Vec<&'a str> {
    let label = format!("[{machine}] ");
    let lines = console.lines().filter_map(|line| line.strip_prefix(&label));
    lines.collect()
}

#[test]
fn rv_61_two_linux_machines_ping_each_other_and_copy_16_mib() {
    let _linux = need!(linux_riscv);
    let ran = system("two-linux").clean();
    let console = ran.console();
    let bytes: Vec<u8> = (0..(16u64 << 20) / 8).flat_map(u64::to_le_bytes).collect();
    let sum = sha256(&bytes);
    let (a, b) = (of(&console, "a"), of(&console, "b"));
    let has = |lines: &[&str], text: &str| lines.iter().any(|line| line.contains(text));
    assert!(
        has(&a, "3 packets transmitted, 3 packets received"),
        "{console}"
    );
    assert!(has(&a, &format!("{sum}  /dev/vda")), "{console}");
    assert!(has(&b, &format!("{sum}  /copy")), "{console}");
    assert_eq!(
        a.len() + b.len(),
        console.lines().count(),
        "each line is somebody's"
    );
    // Both devices, and what one sent the other received.
    let count = |machine: usize, what: &str| {
        let counters = ran.stats["machines"][machine]["device_counters"].as_object();
        let counters = counters.expect("counters").iter();
        let those = counters.filter(|(name, _)| name.ends_with(what));
        those.filter_map(|(_, count)| count.as_u64()).sum::<u64>()
    };
    assert!(count(0, ".frames_sent") > (16 << 20) / 1500);
    let lost = count(1, ".received_frames_dropped");
    assert_eq!(
        count(1, ".frames_received") + lost,
        count(0, ".frames_sent")
    );
    assert_eq!(ran.stats["level"], "deterministic");

    let again = system("two-linux").clean();
    assert_eq!(again.hash(), ran.hash());
    assert_eq!(again.run.stdout, ran.run.stdout);
}

#[test]
fn rv_61_ipv6_and_its_fragments_pass_a_link() {
    let _linux = need!(linux_riscv);
    let up = "script.0.send=\"ip link set eth0 up; sleep 3; echo up\\n\"";
    // Addresses of the link, made from those of the devices (RFC 4291 §2.5.6).
    let ping = "ping -6 -c 2 -s 4000 -I eth0 fe80::ff:fe00:b; ip -6 neigh";
    let ran = system_with(
        "two-linux",
        &[
            "machine.0.device.0.mac=\"02:00:00:00:00:0a\"",
            "machine.1.device.0.mac=\"02:00:00:00:00:0b\"",
            &format!("machine.0.console.{up}"),
            &format!("machine.1.console.{up}"),
            &format!("machine.0.console.script.1.send=\"{ping}\\n\""),
            "machine.0.console.script.2.send=\"echo done\\n\"",
            "machine.1.console.script.1.send=\"sleep 5\\n\"",
            "machine.0.expect.console=[\"2 packets received, 0% packet loss\"]",
            "machine.1.expect.console=[]",
        ],
    )
    .clean();
    let console = ran.console();
    let lines = of(&console, "a");
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has("4008 bytes from fe80::ff:fe00:b"), "{console}");
    assert!(has("lladdr 02:00:00:00:00:0b"), "{console}");
}

#[test]
fn rv_62_linux_gets_its_address_and_pings_the_gateway() {
    let _linux = need!(linux_riscv);
    let ran = system("net-user").clean();
    let console = ran.console();
    for text in [
        "inet 10.0.2.15/24",
        "default via 10.0.2.2 dev eth0",
        "nameserver 10.0.2.3",
        "can't find example.org: NXDOMAIN",
    ] {
        assert!(console.contains(text), "{text}: {console}");
    }
    assert_eq!(ran.stats["level"], "deterministic");
    let again = system("net-user").clean();
    assert_eq!(again.hash(), ran.hash());
    assert_eq!(again.run.stdout, ran.run.stdout);
}

/// Linux with an address of a user network that reaches the host's.
fn on_the_hosts_network(more: &str, commands: &[&str]) -> Linux {
    let device = format!("[[device]]\ntype = \"virtio-net\"\nbackend = \"user\"\n{more}");
    let linux = Linux::new(1).with(&device);
    linux.type_in(&["udhcpc -q -n -i eth0"]).type_in(commands)
}

#[test]
fn rv_63_linux_reaches_servers_of_the_host_over_tcp_and_udp() {
    let _linux = need!(linux_riscv);
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let nobody = free.local_addr().expect("bound").port();
    drop(free);
    let [at, at_udp] = [tcp.local_addr(), udp.local_addr()].map(|at| at.expect("bound").port());
    // Takes everything, then says it back twice.
    let server = thread::spawn(move || {
        let (mut peer, _) = tcp.accept().expect("a connection");
        let mut all = Vec::new();
        peer.read_to_end(&mut all).expect("the guest finishes");
        peer.write_all(&all).expect("it listens");
        peer.write_all(&all).expect("it listens");
        all
    });
    // Answers a question for a name: there is no such name (RFC 1035 §4.1.1).
    let names = thread::spawn(move || {
        let mut question = [0; 512];
        let (len, from) = udp.recv_from(&mut question).expect("a question");
        question[2] |= 0x80;
        question[3] = question[3] & 0xf0 | 3;
        udp.send_to(&question[..len], from).expect("an answer");
    });
    let sent: String = (1..=60_000).map(|n| format!("{n}\n")).collect();
    let ran = on_the_hosts_network(
        "",
        &[
            &format!("seq 1 60000 | nc 10.0.2.2 {at} | sha256sum"),
            &format!("nslookup -port={at_udp} -type=a far.example 10.0.2.2"),
            &format!("nc 10.0.2.2 {nobody} < /dev/null || echo refused"),
            "exit",
        ],
    )
    .run();
    assert!(server.join().expect("served") == sent.as_bytes());
    names.join().expect("answered");
    let console = ran.console();
    let answers = answers(&console);
    assert_eq!(
        answers[1],
        format!("{}  -", sha256(sent.repeat(2).as_bytes()))
    );
    assert!(
        answers[2].contains("can't find far.example: NXDOMAIN"),
        "{}",
        answers[2]
    );
    assert!(answers[3].ends_with("refused"), "{}", answers[3]);
    assert_eq!(ran.stats["level"], "replayable");
    // Both servers are gone; the recording knows what they said.
    let again = ran.replay();
    assert_eq!(trace_hash(&again), Some(ran.hash()), "{}", again.describe());
    assert_eq!(again.stdout, ran.run.stdout);
}

#[test]
fn rv_68_connection_that_a_snapshot_holds_is_reset_and_a_new_one_works() {
    let _linux = need!(linux_riscv);
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let [silent, kind] = [bind(), bind()];
    let [to_silent, to_kind] = [&silent, &kind].map(|l| l.local_addr().expect("bound").port());
    // Says nothing until the guest is gone.
    let holding = thread::spawn(move || {
        let (mut peer, _) = silent.accept().expect("a connection");
        let _ = peer.read_to_end(&mut Vec::new());
    });
    let answering = thread::spawn(move || {
        let (mut peer, _) = kind.accept().expect("a connection");
        peer.write_all(b"welcome back\n").expect("it listens");
    });
    let get = format!("wget -O- http://10.0.2.2:{to_silent}/ & sleep 1; echo is' 'open; wait");
    let again = format!("nc 10.0.2.2 {to_kind}; echo got' 'it");
    let linux = on_the_hosts_network("", &[&get, &again, "exit"]);
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let stop_at = |tool: Tool, name: &str, text: &str| {
        let tool = tool.arg("--snapshot").arg(at(name)).arg("--when").arg(text);
        let run = tool.arg("--stop").limit(LIMIT).finish();
        (run.stderr.contains("connections to the host"), run)
    };
    let (told, run) = stop_at(Tool::run(linux.file()), "open", "is open");
    assert!(!told, "{}", run.describe());
    holding.join().expect("the guest is gone");

    // Up to the reset nothing comes from outside.
    let resume = || Tool::new("resume").arg(at("open"));
    let hashes = ["once", "twice"].map(|name| {
        let (told, run) = stop_at(resume(), name, "Connection reset by peer");
        assert!(told, "{}", run.describe());
        trace_hash(&run).unwrap_or_else(|| panic!("{}", run.describe()))
    });
    assert_eq!(hashes[0], hashes[1]);

    let run = resume().limit(LIMIT).finish();
    run.expect_code(0);
    answering.join().expect("answered");
    let console = plain(&run.stdout);
    for text in ["Connection reset by peer", "welcome back\ngot it"] {
        assert!(console.contains(text), "{text}: {console}");
    }
}

#[test]
fn rv_64_forwarded_port_of_the_host_leads_into_linux() {
    let _linux = need!(linux_riscv);
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let bytes = noise(64, 300_000);
    let content = bytes.clone();
    let client = thread::spawn(move || {
        // Until the run listens, and then until the guest does.
        loop {
            let Ok(mut peer) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                thread::yield_now();
                continue;
            };
            let mut answer = String::new();
            let done = peer.write_all(&content).is_ok()
                && peer.shutdown(Shutdown::Write).is_ok()
                && peer.read_to_string(&mut answer).is_ok();
            if done && answer == "taken\n" {
                return;
            }
        }
    });
    let forward = format!("forward = [\"tcp:127.0.0.1:{port}:7000\"]");
    let commands = ["echo taken | nc -l -p 7000 | sha256sum", "exit"];
    let ran = on_the_hosts_network(&forward, &commands).run();
    client.join().expect("it got through");
    let console = plain(&ran.run.stdout);
    assert_eq!(answers(&console)[1], format!("{}  -", sha256(&bytes)));
}
