//! TCP: each connection of the guest ends here, in a stack of the gateway's own, and goes on outside.
//!
//! The guest is answered when the outside has answered: a connection that the outside refuses is
//! refused, not opened and closed.

mod lost;
mod stack;

use crate::outside::{Reply, Request, Requests, WINDOW};
use crate::{FIRST_PORT, GATEWAY_IP, GUEST_IP};
use core::net::Ipv4Addr;
use lost::{Lost, Marks};
use maquette_model::{LoadError, Reader, SimTime, Writer};
use smoltcp::iface::SocketHandle;
use smoltcp::wire::{Ipv4Packet, TcpPacket};
use stack::Stack;
use std::collections::{BTreeMap, VecDeque};

/// Connections at a time; further ones are refused.
const MOST_CONNECTIONS: usize = 64;

type End = (Ipv4Addr, u16);

/// One connection.
struct Connection {
    guest: End,
    peer: End,
    state: State,
}

enum State {
    /// The outside was asked; the guest's first packet is answered when it has answered.
    Asked { packet: Vec<u8> },
    /// The stack has it.
    Open(Open),
}

struct Open {
    socket: SocketHandle,
    /// From outside, not yet taken by the stack.
    to_guest: VecDeque<u8>,
    /// Sent outside and not confirmed.
    unconfirmed: usize,
    /// The outside will send nothing more.
    peer_finished: bool,
    /// The outside was told that the guest will send nothing more.
    told_finish: bool,
    marks: Marks,
}

