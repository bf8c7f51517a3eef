//! A flow of datagrams.

use maquette_network::Reply;
use rustix::event::{PollFd, PollFlags};
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

/// The largest datagram that fits into one frame of the guest's; longer ones are cut and dropped.
pub(super) const LARGEST: usize = 1472;
/// Datagrams that are taken at one look.
pub(super) const AT_ONCE: usize = 64;

/// One peer, one socket.
#[derive(Debug)]
pub(super) struct Flow(UdpSocket);

impl Flow {
    pub(super) fn open(to: SocketAddrV4) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_nonblocking(true)?;
        socket.connect(to)?;
        Ok(Self(socket))
    }

    /// Sends, or not: the network may lose datagrams too.
    pub(super) fn send(&self, bytes: &[u8]) {
        let _ = self.0.send(bytes);
    }

    /// Takes what has come.
    pub(super) fn attend(&self, id: u32, replies: &mut VecDeque<Reply>) {
        let mut buffer = [0; LARGEST + 1];
        for _ in 0..AT_ONCE {
            match self.0.recv(&mut buffer) {
                Ok(n) if n <= LARGEST => {
                    let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                    replies.push_back(Reply::Datagram { id, bytes });
                }
                Ok(_) => {}
                // Nothing there, or what an earlier one met: nobody listens.
                Err(_) => break,
            }
        }
    }

    pub(super) fn watch(&self) -> PollFd<'_> {
        PollFd::new(&self.0, PollFlags::IN)
    }
}
