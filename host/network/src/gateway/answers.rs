//! What the gateway answers out of itself: ARP (RFC 826) and ICMP (RFC 792).

use super::is_ours;
use super::packets::{ethernet, ipv4};
use core::net::Ipv4Addr;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetProtocol, Icmpv4DstUnreachable,
    Icmpv4Packet, Icmpv4Repr, IpProtocol, Ipv4Packet, Ipv4Repr,
};

/// The frame that answers a question for one of the gateway's addresses.
pub(super) fn arp(payload: &[u8], mac: EthernetAddress) -> Option<Vec<u8>> {
    let packet = ArpPacket::new_checked(payload).ok()?;
    let ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr,
        source_protocol_addr,
        target_protocol_addr,
        ..
    } = ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    if !is_ours(target_protocol_addr) || !source_hardware_addr.is_unicast() {
        return None;
    }
    let answer = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr: mac,
        source_protocol_addr: target_protocol_addr,
        target_hardware_addr: source_hardware_addr,
        target_protocol_addr: source_protocol_addr,
    };
    let mut bytes = vec![0; answer.buffer_len()];
    answer.emit(&mut ArpPacket::new_unchecked(&mut bytes[..]));
    Some(ethernet(
        mac,
        source_hardware_addr,
        EthernetProtocol::Arp,
        &bytes,
    ))
}

/// The packet that answers an echo request: with the echo from the gateway, and with "host
/// unreachable" from anywhere else, since an ordinary user's host sends none.
pub(super) fn icmp(packet: &Ipv4Packet<&[u8]>) -> Option<Vec<u8>> {
    let checksums = ChecksumCapabilities::default();
    let icmp = Icmpv4Packet::new_checked(packet.payload()).ok()?;
    let Icmpv4Repr::EchoRequest {
        ident,
        seq_no,
        data,
    } = Icmpv4Repr::parse(&icmp, &checksums).ok()?
    else {
        return None;
    };
    let (guest, asked) = (packet.src_addr(), packet.dst_addr());
    if is_ours(asked) {
        let answer = Icmpv4Repr::EchoReply {
            ident,
            seq_no,
            data,
        };
        return Some(emit(asked, guest, &answer));
    }
    if asked.is_broadcast() || asked.is_multicast() {
        return None;
    }
    let header = Ipv4Repr::parse(packet, &checksums).ok()?;
    // The header and 8 bytes name the packet that could not be delivered.
    let answer = Icmpv4Repr::DstUnreachable {
        reason: Icmpv4DstUnreachable::HostUnreachable,
        header,
        data: packet.payload().get(..8)?,
    };
    Some(emit(crate::GATEWAY_IP, guest, &answer))
}

fn emit(from: Ipv4Addr, to: Ipv4Addr, answer: &Icmpv4Repr<'_>) -> Vec<u8> {
    ipv4(from, to, IpProtocol::Icmp, answer.buffer_len(), |payload| {
        let mut packet = Icmpv4Packet::new_unchecked(payload);
        answer.emit(&mut packet, &ChecksumCapabilities::default());
    })
}
