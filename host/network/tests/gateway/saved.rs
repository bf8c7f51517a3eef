//! The gateway as part of a snapshot.

use crate::outside::{FAR, connect};
use crate::peer::Bench;
use maquette_model::{Sections, SimTime};
use maquette_network::{Gateway, Requests, Setup};
use maquette_sim::Component;
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::IpEndpoint;

fn saved(gateway: &Gateway) -> Sections {
    let mut sections = Sections::default();
    gateway.save(&mut sections).expect("no connection is open");
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

#[test]
fn gateway_with_an_open_connection_is_not_saved_and_says_why() {
    let mut bench = Bench::with_address(false);
    let handle = connect(&mut bench, (FAR, 7), 50_000);
    bench.until(|peer| peer.socket::<tcp::Socket>(handle).may_send().then_some(()));
    let error = bench.gateway().save(&mut Sections::default());
    let text = error.expect_err("it is open").to_string();
    assert!(text.contains("gateway (a connection is open)"), "{text}");
    bench.peer().socket::<tcp::Socket>(handle).close();
    bench.run_for(SimTime::from_ms(100));
    saved(bench.gateway());
}
