//! Flows of UDP datagrams between the guest and the world outside.

use crate::outside::{Request, Requests};
use crate::{FIRST_PORT, GATEWAY_IP, GUEST_IP};
use core::net::Ipv4Addr;
use maquette_model::{LoadError, Reader, SimTime, Writer};
use std::collections::BTreeMap;

/// Flows at a time; a new one takes the place of the one that has been silent longest.
const MOST_FLOWS: usize = 64;

pub(super) type End = (Ipv4Addr, u16);

#[derive(Clone, Copy, Debug)]
struct Flow {
    guest: End,
    peer: End,
    last: SimTime,
}

/// All flows, by their ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Datagrams {
    flows: BTreeMap<u32, Flow>,
}

impl Datagrams {
    /// The guest sent a datagram; `fresh` is the id of a flow that it may begin.
    pub(super) fn out(
        &mut self,
        now: SimTime,
        fresh: u32,
        (guest, to): (End, End),
        bytes: &[u8],
        requests: &Requests,
    ) {
        let same = |flow: &Flow| flow.guest == guest && flow.peer == to;
        let known = self.flows.iter().find(|(_, f)| same(f)).map(|(id, _)| *id);
        let id = known.unwrap_or(fresh);
        if known.is_none() {
            self.make_room(requests);
        }
        let flow = Flow {
            guest,
            peer: to,
            last: now,
        };
        self.flows.insert(id, flow);
        let bytes = bytes.to_vec();
        requests.put(Request::Datagram { id, to, bytes });
    }

    /// A datagram came to a forwarded port: from where to where it goes.
    pub(super) fn arrived(
        &mut self,
        now: SimTime,
        id: u32,
        port: u16,
        requests: &Requests,
    ) -> (End, End) {
        let guest = (GUEST_IP, port);
        let known = self.flows.get(&id).filter(|flow| flow.guest == guest);
        let peer = match known.map(|flow| flow.peer) {
            Some(peer) => peer,
            None => {
                self.make_room(requests);
                (GATEWAY_IP, self.free_port(id))
            }
        };
        let last = now;
        self.flows.insert(id, Flow { guest, peer, last });
        (guest, peer)
    }

    /// The port that a peer outside seems to send from.
    fn free_port(&self, id: u32) -> u16 {
        let dynamic = u16::MAX - FIRST_PORT + 1;
        let first = u16::try_from(id / 2 % u32::from(dynamic)).unwrap_or(0);
        let ports = (0..dynamic).map(|n| FIRST_PORT + first.wrapping_add(n) % dynamic);
        let taken = |port: u16| self.flows.values().any(|flow| flow.peer.1 == port);
        ports
            .into_iter()
            .find(|port| !taken(*port))
            .unwrap_or(FIRST_PORT)
    }

    fn make_room(&mut self, requests: &Requests) {
        if self.flows.len() < MOST_FLOWS {
            return;
        }
        let oldest = self.flows.iter().min_by_key(|(id, flow)| (flow.last, **id));
        if let Some(id) = oldest.map(|(id, _)| *id) {
            self.flows.remove(&id);
            requests.put(Request::Close { id });
        }
    }

    pub(super) fn save(&self, w: &mut Writer) {
        // Whose flows came in, only a socket of the host knows.
        let ours = || self.flows.iter().filter(|(id, _)| **id % 2 == 0);
        w.u64(ours().count() as u64);
        for (id, flow) in ours() {
            w.u32(*id);
            for (address, port) in [flow.guest, flow.peer] {
                w.u32(address.to_bits());
                w.u16(port);
            }
            w.time(flow.last);
        }
    }

    pub(super) fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let (field, value) = ("flows", r.u64()?);
        if value > MOST_FLOWS as u64 {
            return Err(LoadError::Value { field, value });
        }
        self.flows.clear();
        for _ in 0..value {
            let id = r.u32()?;
            let guest = (Ipv4Addr::from_bits(r.u32()?), r.u16()?);
            let peer = (Ipv4Addr::from_bits(r.u32()?), r.u16()?);
            let last = r.time()?;
            self.flows.insert(id, Flow { guest, peer, last });
        }
        Ok(())
    }

    /// A datagram came back: from where to where it goes.
    pub(super) fn back(&mut self, now: SimTime, id: u32) -> Option<(End, End)> {
        let flow = self.flows.get_mut(&id)?;
        flow.last = now;
        Some((flow.guest, flow.peer))
    }
}