/// All connections, by their ids.
pub(super) struct Streams {
    stack: Stack,
    connections: BTreeMap<u32, Connection>,
    /// Those of the snapshot that the run began with, until they are reset.
    lost: Vec<Lost>,
    next_port: u16,
    /// The stack has seen something since it was made.
    used: bool,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            stack: Stack::new(),
            connections: BTreeMap::new(),
            lost: Vec::new(),
            next_port: FIRST_PORT,
            used: false,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.connections.len()
    }

    /// Connections of a snapshot that are still to be reset.
    pub(super) fn lost(&self) -> usize {
        self.lost.len()
    }

    /// Resets what the snapshot had open: the guest is told as by a peer that has started anew.
    pub(super) fn reset_lost(&mut self, now: SimTime) {
        for lost in std::mem::take(&mut self.lost) {
            self.used = true;
            match lost {
                // No socket waits for it, so that the stack answers with a reset.
                Lost::Asked(packet) => self.stack.take(now, packet),
                open @ Lost::Open { .. } => open.resets().into_iter().for_each(|packet| {
                    self.stack.put(packet);
                }),
            }
        }
    }

    /// A packet came from the guest; `fresh` is the id of a connection that it may begin.
    pub(super) fn take(
        &mut self,
        now: SimTime,
        fresh: u32,
        ip: &Ipv4Packet<&[u8]>,
        whole: &[u8],
        requests: Option<&Requests>,
    ) -> Option<()> {
        let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
        if !tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()) {
            return None;
        }
        if tcp.src_port() == 0 || tcp.dst_port() == 0 {
            return None;
        }
        let guest = (ip.src_addr(), tcp.src_port());
        let peer = (ip.dst_addr(), tcp.dst_port());
        let same = |c: &Connection| c.guest == guest && c.peer == peer;
        let known = self.connections.values_mut().find(|c| same(c));
        match known.map(|c| &mut c.state) {
            // The same question once more: the answer is on its way.
            Some(State::Asked { .. }) if tcp.syn() => return Some(()),
            Some(State::Asked { .. }) => return None,
            Some(State::Open(open)) => open.marks.came_from_guest(&tcp),
            None => {
                let begins = tcp.syn() && !tcp.ack() && !tcp.rst();
                let room = self.connections.len() < MOST_CONNECTIONS;
                if let Some(requests) = requests.filter(|_| begins && room) {
                    let packet = whole.to_vec();
                    let state = State::Asked { packet };
                    self.connections
                        .insert(fresh, Connection { guest, peer, state });
                    requests.put(Request::Connect {
                        id: fresh,
                        to: peer,
                    });
                    return Some(());
                }
                // Nobody takes it: the stack answers with a reset.
            }
        }
        self.used = true;
        self.stack.take(now, whole.to_vec());
        Some(())
    }

    /// Something happened outside.
    pub(super) fn happened(&mut self, now: SimTime, reply: Reply, requests: Option<&Requests>) {
        self.used = true;
        match reply {
            Reply::Accepted { id, port } => self.accepted(now, id, port, requests),
            Reply::Connected { id } => self.connected(now, id, requests),
            Reply::Closed { id } => match self.connections.remove(&id).map(|c| c.state) {
                // No socket waits for it, so that the stack answers with a reset.
                Some(State::Asked { packet }) => self.stack.take(now, packet),
                Some(State::Open(open)) => self.stack.abort(now, open.socket),
                None => {}
            },
            Reply::Sent { id, bytes } => {
                if let Some(open) = self.open(id) {
                    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                    open.unconfirmed = open.unconfirmed.saturating_sub(bytes);
                }
            }
            Reply::Data { id, bytes } => {
                if let Some(open) = self.open(id) {
                    open.to_guest.extend(bytes);
                }
            }
            Reply::Finished { id } => {
                if let Some(open) = self.open(id) {
                    open.peer_finished = true;
                }
            }
            Reply::Datagram { .. } | Reply::Arrived { .. } => {}
        }
    }

    fn open(&mut self, id: u32) -> Option<&mut Open> {
        match self.connections.get_mut(&id)?.state {
            State::Open(ref mut open) => Some(open),
            State::Asked { .. } => None,
        }
    }

    /// The outside has taken the guest's connection: now the guest is answered.
    fn connected(&mut self, now: SimTime, id: u32, requests: Option<&Requests>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return close(id, requests);
        };
        let State::Asked { packet } = &mut connection.state else {
            return;
        };
        let packet = std::mem::take(packet);
        let Some(socket) = self.stack.listen(connection.peer) else {
            self.connections.remove(&id);
            return close(id, requests);
        };
        let mut open = Open::new(socket);
        if let Ok(ip) = Ipv4Packet::new_checked(&packet[..])
            && let Ok(tcp) = TcpPacket::new_checked(ip.payload())
        {
            open.marks.came_from_guest(&tcp);
        }
        connection.state = State::Open(open);
        self.stack.take(now, packet);
    }

    /// Somebody outside has connected to a port of the guest's.
    fn accepted(&mut self, now: SimTime, id: u32, port: u16, requests: Option<&Requests>) {
        if self.connections.len() >= MOST_CONNECTIONS {
            return close(id, requests);
        }
        // One that came in just before a snapshot: nobody outside knows it any more.
        if let Some(State::Open(open)) = self.connections.remove(&id).map(|c| c.state) {
            self.stack.abort(now, open.socket);
        }
        let (guest, peer) = ((GUEST_IP, port), (GATEWAY_IP, self.next_port));
        self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
        let Some(socket) = self.stack.connect(now, peer, guest) else {
            return close(id, requests);
        };
        let state = State::Open(Open::new(socket));
        self.connections
            .insert(id, Connection { guest, peer, state });
    }

    /// Moves what can be moved in all connections.
    pub(super) fn get_on(&mut self, now: SimTime, requests: Option<&Requests>) {
        self.used |= !self.connections.is_empty();
        self.stack.poll(now);
        let mut over = Vec::new();
        for (&id, connection) in &mut self.connections {
            if let State::Open(open) = &mut connection.state {
                open.send(id, &mut self.stack, requests);
                open.receive(id, &mut self.stack, requests);
                if self.stack.is_over(open.socket) {
                    over.push((id, open.socket));
                }
            }
        }
        // What was taken makes room, and what was given wants to go: once more.
        self.stack.poll(now);
        for (id, socket) in over {
            self.stack.forget(socket);
            self.connections.remove(&id);
            close(id, requests);
        }
    }

    /// With the last connection gone, the stack starts over, so that its state is that of a new one
    /// and needs no saving. To be called when all its packets have been taken.
    pub(super) fn rest(&mut self) {
        if self.used && self.connections.is_empty() {
            self.stack = Stack::new();
            self.used = false;
        }
    }

    /// What outlives the connections, and what resets them.
    pub(super) fn save(&self, w: &mut Writer) {
        w.u16(self.next_port);
        let open = self.connections.values().map(Lost::of);
        let all: Vec<Lost> = self.lost.iter().cloned().chain(open).collect();
        w.u64(all.len() as u64);
        for lost in all {
            lost.save(w);
        }
    }

    /// Version 1 was saved only without connections.
    pub(super) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        *self = Self::new();
        let port = r.u16()?;
        if port < FIRST_PORT {
            let (field, value) = ("next port", port.into());
            return Err(LoadError::Value { field, value });
        }
        self.next_port = port;
        if r.version() == Some(1) {
            return Ok(());
        }
        let (field, value) = ("connections", r.u64()?);
        if value > MOST_CONNECTIONS as u64 {
            return Err(LoadError::Value { field, value });
        }
        for _ in 0..value {
            self.lost.push(Lost::load(r)?);
        }
        Ok(())
    }

    /// A packet for the guest.
    pub(super) fn packet(&mut self) -> Option<Vec<u8>> {
        let bytes = self.stack.packet()?;
        if let Ok(ip) = Ipv4Packet::new_checked(&bytes[..])
            && let Ok(tcp) = TcpPacket::new_checked(ip.payload())
        {
            let guest = (ip.dst_addr(), tcp.dst_port());
            let peer = (ip.src_addr(), tcp.src_port());
            let same = |c: &&mut Connection| c.guest == guest && c.peer == peer;
            if let Some(connection) = self.connections.values_mut().find(same)
                && let State::Open(open) = &mut connection.state
            {
                open.marks.sent_to_guest(&tcp);
            }
        }
        Some(bytes)
    }

    /// When the stack wants to be called again.
    pub(super) fn due(&mut self, now: SimTime) -> SimTime {
        self.stack.due(now)
    }
}

