//! A TCP connection.

use maquette_network::{Reply, WINDOW};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddrV4, TcpStream};

/// Most bytes of one message to the gateway.
const PIECE: usize = 16 * 1024;

/// One connection of the host's.
#[derive(Debug)]
pub(super) struct Stream {
    socket: TcpStream,
    /// The peer has not answered yet.
    connecting: bool,
    outgoing: VecDeque<u8>,
    /// Bytes that the gateway takes.
    room: usize,
    /// Nothing more will be sent once `outgoing` is empty.
    finish: bool,
    /// The peer has sent its last byte.
    peer_finished: bool,
}

impl Stream {
    fn new(socket: TcpStream, connecting: bool) -> Self {
        Self {
            socket,
            connecting,
            outgoing: VecDeque::new(),
            room: WINDOW,
            finish: false,
            peer_finished: false,
        }
    }

    /// Begins to connect.
    pub(super) fn connect(to: SocketAddrV4) -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        match connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(Self::new(socket.into(), true)),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes over a connection that came in.
    pub(super) fn accepted(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self::new(socket, false))
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.outgoing.extend(bytes);
    }

    pub(super) fn make_room(&mut self, bytes: usize) {
        self.room = self.room.saturating_add(bytes);
    }

    pub(super) fn finish(&mut self) {
        self.finish = true;
    }

    /// Does what can be done without waiting; `false` when the connection is gone.
    pub(super) fn attend(&mut self, id: u32, replies: &mut VecDeque<Reply>) -> bool {
        if self.connecting && !self.look(id, replies) {
            return !self.failed(id, replies);
        }
        let done = self
            .write(id, replies)
            .and_then(|()| self.read(id, replies));
        if done.is_err() {
            replies.push_back(Reply::Closed { id });
        }
        done.is_ok()
    }

    /// Whether the peer has answered.
    fn look(&mut self, id: u32, replies: &mut VecDeque<Reply>) -> bool {
        let mut fds = [PollFd::new(&self.socket, PollFlags::OUT)];
        let answered = poll(&mut fds, Some(&Timespec::default())).is_ok_and(|n| n > 0);
        if answered && matches!(self.socket.take_error(), Ok(None)) && self.has_peer() {
            self.connecting = false;
            // Small pieces have been gathered by the guest already, if it wants that.
            let _ = self.socket.set_nodelay(true);
            replies.push_back(Reply::Connected { id });
        } else if answered {
            self.peer_finished = true;
        }
        !self.connecting
    }

    fn has_peer(&self) -> bool {
        self.socket.peer_addr().is_ok()
    }

    /// Whether connecting has failed; the gateway is told.
    fn failed(&self, id: u32, replies: &mut VecDeque<Reply>) -> bool {
        if self.peer_finished {
            replies.push_back(Reply::Closed { id });
        }
        self.peer_finished
    }

    fn write(&mut self, id: u32, replies: &mut VecDeque<Reply>) -> io::Result<()> {
        let mut sent = 0;
        while !self.outgoing.is_empty() {
            let (bytes, _) = self.outgoing.as_slices();
            match self.socket.write(bytes) {
                Ok(0) => break,
                Ok(n) => {
                    self.outgoing.drain(..n);
                    sent += n;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        if sent > 0 {
            let bytes = u32::try_from(sent).unwrap_or(u32::MAX);
            replies.push_back(Reply::Sent { id, bytes });
        }
        if self.finish && self.outgoing.is_empty() {
            self.finish = false;
            self.socket.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    fn read(&mut self, id: u32, replies: &mut VecDeque<Reply>) -> io::Result<()> {
        let mut buffer = [0; PIECE];
        while self.room > 0 && !self.peer_finished {
            let most = self.room.min(PIECE);
            match self.socket.read(buffer.get_mut(..most).unwrap_or_default()) {
                Ok(0) => {
                    self.peer_finished = true;
                    replies.push_back(Reply::Finished { id });
                }
                Ok(n) => {
                    self.room -= n;
                    let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                    replies.push_back(Reply::Data { id, bytes });
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// What to wait for, if anything.
    pub(super) fn watch(&self) -> Option<PollFd<'_>> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::OUT, self.connecting || !self.outgoing.is_empty());
        flags.set(
            PollFlags::IN,
            !self.connecting && self.room > 0 && !self.peer_finished,
        );
        (!flags.is_empty()).then(|| PollFd::new(&self.socket, flags))
    }
}
