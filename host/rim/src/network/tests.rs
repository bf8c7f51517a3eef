use super::*;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// A gateway's side, without the gateway.
struct Bench {
    network: UserNetwork,
    requests: Requests,
}

impl Bench {
    fn new() -> Self {
        let mut serial = maquette_sim::Serial::default();
        let gateway = serial.add(Box::new(Nobody)).expect("the only component");
        let requests = Requests::default();
        let network = UserNetwork::new(gateway, requests.clone());
        Self { network, requests }
    }

    /// Attends until a reply comes.
    #[track_caller]
    fn reply(&mut self) -> Reply {
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            self.network.attend();
            if let Some(reply) = self.network.replies.pop_front() {
                return reply;
            }
            let mut fds = Vec::new();
            self.network.watch(&mut fds);
            let wait = rustix::event::Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            };
            let _ = rustix::event::poll(&mut fds, Some(&wait));
        }
        panic!("nothing came");
    }
}

struct Nobody;

impl maquette_sim::Component for Nobody {
    fn path(&self) -> &str {
        "nobody"
    }
    fn event(&mut self, _: &mut maquette_sim::SimCx<'_>, _: maquette_sim::SimEvent) {}
}

#[test]
fn rv_63_stream_to_the_gateway_reaches_the_hosts_loopback_both_ways() {
    let host = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = host.local_addr().expect("bound").port();
    let mut bench = Bench::new();
    let to = (GATEWAY_IP, port);
    bench.requests.put(Request::Connect { id: 2, to });
    assert_eq!(bench.reply(), Reply::Connected { id: 2 });
    let (mut peer, _) = host.accept().expect("a connection");
    let bytes = b"to the host".to_vec();
    bench.requests.put(Request::Send { id: 2, bytes });
    assert_eq!(bench.reply(), Reply::Sent { id: 2, bytes: 11 });
    bench.requests.put(Request::Finish { id: 2 });
    bench.network.attend();
    let mut text = String::new();
    peer.read_to_string(&mut text).expect("the guest finishes");
    assert_eq!(text, "to the host");
    peer.write_all(b"to the guest").expect("it still reads");
    drop(peer);
    let bytes = b"to the guest".to_vec();
    assert_eq!(bench.reply(), Reply::Data { id: 2, bytes });
    assert_eq!(bench.reply(), Reply::Finished { id: 2 });
    bench.requests.put(Request::Close { id: 2 });
    bench.network.attend();
    assert!(!bench.network.is_open());
}

#[test]
fn rv_63_stream_sends_no_more_than_the_gateway_takes() {
    let host = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = host.local_addr().expect("bound").port();
    let mut bench = Bench::new();
    let to = (GATEWAY_IP, port);
    bench.requests.put(Request::Connect { id: 2, to });
    assert_eq!(bench.reply(), Reply::Connected { id: 2 });
    let (mut peer, _) = host.accept().expect("a connection");
    // More than the window, and not more than the host's own buffers hold for a short while.
    let writer = std::thread::spawn(move || peer.write_all(&vec![7; WINDOW_AND_MORE]));
    let mut got = 0;
    while got < maquette_network::WINDOW {
        match bench.reply() {
            Reply::Data { bytes, .. } => got += bytes.len(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, maquette_network::WINDOW);
    bench.network.attend();
    assert!(bench.network.replies.is_empty(), "there was no room");
    let bytes = WINDOW_AND_MORE - got;
    bench.requests.put(Request::Room { id: 2, bytes });
    while got < WINDOW_AND_MORE {
        match bench.reply() {
            Reply::Data { bytes, .. } => got += bytes.len(),
            other => panic!("{other:?}"),
        }
    }
    writer.join().expect("no panic").expect("all was taken");
}

const WINDOW_AND_MORE: usize = maquette_network::WINDOW + 50_000;

#[test]
fn rv_68_stream_that_is_not_there_is_closed_when_something_is_sent() {
    let mut bench = Bench::new();
    let bytes = b"to a socket of an earlier run".to_vec();
    bench.requests.put(Request::Send { id: 2, bytes });
    assert_eq!(bench.reply(), Reply::Closed { id: 2 });
}

#[test]
fn rv_63_stream_to_nobody_is_refused() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let mut bench = Bench::new();
    // Nobody listens; and the guest's own network has no other inhabitants.
    for (id, to) in [
        (2, (GATEWAY_IP, port)),
        (4, (Ipv4Addr::new(10, 0, 2, 77), 80)),
    ] {
        bench.requests.put(Request::Connect { id, to });
        assert_eq!(bench.reply(), Reply::Closed { id });
    }
    assert!(!bench.network.is_open());
}

#[test]
fn rv_63_datagrams_go_and_come_back() {
    let host = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let to = (GATEWAY_IP, host.local_addr().expect("bound").port());
    let mut bench = Bench::new();
    for id in [2, 4] {
        let bytes = vec![9; usize::try_from(id).expect("small")];
        bench.requests.put(Request::Datagram { id, to, bytes });
        bench.network.attend();
        let mut buffer = [0; 100];
        let (n, from) = host.recv_from(&mut buffer).expect("a datagram");
        host.send_to(&buffer[..n], from).expect("an answer");
        let bytes = buffer[..n].to_vec();
        assert_eq!(bench.reply(), Reply::Datagram { id, bytes });
    }
}

#[test]
fn rv_64_connection_to_a_forwarded_port_is_announced_with_the_guests() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port();
    let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let mut bench = Bench::new();
    assert!(bench.network.forward(at, 22).is_err(), "it is taken");
    drop(free);
    bench.network.forward(at, 22).expect("it is free");
    let mut peer = TcpStream::connect(at).expect("somebody listens");
    assert_eq!(bench.reply(), Reply::Accepted { id: 1, port: 22 });
    peer.write_all(b"hello").expect("open");
    let bytes = b"hello".to_vec();
    assert_eq!(bench.reply(), Reply::Data { id: 1, bytes });
    bench.requests.put(Request::Close { id: 1 });
    bench.network.attend();
    assert!(matches!(peer.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn rv_64_datagrams_to_a_forwarded_port_are_flows_of_their_senders() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let mut bench = Bench::new();
    assert!(bench.network.forward_datagrams(at, 53).is_err(), "taken");
    drop(taken);
    let free = bench.network.forward_datagrams(at, 53);
    free.expect("it is free");
    assert!(bench.network.is_open());
    let peers = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    for (peer, id) in [(0, 1), (1, 3), (0, 1)] {
        peers[peer].send_to(b"question", at).expect("sent");
        let (port, bytes) = (53, b"question".to_vec());
        assert_eq!(bench.reply(), Reply::Arrived { id, port, bytes });
    }
    let answer = |id| Request::Datagram {
        id,
        to: (GATEWAY_IP, 49_152),
        bytes: b"answer".to_vec(),
    };
    bench.requests.put(answer(3));
    bench.network.attend();
    let mut buffer = [0; 100];
    let (n, from) = peers[1].recv_from(&mut buffer).expect("an answer");
    assert_eq!((&buffer[..n], from), (&b"answer"[..], at.into()));
    // Who is forgotten gets no answer, and is somebody new.
    bench.requests.put(Request::Close { id: 1 });
    bench.requests.put(answer(1));
    bench.network.attend();
    assert!(bench.network.flows.is_empty(), "no other socket answers");
    peers[0].send_to(b"again", at).expect("sent");
    let (port, bytes) = (53, b"again".to_vec());
    assert_eq!(bench.reply(), Reply::Arrived { id: 5, port, bytes });
    peers[0].set_nonblocking(true).expect("a socket");
    assert!(peers[0].recv_from(&mut buffer).is_err());
}
