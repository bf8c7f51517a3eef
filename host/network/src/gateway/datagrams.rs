//! Flows of UDP datagrams between the guest and the world outside.

use crate::outside::{Request, Requests};
use core::net::Ipv4Addr;
use maquette_model::{LoadError, Reader, SimTime, Writer};
use std::collections::BTreeMap;

/// Flows at a time; a new one takes the place of the one that has been silent longest.
const MOST_FLOWS: usize = 64;

type End = (Ipv4Addr, u16);

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
        w.u64(self.flows.len() as u64);
        for (id, flow) in &self.flows {
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
