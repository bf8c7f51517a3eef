//! Connections that a snapshot cannot hold: their other ends are sockets of the host. What is saved is
//! what it takes to reset them when the run goes on.

use super::super::packets::ipv4;
use super::{Connection, End, State};
use core::net::Ipv4Addr;
use maquette_model::{LoadError, Reader, Writer};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpAddress, IpProtocol, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber};

/// The largest packet that a frame holds.
const PACKET_MAX: u64 = 1500;

/// How far the two stacks are, as seen on the cable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Marks {
    /// Behind the last byte that the guest was sent.
    sent: Option<TcpSeqNumber>,
    /// What the guest last said that it expects.
    expected: Option<TcpSeqNumber>,
    /// Behind the last byte that the guest has sent.
    received: Option<TcpSeqNumber>,
}

impl Marks {
    /// A packet went to the guest.
    pub(super) fn sent_to_guest(&mut self, tcp: &TcpPacket<&[u8]>) {
        advance(&mut self.sent, tcp.seq_number() + tcp.segment_len());
    }

    /// A packet came from the guest.
    pub(super) fn came_from_guest(&mut self, tcp: &TcpPacket<&[u8]>) {
        advance(&mut self.received, tcp.seq_number() + tcp.segment_len());
        if tcp.ack() {
            advance(&mut self.expected, tcp.ack_number());
        }
    }

    fn all(&mut self) -> [&mut Option<TcpSeqNumber>; 3] {
        [&mut self.sent, &mut self.expected, &mut self.received]
    }
}

fn advance(mark: &mut Option<TcpSeqNumber>, to: TcpSeqNumber) {
    *mark = Some(mark.map_or(to, |at| at.max(to)));
}

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Lost {
    /// The guest has asked and was not answered: its packet.
    Asked(Vec<u8>),
    /// It was open.
    Open { guest: End, peer: End, marks: Marks },
}

impl Lost {
    pub(super) fn of(connection: &Connection) -> Self {
        match &connection.state {
            State::Asked { packet } => Self::Asked(packet.clone()),
            State::Open(open) => Self::Open {
                guest: connection.guest,
                peer: connection.peer,
                marks: open.marks,
            },
        }
    }

    pub(super) fn save(&self, w: &mut Writer) {
        match self {
            Self::Asked(packet) => {
                w.u8(0);
                w.bytes(packet);
            }
            Self::Open { guest, peer, marks } => {
                w.u8(1);
                for (address, port) in [guest, peer] {
                    w.u32(address.to_bits());
                    w.u16(*port);
                }
                let mut marks = *marks;
                for mark in marks.all() {
                    w.bool(mark.is_some());
                    w.u32(mark.map_or(0, |at| at.0.cast_unsigned()));
                }
            }
        }
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self, LoadError> {
        let refuse = |field, value| Err(LoadError::Value { field, value });
        match r.u8()? {
            0 => {
                let packet = r.bytes()?.to_vec();
                match packet.len() as u64 {
                    0..=PACKET_MAX => Ok(Self::Asked(packet)),
                    len => refuse("packet", len),
                }
            }
            1 => {
                let mut end = || Ok((Ipv4Addr::from_bits(r.u32()?), r.u16()?));
                let (guest, peer) = (end()?, end()?);
                let mut marks = Marks::default();
                for mark in marks.all() {
                    let some = r.bool("mark")?;
                    let at = TcpSeqNumber(r.u32()?.cast_signed());
                    *mark = some.then_some(at);
                }
                Ok(Self::Open { guest, peer, marks })
            }
            kind => refuse("connection", kind.into()),
        }
    }

    /// The packets that reset it, if it was open. RFC 5961 §3.2: a reset counts only at the very byte that
    /// the guest expects next, which is one of two if what it was sent last was beyond its window.
    pub(super) fn resets(&self) -> Vec<Vec<u8>> {
        let Self::Open { guest, peer, marks } = self else {
            return Vec::new();
        };
        let second = marks.expected.filter(|at| Some(*at) != marks.sent);
        let places = marks.sent.into_iter().chain(second);
        places
            .map(|at| reset(*peer, *guest, at, marks.received))
            .collect()
    }
}

fn reset(from: End, to: End, at: TcpSeqNumber, received: Option<TcpSeqNumber>) -> Vec<u8> {
    let repr = TcpRepr {
        src_port: from.1,
        dst_port: to.1,
        control: TcpControl::Rst,
        seq_number: at,
        ack_number: received,
        window_len: 0,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    };
    let (src, dst) = (IpAddress::Ipv4(from.0), IpAddress::Ipv4(to.0));
    ipv4(from.0, to.0, IpProtocol::Tcp, repr.buffer_len(), |bytes| {
        let mut packet = TcpPacket::new_unchecked(bytes);
        repr.emit(&mut packet, &src, &dst, &ChecksumCapabilities::default());
    })
}