impl Open {
    fn new(socket: SocketHandle) -> Self {
        Self {
            socket,
            to_guest: VecDeque::new(),
            unconfirmed: 0,
            peer_finished: false,
            told_finish: false,
            marks: Marks::default(),
        }
    }

    /// From the guest to the outside.
    fn send(&mut self, id: u32, stack: &mut Stack, requests: Option<&Requests>) {
        let Some(requests) = requests else { return };
        while self.unconfirmed < WINDOW {
            let bytes = stack.received(self.socket, WINDOW - self.unconfirmed);
            if bytes.is_empty() {
                break;
            }
            self.unconfirmed += bytes.len();
            requests.put(Request::Send { id, bytes });
        }
        if !self.told_finish && stack.guest_has_finished(self.socket) {
            self.told_finish = true;
            requests.put(Request::Finish { id });
        }
    }

    /// From the outside to the guest.
    fn receive(&mut self, id: u32, stack: &mut Stack, requests: Option<&Requests>) {
        let taken = stack.send(self.socket, self.to_guest.make_contiguous());
        self.to_guest.drain(..taken);
        if taken > 0
            && let Some(requests) = requests
        {
            requests.put(Request::Room { id, bytes: taken });
        }
        if self.peer_finished && self.to_guest.is_empty() {
            stack.finish(self.socket);
        }
    }
}

fn close(id: u32, requests: Option<&Requests>) {
    if let Some(requests) = requests {
        requests.put(Request::Close { id });
    }
}
