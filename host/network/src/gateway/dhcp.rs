//! The address of the guest: a DHCP server with one address to give (RFC 2131).

use super::packets::Datagram;
use crate::{GATEWAY_IP, GUEST_IP, PREFIX, RESOLVER_IP};
use core::net::Ipv4Addr;
use smoltcp::wire::{
    DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpMessageType, DhcpPacket, DhcpRepr, Ipv4Cidr,
};

pub(super) const SERVER_PORT: u16 = DHCP_SERVER_PORT;

/// How long the guest may keep the address, in seconds: a day, as in QEMU.
const LEASE: u32 = 86_400;

/// An answer and where it goes.
pub(super) struct Answer {
    to: Ipv4Addr,
    bytes: Vec<u8>,
}

impl Answer {
    /// As an IP packet.
    pub(super) fn packet(&self) -> Vec<u8> {
        let datagram = Datagram {
            from: (GATEWAY_IP, SERVER_PORT),
            to: (self.to, DHCP_CLIENT_PORT),
            bytes: &self.bytes,
        };
        datagram.packet()
    }
}

/// What a client is told.
pub(super) fn answer(payload: &[u8]) -> Option<Answer> {
    let packet = DhcpPacket::new_checked(payload).ok()?;
    let asked = DhcpRepr::parse(&packet).ok()?;
    // Another server was chosen.
    if asked.server_identifier.is_some_and(|id| id != GATEWAY_IP) {
        return None;
    }
    let wanted = asked.requested_ip.unwrap_or(asked.client_ip);
    let message_type = match asked.message_type {
        DhcpMessageType::Discover => DhcpMessageType::Offer,
        DhcpMessageType::Request if wanted == GUEST_IP => DhcpMessageType::Ack,
        DhcpMessageType::Request => DhcpMessageType::Nak,
        DhcpMessageType::Inform => DhcpMessageType::Ack,
        _ => return None,
    };
    let refused = message_type == DhcpMessageType::Nak;
    // RFC 2131 §4.3.5: who has an address keeps it and wants the rest.
    let gives = !refused && asked.message_type != DhcpMessageType::Inform;
    let network = Ipv4Cidr::new(GATEWAY_IP, PREFIX);
    let repr = DhcpRepr {
        message_type,
        transaction_id: asked.transaction_id,
        secs: 0,
        client_hardware_address: asked.client_hardware_address,
        client_ip: if refused {
            Ipv4Addr::UNSPECIFIED
        } else {
            asked.client_ip
        },
        your_ip: if gives {
            GUEST_IP
        } else {
            Ipv4Addr::UNSPECIFIED
        },
        server_ip: GATEWAY_IP,
        router: (!refused).then_some(GATEWAY_IP),
        subnet_mask: (!refused).then(|| network.netmask()),
        relay_agent_ip: Ipv4Addr::UNSPECIFIED,
        broadcast: asked.broadcast,
        requested_ip: None,
        client_identifier: None,
        server_identifier: Some(GATEWAY_IP),
        parameter_request_list: None,
        dns_servers: (!refused).then(|| [RESOLVER_IP].into_iter().collect()),
        max_size: None,
        lease_duration: gives.then_some(LEASE),
        renew_duration: None,
        rebind_duration: None,
        additional_options: &[],
    };
    let mut bytes = vec![0; repr.buffer_len()];
    let mut packet = DhcpPacket::new_unchecked(&mut bytes[..]);
    repr.emit(&mut packet).ok()?;
    // RFC 2131 §4.1: who cannot hear its own address yet is told so by everybody's.
    let to = if !asked.client_ip.is_unspecified() {
        asked.client_ip
    } else if asked.broadcast || refused {
        Ipv4Addr::BROADCAST
    } else {
        GUEST_IP
    };
    Some(Answer { to, bytes })
}
