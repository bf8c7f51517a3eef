//! What the gateway answers by itself.

use crate::peer::{Bench, Peer};
use maquette_network::{GATEWAY_IP, GUEST_IP, RESOLVER_IP};
use smoltcp::iface::SocketHandle;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{dns, icmp, tcp};
use smoltcp::wire::{DnsQueryType, Icmpv4Packet, Icmpv4Repr, IpAddress, Ipv4Address};

#[test]
fn rv_62_client_gets_its_address_router_and_resolver() {
    let mut bench = Bench::new(true);
    let (address, servers) = bench.until(Peer::lease);
    assert_eq!(address.address(), GUEST_IP);
    assert_eq!(address.prefix_len(), 24);
    assert_eq!(servers, [RESOLVER_IP]);
}

fn ping(bench: &mut Bench, to: Ipv4Address, data: &[u8]) -> Option<Vec<u8>> {
    let buffer = || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; 4], vec![0; 8192]);
    let mut socket = icmp::Socket::new(buffer(), buffer());
    socket.bind(icmp::Endpoint::Ident(77)).expect("free");
    let echo = Icmpv4Repr::EchoRequest {
        ident: 77,
        seq_no: 5,
        data,
    };
    let mut bytes = vec![0; echo.buffer_len()];
    echo.emit(
        &mut Icmpv4Packet::new_unchecked(&mut bytes[..]),
        &ChecksumCapabilities::default(),
    );
    socket.send_slice(&bytes, to.into()).expect("room");
    let handle = bench.peer().sockets.add(socket);
    // The other stack asks for no more than one Ethernet address a second.
    for _ in 0..3000 {
        bench.run_for(maquette_model::SimTime::from_ms(1));
        let socket = bench.peer().socket::<icmp::Socket>(handle);
        if let Ok((answer, from)) = socket.recv() {
            assert_eq!(from, IpAddress::from(to));
            let packet = Icmpv4Packet::new_checked(answer).expect("whole");
            let repr = Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default());
            let Ok(Icmpv4Repr::EchoReply {
                ident: 77,
                seq_no: 5,
                data,
            }) = repr
            else {
                panic!("{repr:?}");
            };
            let data = data.to_vec();
            bench.peer().sockets.remove(handle);
            return Some(data);
        }
    }
    None
}

#[test]
fn rv_62_gateway_and_resolver_answer_pings_and_others_do_not() {
    let mut bench = Bench::with_address(true);
    let data: Vec<u8> = (0..1400_u16).map(|i| i.to_le_bytes()[0]).collect();
    assert_eq!(ping(&mut bench, GATEWAY_IP, &data), Some(data.clone()));
    assert_eq!(ping(&mut bench, RESOLVER_IP, b""), Some(Vec::new()));
    assert_eq!(ping(&mut bench, Ipv4Address::new(192, 0, 2, 1), b"x"), None);
}

fn ask(bench: &mut Bench, name: &str) -> Option<Vec<IpAddress>> {
    let peer = bench.peer();
    let servers = [RESOLVER_IP.into()];
    let handle: SocketHandle = peer.sockets.add(dns::Socket::new(&servers, Vec::new()));
    let socket = peer.sockets.get_mut::<dns::Socket>(handle);
    let query = socket
        .start_query(peer.interface.context(), name, DnsQueryType::A)
        .expect("a good name");
    let found =
        bench.until(
            |peer| match peer.socket::<dns::Socket>(handle).get_query_result(query) {
                Ok(found) => Some(Some(found.iter().copied().collect())),
                Err(dns::GetQueryResultError::Pending) => None,
                Err(dns::GetQueryResultError::Failed) => Some(None),
            },
        );
    bench.peer().sockets.remove(handle);
    found
}

#[test]
fn rv_62_gateways_names_are_known_and_no_others() {
    let mut bench = Bench::with_address(true);
    for name in ["gateway", "Gateway.MAQUETTE"] {
        assert_eq!(
            ask(&mut bench, name),
            Some(vec![GATEWAY_IP.into()]),
            "{name}"
        );
    }
    for name in ["gateway.example", "maquette"] {
        assert_eq!(ask(&mut bench, name), None, "{name}");
    }
}

#[test]
fn rv_62_runs_that_stay_inside_give_one_hash() {
    let run = |restrict| {
        let mut bench = Bench::with_address(restrict);
        ping(&mut bench, GATEWAY_IP, b"abc");
        ask(&mut bench, "gateway");
        let level = bench.serial.trace().level();
        (level.to_string(), bench.serial.finish())
    };
    let first = run(true);
    assert_eq!(first.0, "deterministic");
    assert_eq!(run(true), first);
    // Also where the outside could be reached but is not.
    assert_eq!(run(false), first);
}

#[test]
fn restricted_gateway_refuses_connections() {
    let mut bench = Bench::with_address(true);
    let buffer = || tcp::SocketBuffer::new(vec![0; 1024]);
    let socket = tcp::Socket::new(buffer(), buffer());
    let peer = bench.peer();
    let handle = peer.sockets.add(socket);
    let socket = peer.sockets.get_mut::<tcp::Socket>(handle);
    let to = (Ipv4Address::new(192, 0, 2, 1), 80);
    socket
        .connect(peer.interface.context(), to, 50_000)
        .expect("a free port");
    bench.until(|peer| {
        let state = peer.socket::<tcp::Socket>(handle).state();
        (state == tcp::State::Closed).then_some(())
    });
    assert_eq!(bench.gateway().connections(), 0);
    assert_eq!(bench.world.asked, []);
}
