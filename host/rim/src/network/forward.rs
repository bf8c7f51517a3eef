//! A port of the host whose datagrams go to a port of the guest.

use super::flow::{AT_ONCE, LARGEST};
use maquette_network::Reply;
use rustix::event::{PollFd, PollFlags};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};

/// Peers at a time; the gateway forgets the most silent one sooner.
const MOST_PEERS: usize = 128;

/// One socket for all who send to it; each of them is a flow.
#[derive(Debug)]
pub(super) struct DatagramForward {
    socket: UdpSocket,
    guest_port: u16,
    peers: BTreeMap<u32, SocketAddr>,
}

impl DatagramForward {
    pub(super) fn listen(host: SocketAddrV4, guest_port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind(host)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            guest_port,
            peers: BTreeMap::new(),
        })
    }

    /// Sends to the peer of a flow, if it is one of these.
    pub(super) fn send(&self, id: u32, bytes: &[u8]) {
        if let Some(peer) = self.peers.get(&id) {
            let _ = self.socket.send_to(bytes, peer);
        }
    }

    pub(super) fn forget(&mut self, id: u32) {
        self.peers.remove(&id);
    }

    /// Takes what has come; `new_id` names a flow.
    pub(super) fn attend(
        &mut self,
        mut new_id: impl FnMut() -> u32,
        replies: &mut VecDeque<Reply>,
    ) {
        let mut buffer = [0; LARGEST + 1];
        for _ in 0..AT_ONCE {
            let Ok((n, from)) = self.socket.recv_from(&mut buffer) else {
                break;
            };
            let known = self.peers.iter().find(|(_, peer)| **peer == from);
            let known = known.map(|(id, _)| *id);
            if n > LARGEST || known.is_none() && self.peers.len() >= MOST_PEERS {
                continue;
            }
            let id = known.unwrap_or_else(&mut new_id);
            self.peers.insert(id, from);
            let (port, bytes) = (self.guest_port, buffer.get(..n).unwrap_or_default());
            replies.push_back(Reply::Arrived {
                id,
                port,
                bytes: bytes.to_vec(),
            });
        }
    }

    pub(super) fn watch(&self) -> PollFd<'_> {
        PollFd::new(&self.socket, PollFlags::IN)
    }
}
