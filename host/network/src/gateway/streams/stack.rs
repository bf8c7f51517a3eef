//! The TCP stack on virtual time: IP packets in, IP packets out. Its library's types stay here, and in
//! the packets.

use crate::outside::WINDOW;
use crate::{GATEWAY_IP, PREFIX};
use core::net::Ipv4Addr;
use maquette_model::SimTime;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant as StackTime};
use smoltcp::wire::{HardwareAddress, IpCidr, IpListenEndpoint, Ipv4Cidr};
use std::collections::VecDeque;

/// Bytes that the stack keeps in each direction of a connection.
const BUFFER: usize = WINDOW;
/// Most bytes that are moved at a time.
const PIECE: usize = 16 * 1024;
/// A guest that does not answer for so long has gone.
const SILENCE: Duration = Duration::from_secs(120);
/// One that says nothing is asked so often whether it is there.
const ASK_AGAIN: Duration = Duration::from_secs(45);
/// Packets fit into the cable's frames.
const MTU: usize = 1500;
const PS_PER_US: u64 = 1_000_000;

type End = (Ipv4Addr, u16);

pub(super) struct Stack {
    interface: Interface,
    wire: Wire,
    sockets: SocketSet<'static>,
}

impl Stack {
    pub(super) fn new() -> Self {
        let mut wire = Wire::default();
        // The same numbers in every run.
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut wire, StackTime::ZERO);
        let own = IpCidr::Ipv4(Ipv4Cidr::new(GATEWAY_IP, PREFIX));
        interface.update_ip_addrs(|addresses| {
            // There is room for two.
            let _ = addresses.push(own);
        });
        // Whomever the guest speaks to, it is answered here.
        interface.set_any_ip(true);
        Self {
            interface,
            wire,
            sockets: SocketSet::new(Vec::new()),
        }
    }

    /// Takes a packet from the guest.
    pub(super) fn take(&mut self, now: SimTime, packet: Vec<u8>) {
        self.wire.inbox.push_back(packet);
        self.poll(now);
    }

    /// Puts a packet for the guest behind those that wait.
    pub(super) fn put(&mut self, packet: Vec<u8>) {
        self.wire.outbox.push_back(packet);
    }

    /// The next packet for the guest.
    pub(super) fn packet(&mut self) -> Option<Vec<u8>> {
        self.wire.outbox.pop_front()
    }

    pub(super) fn poll(&mut self, now: SimTime) {
        let now = instant(now);
        self.interface.poll(now, &mut self.wire, &mut self.sockets);
    }

    /// When something is to be done though nothing comes.
    pub(super) fn due(&mut self, now: SimTime) -> SimTime {
        let Some(at) = self.interface.poll_at(instant(now), &self.sockets) else {
            return SimTime::MAX;
        };
        let us = u64::try_from(at.total_micros()).unwrap_or(0);
        // Not at once again: what could be done now has been done.
        let soonest = now.as_ps() / PS_PER_US + 1;
        SimTime::from_us(us.max(soonest))
    }

    fn socket() -> Socket<'static> {
        let buffer = || SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_timeout(Some(SILENCE));
        socket.set_keep_alive(Some(ASK_AGAIN));
        // Small writes of the peer are passed on as they come, and answered at once.
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        socket
    }

    /// A socket that waits for a connection to `at`.
    pub(super) fn listen(&mut self, at: End) -> Option<SocketHandle> {
        let mut socket = Self::socket();
        let (address, port) = at;
        let addr = Some(address.into());
        socket.listen(IpListenEndpoint { addr, port }).ok()?;
        Some(self.sockets.add(socket))
    }

    /// A socket that connects.
    pub(super) fn connect(&mut self, now: SimTime, from: End, to: End) -> Option<SocketHandle> {
        self.poll(now);
        let mut socket = Self::socket();
        socket.connect(self.interface.context(), to, from).ok()?;
        Some(self.sockets.add(socket))
    }

    fn get(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// Up to `most` of the bytes that the guest has sent.
    pub(super) fn received(&mut self, handle: SocketHandle, most: usize) -> Vec<u8> {
        let most = most.min(PIECE);
        let taken = self.get(handle).recv(|bytes| {
            let n = bytes.len().min(most);
            (n, bytes.get(..n).unwrap_or_default().to_vec())
        });
        taken.unwrap_or_default()
    }

    /// Sends to the guest; says how many bytes were taken.
    pub(super) fn send(&mut self, handle: SocketHandle, bytes: &[u8]) -> usize {
        // A ring of bytes takes them in two pieces where it wraps.
        let socket = self.get(handle);
        let first = socket.send_slice(bytes).unwrap_or(0);
        let rest = bytes.get(first..).unwrap_or_default();
        first + socket.send_slice(rest).unwrap_or(0)
    }

    /// The guest has sent its last byte, and it was taken.
    pub(super) fn guest_has_finished(&mut self, handle: SocketHandle) -> bool {
        let socket = self.get(handle);
        let finished = matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        finished && !socket.can_recv()
    }

    /// Nothing more is sent to the guest.
    pub(super) fn finish(&mut self, handle: SocketHandle) {
        self.get(handle).close();
    }

    /// Ends a connection at once, and lets the guest know.
    pub(super) fn abort(&mut self, now: SimTime, handle: SocketHandle) {
        self.get(handle).abort();
        self.poll(now);
        self.sockets.remove(handle);
    }

    /// Whether nothing more can happen on a connection.
    pub(super) fn is_over(&mut self, handle: SocketHandle) -> bool {
        // A listener that listens again was reset by the guest in the handshake.
        let state = self.get(handle).state();
        matches!(state, State::Closed | State::TimeWait | State::Listen)
    }

    pub(super) fn forget(&mut self, handle: SocketHandle) {
        self.sockets.remove(handle);
    }
}

fn instant(t: SimTime) -> StackTime {
    let us = t.as_ps() / PS_PER_US;
    StackTime::from_micros(i64::try_from(us).unwrap_or(i64::MAX))
}

/// The packets between the stack and the gateway.
#[derive(Default)]
struct Wire {
    inbox: VecDeque<Vec<u8>>,
    outbox: VecDeque<Vec<u8>>,
}

struct Received(Vec<u8>);
struct Room<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Received;
    type TxToken<'a> = Room<'a>;

    fn receive(&mut self, _: StackTime) -> Option<(Received, Room<'_>)> {
        let packet = self.inbox.pop_front()?;
        Some((Received(packet), Room(&mut self.outbox)))
    }

    fn transmit(&mut self, _: StackTime) -> Option<Room<'_>> {
        Some(Room(&mut self.outbox))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}
