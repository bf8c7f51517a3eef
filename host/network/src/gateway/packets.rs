//! Packets and frames as bytes.

use core::net::Ipv4Addr;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv4Packet,
    Ipv4Repr, UdpPacket, UdpRepr,
};

/// Hops that packets may still take; there is one.
const HOPS: u8 = 64;

/// A UDP datagram.
pub(super) struct Datagram<'a> {
    pub(super) from: (Ipv4Addr, u16),
    pub(super) to: (Ipv4Addr, u16),
    pub(super) bytes: &'a [u8],
}

impl Datagram<'_> {
    /// As an IP packet.
    pub(super) fn packet(&self) -> Vec<u8> {
        let repr = UdpRepr {
            src_port: self.from.1,
            dst_port: self.to.1,
        };
        let len = repr.header_len() + self.bytes.len();
        ipv4(self.from.0, self.to.0, IpProtocol::Udp, len, |payload| {
            let mut packet = UdpPacket::new_unchecked(payload);
            let copy = |to: &mut [u8]| to.copy_from_slice(self.bytes);
            let (src, dst) = (self.from.0.into(), self.to.0.into());
            let checksums = ChecksumCapabilities::default();
            repr.emit(&mut packet, &src, &dst, self.bytes.len(), copy, &checksums);
        })
    }
}

/// An IP packet whose payload of `len` bytes `fill` writes.
pub(super) fn ipv4(
    src_addr: Ipv4Addr,
    dst_addr: Ipv4Addr,
    next_header: IpProtocol,
    len: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let repr = Ipv4Repr {
        src_addr,
        dst_addr,
        next_header,
        payload_len: len,
        hop_limit: HOPS,
    };
    let mut bytes = vec![0; repr.buffer_len() + len];
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes[..]);
    repr.emit(&mut packet, &ChecksumCapabilities::default());
    fill(packet.payload_mut());
    bytes
}

/// An Ethernet frame.
pub(super) fn ethernet(
    src_addr: EthernetAddress,
    dst_addr: EthernetAddress,
    ethertype: EthernetProtocol,
    payload: &[u8],
) -> Vec<u8> {
    let repr = EthernetRepr {
        src_addr,
        dst_addr,
        ethertype,
    };
    let mut bytes = vec![0; repr.buffer_len() + payload.len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    repr.emit(&mut frame);
    frame.payload_mut().copy_from_slice(payload);
    bytes
}
