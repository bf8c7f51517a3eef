//! The user network's outside: sockets of the host that do what a gateway asks for.
//!
//! No socket here ever blocks. What comes of a request is a [`Reply`] that the rim feeds in.

mod flow;
mod forward;
mod resolver;
mod stream;

use flow::Flow;
use forward::DatagramForward;
use maquette_model::{Message, SimTime};
use maquette_network::{GATEWAY_IP, OUTSIDE, PREFIX, RESOLVER_IP, Reply, Request, Requests};
use maquette_sim::{ComponentId, Input};
use rustix::event::PollFd;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use stream::Stream;

/// Connections that are taken at one look.
const ACCEPTED_AT_ONCE: usize = 16;

/// The host's side of one gateway.
#[derive(Debug)]
pub struct UserNetwork {
    gateway: ComponentId,
    requests: Requests,
    listeners: Vec<Listener>,
    datagram_forwards: Vec<DatagramForward>,
    streams: BTreeMap<u32, Stream>,
    flows: BTreeMap<u32, Flow>,
    replies: VecDeque<Reply>,
    /// Numbers connections that come in; odd ones are ours.
    next_id: u32,
    resolver: Option<Ipv4Addr>,
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    guest_port: u16,
}

impl UserNetwork {
    /// Carries out what `gateway` puts into `requests`.
    #[must_use]
    pub fn new(gateway: ComponentId, requests: Requests) -> Self {
        Self {
            gateway,
            requests,
            listeners: Vec::new(),
            datagram_forwards: Vec::new(),
            streams: BTreeMap::new(),
            flows: BTreeMap::new(),
            replies: VecDeque::new(),
            next_id: 1,
            resolver: resolver::address(),
        }
    }

    /// Listens at an address of the host for connections to a port of the guest.
    ///
    /// # Errors
    /// When the host refuses, for example because the port is taken.
    pub fn forward(&mut self, host: SocketAddrV4, guest_port: u16) -> io::Result<()> {
        let socket = TcpListener::bind(host)?;
        socket.set_nonblocking(true)?;
        self.listeners.push(Listener { socket, guest_port });
        Ok(())
    }

    /// Takes datagrams at an address of the host for a port of the guest.
    ///
    /// # Errors
    /// When the host refuses, for example because the port is taken.
    pub fn forward_datagrams(&mut self, host: SocketAddrV4, guest_port: u16) -> io::Result<()> {
        let forward = DatagramForward::listen(host, guest_port)?;
        self.datagram_forwards.push(forward);
        Ok(())
    }

    /// Whether something may still come from outside.
    pub(crate) fn is_open(&self) -> bool {
        let listens = !(self.listeners.is_empty() && self.datagram_forwards.is_empty());
        listens || !(self.streams.is_empty() && self.flows.is_empty())
    }

    /// Whether the gateway has asked for something.
    pub(crate) fn is_asked(&self) -> bool {
        !self.requests.is_empty()
    }

    /// The next thing that happened, to arrive at `at` or as soon after it as it can.
    pub(crate) fn input(&mut self, at: SimTime) -> Option<Input> {
        let reply = self.replies.pop_front()?;
        Some(Input {
            at,
            to: self.gateway,
            port: OUTSIDE,
            msg: Message::Bytes(reply.encode()),
        })
    }

    /// Does what was asked for and what can be done without waiting.
    pub(crate) fn attend(&mut self) {
        while let Some(request) = self.requests.take() {
            self.perform(request);
        }
        self.accept();
        let replies = &mut self.replies;
        self.streams
            .retain(|id, stream| stream.attend(*id, replies));
        for (id, flow) in &mut self.flows {
            flow.attend(*id, replies);
        }
        for forward in &mut self.datagram_forwards {
            let new_id = || take_id(&mut self.next_id);
            forward.attend(new_id, replies);
        }
    }

    /// What the host should be asked to wait for.
    pub(crate) fn watch<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        for listener in &self.listeners {
            fds.push(PollFd::new(&listener.socket, rustix::event::PollFlags::IN));
        }
        fds.extend(self.datagram_forwards.iter().map(DatagramForward::watch));
        for stream in self.streams.values() {
            fds.extend(stream.watch());
        }
        fds.extend(self.flows.values().map(Flow::watch));
    }

    fn perform(&mut self, request: Request) {
        match request {
            Request::Connect { id, to } => {
                let to = self.outside(to);
                match to.and_then(|to| Stream::connect(to).ok()) {
                    Some(stream) => {
                        self.streams.insert(id, stream);
                    }
                    None => self.replies.push_back(Reply::Closed { id }),
                }
            }
            Request::Send { id, bytes } => {
                match self.streams.get_mut(&id) {
                    Some(stream) => stream.send(&bytes),
                    // It is gone, or was there before the snapshot that the run began with.
                    None => self.replies.push_back(Reply::Closed { id }),
                }
            }
            Request::Room { id, bytes } => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.make_room(bytes);
                }
            }
            Request::Finish { id } => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.finish();
                }
            }
            Request::Close { id } => {
                self.streams.remove(&id);
                self.flows.remove(&id);
                for forward in &mut self.datagram_forwards {
                    forward.forget(id);
                }
            }
            Request::Datagram { id, bytes, .. } if is_ours(id) => {
                for forward in &self.datagram_forwards {
                    forward.send(id, &bytes);
                }
            }
            Request::Datagram { id, to, bytes } => {
                if !self.flows.contains_key(&id)
                    && let Some(flow) = self.outside(to).and_then(|to| Flow::open(to).ok())
                {
                    self.flows.insert(id, flow);
                }
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.send(&bytes);
                }
            }
        }
    }

    fn accept(&mut self) {
        for listener in &self.listeners {
            for _ in 0..ACCEPTED_AT_ONCE {
                let Ok((socket, _)) = listener.socket.accept() else {
                    break;
                };
                let Ok(stream) = Stream::accepted(socket) else {
                    continue;
                };
                let (id, port) = (take_id(&mut self.next_id), listener.guest_port);
                self.streams.insert(id, stream);
                self.replies.push_back(Reply::Accepted { id, port });
            }
        }
    }

    /// The address on the host for one that the guest uses: the gateway is the host itself.
    fn outside(&self, (address, port): (Ipv4Addr, u16)) -> Option<SocketAddrV4> {
        let host = match address {
            GATEWAY_IP => Ipv4Addr::LOCALHOST,
            RESOLVER_IP if port == resolver::PORT => self.resolver?,
            _ if is_inside(address) => return None,
            address => address,
        };
        Some(SocketAddrV4::new(host, port))
    }
}

/// The next number for what comes in.
fn take_id(next: &mut u32) -> u32 {
    let id = *next;
    *next = next.wrapping_add(2);
    id
}

/// Whether a number is of something that came in.
const fn is_ours(id: u32) -> bool {
    id % 2 == 1
}

/// Whether an address is one of the guest's network, where nobody else is.
fn is_inside(address: Ipv4Addr) -> bool {
    let network = |a: Ipv4Addr| a.to_bits() >> (32 - u32::from(PREFIX));
    network(address) == network(GATEWAY_IP)
}

#[cfg(test)]
mod tests;
