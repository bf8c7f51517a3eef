//! The gateway of the user network.

mod answers;
mod datagrams;
mod dhcp;
mod dns;
mod packets;
mod streams;

use crate::outside::{Reply, Requests};
use crate::{GATEWAY_IP, RESOLVER_IP};
use core::net::Ipv4Addr;
use datagrams::{Datagrams, End};
use maquette_model::{
    LoadError, Message, PortId, Reader, RestoreError, SaveError, Sections, SimTime, Snapshot, Tree,
    Writer,
};
use maquette_sim::{Component, Port, SimCx, SimEvent, WakeId};
use packets::{Datagram, ethernet};
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, UdpPacket,
};
use streams::Streams;

/// The cable to the guest.
pub const GUEST: PortId = PortId(0);
/// Where what happened outside comes in.
pub const OUTSIDE: PortId = PortId(1);

/// The gateway's own Ethernet address; the same as QEMU's, so that habits carry over.
const MAC: EthernetAddress = EthernetAddress([0x52, 0x55, 10, 0, 2, 2]);
/// The largest frame that the cable carries.
const FRAME_MAX: usize = 1514;

/// What a gateway is made from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its path, unique in the system.
    pub path: String,
    /// Where it asks for what is to be done outside; without, nothing outside can be reached.
    pub outside: Option<Requests>,
}

/// What a gateway counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Frames from the guest.
    pub from_guest: u64,
    /// Frames to the guest.
    pub to_guest: u64,
    /// Frames of the guest that nobody wanted: malformed, fragments, other protocols.
    pub dropped: u64,
    /// Those of them that were fragments of IP packets, which the gateway does not put together.
    pub fragments: u64,
}

/// The gateway of one network device.
pub struct Gateway {
    path: String,
    outside: Option<Requests>,
    /// The guest's address, once it has sent something.
    guest: Option<EthernetAddress>,
    datagrams: Datagrams,
    streams: Streams,
    /// Numbers connections and flows; even numbers are ours.
    next_id: u32,
    wake: Option<WakeId>,
    counts: Counts,
    /// Packets for the guest, made in this call.
    ready: Vec<Vec<u8>>,
}

impl Gateway {
    /// A gateway that has seen nothing yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            path: setup.path,
            streams: Streams::new(),
            outside: setup.outside,
            guest: None,
            datagrams: Datagrams::default(),
            next_id: 0,
            wake: None,
            counts: Counts::default(),
            ready: Vec::new(),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Connections that are open or being opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.streams.count()
    }

    /// Connections of the snapshot that this gateway comes from; they end with the first thing that it
    /// does, because their sockets on the host are gone.
    #[must_use]
    pub fn connections_to_reset(&self) -> usize {
        self.streams.lost()
    }

    fn new_id(&mut self) -> u32 {
        self.next_id = self.next_id.wrapping_add(2);
        self.next_id
    }

    /// A frame came from the guest.
    fn frame(&mut self, now: SimTime, bytes: &[u8]) {
        self.counts.from_guest += 1;
        if self.understood(now, bytes).is_none() {
            self.counts.dropped += 1;
        }
    }

    /// Handles a frame; `None` if nobody wants it.
    fn understood(&mut self, now: SimTime, bytes: &[u8]) -> Option<()> {
        let frame = EthernetFrame::new_checked(bytes).ok()?;
        if frame.src_addr().is_unicast() {
            self.guest = Some(frame.src_addr());
        }
        if frame.dst_addr() != MAC && !frame.dst_addr().is_broadcast() {
            return None;
        }
        match frame.ethertype() {
            EthernetProtocol::Arp => {
                let answer = answers::arp(frame.payload(), MAC)?;
                self.ready.push(answer);
                Some(())
            }
            EthernetProtocol::Ipv4 => self.packet(now, frame.payload()),
            _ => None,
        }
    }

    fn packet(&mut self, now: SimTime, bytes: &[u8]) -> Option<()> {
        let packet = Ipv4Packet::new_checked(bytes).ok()?;
        if packet.version() != 4 || !packet.verify_checksum() {
            return None;
        }
        if packet.more_frags() || packet.frag_offset() != 0 {
            self.counts.fragments += 1;
            return None;
        }
        match packet.next_header() {
            IpProtocol::Icmp => {
                let answer = answers::icmp(&packet)?;
                self.deliver(&answer)
            }
            IpProtocol::Udp => self.udp(now, &packet),
            IpProtocol::Tcp => self.tcp(now, &packet, bytes),
            _ => None,
        }
    }

    fn udp(&mut self, now: SimTime, packet: &Ipv4Packet<&[u8]>) -> Option<()> {
        let (src, dst) = (packet.src_addr(), packet.dst_addr());
        let udp = UdpPacket::new_checked(packet.payload()).ok()?;
        if !udp.verify_checksum(&src.into(), &dst.into()) {
            return None;
        }
        let (from, to) = ((src, udp.src_port()), (dst, udp.dst_port()));
        let payload = udp.payload();
        if to.1 == dhcp::SERVER_PORT && (dst == GATEWAY_IP || dst.is_broadcast()) {
            let answer = dhcp::answer(payload)?;
            return self.deliver(&answer.packet());
        }
        let ours = to == (RESOLVER_IP, dns::PORT);
        if ours && let Some(bytes) = dns::answer(payload, self.outside.is_some()) {
            let answer = Datagram {
                from: to,
                to: from,
                bytes: &bytes,
            };
            return self.deliver(&answer.packet());
        }
        let requests = self.outside.clone()?;
        if dst.is_broadcast() || dst.is_multicast() || dst.is_unspecified() {
            return None;
        }
        let fresh = self.new_id();
        self.datagrams
            .out(now, fresh, (from, to), payload, &requests);
        Some(())
    }

    fn tcp(&mut self, now: SimTime, packet: &Ipv4Packet<&[u8]>, bytes: &[u8]) -> Option<()> {
        let fresh = self.new_id();
        let whole = bytes.get(..usize::from(packet.total_len()))?;
        self.streams
            .take(now, fresh, packet, whole, self.outside.as_ref())
    }

    /// Something happened outside.
    fn happened(&mut self, now: SimTime, reply: Reply) {
        match reply {
            Reply::Datagram { id, bytes } => {
                if let Some(ends) = self.datagrams.back(now, id) {
                    self.deliver_datagram(ends, &bytes);
                }
            }
            Reply::Arrived { id, port, bytes } => {
                if let Some(requests) = &self.outside {
                    let ends = self.datagrams.arrived(now, id, port, requests);
                    self.deliver_datagram(ends, &bytes);
                }
            }
            reply => self.streams.happened(now, reply, self.outside.as_ref()),
        }
    }

    fn deliver_datagram(&mut self, (guest, peer): (End, End), bytes: &[u8]) -> Option<()> {
        let (from, to) = (peer, guest);
        self.deliver(&Datagram { from, to, bytes }.packet())
    }

    /// Puts an IP packet into a frame for the guest.
    fn deliver(&mut self, packet: &[u8]) -> Option<()> {
        let guest = self.guest?;
        let frame = ethernet(MAC, guest, EthernetProtocol::Ipv4, packet);
        if frame.len() > FRAME_MAX {
            return None;
        }
        self.ready.push(frame);
        Some(())
    }

    /// Lets connections get on, sends what is ready and asks for the next wake.
    fn settle(&mut self, cx: &mut SimCx<'_>) {
        let now = cx.now();
        self.streams.reset_lost(now);
        self.streams.get_on(now, self.outside.as_ref());
        while let Some(packet) = self.streams.packet() {
            self.deliver(&packet);
        }
        self.streams.rest();
        for frame in self.ready.drain(..) {
            self.counts.to_guest += 1;
            cx.send(GUEST, Message::Bytes(frame), now);
        }
        if let Some(wake) = self.wake.take() {
            cx.cancel(wake);
        }
        let due = self.streams.due(now);
        self.wake = (due < SimTime::MAX).then(|| cx.wake_at(due, 0));
    }
}

