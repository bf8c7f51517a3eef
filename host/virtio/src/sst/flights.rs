//! Requests that the model is working on.

use crate::Chain;
use maquette_model::SimTime;
use maquette_virtio_sst_protocol::layout::RequestHeader;
use std::collections::VecDeque;

/// A request that the model is working on.
#[derive(Debug)]
pub(super) struct Flight {
    /// Between device and model.
    pub(super) id: u64,
    pub(super) queue: u16,
    /// The guest's, for the answer.
    pub(super) request_id: u64,
    /// The guest's, for the answer.
    pub(super) user_data: u64,
    pub(super) deadline: SimTime,
    /// Where the answer goes.
    pub(super) chain: Chain,
}

/// All of them. Every request has equally long, so they stand in the order of their deadlines.
#[derive(Debug, Default)]
pub(super) struct Flights {
    all: VecDeque<Flight>,
    /// The last id given.
    last: u64,
    /// Chains to use again, so that a request costs no allocation of its own.
    spare: Vec<Chain>,
}

impl Flights {
    pub(super) fn add(
        &mut self,
        queue: u16,
        header: &RequestHeader,
        chain: Chain,
        deadline: SimTime,
    ) -> u64 {
        // After 2^64 requests none with a small id is still in flight.
        self.last = self.last.wrapping_add(1);
        self.all.push_back(Flight {
            id: self.last,
            queue,
            request_id: header.request_id,
            user_data: header.user_data,
            deadline,
            chain,
        });
        self.last
    }

    pub(super) fn take(&mut self, id: u64) -> Option<Flight> {
        let place = self.all.iter().position(|flight| flight.id == id)?;
        self.all.remove(place)
    }

    pub(super) fn take_oldest(&mut self) -> Option<Flight> {
        self.all.pop_front()
    }

    pub(super) fn take_expired(&mut self, now: SimTime) -> Option<Flight> {
        self.all.pop_front_if(|flight| flight.deadline <= now)
    }

    pub(super) fn deadline(&self) -> Option<SimTime> {
        self.all.front().map(|flight| flight.deadline)
    }

    pub(super) fn of_queue(&self, queue: u16) -> usize {
        let all = self.all.iter();
        all.filter(|flight| flight.queue == queue).count()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) const fn last_id(&self) -> u64 {
        self.last
    }

    pub(super) fn spare_chain(&mut self) -> Chain {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn recycle(&mut self, chain: Chain) {
        self.spare.push(chain);
    }

    /// Forgets all requests. Ids go on, so that late answers find nothing.
    pub(super) fn forget(&mut self) {
        while let Some(flight) = self.all.pop_front() {
            self.recycle(flight.chain);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flight> {
        self.all.iter()
    }

    /// As saved.
    pub(super) fn restore(&mut self, all: VecDeque<Flight>, last: u64) {
        self.forget();
        self.all = all;
        self.last = last;
    }
}
