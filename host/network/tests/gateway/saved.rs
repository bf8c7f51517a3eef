//! The gateway as part of a snapshot.

use crate::outside::{FAR, connect};
use crate::peer::Bench;
use maquette_model::{Section, Sections, SimTime};
use maquette_network::{Gateway, Reply, Request, Requests, Setup};
use maquette_sim::Component;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::IpEndpoint;

fn saved(gateway: &Gateway) -> Sections {
    let mut sections = Sections::default();
    gateway.save(&mut sections).expect("always");
    sections
}

fn fresh() -> Gateway {
    Gateway::new(Setup {
        path: "gateway".to_owned(),
        outside: Some(Requests::default()),
    })
}

#[test]
fn saved_gateway_is_the_same_in_another_one() {
    let mut bench = Bench::with_address(false);
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(4000).expect("free");
    let to = IpEndpoint::new(FAR.into(), 53);
    socket.send_slice(b"x", to).expect("room");
    bench.peer().sockets.add(socket);
    bench.run_for(SimTime::from_ms(10));
    let sections = saved(bench.gateway());
    assert_ne!(sections, saved(&fresh()), "it has seen something");
    let mut other = fresh();
    let mut from = sections.clone();
    other.restore(&mut from).expect("it was saved alike");
    from.finish().expect("all was taken");
    assert_eq!(saved(&other), sections);
}

/// Saves everything and goes on from there; the guest outside the gateway stays as it is.
fn resume(bench: &mut Bench) {
    let sections = bench.serial.save().expect("everything can be saved");
    bench.serial.restore(sections).expect("it was saved alike");
}

fn state(bench: &mut Bench, handle: SocketHandle) -> tcp::State {
    bench.peer().socket::<tcp::Socket>(handle).state()
}

fn open(bench: &mut Bench, from: u16) -> SocketHandle {
    let handle = connect(bench, (FAR, 7), from);
    bench.until(|peer| peer.socket::<tcp::Socket>(handle).may_send().then_some(()));
    handle
}

/// Sends a byte and waits for its echo.
fn echo(bench: &mut Bench, handle: SocketHandle) {
    let socket = bench.peer().socket::<tcp::Socket>(handle);
    socket.send_slice(b"x").expect("it is open");
    bench.until(|peer| {
        let socket = peer.socket::<tcp::Socket>(handle);
        let mut byte = [0];
        (socket.recv_slice(&mut byte) == Ok(1)).then_some(())
    });
}

/// Opens connections in different states, goes on from a snapshot, opens a new one.
fn reset_by_a_resume() -> String {
    let mut bench = Bench::with_address(false);
    let quiet = open(&mut bench, 50_000);
    let spoken = open(&mut bench, 50_001);
    echo(&mut bench, spoken);
    bench.run_for(SimTime::from_ms(50));
    // Its answer to the second byte is on the cable.
    let busy = open(&mut bench, 50_002);
    echo(&mut bench, busy);
    bench.world.mute = true;
    let asked = connect(&mut bench, (FAR, 7), 50_003);
    bench.run_for(SimTime::from_ms(2));
    let all = [quiet, spoken, busy, asked];
    assert_eq!(state(&mut bench, asked), tcp::State::SynSent);
    assert_eq!(bench.gateway().connections(), 4);

    resume(&mut bench);
    let both = |g: &Gateway| (g.connections(), g.connections_to_reset());
    assert_eq!(both(bench.gateway()), (0, 4));
    assert_eq!(state(&mut bench, quiet), tcp::State::Established);
    // Once more before anything has happened: nothing is forgotten.
    resume(&mut bench);
    assert_eq!(both(bench.gateway()), (0, 4));
    bench.run_for(SimTime::from_ms(1));
    assert_eq!(both(bench.gateway()), (0, 0));
    for handle in all {
        assert_eq!(state(&mut bench, handle), tcp::State::Closed);
    }

    bench.world.mute = false;
    let fresh = open(&mut bench, 50_004);
    echo(&mut bench, fresh);
    bench.serial.finish().to_string()
}

#[test]
fn rv_68_open_connections_of_a_snapshot_are_reset_and_new_ones_work() {
    assert_eq!(reset_by_a_resume(), reset_by_a_resume());
}

#[test]
fn rv_68_guest_whose_window_is_full_learns_of_the_reset() {
    let mut bench = Bench::with_address(false);
    let handle = open(&mut bench, 50_000);
    let Some(Request::Connect { id, .. }) = bench.world.asked.first().cloned() else {
        panic!("{:?}", bench.world.asked);
    };
    // More than it has room for; and time enough to be asked whether it has.
    let bytes = vec![1; 60_000];
    bench.world.replies.push_back(Reply::Data { id, bytes });
    bench.run_for(SimTime::from_ms(20_000));
    resume(&mut bench);
    bench.run_for(SimTime::from_ms(1));
    assert_eq!(state(&mut bench, handle), tcp::State::Closed);
}

#[test]
fn gateway_that_an_older_version_saved_is_restored() {
    let bench = Bench::with_address(false);
    let now = saved(bench.gateway());
    let (path, section) = now.iter().next().expect("there is one");
    // Guest, numbers, a wake if there is one, three counts, and then the fragments.
    let wake = usize::from(section.payload[11]) * 9;
    let fragments = 1 + 6 + 4 + 1 + wake + 3 * 8;
    let mut second = section.payload.clone();
    second.drain(fragments..fragments + 8);
    let (first, connections) = second.split_at(second.len() - 8);
    assert_eq!(connections, [0; 8]);
    let old = |version, payload: &[u8]| {
        let mut sections = Sections::default();
        let section = Section {
            kind: section.kind.clone(),
            version,
            payload: payload.to_vec(),
        };
        sections.insert(path, section).expect("the only one");
        sections
    };
    for (version, payload) in [(1, first), (2, &second)] {
        let mut other = fresh();
        let restored = other.restore(&mut old(version, payload));
        restored.expect("it is still read");
        assert_eq!(saved(&other), now);
    }
    let refused = |version, payload| fresh().restore(&mut old(version, payload));
    refused(2, first).expect_err("it says how many connections");
    refused(3, &second).expect_err("it says how many fragments");
}

#[test]
fn damaged_connections_of_a_snapshot_are_refused() {
    let mut bench = Bench::with_address(false);
    open(&mut bench, 50_000);
    let now = saved(bench.gateway());
    let (path, section) = now.iter().next().expect("there is one");
    let entry = section.payload.len() - 1 - 2 * 6 - 3 * 5;
    let altered = |at: usize, byte: u8| {
        let mut section = section.clone();
        section.payload[at] = byte;
        let mut sections = Sections::default();
        sections.insert(path, section).expect("the only one");
        fresh().restore(&mut sections)
    };
    assert_eq!(section.payload[entry - 8], 1, "one connection");
    altered(entry, 1).expect("as it was");
    for (at, byte) in [
        (entry, 2),
        (entry, 0),
        (entry + 13, 2),
        (entry - 8, 65),
        (entry - 8, 2),
    ] {
        altered(at, byte).expect_err("damaged");
    }
}