/// Whether an address is one of the gateway's own.
fn is_ours(address: Ipv4Addr) -> bool {
    address == GATEWAY_IP || address == RESOLVER_IP
}

impl Component for Gateway {
    fn path(&self) -> &str {
        &self.path
    }

    fn ports(&self) -> Vec<Port> {
        vec![Port::new(GUEST.0, "guest"), Port::new(OUTSIDE.0, "outside")]
    }

    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => self.wake = None,
            SimEvent::Message { port, msg } => match (port, msg) {
                (GUEST, Message::Bytes(frame)) => self.frame(cx.now(), &frame),
                (OUTSIDE, Message::Bytes(bytes)) => {
                    if let Ok(reply) = Reply::decode(&bytes) {
                        self.happened(cx.now(), reply);
                    }
                }
                _ => {}
            },
        }
        self.settle(cx);
    }

    fn save(&self, to: &mut Sections) -> Result<(), SaveError> {
        to.put(&self.path, self)
    }

    fn restore(&mut self, from: &mut Sections) -> Result<(), RestoreError> {
        let path = self.path.clone();
        from.take(&path, self)
    }

    fn resumed(&mut self, cx: &mut SimCx<'_>) {
        if self.streams.lost() > 0 {
            if let Some(wake) = self.wake.take() {
                cx.cancel(wake);
            }
            self.wake = Some(cx.wake_at(cx.now(), 0));
        }
    }

    fn inspect(&self, tree: &mut Tree) {
        let counts = self.counts;
        tree.number("frames_from_guest", counts.from_guest);
        tree.number("frames_to_guest", counts.to_guest);
        tree.number("frames_dropped", counts.dropped);
        tree.number("fragments_dropped", counts.fragments);
        tree.length("connections", self.streams.count());
        tree.length("connections_to_reset", self.streams.lost());
    }
}

/// All but the TCP stack: of connections only what it takes to reset them.
impl Snapshot for Gateway {
    fn kind(&self) -> &'static str {
        "gateway"
    }

    /// Version 2 holds connections, version 3 counts fragments.
    fn version(&self) -> u16 {
        3
    }

    fn oldest_version(&self) -> u16 {
        1
    }

    fn save(&self, w: &mut Writer) {
        w.bool(self.guest.is_some());
        w.raw(&self.guest.map_or([0; 6], |mac| mac.0));
        w.u32(self.next_id);
        w.bool(self.wake.is_some());
        if let Some(wake) = self.wake {
            wake.save(w);
        }
        let counts = self.counts;
        for count in [
            counts.from_guest,
            counts.to_guest,
            counts.dropped,
            counts.fragments,
        ] {
            w.u64(count);
        }
        self.datagrams.save(w);
        self.streams.save(w);
    }

    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let known = r.bool("guest")?;
        let guest = EthernetAddress::from_bytes(r.raw(6)?);
        self.guest = known.then_some(guest);
        self.next_id = r.u32()?;
        let waits = r.bool("wake")?;
        self.wake = waits.then(|| WakeId::load(r)).transpose()?;
        self.counts = Counts {
            from_guest: r.u64()?,
            to_guest: r.u64()?,
            dropped: r.u64()?,
            fragments: match r.version() {
                Some(1 | 2) => 0,
                _ => r.u64()?,
            },
        };
        self.datagrams.load(r)?;
        self.streams.load(r)
    }
}
