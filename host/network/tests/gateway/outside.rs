//! Connections and datagrams that leave, and connections that come in.

use crate::peer::Bench;
use maquette_model::SimTime;
use maquette_network::{GATEWAY_IP, Reply, Request, WINDOW};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{IpEndpoint, Ipv4Address};

pub const FAR: Ipv4Address = Ipv4Address::new(192, 0, 2, 1);

fn new_socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; 30_000]);
    tcp::Socket::new(buffer(), buffer())
}

pub fn connect(bench: &mut Bench, to: (Ipv4Address, u16), from: u16) -> SocketHandle {
    let peer = bench.peer();
    let handle = peer.sockets.add(new_socket());
    let socket = peer.sockets.get_mut::<tcp::Socket>(handle);
    socket
        .connect(peer.interface.context(), to, from)
        .expect("a free port");
    handle
}

/// Bytes without a short period.
fn noise(len: usize) -> Vec<u8> {
    let mut x = 1_u32;
    let next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Sends everything, closes, and collects what comes back until the other side closes too.
fn exchange(bench: &mut Bench, handle: SocketHandle, bytes: &[u8]) -> Vec<u8> {
    let (mut sent, mut got) = (0, Vec::new());
    bench.until(|peer| {
        let socket = peer.socket::<tcp::Socket>(handle);
        if socket.can_send() && sent < bytes.len() {
            sent += socket.send_slice(&bytes[sent..]).expect("open");
            if sent == bytes.len() {
                socket.close();
            }
        }
        while socket.can_recv() {
            socket
                .recv(|part| {
                    got.extend_from_slice(part);
                    (part.len(), ())
                })
                .expect("open");
        }
        (sent == bytes.len() && !socket.may_recv()).then_some(())
    });
    got
}

#[test]
fn rv_63_stream_carries_every_byte_both_ways_and_closes() {
    let mut bench = Bench::with_address(false);
    let handle = connect(&mut bench, (FAR, 7), 50_000);
    let bytes = noise(300_000);
    assert_eq!(exchange(&mut bench, handle, &bytes), bytes);
    assert_eq!(
        bench.world.asked[0],
        Request::Connect {
            id: bench_id(&bench),
            to: (FAR, 7)
        }
    );
    bench.run_for(SimTime::from_ms(100));
    assert_eq!(bench.gateway().connections(), 0);
    assert!(matches!(
        bench.world.asked.last(),
        Some(Request::Close { .. })
    ));
    assert_eq!(bench.serial.trace().level().to_string(), "replayable");
}

fn bench_id(bench: &Bench) -> u32 {
    match bench.world.asked[0] {
        Request::Connect { id, .. } => id,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn rv_63_stream_that_the_outside_refuses_is_refused_and_not_opened() {
    let mut bench = Bench::with_address(false);
    let handle = connect(&mut bench, (FAR, 9), 50_000);
    let mut opened = false;
    bench.until(|peer| {
        let state = peer.socket::<tcp::Socket>(handle).state();
        opened |= state == tcp::State::Established;
        (state == tcp::State::Closed).then_some(())
    });
    assert!(!opened);
    assert_eq!(bench.gateway().connections(), 0);
}

#[test]
fn rv_63_guest_that_sends_to_a_slow_outside_is_held_back() {
    let mut bench = Bench::with_address(false);
    let handle = connect(&mut bench, (FAR, 7), 50_000);
    bench.until(|peer| peer.socket::<tcp::Socket>(handle).may_send().then_some(()));
    bench.world.mute = true;
    let bytes = noise(1_000_000);
    let mut sent = 0;
    for _ in 0..2000 {
        bench.run_for(SimTime::from_ms(1));
        let socket = bench.peer().socket::<tcp::Socket>(handle);
        if socket.can_send() {
            sent += socket.send_slice(&bytes[sent..]).expect("open");
        }
    }
    let asked = bench.world.asked.iter().map(|request| match request {
        Request::Send { bytes, .. } => bytes.len(),
        _ => 0,
    });
    let outside: usize = asked.sum();
    assert_eq!(outside, WINDOW, "no more than was promised");
    assert!(sent < 3 * WINDOW, "{sent}");
}

#[test]
fn rv_63_datagrams_come_back_to_the_port_that_sent_them() {
    let mut bench = Bench::with_address(false);
    let handles: Vec<SocketHandle> = (0..3)
        .map(|i| {
            let buffer =
                || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
            let mut socket = udp::Socket::new(buffer(), buffer());
            socket.bind(4000 + i).expect("free");
            socket
                .send_slice(
                    &[u8::try_from(i).expect("small"); 100],
                    IpEndpoint::new(FAR.into(), 53),
                )
                .expect("room");
            bench.peer().sockets.add(socket)
        })
        .collect();
    for (i, handle) in handles.into_iter().enumerate() {
        let (bytes, from) = bench.until(|peer| {
            let (bytes, meta) = peer.socket::<udp::Socket>(handle).recv().ok()?;
            Some((bytes.to_vec(), meta.endpoint))
        });
        assert_eq!(bytes, [u8::try_from(i).expect("small"); 100]);
        assert_eq!(from, IpEndpoint::new(FAR.into(), 53));
    }
}

#[test]
fn rv_63_silent_flows_make_room_for_new_ones() {
    let mut bench = Bench::with_address(false);
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 200], vec![0; 40_000]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(4000).expect("free");
    for port in 1000..1100 {
        let to = IpEndpoint::new(FAR.into(), port);
        socket.send_slice(b"x", to).expect("room");
    }
    bench.peer().sockets.add(socket);
    bench.run_for(SimTime::from_ms(500));
    let closed = |r: &&Request| matches!(r, Request::Close { .. });
    assert_eq!(bench.world.asked.iter().filter(closed).count(), 100 - 64);
}

#[test]
fn rv_64_connection_from_outside_reaches_the_guests_port() {
    let mut bench = Bench::with_address(false);
    let mut socket = new_socket();
    socket.listen(22).expect("free");
    let handle = bench.peer().sockets.add(socket);
    bench
        .world
        .replies
        .push_back(Reply::Accepted { id: 1, port: 22 });
    let bytes = b"from outside".to_vec();
    bench.world.replies.push_back(Reply::Data { id: 1, bytes });
    let mut got = Vec::new();
    bench.until(|peer| {
        let socket = peer.socket::<tcp::Socket>(handle);
        while socket.can_recv() {
            socket
                .recv(|part| {
                    got.extend_from_slice(part);
                    (part.len(), ())
                })
                .expect("open");
        }
        (got == b"from outside").then_some(())
    });
    let socket = bench.peer().socket::<tcp::Socket>(handle);
    let from = socket.remote_endpoint().expect("connected");
    assert_eq!(from.addr, GATEWAY_IP.into());
    socket.send_slice(b"from inside").expect("open");
    bench.run_for(SimTime::from_ms(10));
    let sent = |r: &Request| matches!(r, Request::Send { id: 1, bytes } if bytes == b"from inside");
    assert!(bench.world.asked.iter().any(sent));
}

#[test]
fn rv_64_datagrams_from_outside_reach_the_guests_port_and_answers_their_senders() {
    let mut bench = Bench::with_address(false);
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 80], vec![0; 4096]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(53).expect("free");
    let handle = bench.peer().sockets.add(socket);
    // Two peers take turns; flows of the guest's own have even numbers.
    let ids = [1, 3, 1, 3];
    for (id, bytes) in ids.into_iter().zip([b"a", b"b", b"c", b"d"]) {
        let (port, bytes) = (53, bytes.to_vec());
        let reply = Reply::Arrived { id, port, bytes };
        bench.world.replies.push_back(reply);
    }
    let mut got = Vec::new();
    bench.until(|peer| {
        let socket = peer.socket::<udp::Socket>(handle);
        while let Ok((bytes, meta)) = socket.recv() {
            got.push((bytes[0], meta.endpoint));
        }
        (got.len() == 4).then_some(())
    });
    let text: Vec<u8> = got.iter().map(|(byte, _)| *byte).collect();
    assert_eq!(text, b"abcd");
    let from = got.iter().map(|(_, from)| *from).collect::<Vec<_>>();
    assert!(from.iter().all(|from| from.addr == GATEWAY_IP.into()));
    assert_eq!((from[0], from[1]), (from[2], from[3]));
    assert_ne!(from[0].port, from[1].port);
    bench.world.mute = true;
    let socket = bench.peer().socket::<udp::Socket>(handle);
    socket.send_slice(b"to b", from[1]).expect("room");
    bench.run_for(SimTime::from_ms(10));
    let sent =
        |r: &Request| matches!(r, Request::Datagram { id: 3, bytes, .. } if bytes == b"to b");
    assert!(
        bench.world.asked.iter().any(sent),
        "{:?}",
        bench.world.asked
    );

    // As many peers as flows are possible, and more: the most silent are forgotten.
    for id in 0..70 {
        let (id, port, bytes) = (5 + 2 * id, 53, vec![0]);
        let reply = Reply::Arrived { id, port, bytes };
        bench.world.replies.push_back(reply);
    }
    bench.run_for(SimTime::from_ms(100));
    let closed = bench
        .world
        .asked
        .iter()
        .filter_map(|request| match request {
            Request::Close { id } => Some(*id),
            _ => None,
        });
    assert_eq!(closed.collect::<Vec<_>>(), [1, 3, 5, 7, 9, 11, 13, 15]);
}

#[test]
fn rv_64_connection_to_a_port_where_the_guest_has_nobody_is_closed() {
    let mut bench = Bench::with_address(false);
    bench
        .world
        .replies
        .push_back(Reply::Accepted { id: 1, port: 22 });
    // The first refusal is lost while the guest asks who the gateway is.
    bench.run_for(SimTime::from_ms(5000));
    assert_eq!(bench.world.asked, [Request::Close { id: 1 }]);
    assert_eq!(bench.gateway().connections(), 0);
}
